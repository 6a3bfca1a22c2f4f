//! Tests the change feed of both tables: merges two simulated feeds, and compares them with both logs.

use super::*;
use domain::Param;
use http_semantics::MediaType;
use proptest::prelude::*;
use serde_json::{Value, json};
use tables::change_feed::PARAMETERS;

fn validator(number: i64) -> Validator {
    Validator::parse(&format!("{number}.1f09ab34")).unwrap()
}

/// A log of changes, each given by the milliseconds since the one before.
fn log(collection: &str, gaps: &[u32]) -> Vec<String> {
    let mut at = 0;
    let line = |(seq, gap): (usize, &u32)| {
        at += gap;
        format!(
            "{{\"at\":\"2026-01-31T12:00:00.{at:03}Z\",\"collection\":\"{collection}\",\"seq\":{},\"kind\":\"\\n],\"}}",
            seq + 1
        )
    };
    gaps.iter().enumerate().map(line).collect()
}

/// The body of a page of a backend's feed, the position of the next page, and whether there are
/// more changes. The first `made` changes of the log have been made.
fn feed(log: &[String], made: usize, position: i64, query: &ChangesQuery) -> (Vec<u8>, i64, bool) {
    let limit = usize::from(query.limit.get());
    let made = log.get(..made.min(log.len())).unwrap_or_default();
    let position = usize::try_from(position).unwrap();
    let (shown, next, has_more): (Vec<&str>, _, _) = if query.descending {
        let rest = made.get(..position.min(made.len() + 1).saturating_sub(1));
        let rest = rest.unwrap_or_default();
        let shown: Vec<&str> = rest.iter().rev().take(limit).map(String::as_str).collect();
        let left = rest.len() - shown.len();
        (shown, left + 1, left > 0)
    } else {
        let rest = made.get(position..).unwrap_or_default();
        let shown: Vec<&str> = rest.iter().take(limit).map(String::as_str).collect();
        let next = position + shown.len();
        let has_more = next < made.len();
        (shown, next, has_more)
    };
    let body = format!("[{}]", shown.join(",\n")).into_bytes();
    (body, i64::try_from(next).unwrap(), has_more)
}

fn page((body, next, has_more): &(Vec<u8>, i64, bool)) -> FeedPage<'_> {
    FeedPage {
        body,
        next: *next,
        has_more: *has_more,
    }
}

fn query(text: &str) -> ChangesQuery {
    parse_query(&Params::parse(text, PARAMETERS).unwrap(), 0).unwrap()
}

