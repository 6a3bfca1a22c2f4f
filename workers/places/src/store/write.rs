//! Writes: for one place as for many, bound as one JSON array.

use domain::name::Name;
use serde_json::Value;
use tables::record::returning;
use tables::schema::PLACE;
use tables::statement::Statement;

/// Adds a place: a row of it.
#[must_use]
pub fn insert(row: &Value) -> Statement {
    let rows = std::slice::from_ref(row);
    returning(&PLACE, insert_all(rows, row["id"].as_i64()))
}

/// Adds places; see the statement. None of those that are added together has a greater id than
/// `greatest`.
#[must_use]
pub fn insert_all(rows: &[Value], greatest: Option<i64>) -> Statement {
    let mut insert = Statement::bind_json_rows(&PLACE.sql(include_str!("insert.sql")), rows);
    insert.binds.push(greatest.unwrap_or_default().into());
    insert
}

/// Changes a place: a row of it, with the new version.
#[must_use]
pub fn update(row: &Value) -> Statement {
    returning(&PLACE, update_all(std::slice::from_ref(row)))
}

/// Changes places; see the statement.
#[must_use]
pub fn update_all(rows: &[Value]) -> Statement {
    Statement::bind_json_rows(&PLACE.sql(include_str!("update.sql")), rows)
}

/// The place of a name, by the unique index on `name_key`.
const NAMED: &str = "SELECT id FROM place WHERE name_key = ?1";

/// Who has a name.
#[must_use]
pub fn named(name: &Name) -> Statement {
    Statement::new(NAMED, vec![name.key().into()])
}
