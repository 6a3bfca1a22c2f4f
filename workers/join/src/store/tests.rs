//! Runs the statements on native SQLite, and checks their effects and their query plans.

use domain::Param;
use http_semantics::Validator;
use tables::ChangeSeqs;
use tables::statement::Statement;
use testbed::Testbed;

use super::erasure;
use super::snapshot::{delete_other_histories, find, find_refreshable, save};
use crate::domain::snapshot::{
    Headers, SNAPSHOT_CHUNK_BYTES, SNAPSHOT_MAX_COUNT, SNAPSHOT_MAX_TOTAL_BYTES, Snapshot,
};

const EPOCH: &str = "1f09ab34";

fn change_seqs(numbers: [i64; 2], epoch: &str) -> ChangeSeqs {
    let validator = |number| Validator::parse(&format!("{number}.{epoch}")).unwrap();
    numbers.map(validator).into()
}

fn snapshot(key: &str, numbers: [i64; 2], made_at: i64, body: &str) -> Snapshot {
    Snapshot {
        key: key.to_owned(),
        change_seqs: change_seqs(numbers, EPOCH),
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
    let number = |column| Validator::parse(head.text(column)).unwrap().number;
    let change_seqs = ["places_seq", "people_seq"].map(number);
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
fn equal_change_sequences_of_another_history_are_written() {
    let db = Testbed::migrated("join").unwrap();
    store(&db, &snapshot("a", [2, 5], 100, "before the restore"));
    let after = Snapshot {
        change_seqs: change_seqs([2, 5], "00000000"),
        ..snapshot("a", [0, 0], 101, "after the restore")
    };
    store(&db, &after);
    let expected = ([2, 5], 101, "after the restore".to_owned());
    assert_eq!(load(&db, "a"), Some(expected));
}

#[test]
fn only_snapshots_of_other_histories_are_deleted() {
    let db = Testbed::migrated("join").unwrap();
    for (key, places, people) in [
        ("current", EPOCH, EPOCH),
        ("other places", "00000000", EPOCH),
        ("other people", EPOCH, "00000000"),
    ] {
        let [places, people] = [places, people].map(|epoch| change_seqs([1, 1], epoch));
        let change_seqs = ChangeSeqs {
            places: places.places,
            people: people.people,
        };
        let snapshot = Snapshot {
            change_seqs,
            ..snapshot(key, [1, 1], 100, "x")
        };
        store(&db, &snapshot);
    }
    let delete = delete_other_histories(&change_seqs([7, 7], EPOCH));
    db.rows(&delete).unwrap();
    assert_eq!(refreshable_keys(&db, &[], 9), ["current"]);
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
    let parts = db.rows(&Statement::new("SELECT part FROM snapshot_part", vec![]));
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

fn run(db: &Testbed, statements: &[Statement]) {
    for statement in statements {
        db.rows(statement).unwrap();
    }
}

fn latest_erasure(db: &Testbed) -> i64 {
    db.rows(&erasure::latest()).unwrap()[0].integer("people_seq")
}

#[test]
fn an_erasure_deletes_older_snapshots_and_prevents_later_ones_of_older_responses() {
    let db = Testbed::migrated("join").unwrap();
    assert_eq!(latest_erasure(&db), 0);
    store(&db, &snapshot("older", [9, 4], 1, "name"));
    store(&db, &snapshot("newer", [9, 5], 1, "no name"));
    run(&db, &erasure::forget(5));
    assert_eq!(latest_erasure(&db), 5);
    assert_eq!(load(&db, "older"), None);
    assert!(load(&db, "newer").is_some());
    // A response from before the erasure that is saved late, for a new and for a known key.
    store(&db, &snapshot("older", [9, 4], 2, "name"));
    store(&db, &snapshot("newer", [10, 4], 2, "name"));
    assert_eq!(load(&db, "older"), None);
    assert_eq!(load(&db, "newer").unwrap().2, "no name");
    store(&db, &snapshot("older", [9, 5], 3, "no name"));
    assert!(load(&db, "older").is_some());
    let chunks = Statement::new("SELECT 1 AS one FROM snapshot_part", vec![]);
    assert_eq!(db.rows(&chunks).unwrap().len(), 2);
}

#[test]
fn the_latest_erasure_goes_back_only_if_it_is_the_expected_one() {
    let db = Testbed::migrated("join").unwrap();
    run(&db, &erasure::forget(7));
    run(&db, &erasure::forget(5));
    assert_eq!(latest_erasure(&db), 7, "an earlier erasure arrives late");
    run(&db, &erasure::catch_up(5, 3));
    assert_eq!(latest_erasure(&db), 7, "another erasure came between");
    run(&db, &erasure::catch_up(7, 3));
    assert_eq!(latest_erasure(&db), 3, "the people database was restored");
    run(&db, &erasure::catch_up(3, 9));
    assert_eq!(latest_erasure(&db), 9);
    let empty = Testbed::migrated("join").unwrap();
    store(&empty, &snapshot("a", [1, 1], 1, "name"));
    run(&empty, &erasure::catch_up(0, 2));
    assert_eq!((latest_erasure(&empty), load(&empty, "a")), (2, None));
}

#[test]
fn no_statement_scans_a_table() {
    let db = Testbed::migrated("join").unwrap();
    let mut statements = save(&snapshot("a", [1, 1], 1, "x"));
    statements.push(find("a"));
    statements.push(find_refreshable(&["a".to_owned()], 8));
    statements.push(erasure::latest());
    assert_eq!(statements.len(), 7);
    for statement in statements {
        let plan = db.plan(&statement).unwrap();
        for table in ["snapshot", "s", "snapshot_part", "p"] {
            assert!(!plan.walks(table), "{plan:?}");
        }
    }
}
