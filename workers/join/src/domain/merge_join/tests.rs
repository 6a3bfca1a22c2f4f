//! Tests the merge join: compares its result with a nested-loop join, and checks that it rejects
//! malformed inputs.

use std::collections::BTreeMap;

use http_semantics::MediaType;
use proptest::prelude::*;
use serde_json::{Value, json};
use tables::schema::PERSON_TABLE;

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

/// The cells of a place without people.
fn empty_cells() -> &'static str {
    std::str::from_utf8(EMPTY_CELLS).unwrap()
}

/// The order of a page and of its groups, and the ids of its places.
type Places = (PlaceOrder, Vec<i64>);

fn group_json((place, people): &(i64, Vec<i64>)) -> String {
    let people: Vec<Value> = people.iter().map(|id| person(*id)).collect();
    format!("{{\"placeId\":{place},\"people\":{}}}", json!(people))
}

/// The people service's lines for a group.
fn group_lines((place, people): &(i64, Vec<i64>)) -> String {
    if people.is_empty() {
        return format!("{place}{}", empty_cells());
    }
    let line = |id: &i64| format!("{place},{id},\"x, \"\"y\"\"\",true,false");
    people.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn group_page(groups: &[(i64, Vec<i64>)], format: MediaType) -> String {
    match format {
        MediaType::Csv if groups.is_empty() => ".".to_owned(),
        MediaType::Csv => {
            groups
                .iter()
                .map(|group| group_lines(group) + "\n")
                .collect::<String>()
                + "."
        }
        _ => array(&groups.iter().map(group_json).collect::<Vec<_>>()),
    }
}

/// A nested loop join.
fn nested_loops(places: &[i64], groups: &Table, needs_people: bool) -> Value {
    let with_people = |id: &i64| {
        let mut people = Vec::new();
        for (place, group) in groups {
            if place == id {
                people.extend(group.iter().map(|id| person(*id)));
            }
        }
        json!({"id": id, "name": "n\"\n],", "people": people})
    };
    let records = places.iter().map(with_people);
    records
        .filter(|place| !needs_people || place["people"] != json!([]))
        .collect()
}

/// The same as rows of CSV.
fn nested_loop_rows(places: &[i64], groups: &Table, needs_people: bool) -> String {
    let mut rows = vec![CSV_HEADER.to_owned()];
    for id in places {
        let people = groups.get(id).cloned().unwrap_or_default();
        let place = format!("{id},\"n\"\"\n],\"");
        let row = |person: &i64| format!("{place},{person},\"x, \"\"y\"\"\",true,false\r\n");
        rows.extend(people.iter().map(row));
        if people.is_empty() && !needs_people {
            rows.push(format!("{place}{}\r\n", empty_cells()));
        }
    }
    rows.concat()
}

/// The groups after a place, or those of the places, as the people service sends them.
fn requested_groups(
    (order, places): &Places,
    groups: &Table,
    after: Option<i64>,
) -> Vec<(i64, Vec<i64>)> {
    let group = |id: &i64| groups.get(id).map(|people| (*id, people.clone()));
    let ids: Vec<i64> = match order {
        PlaceOrder::Ascending => groups.keys().copied().collect(),
        PlaceOrder::Descending => groups.keys().rev().copied().collect(),
        PlaceOrder::AsListed => places.clone(),
    };
    let is_after = |id: &&i64| match (order, after) {
        (PlaceOrder::Ascending, Some(after)) => **id > after,
        (PlaceOrder::Descending, Some(after)) => **id < after,
        _ => true,
    };
    ids.iter().filter(is_after).filter_map(group).collect()
}

/// Joins as the service does: arrays of at most `limit` groups, in chunks of a size.
fn join_pages(
    (order, places): &Places,
    groups: &Table,
    limit: usize,
    chunk: usize,
    (format, needs_people): (MediaType, bool),
) -> String {
    let page = PlacePage::parse(place_page(places)).unwrap();
    let mut join = MergeJoin::new(page, *order, format).unwrap();
    if needs_people {
        join = join.without_empty_places();
    }
    let mut out = Vec::new();
    let mut after = None;
    let mut parts = requested_groups(&(*order, places.clone()), groups, None);
    // The array after the last group is empty.
    for _ in 0..=groups.len() + 1 {
        let is_listed = *order == PlaceOrder::AsListed;
        let rest = parts.split_off(limit.min(parts.len()));
        let page = group_page(&parts, format);
        for chunk in page.as_bytes().chunks(chunk) {
            join.push(chunk, &mut out).unwrap();
        }
        let next = join.end_groups(limit, &mut out).unwrap();
        if is_listed && !rest.is_empty() {
            parts = rest;
            continue;
        }
        if is_listed || next.is_none() {
            break;
        }
        after = next.or(after);
        parts = requested_groups(&(*order, places.clone()), groups, after);
    }
    join.finish(&mut out);
    String::from_utf8(out).unwrap()
}

fn page_of(places: &[i64]) -> MergeJoin {
    let page = PlacePage::parse(place_page(places)).unwrap();
    MergeJoin::new(page, PlaceOrder::Ascending, MediaType::Json).unwrap()
}

#[test]
fn places_only_has_null_people_wherever_the_groups_broke_off() {
    let place = |id: i64| json!({"id": id, "name": "n\"\n],", "people": null});
    let expected = json!([place(1), place(4)]);
    let groups = r#"[{"placeId":1,"people":[]},"#;
    for end in 0..=groups.len() {
        let mut join = page_of(&[1, 4]);
        let _ = join.push(&groups.as_bytes()[..end], &mut Vec::new());
        let places: Value = serde_json::from_slice(&join.places_only().unwrap()).unwrap();
        assert_eq!(places, expected);
    }
    assert_eq!(page_of(&[]).places_only().unwrap(), b"[]");
    let place = MergeJoin::from_place(br#"{"id":3,"name":"x"}"#.to_vec()).unwrap();
    let expected = br#"{"id":3,"name":"x","people":null}"#;
    assert_eq!(place.places_only().unwrap(), expected);
    let page = PlacePage::parse(place_page(&[1])).unwrap();
    let csv = MergeJoin::new(page, PlaceOrder::Ascending, MediaType::Csv).unwrap();
    assert_eq!(csv.places_only(), None);
}

proptest! {
    #[test]
    fn the_merge_join_equals_a_nested_loop_join_in_every_order_and_format(
        places in prop::collection::btree_set(1..30i64, 0..20),
        groups in prop::collection::btree_map(1..30i64, prop::collection::vec(1..99i64, 0..4), 0..20),
        shuffled in Just((1..30i64).collect::<Vec<_>>()).prop_shuffle(),
        spare in 0..3usize,
        chunk in 1..200usize,
    ) {
        let ascending: Vec<i64> = places.iter().copied().collect();
        let orders = [
            (PlaceOrder::Ascending, ascending.clone()),
            (PlaceOrder::Descending, ascending.iter().rev().copied().collect()),
            (PlaceOrder::AsListed, shuffled.into_iter().filter(|id| places.contains(id)).collect()),
        ];
        let limit = places.len().max(1) + spare;
        for page in orders {
            for needs_people in [false, true] {
                let join = |format| join_pages(&page, &groups, limit, chunk, (format, needs_people));
                let json: Value = serde_json::from_str(&join(MediaType::Json)).unwrap();
                prop_assert_eq!(&json, &nested_loops(&page.1, &groups, needs_people));
                let lines = join(MediaType::NdJson);
                let lines: Vec<Value> =
                    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                prop_assert_eq!(Value::from(lines), json);
                let rows = nested_loop_rows(&page.1, &groups, needs_people);
                prop_assert_eq!(join(MediaType::Csv), rows);
            }
        }
    }

    #[test]
    fn no_input_causes_a_panic(
        places in prop::collection::vec(any::<u8>(), 0..60),
        groups in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let array = [b"[{\"id\":1", places.as_slice(), b"}]"].concat();
        let join = |format| {
            let page = PlacePage::parse(array.clone())?;
            MergeJoin::new(page, PlaceOrder::AsListed, format)
        };
        let joins = [join(MediaType::Json), join(MediaType::Csv), MergeJoin::from_place(places)];
        for mut join in joins.into_iter().flatten() {
            let mut out = Vec::new();
            let _ = join.push(&groups, &mut out);
            let _ = join.end_groups(1, &mut out);
            join.finish(&mut out);
        }
    }
}

#[test]
fn truncated_input_is_rejected() {
    for format in [MediaType::Json, MediaType::Csv] {
        let groups = group_page(&[(1, vec![]), (2, vec![1, 7])], format);
        for at in 0..groups.len() {
            let broken = groups.get(..at).unwrap();
            assert_eq!(
                join_groups(&[1, 2, 3], broken, format),
                Err(MalformedResponse::People),
                "{broken}"
            );
        }
        assert!(join_groups(&[1, 2, 3], &groups, format).is_ok());
    }
    let page = place_page(&[1, 4]);
    for at in 0..page.len() {
        let broken = page.get(..at).unwrap().to_vec();
        let page = PlacePage::parse(broken);
        assert_eq!(page.err(), Some(MalformedResponse::Places), "{at}");
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
        let joined = json!({"id": 3, "name": name, "people": [person]});
        let page = PlacePage::parse(format!("[{place}]").into_bytes());
        let page =
            page.and_then(|page| MergeJoin::new(page, PlaceOrder::Ascending, MediaType::Json));
        let inputs = [
            (
                MergeJoin::from_place(place.to_string().into_bytes()),
                joined.clone(),
            ),
            (page, json!([joined])),
        ];
        for (join, expected) in inputs {
            let (mut join, mut out) = (join.unwrap(), Vec::new());
            join.push(groups.as_bytes(), &mut out).unwrap();
            assert_eq!(join.end_groups(2, &mut out), Ok(None), "{name}");
            join.finish(&mut out);
            let written: Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(written, expected);
        }
    }
}

fn join_groups(
    places: &[i64],
    groups: &str,
    format: MediaType,
) -> Result<String, MalformedResponse> {
    let mut out = Vec::new();
    let page = PlacePage::parse(place_page(places))?;
    let mut join = MergeJoin::new(page, PlaceOrder::Ascending, format)?;
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
            join_groups(&[1, 2], groups, MediaType::Json),
            Err(MalformedResponse::People),
            "{groups}"
        );
    }
    for lines in [
        "",
        "<html>",
        "1{empty}",
        "1{empty}\n",
        "1\n.",
        "x,1\n.",
        "2{empty}\n1{empty}\n.",
        "1{empty}\n1{empty}\n.",
        "1{empty}\n.\n.",
        "1,7,\"a\",true,\0false\n.",
    ] {
        let lines = lines.replace("{empty}", empty_cells());
        assert_eq!(
            join_groups(&[1, 2], &lines, MediaType::Csv),
            Err(MalformedResponse::People),
            "{lines}"
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
        let page = PlacePage::parse(places.as_bytes().to_vec());
        let join =
            page.and_then(|page| MergeJoin::new(page, PlaceOrder::Ascending, MediaType::Json));
        assert_eq!(join.err(), Some(MalformedResponse::Places), "{places}");
    }
    for place in ["<html>", "{\"id\":1},\n{\"id\":2}"] {
        let join = MergeJoin::from_place(place.as_bytes().to_vec());
        assert_eq!(join.err(), Some(MalformedResponse::Places), "{place}");
    }
}

/// Joins groups with the places 5 and 2 in this order, and checks that the groups are malformed.
fn assert_malformed_groups(order: PlaceOrder, groups: &str) {
    let page = PlacePage::parse(place_page(&[5, 2])).unwrap();
    let mut join = MergeJoin::new(page, order, MediaType::Json).unwrap();
    let pushed = join.push(groups.as_bytes(), &mut Vec::new());
    let ended = pushed.and_then(|()| join.end_groups(2, &mut Vec::new()));
    assert_eq!(ended, Err(MalformedResponse::People), "{groups}");
}

#[test]
fn a_listed_group_of_another_place_or_in_another_order_is_malformed() {
    for groups in [
        "[{\"placeId\":7,\"people\":[]}]",
        "[{\"placeId\":2,\"people\":[]},\n{\"placeId\":5,\"people\":[]}]",
    ] {
        assert_malformed_groups(PlaceOrder::AsListed, groups);
    }
}

#[test]
fn groups_that_repeat_or_turn_back_in_descending_order_are_malformed() {
    for groups in [
        "[{\"placeId\":2,\"people\":[]},\n{\"placeId\":5,\"people\":[]}]",
        "[{\"placeId\":3,\"people\":[]},\n{\"placeId\":3,\"people\":[]}]",
    ] {
        assert_malformed_groups(PlaceOrder::Descending, groups);
    }
}

#[test]
fn the_csv_has_the_declared_columns_of_people() {
    let columns = PERSON_TABLE.visible().map(|column| column.json);
    let columns: Vec<&str> = columns.filter(|column| *column != "placeId").collect();
    let header = format!("placeId,placeName,{}\r\n", columns.join(","));
    assert_eq!(CSV_HEADER, header);
    assert_eq!(empty_cells(), ",".repeat(columns.len()));
}
