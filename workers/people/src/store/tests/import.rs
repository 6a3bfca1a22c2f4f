//! Tests the statements of an import.

use serde_json::{Value as Json, json};

use tables::statement::Statement;

use super::{PersonRow, filled_by};
use crate::store;

#[test]
fn existing_people_are_those_with_the_id_of_a_record_and_kings_of_its_place() {
    let testbed = filled_by(
        "INSERT INTO person (id, name, name_key, is_alive, is_king, place_id)
        VALUES (1, 'A', 'a', 1, 1, 7), (2, 'B', 'b', 1, 0, 7)",
    );
    let keys = [
        json!({"n": 0, "id": 2, "placeId": 7, "isKing": true}),
        json!({"n": 1, "id": 3, "placeId": 7, "isKing": false}),
    ];
    let rows = testbed.rows(&store::existing_people(&keys)).unwrap();
    let [row] = &rows[..] else {
        panic!("{rows:?}");
    };
    let stored = PersonRow {
        id: 2,
        name: "B".to_owned(),
        is_alive: true,
        is_king: false,
        place: Some(7),
    };
    let body: Json = serde_json::from_str(row.text("body")).unwrap();
    assert_eq!(body, stored.json());
    let numbers = ["n", "version", "king_id"].map(|column| row.integer(column));
    assert_eq!((numbers, row.text("king_name")), ([0, 1, 1], "A"));
}

/// They are inserted in another order.
#[test]
fn new_people_get_ids_in_the_order_of_the_file() {
    let person = |id: Option<i64>, name: &str, place: i64| {
        json!({
            "id": id, "name": name, "key": name, "isAlive": true, "isKing": false,
            "placeId": place,
        })
    };
    let testbed = filled_by("");
    let rows = [
        person(None, "d", 9),
        person(Some(40), "c", 8),
        person(None, "b", 7),
        person(None, "a", 9),
    ];
    for statement in store::insert_batch(&rows) {
        testbed.rows(&statement).unwrap();
    }
    let logged = "SELECT person_id, name FROM person_change ORDER BY seq";
    let logged = testbed.rows(&Statement::new(logged, Vec::new())).unwrap();
    let logged: Vec<(i64, &str)> = logged
        .iter()
        .map(|row| (row.integer("person_id"), row.text("name")))
        .collect();
    // A receipt refers to the last changes: those of the people without an id.
    assert_eq!(logged, [(40, "c"), (41, "d"), (42, "b"), (43, "a")]);
}

/// A batch of long names is inserted by several statements, and is logged after the last one.
#[test]
fn new_people_of_several_statements_get_ids_in_the_order_of_the_file() {
    let person = |n: usize| {
        let name = format!("{:0>200}", (n * 7) % 4_001);
        json!({
            "id": null, "name": name, "key": name, "isAlive": true, "isKing": false, "placeId": 7,
        })
    };
    let testbed = filled_by("");
    let rows: Vec<Json> = (1..=4_001).map(person).collect();
    let statements = store::insert_batch(&rows);
    assert!(statements.len() > 3, "{}", statements.len());
    for statement in statements {
        testbed.rows(&statement).unwrap();
    }
    let stored = "SELECT id, name, (SELECT person_id FROM person_change WHERE seq = id) AS logged
FROM person ORDER BY id";
    let stored = testbed.rows(&Statement::new(stored, Vec::new())).unwrap();
    let stored: Vec<(i64, i64, &str)> = stored
        .iter()
        .map(|row| (row.integer("id"), row.integer("logged"), row.text("name")))
        .collect();
    let names = rows.iter().map(|row| row["name"].as_str().unwrap());
    let expected: Vec<(i64, i64, &str)> =
        (1..).zip(names).map(|(id, name)| (id, id, name)).collect();
    assert_eq!(stored, expected);
}
