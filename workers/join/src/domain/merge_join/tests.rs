//! The merge join, compared with a nested-loop join, and malformed inputs.

use std::collections::BTreeMap;

use http_semantics::MediaType;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

type Table = BTreeMap<i64, Vec<i64>>;

fn array(records: &[String]) -> String {
    format!("[{}]", records.join(",\n"))
}

fn place_page(places: &[i64]) -> Vec<u8> {
    let record = |id: &i64| json!({"id": id, "name": "n\"\n],"}).to_string();
    array(&places.iter().map(record).collect::<Vec<_>>()).into_bytes()
}

fn person(id: i64) -> Value {
    json!({"id": id, "name": "{\"placeId\":9,\n]}]", "isAlive": true})
}

fn group_page<'a>(groups: impl Iterator<Item = (&'a i64, &'a Vec<i64>)>) -> String {
    let record = |(place, people): (&i64, &Vec<i64>)| {
        let people: Vec<Value> = people.iter().map(|id| person(*id)).collect();
        format!("{{\"placeId\":{place},\"people\":{}}}", json!(people))
    };
    array(&groups.map(record).collect::<Vec<_>>())
}

/// A nested loop join.
fn nested_loops(places: &[i64], groups: &Table) -> Value {
    let with_people = |id: &i64| {
        let mut people = Vec::new();
        for (place, group) in groups {
            if place == id {
                people.extend(group.iter().map(|id| person(*id)));
            }
        }
        json!({"id": id, "name": "n\"\n],", "people": people})
    };
    places.iter().map(with_people).collect()
}

