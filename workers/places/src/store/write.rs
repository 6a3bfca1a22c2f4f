//! Writes: for one place as for many, bound as one JSON array.

use registry::idempotency::Key;
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

/// Keeps the answer under the request's key, in the batch of the insert: what that has
/// written is the register's latest change.
const REMEMBER: &str = "
INSERT INTO idempotency (key, fingerprint, record_id, version, body)
SELECT ?1, ?2, id, version, {record}
FROM place
WHERE id = (SELECT place_id FROM place_change ORDER BY seq DESC LIMIT 1)";

/// Keeps the answer to an insert of one.
#[must_use]
pub fn remember(key: &Key, fingerprint: &str) -> Statement {
    let sql = REMEMBER.replace("{record}", record!());
    Statement::new(&sql, vec![key.as_str().into(), fingerprint.into()])
}
