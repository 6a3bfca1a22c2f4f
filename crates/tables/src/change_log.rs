//! Statements that page through the change log of a table.

use crate::page::PageSize;
use crate::statement::{Bind, Statement};
use crate::table_spec::TableSpec;
use http_semantics::media::ListFraming;

/// One row of (body, `last`, `has_more`). `last` is the key of the last change shown, or null if
/// there is none.
const PAGE: &str = "
WITH
  page AS (SELECT * FROM {change_log} WHERE {filter} ORDER BY {key} LIMIT ?2 + 1),
  numbered AS (SELECT *, row_number() OVER () AS n FROM page)
SELECT
  ?3 || coalesce(group_concat({change}, ?4) FILTER (WHERE n <= ?2) || ?5, ?6) AS body,
  max({key}) FILTER (WHERE n <= ?2) AS last,
  count(*) > ?2 AS has_more
FROM numbered";

fn page(
    table: &TableSpec,
    filter: &str,
    key: &str,
    after: i64,
    limit: PageSize,
    frame: ListFraming,
) -> Statement {
    let sql = PAGE
        .replace("{change_log}", table.declaration.change_log)
        .replace("{filter}", filter)
        .replace("{key}", key)
        .replace("{change}", &table.change_json);
    let mut binds = vec![Bind::Integer(after), Bind::Integer(limit.get().into())];
    binds.extend([frame.open, frame.between, frame.close, frame.end(true)].map(Bind::from));
    Statement { sql, binds }
}

/// The change sequence of a table: its greatest `seq`, or 0. By the primary key.
#[must_use]
pub fn change_seq(table: &TableSpec) -> Statement {
    const CHANGE_SEQ: &str = "SELECT coalesce(max(seq), 0) AS change_seq FROM {change_log}";
    Statement::new(&table.sql(CHANGE_SEQ), Vec::new())
}

/// The changes after a `seq`, by the primary key.
#[must_use]
pub fn since(table: &TableSpec, seq: i64, limit: PageSize, frame: ListFraming) -> Statement {
    page(table, "seq > ?1", "seq", seq, limit, frame)
}

/// The versions of one record after a version, by the unique index on both.
#[must_use]
pub fn versions(
    table: &TableSpec,
    id: i64,
    version: i64,
    limit: PageSize,
    frame: ListFraming,
) -> Statement {
    let filter = format!("{} = ?7 AND version > ?1", table.declaration.change_log_id);
    let mut statement = page(table, &filter, "version", version, limit, frame);
    statement.binds.push(id.into());
    statement
}
