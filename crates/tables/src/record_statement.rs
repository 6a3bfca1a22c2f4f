//! Statements that read one record. They use the primary key.

use crate::statement::Statement;
use crate::table_spec::TableSpec;

/// A record for a response: a row of (body, version, `change_seq`).
#[must_use]
pub fn read(table: &TableSpec, id: i64) -> Statement {
    const READ: &str = "
SELECT
  {json} AS body,
  version,
  (SELECT max(seq) FROM {change_log}) AS change_seq
FROM {table}
WHERE id = ?1";
    Statement::new(&table.sql(READ), vec![id.into()])
}

/// A record for a write, which needs no change sequence: a row of (body, version).
#[must_use]
pub fn read_version(table: &TableSpec, id: i64) -> Statement {
    const READ_VERSION: &str = "SELECT {json} AS body, version FROM {table} WHERE id = ?1";
    Statement::new(&table.sql(READ_VERSION), vec![id.into()])
}

/// Makes a write return the new state: a row of (id, version, body), or none if nothing was
/// written.
#[must_use]
pub fn returning(table: &TableSpec, mut write: Statement) -> Statement {
    const RETURNING: &str = "\nRETURNING id, version, {json} AS body";
    write.sql.push_str(&table.sql(RETURNING));
    write
}
