//! Handovers between two databases, run by SQLite itself.

use proptest::prelude::*;
use registry::PersonId;
use registry::page::Limit;
use registry::shards::Numbers;
use registry::sql::Statement;
use serde_json::{Value as Json, json};
use testbed::{Testbed, Value};

use super::handover::{self as store, Fence, Going, New};
use super::tests::{MIGRATIONS, adds_up, filled, people};
use super::{count, fenced, known, share_of_changes, share_of_history};

const TOKEN: &str = "00000000-0000-4000-8000-000000000001";
const OTHER: &str = "00000000-0000-4000-8000-000000000002";

fn empty() -> Testbed {
    Testbed::new(MIGRATIONS).unwrap()
}

fn read(testbed: &Testbed, sql: &str) -> Vec<Vec<Value>> {
    testbed.rows(&Statement::new(sql, Vec::new())).unwrap()
}

/// Runs statements as a batch does: all of them, or, where one fails, none.
fn batch(testbed: &Testbed, statements: &[Statement]) -> Result<Vec<Vec<Vec<Value>>>, String> {
    testbed.execute("BEGIN").unwrap();
    let results = statements.iter().map(|one| testbed.rows(one));
    let results: Result<Vec<_>, _> = results.collect();
    let end = if results.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    testbed.execute(end).unwrap();
    results.map_err(|error| error.to_string())
}

fn row(n: i64, id: Option<i64>, version: i64, place: i64, is_king: bool) -> Json {
    json!({
        "n": n, "id": id, "version": version, "name": "Ana", "key": "ana", "isAlive": true,
        "isKing": is_king, "placeId": place,
    })
}

fn going(leaving: &[(i64, i64)]) -> Going<'_> {
    Going {
        to: "DB2",
        count: leaving.len(),
        leaving,
        fence: None,
    }
}

