use std::collections::BTreeMap;

use http_semantics::Format;
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

/// The same join by looking at every pair.
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

/// Merges as the route does: groups by the page's limit, in chunks of a size.
fn merged(places: &[i64], groups: &Table, limit: usize, chunk: usize, format: Format) -> String {
    let mut merge = Merge::of_page(place_page(places), format.frame()).unwrap();
    let mut out = Vec::new();
    let mut behind = Some(0);
    while let Some(after) = behind {
        let page = group_page(groups.range(after + 1..).take(limit));
        for chunk in page.as_bytes().chunks(chunk) {
            merge.push(chunk, &mut out).unwrap();
        }
        behind = merge.groups_end(limit, &mut out).unwrap();
    }
    merge.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn who_lives_there_is_unknown_and_not_nobody_wherever_the_groups_end() {
    let page = |people: Value| {
        let place = |id: i64| json!({"id": id, "name": "n\"\n],", "people": people});
        json!([place(1), place(4)])
    };
    let groups = r#"[{"placeId":1,"people":[]},"#;
    for end in 0..=groups.len() {
        let mut merge = Merge::of_page(place_page(&[1, 4]), Format::Json.frame()).unwrap();
        let _ = merge.push(&groups.as_bytes()[..end], &mut Vec::new());
        let unknown = merge.without_people().unwrap();
        let unknown: Value = serde_json::from_slice(&unknown).unwrap();
        assert_eq!(unknown, page(Value::Null));
    }
    let none = Merge::of_page(b"[]".to_vec(), Format::Json.frame()).unwrap();
    assert_eq!(none.without_people().unwrap(), b"[]");
    let one = Merge::of_one(br#"{"id":3,"name":"x"}"#.to_vec(), Frame::NONE);
    let unknown = br#"{"id":3,"name":"x","people":null}"#;
    assert_eq!(one.without_people().unwrap(), unknown);
    let nonsense = Merge::of_one(b"<html>".to_vec(), Frame::NONE);
    assert_eq!(nonsense.without_people(), Err(Malformed::Places));
}

proptest! {
    #[test]
    fn it_is_the_join_that_nested_loops_make(
        places in prop::collection::btree_set(1..30i64, 0..20),
        groups in prop::collection::btree_map(1..30i64, prop::collection::vec(1..99i64, 1..4), 0..20),
        spare in 0..3usize,
        chunk in 1..200usize,
    ) {
        let places: Vec<i64> = places.into_iter().collect();
        let limit = places.len().max(1) + spare;
        let json: Value =
            serde_json::from_str(&merged(&places, &groups, limit, chunk, Format::Json)).unwrap();
        prop_assert_eq!(&json, &nested_loops(&places, &groups));
        let lines = merged(&places, &groups, limit, chunk, Format::NdJson);
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
        let mut merge = Merge::of_one(places, Format::Json.frame());
        let _ = merge.push(&groups, &mut out);
        let _ = merge.groups_end(1, &mut out);
        let _ = merge.finish(&mut out);
    }
}

#[test]
fn what_breaks_off_anywhere_is_refused() {
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
    let whole = |merge: Result<Merge, Malformed>| merge?.without_people();
    for at in 0..page.len() {
        let broken = page.get(..at).unwrap().to_vec();
        let refused = whole(Merge::of_page(broken, Format::Json.frame()));
        assert_eq!(refused, Err(Malformed::Places), "{at}");
    }
    for at in 0..one.len() {
        let broken = one.get(..at).unwrap().to_vec();
        let refused = whole(Ok(Merge::of_one(broken, Frame::NONE)));
        assert_eq!(refused, Err(Malformed::Places), "{at}");
    }
    assert!(whole(Ok(Merge::of_one(one.to_vec(), Frame::NONE))).is_ok());
}

fn merge_of(places: &[i64], groups: &str) -> Result<String, Malformed> {
    let mut out = Vec::new();
    let mut merge = Merge::of_page(place_page(places), Format::Json.frame())?;
    merge.push(groups.as_bytes(), &mut out)?;
    merge.groups_end(100, &mut out)?;
    merge.finish(&mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_group_keeps_its_link_to_the_rest() {
    let mut merge = Merge::of_one(br#"{"id":7,"name":"x"}"#.to_vec(), Frame::NONE);
    let mut out = Vec::new();
    let group = br#"[{"placeId":7,"people":[{"id":1}],"next":"/n"}]"#;
    merge.push(group, &mut out).unwrap();
    assert_eq!(merge.groups_end(1, &mut out), Ok(None));
    merge.finish(&mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"id":7,"name":"x","people":[{"id":1}],"next":"/n"}"#
    );
}

#[test]
fn what_a_service_does_not_promise_is_refused_and_named() {
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
        let refused = Merge::of_page(places.as_bytes().to_vec(), Format::Json.frame())
            .and_then(|mut merge| merge.finish(&mut Vec::new()));
        assert_eq!(refused, Err(Malformed::Places), "{places}");
    }
}

#[test]
fn a_page_knows_its_last_place() {
    let last = |places: &[i64]| {
        let page = Merge::of_page(place_page(places), Format::Json.frame());
        page.unwrap().last_place()
    };
    assert_eq!(last(&[]), None);
    assert_eq!(last(&[3]), Some(3));
    assert_eq!(last(&[3, 9]), Some(9));
}