/// Joins as the service does: arrays of at most `limit` groups, in chunks of a size.
fn join_pages(
    places: &[i64],
    groups: &Table,
    limit: usize,
    chunk: usize,
    format: MediaType,
) -> String {
    let mut join = MergeJoin::from_page(place_page(places), format.framing()).unwrap();
    let mut out = Vec::new();
    let mut next = Some(0);
    while let Some(after) = next {
        let page = group_page(groups.range(after + 1..).take(limit));
        for chunk in page.as_bytes().chunks(chunk) {
            join.push(chunk, &mut out).unwrap();
        }
        next = join.end_groups(limit, &mut out).unwrap();
    }
    join.finish(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn places_only_has_null_people_wherever_the_groups_broke_off() {
    let place = |id: i64| json!({"id": id, "name": "n\"\n],", "people": null});
    let expected = json!([place(1), place(4)]);
    let groups = r#"[{"placeId":1,"people":[]},"#;
    for end in 0..=groups.len() {
        let mut join =
            MergeJoin::from_page(place_page(&[1, 4]), MediaType::Json.framing()).unwrap();
        let _ = join.push(&groups.as_bytes()[..end], &mut Vec::new());
        let places: Value = serde_json::from_slice(&join.places_only()).unwrap();
        assert_eq!(places, expected);
    }
    let empty = MergeJoin::from_page(b"[]".to_vec(), MediaType::Json.framing()).unwrap();
    assert_eq!(empty.places_only(), b"[]");
    let place = MergeJoin::from_place(br#"{"id":3,"name":"x"}"#.to_vec()).unwrap();
    let expected = br#"{"id":3,"name":"x","people":null}"#;
    assert_eq!(place.places_only(), expected);
}

proptest! {
    #[test]
    fn the_merge_join_equals_a_nested_loop_join(
        places in prop::collection::btree_set(1..30i64, 0..20),
        groups in prop::collection::btree_map(1..30i64, prop::collection::vec(1..99i64, 1..4), 0..20),
        spare in 0..3usize,
        chunk in 1..200usize,
    ) {
        let places: Vec<i64> = places.into_iter().collect();
        let limit = places.len().max(1) + spare;
        let json: Value =
            serde_json::from_str(&join_pages(&places, &groups, limit, chunk, MediaType::Json)).unwrap();
        prop_assert_eq!(&json, &nested_loops(&places, &groups));
        let lines = join_pages(&places, &groups, limit, chunk, MediaType::NdJson);
        let lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(Value::from(lines), json);
    }

    #[test]
    fn no_input_causes_a_panic(
        places in prop::collection::vec(any::<u8>(), 0..60),
        groups in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let array = [b"[{\"id\":1", places.as_slice(), b"}]"].concat();
        let page = MergeJoin::from_page(array, MediaType::Json.framing());
        for mut join in page.into_iter().chain(MergeJoin::from_place(places)) {
            let mut out = Vec::new();
            let _ = join.push(&groups, &mut out);
            let _ = join.end_groups(1, &mut out);
            join.finish(&mut out);
        }
    }
}

#[test]
fn truncated_input_is_rejected() {
    let groups = group_page(
        [(1, vec![]), (2, vec![1, 7])]
            .iter()
            .map(|(id, group)| (id, group)),
    );
    for at in 0..groups.len() {
        let broken = groups.get(..at).unwrap();
        assert_eq!(
            join_groups(&[1, 2, 3], broken),
            Err(MalformedResponse::People),
            "{broken}"
        );
    }
    let page = place_page(&[1, 4]);
    for at in 0..page.len() {
        let broken = page.get(..at).unwrap().to_vec();
        let join = MergeJoin::from_page(broken, MediaType::Json.framing());
        assert_eq!(join.err(), Some(MalformedResponse::Places), "{at}");
    }
    let place = br#"{"id":3,"name":"x\\\"}]}","a":["b"]}"#;
    for at in 0..place.len() {
        let broken = place.get(..at).unwrap().to_vec();
        let join = MergeJoin::from_place(broken);
        assert_eq!(join.err(), Some(MalformedResponse::Places), "{at}");
    }
    assert!(MergeJoin::from_place(place.to_vec()).is_ok());
}

#[test]
fn brackets_and_quotes_in_names_do_not_end_a_record() {
    for name in [
        "{", "}", "[", "]", "[[", "}}", "\\", "\"", "\\\"{", "\"]", "x\\",
    ] {
        let place = json!({"id": 3, "name": name});
        let person = json!({"id": 1, "name": name});
        let groups = format!("[{{\"placeId\":3,\"people\":[{person}]}}]");
        let inputs = [
            MergeJoin::from_place(place.to_string().into_bytes()),
            MergeJoin::from_page(format!("[{place}]").into_bytes(), ListFraming::NONE),
        ];
        for join in inputs {
            let (mut join, mut out) = (join.unwrap(), Vec::new());
            join.push(groups.as_bytes(), &mut out).unwrap();
            assert_eq!(join.end_groups(2, &mut out), Ok(None), "{name}");
            join.finish(&mut out);
            let joined: Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(joined, json!({"id": 3, "name": name, "people": [person]}));
        }
    }
}

fn join_groups(places: &[i64], groups: &str) -> Result<String, MalformedResponse> {
    let mut out = Vec::new();
    let mut join = MergeJoin::from_page(place_page(places), MediaType::Json.framing())?;
    join.push(groups.as_bytes(), &mut out)?;
    join.end_groups(100, &mut out)?;
    join.finish(&mut out);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_next_link_of_a_group_is_copied() {
    let mut join = MergeJoin::from_place(br#"{"id":7,"name":"x"}"#.to_vec()).unwrap();
    let mut out = Vec::new();
    let group = br#"[{"placeId":7,"people":[{"id":1}],"next":"/n"}]"#;
    join.push(group, &mut out).unwrap();
    assert_eq!(join.end_groups(1, &mut out), Ok(None));
    join.finish(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"id":7,"name":"x","people":[{"id":1}],"next":"/n"}"#
    );
}

#[test]
fn a_malformed_input_is_rejected_and_its_backend_named() {
    for groups in [
        "",
        "<html>",
        "[",
        "{}",
        "[{}]",
        "[]]",
        "[],\n[]",
        "[{\"placeId\":1}]",
        "[{\"placeId\":1,\"people\":null}]",
        "[{\"placeId\":1,\"people\":[]}",
        "[{\"placeId\":1,\"people\":[]},",
        "[{\"placeId\":2,\"people\":[]},\n{\"placeId\":1,\"people\":[]}]",
        "[{\"placeId\":1,\"people\":[]}],\n{\"placeId\":2,\"people\":[]}]",
        "[{\"placeId\":1,\"people\":[{\"id\":1,\"name\":\"x\0\"}]}]",
    ] {
        assert_eq!(
            join_groups(&[1, 2], groups),
            Err(MalformedResponse::People),
            "{groups}"
        );
    }
    for places in [
        "",
        "oops",
        "{\"id\":1}",
        "[{\"id\":1}",
        "[{\"name\":\"x\"}]",
        "[{\"id\":0}]",
        "[{\"id\":1}\n{\"id\":2}]",
        "[{\"id\":1},\n]",
        "[{\"id\":2},\n{\"id\":1}]",
        "[{\"id\":1,\"name\":\"\0\"}]",
    ] {
        let join = MergeJoin::from_page(places.as_bytes().to_vec(), MediaType::Json.framing());
        assert_eq!(join.err(), Some(MalformedResponse::Places), "{places}");
    }
    for place in ["<html>", "{\"id\":1},\n{\"id\":2}"] {
        let join = MergeJoin::from_place(place.as_bytes().to_vec());
        assert_eq!(join.err(), Some(MalformedResponse::Places), "{place}");
    }
}

#[test]
fn the_last_id_is_that_of_the_last_place_of_the_page() {
    let last_id = |places: &[i64]| {
        let page = MergeJoin::from_page(place_page(places), MediaType::Json.framing());
        page.unwrap().last_id()
    };
    assert_eq!(last_id(&[]), None);
    assert_eq!(last_id(&[3]), Some(3));
    assert_eq!(last_id(&[3, 9]), Some(9));
}
