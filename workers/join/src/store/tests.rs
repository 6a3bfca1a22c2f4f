//! The statements on native SQLite: their effects and their query plans.

use testbed::Testbed;

use super::snapshot::{find, find_refreshable, save};
use crate::domain::snapshot::{
    Headers, SNAPSHOT_CHUNK_BYTES, SNAPSHOT_MAX_COUNT, SNAPSHOT_MAX_TOTAL_BYTES, Snapshot,
};

fn snapshot(key: &str, change_seqs: [i64; 2], made_at: i64, body: &str) -> Snapshot {
    Snapshot {
        key: key.to_owned(),
        change_seqs: change_seqs.into(),
        made_at,
        requested_at: Some(made_at),
        headers: Headers {
            content_type: "application/json".to_owned(),
            etag: Some("W/\"1j7.9\"".to_owned()),
            ..Headers::default()
        },
        body: body.to_owned(),
    }
}

fn store(db: &Testbed, snapshot: &Snapshot) {
    for statement in save(snapshot) {
        db.rows(&statement).unwrap();
    }
}

fn refreshable_keys(db: &Testbed, pinned: &[&str], recent: i64) -> Vec<String> {
    let pinned: Vec<String> = pinned.iter().map(|key| (*key).to_owned()).collect();
    let rows = db
        .rows(&find_refreshable(&pinned, recent))
        .unwrap()
        .into_iter();
    rows.map(|row| row.text("key").to_owned()).collect()
}

/// The change sequences, the time and the body of a snapshot.
fn load(db: &Testbed, key: &str) -> Option<([i64; 2], i64, String)> {
    let rows = db.rows(&find(key)).unwrap();
    let head = rows.first()?;
    let change_seqs = ["places_seq", "people_seq"].map(|column| head.integer(column));
    let body = rows.iter().map(|row| row.text("body")).collect();
    Some((change_seqs, head.integer("made_at"), body))
}

#[test]
fn a_snapshot_of_any_length_is_read_unchanged() {
    let db = Testbed::migrated("join").unwrap();
    assert_eq!(load(&db, "a"), None);
    for (n, length) in [
        (1, 10),
        (2, 2 * SNAPSHOT_CHUNK_BYTES + 5),
        (3, SNAPSHOT_CHUNK_BYTES),
        (4, 3),
    ] {
        let body = "ñ".repeat(length / 2) + "x";
        store(&db, &snapshot("a", [n, 0], n, &body));
        assert_eq!(load(&db, "a"), Some(([n, 0], n, body)), "{length}");
    }
}

#[test]
fn an_older_or_equal_response_is_not_written() {
    let db = Testbed::migrated("join").unwrap();
    store(&db, &snapshot("a", [2, 5], 100, "new"));
    store(&db, &snapshot("a", [1, 5], 99, "older"));
    store(&db, &snapshot("a", [2, 5], 101, "the same again"));
    assert_eq!(load(&db, "a"), Some(([2, 5], 100, "new".to_owned())));
    store(&db, &snapshot("a", [2, 6], 102, "newer"));
    assert_eq!(load(&db, "a"), Some(([2, 6], 102, "newer".to_owned())));
}

#[test]
fn the_least_recently_requested_are_evicted_beyond_the_maximum_number() {
    let db = Testbed::migrated("join").unwrap();
    for n in 0..SNAPSHOT_MAX_COUNT {
        store(&db, &snapshot(&format!("{n:03}"), [1, 1], n, "x"));
    }
    store(
        &db,
        &snapshot("000", [2, 1], SNAPSHOT_MAX_COUNT, "asked for again"),
    );
    store(
        &db,
        &snapshot("one more", [1, 1], SNAPSHOT_MAX_COUNT + 1, "x"),
    );
    assert_eq!(load(&db, "001"), None);
    assert!(load(&db, "000").is_some() && load(&db, "002").is_some());
    let left = db
        .rows(&find_refreshable(&[], 10 * SNAPSHOT_MAX_COUNT))
        .unwrap()
        .len();
    assert_eq!(i64::try_from(left), Ok(SNAPSHOT_MAX_COUNT));
    let parts = db.rows(&tables::statement::Statement::new(
        "SELECT part FROM snapshot_part",
        vec![],
    ));
    assert_eq!(
        i64::try_from(parts.unwrap().len()),
        Ok(SNAPSHOT_MAX_COUNT),
        "no chunk is left"
    );
}

#[test]
fn the_least_recently_requested_are_evicted_beyond_the_maximum_size() {
    let db = Testbed::migrated("join").unwrap();
    db.execute(&format!(
        "INSERT INTO snapshot (key, places_seq, people_seq, made_at, used_at, bytes, headers)
         VALUES ('old', 1, 1, 1, 1, 1, ''), ('long', 1, 1, 2, 2, {SNAPSHOT_MAX_TOTAL_BYTES} - 2, '')"
    ))
    .unwrap();
    store(&db, &snapshot("short", [1, 1], 3, "x"));
    assert_eq!(refreshable_keys(&db, &[], 9), ["old", "long", "short"]);
    store(&db, &snapshot("short", [1, 2], 4, "xx"));
    assert_eq!(refreshable_keys(&db, &[], 9), ["long", "short"]);
}

#[test]
fn a_scheduled_refresh_does_not_change_used_at() {
    let db = Testbed::migrated("join").unwrap();
    store(&db, &snapshot("a", [1, 1], 1, "x"));
    store(&db, &snapshot("b", [1, 1], 2, "x"));
    let refreshed = Snapshot {
        requested_at: None,
        ..snapshot("a", [2, 1], 3, "y")
    };
    store(&db, &refreshed);
    assert_eq!(load(&db, "a"), Some(([2, 1], 3, "y".to_owned())));
    assert_eq!(refreshable_keys(&db, &[], 1), ["b"]);
    // The oldest one is first.
    assert_eq!(refreshable_keys(&db, &["a", "c"], 1), ["b", "a"]);
}

#[test]
fn no_statement_scans_a_table() {
    let db = Testbed::migrated("join").unwrap();
    let mut statements = save(&snapshot("a", [1, 1], 1, "x"));
    statements.push(find("a"));
    statements.push(find_refreshable(&["a".to_owned()], 8));
    assert_eq!(statements.len(), 6);
    for statement in statements {
        let plan = db.plan(&statement).unwrap();
        for table in ["snapshot", "s", "snapshot_part", "p"] {
            assert!(!plan.walks(table), "{plan:?}");
        }
    }
}
