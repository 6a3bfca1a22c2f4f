//! Tests the change feed: compares it with a filter of the whole change log.

use domain::{PersonId, PlaceId};
use http_semantics::{MediaType, Validator};
use proptest::prelude::*;
use serde_json::Value;
use tables::change_feed::{self, ChangeFormat, Since};
use tables::page::PageSize;
use tables::schema::PERSON;
use tables::statement::Statement;
use testbed::Testbed;

type ChangesQuery = tables::ChangesQuery<Validator>;

const ALL: ChangesQuery = ChangesQuery {
    since: Since::Beginning,
    descending: false,
    after: None,
    limit: PageSize::MAX,
    place: None,
    person: None,
};

fn statement(query: &ChangesQuery) -> Statement {
    let framing = MediaType::NdJson.framing();
    change_feed::page(&PERSON, query, framing, ChangeFormat::StreamLine)
}

/// A change as a stream sends it: its places, its person and its `seq`.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    places: [i64; 2],
    person: i64,
    seq: i64,
    at: String,
}

fn parse(line: &str) -> Change {
    let (start, json) = line.split_once(' ').unwrap();
    let numbers: Vec<i64> = start.split(',').map(|n| n.parse().unwrap()).collect();
    let change: Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        (change["id"].as_i64(), change["seq"].as_i64()),
        (Some(numbers[2]), Some(numbers[3]))
    );
    Change {
        places: [numbers[0], numbers[1]],
        person: numbers[2],
        seq: numbers[3],
        at: change["at"].as_str().unwrap().to_owned(),
    }
}

/// All pages of a query, by their positions.
fn read_all(testbed: &Testbed, mut query: ChangesQuery) -> Vec<Change> {
    let mut changes = Vec::new();
    loop {
        let row = &testbed.rows(&statement(&query)).unwrap()[0];
        let page: Vec<Change> = row.text("body").lines().map(parse).collect();
        assert!(page.len() <= query.limit.get().into());
        changes.extend(page);
        let next = testbed.validator(row.integer("last"));
        if row.integer("has_more") == 0 {
            return changes;
        }
        if query.descending {
            query.after = Some(next);
        } else {
            query.since = Since::Position(next);
        }
    }
}

/// Writes whose times are two milliseconds apart, so that a time is before, at or after a change.
fn logged(writes: &[(u8, i64, Option<i64>)]) -> Testbed {
    let testbed = Testbed::migrated("people").unwrap();
    for (kind, id, place) in writes {
        let place = place.map_or("NULL".to_owned(), |place| place.to_string());
        testbed
            .execute(&match kind {
                0 => format!("DELETE FROM person WHERE id = {id}"),
                1 => format!(
                    "UPDATE person SET place_id = {place}, version = version + 1 WHERE id = {id}"
                ),
                _ => format!(
                    "INSERT OR IGNORE INTO person (id, name, name_key, place_id, version)
                SELECT {id}, 'x', 'x', {place},
                  1 + coalesce((SELECT max(version) FROM person_change WHERE person_id = {id}), 0)"
                ),
            })
            .unwrap();
    }
    testbed.execute(
        "DROP TRIGGER person_change_is_never_updated; UPDATE person_change SET at = 1000 + 2 * (seq / 2)",
    ).unwrap();
    testbed
}

