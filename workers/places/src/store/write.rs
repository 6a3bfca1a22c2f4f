//! Writes: for one place as for many, bound as one JSON array.

use registry::name::Name;
use registry::sql::Statement;
use serde_json::Value;

use super::record;

/// Adds places; see the statement.
#[must_use]
pub fn insert(rows: &[Value]) -> Statement {
    let sql = include_str!("insert.sql").replace("{record}", record!());
    Statement::over(&sql, rows)
}

/// Changes places; see the statement.
#[must_use]
pub fn update(rows: &[Value]) -> Statement {
    let sql = include_str!("update.sql").replace("{record}", record!());
    Statement::over(&sql, rows)
}

/// The place of a name, by the unique index on `name_key`.
const NAMED: &str = "SELECT id FROM place WHERE name_key = ?1";

/// Who has a name.
#[must_use]
pub fn named(name: &Name) -> Statement {
    Statement::new(NAMED, vec![name.key().into()])
}