fn number(value: i64) -> Value {
    Value::Integer(value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn who_is_handed_over_is_counted_where_they_are(
        people in people(), chosen in prop::collection::btree_set(0..40usize, 0..9),
    ) {
        let (here, there) = (filled(&people), empty());
        let chosen: Vec<_> = people.iter().enumerate().filter(|(n, _)| chosen.contains(n)).collect();
        let rows: Vec<Json> = chosen.iter().enumerate().map(|(n, (_, person))| {
            row(n.try_into().unwrap(), Some(person.id), 2, 50 + person.id, person.id % 2 == 0)
        }).collect();
        let who: Vec<(i64, i64)> = chosen.iter().map(|(_, person)| (person.id, 1)).collect();
        batch(&there, &[store::prepare(TOKEN, &rows, Some("DB"), "updated")]).unwrap();
        prop_assert_eq!(read(&there, "SELECT count(*) FROM person"), [[number(0)]]);
        batch(&here, &store::leave(TOKEN, &going(&who))).unwrap();
        adds_up(&here)?;
        // However often it is run.
        for _ in 0..2 {
            batch(&there, &store::arrive(TOKEN, None)).unwrap();
            adds_up(&there)?;
        }
        let count = i64::try_from(rows.len()).unwrap();
        let left = i64::try_from(people.len()).unwrap() - count;
        prop_assert_eq!(read(&here, "SELECT count(*) FROM person"), [[number(left)]]);
        prop_assert_eq!(read(&there, "SELECT count(*) FROM person"), [[number(count)]]);
        let log = "SELECT DISTINCT kind, version, exists_then FROM person_change WHERE version = 2";
        let updated = |exists| vec![Value::Text("updated".to_owned()), number(2), number(exists)];
        prop_assert_eq!(read(&here, log), if count > 0 { vec![updated(0)] } else { vec![] });
        prop_assert_eq!(read(&there, log), if count > 0 { vec![updated(1)] } else { vec![] });
        for (testbed, sql) in [
            (&here, "SELECT sum(went) FROM passage"), (&there, "SELECT sum(came) FROM passage"),
        ] {
            let passed = read(testbed, sql);
            prop_assert!(passed == [[number(count)]] || count == 0, "{passed:?}");
            prop_assert_eq!(read(testbed, "SELECT count(*) FROM passing"), [[number(0)]]);
        }
    }
}

/// Two people of place 7, of whom the first is king.
fn village() -> Testbed {
    let testbed = empty();
    let fill = "INSERT INTO person (id, name, name_key, is_alive, is_king, place_id)
        VALUES (1, 'A', 'a', 1, 1, 7), (2, 'B', 'b', 1, 0, 7)";
    testbed.execute(fill).unwrap();
    testbed
}

#[test]
fn all_leave_or_none() {
    let here = village();
    let left = batch(&here, &store::leave(TOKEN, &going(&[(1, 1), (2, 9)])));
    assert!(
        left.unwrap_err()
            .contains("UNIQUE constraint failed: decision.token")
    );
    assert_eq!(read(&here, "SELECT count(*) FROM person"), [[number(2)]]);
    assert_eq!(read(&here, "SELECT count(*) FROM decision"), [[number(0)]]);
    batch(&here, &store::leave(TOKEN, &going(&[(1, 1), (2, 1)]))).unwrap();
    assert_eq!(read(&here, "SELECT count(*) FROM person"), [[number(0)]]);
}

#[test]
fn who_gives_up_first_has_decided() {
    let here = village();
    batch(&here, &[store::give_up(&[TOKEN])]).unwrap();
    let left = batch(&here, &store::leave(TOKEN, &going(&[(1, 1)])));
    assert!(
        left.unwrap_err()
            .contains("UNIQUE constraint failed: decision.token")
    );
    batch(&here, &store::leave(OTHER, &going(&[(1, 1)]))).unwrap();
    batch(&here, &[store::give_up(&[OTHER])]).unwrap();
    let decided = here.rows(&known::decided(&[TOKEN, OTHER])).unwrap();
    let said: Vec<&Value> = decided.iter().map(|row| &row[1]).collect();
    assert_eq!(said, [&number(0), &number(1)]);
}

#[test]
fn a_deletion_that_was_taken_over_moves_nobody() {
    let here = village();
    let place = registry::PlaceId::new(7).unwrap();
    batch(&here, &fenced(place, 5)).unwrap();
    let leave = |token, fence| {
        let go = Going {
            fence: Some(Fence {
                place: 7,
                token: fence,
            }),
            ..going(&[(1, 1)])
        };
        batch(&here, &store::leave(token, &go)).unwrap()
    };
    assert!(leave(TOKEN, 4)[0].is_empty());
    assert_eq!(read(&here, "SELECT count(*) FROM person"), [[number(2)]]);
    assert_eq!(read(&here, "SELECT count(*) FROM passage"), [[number(0)]]);
    assert_eq!(leave(OTHER, 5)[0].len(), 1);
    assert_eq!(read(&here, "SELECT count(*) FROM person"), [[number(1)]]);
}

#[test]
fn a_crown_is_promised_to_one() {
    let there = village();
    let taken = "UNIQUE constraint failed: person.place_id";
    let prepare = |token, id, place| {
        let rows = [row(0, Some(id), 2, place, true)];
        batch(
            &there,
            &[store::prepare(token, &rows, Some("DB"), "updated")],
        )
    };
    assert!(prepare(TOKEN, 8, 7).unwrap_err().contains(taken));
    prepare(TOKEN, 8, 9).unwrap();
    assert!(prepare(OTHER, 9, 9).unwrap_err().contains(taken));
    for claim in [
        "INSERT INTO person (name, name_key, is_alive, is_king, place_id) VALUES ('C', 'c', 1, 1, 9)",
        "UPDATE person SET place_id = 9, version = 2 WHERE id = 1",
    ] {
        assert!(
            there
                .execute(claim)
                .unwrap_err()
                .to_string()
                .contains(taken),
            "{claim}"
        );
    }
    let held = there
        .rows(&count(registry::PlaceId::new(9).unwrap()))
        .unwrap();
    assert_eq!(held[0][3], number(1));
    batch(&there, &store::arrive(TOKEN, None)).unwrap();
    assert_eq!(
        read(
            &there,
            "SELECT id FROM person WHERE place_id = 9 AND is_king"
        ),
        [[number(8)]]
    );
}

#[test]
fn ids_are_given_behind_all_that_were() {
    let first = village();
    let give = |token, unnumbered, chosen, last| {
        let new = New {
            unnumbered,
            chosen,
            last,
            greatest: 2,
        };
        batch(&first, &store::give(token, &new)).map(|rows| rows[0][0][0].clone())
    };
    assert_eq!(give(TOKEN, 3, 0, 0), Ok(number(3)));
    assert_eq!(read(&first, "SELECT last FROM id_sequence"), [[number(5)]]);
    // Chosen when nobody had it, and given meanwhile.
    let late = give(OTHER, 0, 5, 2).unwrap_err();
    assert!(late.contains("UNIQUE constraint failed: decision.token"));
    assert_eq!(give(OTHER, 0, 9, 5), Ok(number(10)));
    assert_eq!(read(&first, "SELECT last FROM id_sequence"), [[number(9)]]);
    let prepared = [row(0, None, 1, 7, false), row(1, None, 1, 7, false)];
    batch(&first, &[store::prepare(TOKEN, &prepared, None, "created")]).unwrap();
    let arrived = batch(&first, &store::arrive(TOKEN, Some(3))).unwrap();
    let ids: Vec<&Value> = arrived[1].iter().map(|row| &row[0]).collect();
    assert_eq!(ids, [&number(3), &number(4)]);
}

#[test]
fn the_kept_answer_is_the_record() {
    let first = village();
    let new = New {
        unnumbered: 1,
        chosen: 0,
        last: 0,
        greatest: 2,
    };
    let mut decide = store::give(TOKEN, &new);
    decide.push(store::remember(
        TOKEN,
        "key",
        "print",
        &row(0, None, 1, 7, false),
    ));
    batch(&first, &decide).unwrap();
    let kept = read(&first, "SELECT record_id, version, body FROM idempotency");
    let body = r#"{"id":3,"name":"Ana","isAlive":true,"placeId":7,"isKing":false}"#;
    assert_eq!(kept, [[number(3), number(1), Value::Text(body.to_owned())]]);
}

/// What is asked of all databases costs a seek in each.
#[test]
fn nothing_is_walked_that_grows() {
    let testbed = village();
    let id = PersonId::new(1).unwrap();
    let numbers = Numbers::of(1);
    let rows = [row(0, Some(1), 2, 7, true)];
    let limit = Limit::default();
    let statements = [
        vec![
            known::of(id, TOKEN),
            known::of_all(&rows),
            known::awaited(&rows, TOKEN),
            known::kings(&rows),
            known::state(),
            known::greatest(),
            known::decided(&[TOKEN]),
            known::movable(7, 10),
            store::withdraw(TOKEN),
            store::forget_decision(TOKEN),
            share_of_changes(3, limit, numbers),
            share_of_history(id, 0, limit, numbers),
        ],
        store::leave(TOKEN, &going(&[(1, 1)])),
        store::arrive(TOKEN, None),
    ];
    for statement in statements.concat() {
        let plan = testbed.plan(&statement).unwrap();
        for table in [
            "person",
            "person_change",
            "king",
            "last",
            "decision",
            "arrival",
        ] {
            assert!(!plan.walks(table), "{}: {plan:?}", statement.sql);
        }
    }
    for statement in [
        known::open(5),
        store::sweep_decisions(5, &[OTHER.to_owned()]),
    ] {
        testbed.rows(&statement).unwrap();
    }
}