proptest! {
    #[test]
    fn a_feed_is_a_filter_of_the_log(
        writes in prop::collection::vec((0..3u8, 1..4i64, prop::option::of(1..4i64)), 0..30),
        since in 0..5u8, number in 0..32i64, descending: bool, limit in 1..6i64,
        place in prop::option::of(1..4i64), person in prop::option::of(1..4i64),
    ) {
        let testbed = logged(&writes);
        let all = read_all(&testbed, ALL);
        let newest = i64::try_from(all.len()).unwrap();
        prop_assert!(all.iter().zip(1..).all(|(change, seq)| change.seq == seq));
        let time = |seq: i64| 1000 + 2 * (seq / 2);
        let (since, first) = match since {
            0 => (Since::Beginning, 1),
            1 => (Since::Now, newest + 1),
            2 => (Since::Position(testbed.validator(number)), number + 1),
            _ => {
                let at = 999 + number;
                let first = (1..=newest).find(|seq| time(*seq) >= at).unwrap_or(newest + 1);
                (Since::Time(at), first)
            }
        };
        let found = read_all(&testbed, ChangesQuery {
            since,
            descending,
            limit: PageSize::new(limit).unwrap(),
            place: place.and_then(PlaceId::new),
            person: person.and_then(PersonId::new),
            ..ALL
        });
        let mut expected: Vec<Change> = all.into_iter().filter(|change| {
            change.seq >= first
                && place.is_none_or(|place| change.places.contains(&place))
                && person.is_none_or(|person| change.person == person)
        }).collect();
        if descending {
            expected.reverse();
        }
        prop_assert_eq!(found, expected);
    }
}

/// A move concerns both places, and a deletion or a return the place that was left or entered.
#[test]
fn a_change_concerns_the_places_before_and_after_it() {
    let testbed = logged(&[
        (2, 1, Some(7)),
        (1, 1, Some(8)),
        (1, 1, Some(8)),
        (0, 1, None),
        (2, 1, Some(9)),
    ]);
    let places: Vec<[i64; 2]> = read_all(&testbed, ALL)
        .iter()
        .map(|change| change.places)
        .collect();
    assert_eq!(places, [[0, 7], [7, 8], [8, 8], [8, 8], [0, 9]]);
}

#[test]
fn a_page_of_a_place_looks_through_a_bounded_number_of_changes() {
    let testbed = Testbed::migrated("people").unwrap();
    let rows = change_feed::MAX_SCANNED + 10;
    testbed.execute(&format!(
        "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {rows})
         INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id)
         SELECT value, 'created', value, 1, 'x', 0, 0, iif(value = {rows}, 7, NULL)
         FROM n"
    )).unwrap();
    let of_place = |since, descending| ChangesQuery {
        since,
        descending,
        place: PlaceId::new(7),
        ..ALL
    };
    let row = &testbed
        .rows(&statement(&of_place(Since::Beginning, false)))
        .unwrap()[0];
    assert_eq!(
        (
            row.text("body"),
            row.integer("last"),
            row.integer("has_more")
        ),
        ("", change_feed::MAX_SCANNED, 1)
    );
    let since = Since::Position(testbed.validator(change_feed::MAX_SCANNED));
    let row = &testbed.rows(&statement(&of_place(since, false))).unwrap()[0];
    assert_eq!(
        (row.text("body").lines().count(), row.integer("has_more")),
        (1, 0)
    );
    let row = &testbed
        .rows(&statement(&of_place(Since::Beginning, true)))
        .unwrap()[0];
    assert_eq!(
        (
            row.text("body").lines().count(),
            row.integer("last"),
            row.integer("has_more")
        ),
        (1, 11, 1)
    );
}

#[test]
fn each_query_of_the_feed_reads_an_index() {
    let testbed = Testbed::migrated("people").unwrap();
    let position = testbed.validator(5);
    for since in [
        Since::Beginning,
        Since::Position(position),
        Since::Now,
        Since::Time(9),
    ] {
        for (descending, after) in [(false, None), (true, None), (true, Some(position))] {
            for (place, person) in [
                (None, None),
                (Some(7), None),
                (None, Some(8)),
                (Some(7), Some(8)),
            ] {
                let query = ChangesQuery {
                    since,
                    descending,
                    after,
                    place: place.and_then(PlaceId::new),
                    person: person.and_then(PersonId::new),
                    ..ALL
                };
                let plan = testbed.plan(&statement(&query)).unwrap();
                assert!(
                    !plan.walks("person_change") && !plan.walks("previous"),
                    "{query:?}: {plan:?}"
                );
                assert!(!plan.sorts(), "{query:?}: {plan:?}");
            }
        }
    }
}