proptest! {
    #[test]
    fn merged_pages_contain_each_change_once_even_if_changes_arrive_meanwhile(
        places in prop::collection::vec(0..9u32, 0..30),
        people in prop::collection::vec(0..9u32, 0..30),
        arrivals in prop::collection::vec((0..5usize, 0..5usize), 0..40),
        limit in 1..7i64,
    ) {
        let (places, people) = (log("places", &places), log("people", &people));
        let mut text = format!("limit={limit}");
        let mut made = [0, 0];
        let mut position = [0, 0];
        let mut shown: Vec<Value> = Vec::new();
        // After the last arrival the walk continues until it has reached the end of both logs.
        let rest = std::iter::repeat_n((60, 60), 60);
        for (more_places, more_people) in arrivals.into_iter().chain(rest) {
            made = [made[0] + more_places, made[1] + more_people];
            let query = query(&text);
            let merged = merge(
                &query,
                page(&feed(&places, made[0], position[0], &query)),
                page(&feed(&people, made[1], position[1], &query)),
                MediaType::Json.framing(),
            ).unwrap();
            let page: Vec<Value> = serde_json::from_slice(&merged.body).unwrap();
            prop_assert!(page.len() <= usize::try_from(limit).unwrap());
            prop_assert!(page.iter().map(|change| change["at"].as_str()).is_sorted());
            shown.extend(page);
            position = merged.next;
            let [places, people] = merged.next.map(validator);
            let cursor = Position { places: Some(places), people }.cursor();
            text = format!("limit={limit}&since={cursor}");
        }
        for (collection, log) in [("places", places), ("people", people)] {
            let found = shown.iter().filter(|change| change["collection"] == collection);
            let expected: Vec<Value> =
                log.iter().map(|change| serde_json::from_str(change).unwrap()).collect();
            prop_assert_eq!(found.cloned().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn descending_pages_are_the_ascending_ones_reversed(
        places in prop::collection::vec(0..9u32, 0..20),
        people in prop::collection::vec(0..9u32, 0..20),
        limit in 1..7i64,
    ) {
        let (places, people) = (log("places", &places), log("people", &people));
        let all = |text: &str, mut position: [i64; 2]| {
            let query = query(text);
            let mut shown: Vec<Value> = Vec::new();
            // Each page but the last has a change.
            for _ in 0..=places.len() + people.len() {
                let merged = merge(
                    &query,
                    page(&feed(&places, 99, position[0], &query)),
                    page(&feed(&people, 99, position[1], &query)),
                    MediaType::Json.framing(),
                ).unwrap();
                shown.extend(serde_json::from_slice::<Vec<Value>>(&merged.body).unwrap());
                position = merged.next;
                if !merged.has_more {
                    break;
                }
            }
            shown
        };
        let mut ascending = all(&format!("limit={limit}"), [0, 0]);
        ascending.reverse();
        let descending = all(&format!("limit={limit}&order=desc"), [99, 99]);
        prop_assert_eq!(ascending, descending);
    }
}

#[test]
fn at_equal_times_places_come_first() {
    let query = query("");
    let (places, people) = (log("places", &[5, 5]), log("people", &[4, 6]));
    let feed = |log: &[String]| feed(log, 9, 0, &query);
    let framing = MediaType::NdJson.framing();
    let merged = merge(&query, page(&feed(&places)), page(&feed(&people)), framing).unwrap();
    let body = String::from_utf8(merged.body).unwrap();
    let expected = [&people[0], &places[0], &places[1], &people[1]];
    assert_eq!(body.lines().collect::<Vec<_>>(), expected);
    assert_eq!((merged.next, merged.has_more), ([2, 2], false));
}

#[test]
fn a_page_ends_where_a_feed_has_more_changes() {
    let query = query("placeId=1");
    let places = feed(&log("places", &[5, 5]), 9, 0, &query);
    // The people service has looked through many changes, and found none of the place.
    let people = (b"[]".to_vec(), 20_000, true);
    let framing = MediaType::Json.framing();
    let merged = merge(&query, page(&places), page(&people), framing).unwrap();
    assert_eq!(merged.body, b"[]");
    assert_eq!((merged.next, merged.has_more), ([0, 20_000], true));
    let people = feed(&log("people", &[5, 5]), 9, 0, &query);
    let places = (b"[]".to_vec(), 20_000, true);
    let merged = merge(&query, page(&places), page(&people), framing).unwrap();
    assert_eq!(merged.body, b"[]");
    assert_eq!((merged.next, merged.has_more), ([20_000, 0], true));
}

#[test]
fn the_cursor_of_one_feed_is_only_valid_for_the_feed_of_a_person() {
    let is_valid = |text: &str| {
        let params = Params::parse(text, PARAMETERS).unwrap();
        parse_query(&params, 0).is_ok()
    };
    let of_people = Cursor::Change(validator(4));
    assert!(is_valid(&format!("since={of_people}&personId=9")));
    assert!(!is_valid(&format!("since={of_people}")));
}

#[test]
fn the_feeds_get_the_filters_and_their_part_of_the_cursor() {
    let cursor = Cursor::Changes(validator(3), validator(4));
    let [of_places, of_people] = [3, 4].map(|number| Cursor::Change(validator(number)));
    let (places, people) = paths(&query(&format!("since={cursor}&placeId=7&limit=5")), false);
    let places = places.unwrap();
    assert_eq!(
        places,
        format!("/v1/places/changes?limit=5&since={of_places}&placeId=7")
    );
    assert_eq!(
        people,
        format!("/v1/people/changes?limit=5&since={of_people}&placeId=7")
    );
    let text = format!("since=1970-01-01T00:00:00Z&order=desc&after={cursor}&personId=9");
    let (places, people) = paths(&query(&text), false);
    assert_eq!(places, None);
    let expected = format!(
        "/v1/people/changes?limit=100&since=1970-01-01T00:00:00.000Z&order=desc&after={of_people}&personId=9"
    );
    assert_eq!(people, expected);
    let (places, people) = paths(&query("since=now&personId=9"), true);
    assert_eq!(
        places.as_deref(),
        Some("/internal/changes?limit=1&since=now")
    );
    assert_eq!(people, "/internal/changes?limit=100&since=now&personId=9");
    let (places, _) = paths(&query("since=now"), false);
    assert_eq!(
        places.as_deref(),
        Some("/v1/places/changes?limit=100&since=now")
    );
}

#[test]
fn a_stream_continues_at_the_position_of_its_last_cursor() {
    for places in [Some(validator(3)), None] {
        let position = Position {
            places,
            people: validator(4),
        };
        assert_eq!(
            Position::in_stream(&position.cursor(), true),
            Some(position)
        );
        assert_eq!(Position::from_parts(position.into()), Some(position));
        let of_both = Position::in_stream(&position.cursor(), false);
        assert_eq!(of_both, places.map(|_| position));
    }
    assert_eq!(Position::from_parts([Some(validator(3)), None]), None);
}

#[test]
fn a_malformed_feed_is_rejected() {
    fn feed(body: &[u8]) -> FeedPage<'_> {
        FeedPage {
            body,
            next: 3,
            has_more: false,
        }
    }
    let query = query("");
    let merge = |places: &[u8], people: &[u8]| {
        merge(
            &query,
            feed(places),
            feed(people),
            MediaType::Json.framing(),
        )
    };
    assert_eq!(merge(b"[]", b"[]").unwrap().next, [3, 3]);
    let other = log("people", &[1]).concat();
    let without_seq = json!([{"at": "2026-01-31T12:00:00.000Z", "collection": "places"}]);
    let bodies = [
        "",
        "[",
        "{}",
        "[{}]",
        &format!("[{other}]"),
        &without_seq.to_string(),
    ];
    for body in bodies {
        assert_eq!(
            merge(body.as_bytes(), b"[]"),
            Err(MalformedResponse::Places),
            "{body}"
        );
    }
    assert_eq!(merge(b"[]", b"[oops]"), Err(MalformedResponse::People));
}
