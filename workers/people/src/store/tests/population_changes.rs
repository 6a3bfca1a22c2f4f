//! Tests the changes of the population of a place: compares them with the whole change log.

use domain::{Param, PlaceId};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tables::statement::{MAX_TEXT_BYTES, Statement};
use testbed::Testbed;

use super::{filled, filled_by, move_or_remove, people};
use crate::store;

/// A time after all changes.
const LATEST: i64 = 1 << 50;

fn statement(place: i64, before: i64, limit: i64) -> Statement {
    let place = PlaceId::parse(&place.to_string()).unwrap();
    store::population_changes(place, before, limit)
}

fn changes(testbed: &Testbed, place: i64, before: i64, limit: i64) -> Vec<Json> {
    let rows = testbed.rows(&statement(place, before, limit)).unwrap();
    serde_json::from_str(rows[0].text("body")).unwrap()
}

/// The changes of the population of a place in the whole log, latest first: those of its people,
/// before or after the change, except those of names.
fn logged(testbed: &Testbed, place: i64) -> Vec<Json> {
    let sql = format!(
        "SELECT json_object(
           'at', strftime('%Y-%m-%dT%H:%M:%fZ', log.at / 1000.0, 'unixepoch'),
           'by', log.actor,
           'id', log.person_id,
           'before', iif(old.seq IS NULL, NULL, json_object(
             'id', old.person_id, 'name', old.name, 'isAlive', json(iif(old.is_alive, 'true', 'false')),
             'placeId', old.place_id, 'isKing', json(iif(old.is_king, 'true', 'false'))
           )),
           'record', iif(log.kind = 'deleted', NULL, json_object(
             'id', log.person_id, 'name', log.name, 'isAlive', json(iif(log.is_alive, 'true', 'false')),
             'placeId', log.place_id, 'isKing', json(iif(log.is_king, 'true', 'false'))
           ))
         ) AS change
         FROM person_change AS log
         LEFT JOIN person_change AS old
           ON old.person_id = log.person_id AND old.version = log.version - 1
           AND old.kind <> 'deleted'
         WHERE (log.place_id = {place} OR old.place_id = {place})
           AND (log.kind <> 'updated' OR log.place_id IS NOT old.place_id
             OR log.is_alive <> old.is_alive OR log.is_king <> old.is_king)
         ORDER BY log.seq DESC"
    );
    let rows = testbed.rows(&Statement::new(&sql, Vec::new())).unwrap();
    let parse = |row: &testbed::Row| serde_json::from_str(row.text("change")).unwrap();
    rows.iter().map(parse).collect()
}

/// Moves the time of all later changes ahead.
fn advance(testbed: &Testbed, step: i64) {
    let id = 1000 + step;
    let sql = format!(
        "INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king)
         SELECT max(at) + 60000, 'created', {id}, 1, 'other', 0, 0 FROM person_change"
    );
    testbed.execute(&sql).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_changes_of_a_population_are_those_of_the_log_on_any_page(
        people in people(),
        moves in prop::collection::vec((1..40i64, prop::option::of(1..6i64), any::<bool>()), 0..20),
        limit in 1..5i64,
    ) {
        let testbed = filled(&people);
        for (step, (id, place, is_later)) in (0..).zip(moves) {
            if is_later && !people.is_empty() {
                advance(&testbed, step);
            }
            move_or_remove(&testbed, id, place);
        }
        for place in 1..6 {
            let all = changes(&testbed, place, LATEST, 1000);
            prop_assert_eq!(&all, &logged(&testbed, place));
            let mut paged = Vec::new();
            let mut before = LATEST;
            loop {
                let page = changes(&testbed, place, before, limit);
                let Some(last) = page.last() else { break };
                let at = last["at"].as_str().unwrap();
                before = domain::Moment::parse(at).unwrap().milliseconds();
                paged.extend(page);
            }
            prop_assert_eq!(&paged, &all);
        }
    }
}

#[test]
fn many_changes_at_once_have_one_line_with_the_population_after_them() {
    for (count, lines) in [(40, 40), (41, 1)] {
        let rows: Vec<Json> = (0..count)
            .map(|n| json!({"name": "A", "key": "a", "isAlive": n > 0, "isKing": false, "placeId": 3}))
            .collect();
        let testbed = filled_by("");
        for statement in store::insert_batch(&rows) {
            testbed.rows(&statement).unwrap();
        }
        let changes = changes(&testbed, 3, LATEST, 20);
        assert_eq!(changes.len(), lines);
        if lines == 1 {
            let Json::Object(line) = &changes[0] else {
                panic!("{changes:?}")
            };
            assert_eq!(
                (&line["living"], &line["dead"], &line["by"]),
                (&json!(40), &json!(1), &Json::Null)
            );
        }
    }
}

#[test]
fn the_page_of_a_place_with_the_longest_names_fits_into_a_text() {
    let name = "𐐀".repeat(200);
    let testbed = filled_by(&format!(
        "INSERT INTO person (id, name, name_key, is_alive, place_id) VALUES (7, '{name}', 'a', 1, 3);
         UPDATE person SET is_alive = 0, version = 2 WHERE id = 7;"
    ));
    let lines = changes(&testbed, 3, LATEST, 20);
    let longest = lines
        .iter()
        .map(|line| line.to_string().len())
        .max()
        .unwrap();
    assert!(longest > 2 * name.len());
    // The page of a place reads 21 moments. The largest numbers take some bytes more.
    assert!(21 * 40 * (longest + 100) < MAX_TEXT_BYTES);
}

#[test]
fn an_erased_person_leaves_without_a_name() {
    let testbed = filled_by(
        "INSERT INTO person (id, name, name_key, is_alive, place_id) VALUES (7, 'A', 'a', 1, 3)",
    );
    let person = domain::PersonId::parse("7").unwrap();
    for statement in store::erase(person, Some(1), &tables::record::Author::default()) {
        testbed.rows(&statement).unwrap();
    }
    let changes = changes(&testbed, 3, LATEST, 20);
    let names = changes.iter().map(|change| {
        ["before", "record"].map(|state| change[state].get("name").map(ToString::to_string))
    });
    let erased = || Some("null".to_owned());
    assert_eq!(
        names.collect::<Vec<_>>(),
        [[erased(), None], [None, erased()]]
    );
}

#[test]
fn the_cost_of_a_page_does_not_depend_on_the_length_of_the_log() {
    let steps = |others: i64| {
        let testbed = filled_by(&format!(
            "INSERT INTO person (id, name, name_key, is_alive, place_id) VALUES (1, 'A', 'a', 1, 3);
             WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {others})
             INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id)
             SELECT n * 4000000000000, 'created', n, 1, 'other', 1, 0, 4 FROM n;
             UPDATE person SET is_alive = 0, version = 2 WHERE id = 1;"
        ));
        let statement = statement(3, i64::MAX, 20);
        let body = testbed.rows(&statement).unwrap()[0].text("body").len();
        assert!(body > 100);
        testbed.steps(&statement).unwrap()
    };
    assert_eq!(steps(10), steps(2_000));
}
