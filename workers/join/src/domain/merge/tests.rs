use std::collections::BTreeMap;

use proptest::prelude::*;
use registry::Format;
use serde_json::{Value, json};

use super::*;

type Table = BTreeMap<i64, Vec<i64>>;

fn place_lines(places: &[i64]) -> String {
    places
        .iter()
        .map(|id| json!({"id": id, "name": "n\"\n"}).to_string() + "\n")
        .collect()
}

fn person(id: i64) -> Value {
    json!({"id": id, "name": "{\"placeId\":9,\n", "isAlive": true})
}

fn group_lines<'a>(groups: impl Iterator<Item = (&'a i64, &'a Vec<i64>)>) -> String {
    let line = |(place, people): (&i64, &Vec<i64>)| {
        let people: Vec<Value> = people.iter().map(|id| person(*id)).collect();
        format!("{{\"placeId\":{place},\"people\":{}}}\n", json!(people))
    };
    groups.map(line).collect::<Vec<_>>().concat()
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
        json!({"id": id, "name": "n\"\n", "people": people})
    };
    places.iter().map(with_people).collect()
}

/// Merges as the route does: groups by the page's limit, in chunks of a size.
fn merged(places: &[i64], groups: &Table, limit: usize, chunk: usize, format: Format) -> String {
    let mut merge = Merge::new(place_lines(places).into_bytes(), format.frame());
    let mut out = Vec::new();
    let mut behind = Some(0);
    while let Some(after) = behind {
        let page = group_lines(groups.range(after + 1..).take(limit));
        for chunk in page.as_bytes().chunks(chunk) {
            assert_eq!(merge.push(chunk, &mut out), Ok(()));
        }
        behind = merge.unsettled(limit).unwrap();
    }
    assert_eq!(merge.finish(&mut out), Ok(()));
    String::from_utf8(out).unwrap()
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
        let mut merge = Merge::new(places, Format::Json.frame());
        let mut out = Vec::new();
        let _ = merge.push(&groups, &mut out);
        let _ = merge.unsettled(1);
        let _ = merge.finish(&mut out);
    }
}

#[test]
fn a_group_keeps_its_link_to_the_rest() {
    let mut merge = Merge::new(br#"{"id":7,"name":"x"}"#.to_vec(), Format::Json.frame());
    let mut out = Vec::new();
    let group = b"{\"placeId\":7,\"people\":[{\"id\":1}],\"next\":\"/n\"}\n";
    merge.push(group, &mut out).unwrap();
    merge.finish(&mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"[{"id":7,"name":"x","people":[{"id":1}],"next":"/n"}]"#
    );
}

#[test]
fn what_a_service_does_not_promise_is_refused() {
    let refused = |groups: &str| {
        let mut merge = Merge::new(place_lines(&[1, 2]).into_bytes(), Format::Json.frame());
        let mut out = Vec::new();
        merge
            .push(groups.as_bytes(), &mut out)
            .and_then(|()| merge.finish(&mut out))
            .is_err()
    };
    assert!(refused("<html>\n"));
    assert!(refused(
        "{\"placeId\":2,\"people\":[]}\n{\"placeId\":1,\"people\":[]}\n"
    ));
    assert!(refused("{\"placeId\":1,\"people\":[]}"));
    let mut merge = Merge::new(b"oops".to_vec(), Format::Json.frame());
    assert!(merge.finish(&mut Vec::new()).is_err());
}

#[test]
fn a_page_knows_its_last_place() {
    let last =
        |places: &[i64]| Merge::new(place_lines(places).into(), Format::Json.frame()).last_place();
    assert_eq!(last(&[]), None);
    assert_eq!(last(&[3, 9]), Some(9));
}
