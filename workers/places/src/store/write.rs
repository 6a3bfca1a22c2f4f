//! The statements that write places. Each takes a JSON array of places, so the same SQL writes a
//! single place or all places of a batch.

use serde_json::Value;
use tables::new_rows;
use tables::record::returning;
use tables::schema::PLACE;
use tables::statement::Statement;

/// Adds a place: a row of (id, version, epoch, body).
#[must_use]
pub fn insert(row: &Value) -> Statement {
    let rows = std::slice::from_ref(row);
    returning(&PLACE, insert_all(rows, row["id"].as_i64()))
}

/// Adds places of one author. `max_id` is the greatest id in the whole batch.
#[must_use]
pub fn insert_all(rows: &[Value], max_id: Option<i64>) -> Statement {
    let rows = new_rows::numbered(&PLACE, rows);
    new_rows::insert(&PLACE, include_str!("insert.sql"), &rows, max_id)
}

/// Updates a place: a row of (id, version, epoch, body), or none if the version has changed.
#[must_use]
pub fn update(row: &Value) -> Statement {
    returning(&PLACE, update_all(std::slice::from_ref(row)))
}

/// Updates places.
#[must_use]
pub fn update_all(rows: &[Value]) -> Statement {
    Statement::bind_json_rows(&PLACE.sql(include_str!("update.sql")), rows)
}

/// The place with a name. Uses the unique index `place (name_key)`.
const PLACE_WITH_NAME: &str = "SELECT id FROM place WHERE name_key = ?1";

/// The place whose name has a case key: a row of (id).
#[must_use]
pub fn place_with_name(case_key: &str) -> Statement {
    Statement::new(PLACE_WITH_NAME, vec![case_key.into()])
}

/// The places with names. Uses the unique index `place (name_key)`.
///
/// ?1  the case keys as a JSON array
const PLACES_WITH_NAMES: &str = "
SELECT e.key AS n, place.id
FROM json_each(?1) AS e
JOIN place ON place.name_key = e.value";

/// The places whose names have these case keys: rows of (n, id), where n is the position of the key.
#[must_use]
pub fn places_with_names(keys: &[String]) -> Statement {
    Statement::bind_json_rows(PLACES_WITH_NAMES, keys)
}
