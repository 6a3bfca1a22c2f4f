//! The statements on native SQLite: what they write, what they find, and how.

use testbed::Testbed;

use super::snapshot::{find, save, wanted};
use crate::domain::saving::Marks;
use crate::domain::snapshot::{Headers, MOST, MOST_BYTES_OF_ALL, PART_BYTES, Snapshot};

fn snapshot(key: &str, marks: Marks, made_at: i64, body: &str) -> Snapshot {
    Snapshot {
        key: key.to_owned(),
        marks,
        made_at,
        asked_at: Some(made_at),
        headers: Headers {
            content_type: "application/json".to_owned(),
            etag: Some("W/\"1j7.9\"".to_owned()),
            ..Headers::default()
        },
        body: body.to_owned(),
    }
}

fn saved(db: &Testbed, snapshot: &Snapshot) {
    for statement in save(snapshot) {
        db.rows(&statement).unwrap();
    }
}

fn keys(db: &Testbed, known: &[&str], latest: i64) -> Vec<String> {
    let known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
    let rows = db.rows(&wanted(&known, latest)).unwrap().into_iter();
    rows.map(|row| row.text("key").to_owned()).collect()
}

/// The marks, when it was made, and the body.
fn found(db: &Testbed, key: &str) -> Option<(Marks, i64, String)> {
    let rows = db.rows(&find(key)).unwrap();
    let head = rows.first()?;
    let marks = ["places_seq", "people_seq"].map(|column| head.integer(column));
    let body = rows.iter().map(|row| row.text("body")).collect();
    Some((marks, head.integer("made_at"), body))
}

#[test]
fn a_snapshot_is_found_as_it_was_written_however_long() {
    let db = Testbed::migrated("join").unwrap();
    assert_eq!(found(&db, "a"), None);
    for (n, length) in [(1, 10), (2, 2 * PART_BYTES + 5), (3, PART_BYTES), (4, 3)] {
        let body = "ñ".repeat(length / 2) + "x";
        saved(&db, &snapshot("a", [n, 0], n, &body));
        assert_eq!(found(&db, "a"), Some(([n, 0], n, body)), "{length}");
    }
}

#[test]
fn neither_an_older_answer_nor_one_of_the_same_marks_is_written() {
    let db = Testbed::migrated("join").unwrap();
    saved(&db, &snapshot("a", [2, 5], 100, "new"));
    saved(&db, &snapshot("a", [1, 5], 99, "older"));
    saved(&db, &snapshot("a", [2, 5], 101, "the same again"));
    assert_eq!(found(&db, "a"), Some(([2, 5], 100, "new".to_owned())));
    saved(&db, &snapshot("a", [2, 6], 102, "newer"));
    assert_eq!(found(&db, "a"), Some(([2, 6], 102, "newer".to_owned())));
}

#[test]
fn those_asked_for_longest_ago_go_where_there_are_too_many() {
    let db = Testbed::migrated("join").unwrap();
    for n in 0..MOST {
        saved(&db, &snapshot(&format!("{n:03}"), [1, 1], n, "x"));
    }
    saved(&db, &snapshot("000", [2, 1], MOST, "asked for again"));
    saved(&db, &snapshot("one more", [1, 1], MOST + 1, "x"));
    assert_eq!(found(&db, "001"), None);
    assert!(found(&db, "000").is_some() && found(&db, "002").is_some());
    let left = db.rows(&wanted(&[], 10 * MOST)).unwrap().len();
    assert_eq!(i64::try_from(left), Ok(MOST));
    let parts = db.rows(&tables::statement::Statement::new(
        "SELECT part FROM snapshot_part",
        vec![],
    ));
    assert_eq!(
        i64::try_from(parts.unwrap().len()),
        Ok(MOST),
        "no part is left behind"
    );
}

#[test]
fn those_asked_for_longest_ago_go_where_all_are_too_long() {
    let db = Testbed::migrated("join").unwrap();
    db.execute(&format!(
        "INSERT INTO snapshot (key, places_seq, people_seq, made_at, used_at, bytes, headers)
         VALUES ('old', 1, 1, 1, 1, 1, ''), ('long', 1, 1, 2, 2, {MOST_BYTES_OF_ALL} - 2, '')"
    ))
    .unwrap();
    saved(&db, &snapshot("short", [1, 1], 3, "x"));
    assert_eq!(keys(&db, &[], 9), ["long", "old", "short"]);
    saved(&db, &snapshot("short", [1, 2], 4, "xx"));
    assert_eq!(keys(&db, &[], 9), ["long", "short"]);
}

#[test]
fn the_schedule_leaves_when_it_was_asked_for() {
    let db = Testbed::migrated("join").unwrap();
    saved(&db, &snapshot("a", [1, 1], 1, "x"));
    saved(&db, &snapshot("b", [1, 1], 2, "x"));
    let by_schedule = Snapshot {
        asked_at: None,
        ..snapshot("a", [2, 1], 3, "y")
    };
    saved(&db, &by_schedule);
    assert_eq!(found(&db, "a"), Some(([2, 1], 3, "y".to_owned())));
    assert_eq!(keys(&db, &[], 1), ["b"]);
    assert_eq!(keys(&db, &["a", "c"], 1), ["a", "b"]);
}

#[test]
fn no_statement_walks_a_table() {
    let db = Testbed::migrated("join").unwrap();
    let mut statements = save(&snapshot("a", [1, 1], 1, "x"));
    statements.push(find("a"));
    statements.push(wanted(&["a".to_owned()], 8));
    assert_eq!(statements.len(), 6);
    for statement in statements {
        let plan = db.plan(&statement).unwrap();
        for table in ["snapshot", "s", "snapshot_part", "p"] {
            assert!(!plan.walks(table), "{plan:?}");
        }
    }
}
