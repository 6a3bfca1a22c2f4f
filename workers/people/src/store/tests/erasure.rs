//! Tests the statements of an erasure.

use domain::PersonId;
use tables::record::Author;
use tables::statement::Statement;
use testbed::{Row, Testbed, Value};

use super::filled_by;
use crate::store;

/// A king who was renamed, a person of the same name, and a person who was deleted.
const PEOPLE: &str = "
INSERT INTO person (id, name, name_key, is_alive, is_king, place_id) VALUES
  (1, 'Ana', 'ana', 1, 1, 3), (2, 'Ana', 'ana', 1, 0, 3), (3, 'Eva', 'eva', 0, 0, NULL);
UPDATE person SET name = 'Anna', name_key = 'anna', version = 2 WHERE id = 1;
DELETE FROM person WHERE id = 3;";

fn erase(testbed: &Testbed, id: i64, version: Option<i64>) -> Option<(String, i64)> {
    let mut last = Vec::new();
    for statement in store::erase(PersonId::new(id).unwrap(), version, &Author::default()) {
        last = testbed.rows(&statement).unwrap();
    }
    let last = last.first()?;
    Some((last.text("kind").to_owned(), last.integer("seq")))
}

fn rows(testbed: &Testbed, sql: &str) -> Vec<Row> {
    testbed.rows(&Statement::new(sql, vec![])).unwrap()
}

/// The kinds of the changes of a person, each with the name.
fn history(testbed: &Testbed, id: i64) -> Vec<(String, Option<String>)> {
    let sql = format!("SELECT kind, name FROM person_change WHERE person_id = {id} ORDER BY seq");
    let change = |row: Row| {
        let name = match &row["name"] {
            Value::Text(name) => Some(name.clone()),
            _ => None,
        };
        (row.text("kind").to_owned(), name)
    };
    rows(testbed, &sql).into_iter().map(change).collect()
}

fn erased(kinds: &[&str]) -> Vec<(String, Option<String>)> {
    kinds
        .iter()
        .map(|kind| ((*kind).to_owned(), None))
        .collect()
}

#[test]
fn an_erasure_deletes_the_person_and_only_their_names() {
    let testbed = filled_by(PEOPLE);
    let past = rows(
        &testbed,
        "SELECT * FROM population_history WHERE place_id <> -1 ORDER BY at",
    );
    assert_eq!(erase(&testbed, 1, Some(2)), Some(("erased".to_owned(), 7)));
    assert_eq!(
        history(&testbed, 1),
        erased(&["created", "updated", "deleted", "erased"])
    );
    assert_eq!(
        history(&testbed, 2),
        [("created".to_owned(), Some("Ana".to_owned()))]
    );
    assert_eq!(rows(&testbed, "SELECT id FROM person").len(), 1);
    let counts = rows(
        &testbed,
        "SELECT living, dead, king_id IS NULL AS is_kingless FROM population WHERE place_id = 3",
    );
    assert_eq!(
        [counts[0].integer("living"), counts[0].integer("dead")],
        [1, 0]
    );
    assert_eq!(counts[0].integer("is_kingless"), 1);
    let later = rows(
        &testbed,
        "SELECT * FROM population_history WHERE place_id <> -1 ORDER BY at",
    );
    assert!(later.len() >= past.len(), "the counts of the past stay");
}

#[test]
fn a_deleted_person_is_erased_once() {
    let testbed = filled_by(PEOPLE);
    let first = erase(&testbed, 3, None);
    assert_eq!(
        history(&testbed, 3),
        erased(&["created", "deleted", "erased"])
    );
    assert_eq!(erase(&testbed, 3, None), first);
    assert_eq!(
        history(&testbed, 3),
        erased(&["created", "deleted", "erased"])
    );
    let latest = testbed.rows(&store::latest_erasure()).unwrap();
    assert_eq!(first, Some(("erased".to_owned(), latest[0].integer("seq"))));
}

#[test]
fn a_person_who_never_existed_is_not_erased() {
    let testbed = filled_by(PEOPLE);
    assert_eq!(erase(&testbed, 9, None), None);
    assert_eq!(history(&testbed, 9), []);
    let latest = testbed.rows(&store::latest_erasure()).unwrap();
    assert_eq!(latest[0].integer("seq"), 0);
}

#[test]
fn an_erasure_that_expects_another_version_changes_nothing() {
    let testbed = filled_by(PEOPLE);
    for version in [Some(1), None] {
        let before = history(&testbed, 1);
        let last = erase(&testbed, 1, version);
        assert_eq!(last.map(|(kind, _)| kind), Some("updated".to_owned()));
        assert_eq!(history(&testbed, 1), before);
    }
}

#[test]
fn the_next_person_with_an_erased_id_continues_the_versions_and_has_a_name() {
    let testbed = filled_by(PEOPLE);
    erase(&testbed, 3, None);
    let row = serde_json::json!({
        "id": 3, "version": null, "name": "Eva II", "key": "eva ii",
        "isAlive": false, "isKing": false, "placeId": null,
    });
    let inserted = testbed.rows(&store::insert(&row)).unwrap();
    assert_eq!(inserted[0].integer("version"), 4);
    let expected = [
        erased(&["created", "deleted", "erased"]),
        vec![("created".to_owned(), Some("Eva II".to_owned()))],
    ];
    assert_eq!(history(&testbed, 3), expected.concat());
    erase(&testbed, 3, Some(4));
    assert_eq!(history(&testbed, 3).len(), 6);
    assert!(history(&testbed, 3).iter().all(|(_, name)| name.is_none()));
}

#[test]
fn the_change_log_allows_no_change_but_an_erasure() {
    let testbed = filled_by(PEOPLE);
    for set in [
        "name = 'Other'",
        "name = name",
        "name = NULL, is_alive = 0",
        "name = NULL, version = 9",
        "name = NULL, at = 0",
        "kind = 'erased'",
        "place_id = 4",
    ] {
        let update = format!("UPDATE person_change SET {set} WHERE person_id = 1");
        assert!(testbed.execute(&update).is_err(), "{set}");
    }
    assert!(testbed.execute("DELETE FROM person_change").is_err());
    let insert = "INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king)
      VALUES (1, 'erased', 8, 1, 'Ana', 0, 0)";
    assert!(testbed.execute(insert).is_err(), "an erasure has no name");
}
