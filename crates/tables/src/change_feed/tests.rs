//! The queries of the feeds of changes.

use domain::Param;
use http_semantics::{MediaType, Validator};

use super::*;
use crate::schema::{PERSON, PLACE};

type Query = ChangesQuery<Validator>;

fn parse(query: &str) -> Result<Query, Problem> {
    let params = Params::parse(query, parameters(&PERSON))?;
    ChangesQuery::from_params(&params, 86_400_000, |cursor| match cursor {
        Cursor::Change(change) => Some(*change),
        _ => None,
    })
}

fn position() -> Validator {
    Validator::parse("7.1f09ab34").unwrap()
}

#[test]
fn only_the_feed_of_people_has_the_changes_of_one_person() {
    let parse = |table| Params::parse("placeId=1&personId=1", parameters(table));
    assert!(parse(&PERSON).is_ok());
    assert!(parse(&PLACE).is_err());
}

#[test]
fn a_feed_begins_at_the_first_change_a_cursor_a_time_or_now() {
    let since = |text: &str| parse(text).map(|query| query.since);
    let cursor = Cursor::Change(position());
    assert_eq!(since(""), Ok(Since::Beginning));
    assert_eq!(since("since=now"), Ok(Since::Now));
    assert_eq!(since("since=1970-01-01T00:00:01Z"), Ok(Since::Time(1000)));
    assert_eq!(
        since(&format!("since={cursor}")),
        Ok(Since::Position(position()))
    );
    let in_another_list = Cursor::Id(7).to_string();
    for invalid in ["1970-01-03", "then", &in_another_list] {
        assert!(since(&format!("since={invalid}")).is_err(), "{invalid}");
    }
}

#[test]
fn only_a_descending_feed_has_an_end() {
    let after = Cursor::Change(position());
    let query = parse(&format!("order=desc&after={after}")).unwrap();
    assert_eq!((query.descending, query.after), (true, Some(position())));
    assert!(!parse("order=asc").unwrap().descending);
    assert!(parse("order=desc").unwrap().descending);
    for invalid in [
        format!("after={after}"),
        format!("order=asc&after={after}"),
        "order=up".to_owned(),
    ] {
        assert!(parse(&invalid).is_err(), "{invalid}");
    }
}

#[test]
fn a_query_keeps_its_filters_with_other_positions() {
    let cursor = Cursor::Change(position());
    let query = parse(&format!(
        "since={cursor}&order=desc&after={cursor}&limit=5&placeId=1&personId=2"
    ));
    let query = query.unwrap();
    assert_eq!(query.map(Some), Some(query));
    assert_eq!(query.map(|_| None::<Validator>), None);
}

#[test]
fn only_a_page_of_the_people_of_a_place_looks_through_a_limited_number_of_changes() {
    let scanned = MAX_SCANNED.to_string();
    for (table, query, is_limited) in [
        (&PERSON, "", false),
        (&PERSON, "placeId=1", true),
        (&PERSON, "placeId=1&order=desc", true),
        (&PERSON, "personId=2", false),
        (&PERSON, "placeId=1&personId=2", false),
        (&PLACE, "placeId=1", false),
    ] {
        let framing = MediaType::NdJson.framing();
        let page = page(table, &parse(query).unwrap(), framing, ChangeFormat::Json);
        assert_eq!(page.sql.contains(&scanned), is_limited, "{query}");
    }
}
