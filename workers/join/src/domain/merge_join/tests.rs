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

/// Joins as the service does: groups by the limit of the page, in chunks of a size.
fn merged(places: &[i64], groups: &Table, limit: usize, chunk: usize, format: MediaType) -> String {
    let mut join = MergeJoin::of_page(place_page(places), format.framing()).unwrap();
    let mut out = Vec::new();
    let mut behind = Some(0);
    while let Some(after) = behind {
        let page = group_page(groups.range(after + 1..).take(limit));
        for chunk in page.as_bytes().chunks(chunk) {
            join.push(chunk, &mut out).unwrap();
        }
        behind = join.end_groups(limit, &mut out).unwrap();
    }
    join.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn who_lives_there_is_unknown_and_not_nobody_wherever_the_end_groups() {
    let page = |people: Value| {
        let place = |id: i64| json!({"id": id, "name": "n\"\n],", "people": people});
        json!([place(1), place(4)])
    };
    let groups = r#"[{"placeId":1,"people":[]},"#;
    for end in 0..=groups.len() {
        let mut join = MergeJoin::of_page(place_page(&[1, 4]), MediaType::Json.framing()).unwrap();
        let _ = join.push(&groups.as_bytes()[..end], &mut Vec::new());
        let unknown = join.places_only().unwrap();
        let unknown: Value = serde_json::from_slice(&unknown).unwrap();
        assert_eq!(unknown, page(Value::Null));
    }
    let none = MergeJoin::of_page(b"[]".to_vec(), MediaType::Json.framing()).unwrap();
    assert_eq!(none.places_only().unwrap(), b"[]");
    let one = MergeJoin::of_one(br#"{"id":3,"name":"x"}"#.to_vec(), ListFraming::NONE);
    let unknown = br#"{"id":3,"name":"x","people":null}"#;
    assert_eq!(one.places_only().unwrap(), unknown);
    let nonsense = MergeJoin::of_one(b"<html>".to_vec(), ListFraming::NONE);
    assert_eq!(nonsense.places_only(), Err(Malformed::Places));
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
            serde_json::from_str(&merged(&places, &groups, limit, chunk, MediaType::Json)).unwrap();
        prop_assert_eq!(&json, &nested_loops(&places, &groups));
        let lines = merged(&places, &groups, limit, chunk, MediaType::NdJson);
        let lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(Value::from(lines), json);
    }

    #[test]
    fn no_input_makes_it_panic(
        places in prop::collection::vec(any::<u8>(), 0..60),
        groups in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut out = Vec::new();
        let mut join = MergeJoin::of_one(places, MediaType::Json.framing());
        let _ = join.push(&groups, &mut out);
        let _ = join.end_groups(1, &mut out);
        let _ = join.finish(&mut out);
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
            merge_of(&[1, 2, 3], broken),
            Err(Malformed::Groups),
            "{broken}"
        );
    }
    let page = place_page(&[1, 4]);
    let one = br#"{"id":3,"name":"x\\\"}]}","a":["b"]}"#;
    let whole = |join: Result<MergeJoin, Malformed>| join?.places_only();
    for at in 0..page.len() {
        let broken = page.get(..at).unwrap().to_vec();
        let rejection = whole(MergeJoin::of_page(broken, MediaType::Json.framing()));
        assert_eq!(rejection, Err(Malformed::Places), "{at}");
    }
    for at in 0..one.len() {
        let broken = one.get(..at).unwrap().to_vec();
        let rejection = whole(Ok(MergeJoin::of_one(broken, ListFraming::NONE)));
        assert_eq!(rejection, Err(Malformed::Places), "{at}");
    }
    assert!(whole(Ok(MergeJoin::of_one(one.to_vec(), ListFraming::NONE))).is_ok());
}

fn merge_of(places: &[i64], groups: &str) -> Result<String, Malformed> {
    let mut out = Vec::new();
    let mut join = MergeJoin::of_page(place_page(places), MediaType::Json.framing())?;
    join.push(groups.as_bytes(), &mut out)?;
    join.end_groups(100, &mut out)?;
    join.finish(&mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_group_keeps_its_next_link() {
    let mut join = MergeJoin::of_one(br#"{"id":7,"name":"x"}"#.to_vec(), ListFraming::NONE);
    let mut out = Vec::new();
    let group = br#"[{"placeId":7,"people":[{"id":1}],"next":"/n"}]"#;
    join.push(group, &mut out).unwrap();
    assert_eq!(join.end_groups(1, &mut out), Ok(None));
    join.finish(&mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"id":7,"name":"x","people":[{"id":1}],"next":"/n"}"#
    );
}

#[test]
fn malformed_input_is_rejected_with_the_service_named() {
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
            merge_of(&[1, 2], groups),
            Err(Malformed::Groups),
            "{groups}"
        );
    }
    for places in [
        "",
        "oops",
        "{\"id\":1}",
        "[{\"id\":1}",
        "[{\"name\":\"x\"}]",
        "[{\"id\":2},\n{\"id\":1}]",
        "[{\"id\":1,\"name\":\"\0\"}]",
    ] {
        let rejection = MergeJoin::of_page(places.as_bytes().to_vec(), MediaType::Json.framing())
            .and_then(|mut join| join.finish(&mut Vec::new()));
        assert_eq!(rejection, Err(Malformed::Places), "{places}");
    }
}

#[test]
fn last_place_is_the_last_of_the_page() {
    let last = |places: &[i64]| {
        let page = MergeJoin::of_page(place_page(places), MediaType::Json.framing());
        page.unwrap().last_place()
    };
    assert_eq!(last(&[]), None);
    assert_eq!(last(&[3]), Some(3));
    assert_eq!(last(&[3, 9]), Some(9));
}
