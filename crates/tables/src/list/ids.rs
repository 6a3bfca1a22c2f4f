//! The statement that reads the ids of all matches.

use super::{Binds, ListQuery, MAX_MATCHES};
use crate::statement::Statement;
use crate::table_spec::TableSpec;

/// The ids of all matches: one row of (body, `change_seq`, epoch). The body is a JSON array, or null
/// if there are too many.
const IDS: &str = "
WITH found (id) AS MATERIALIZED (
  SELECT {key} FROM {from} WHERE {condition} LIMIT {max} + 1
)
SELECT
  iif(count(*) > {max}, NULL, json_group_array(id)) AS body,
  (SELECT coalesce(max(seq), 0) FROM {change_log}) AS change_seq,
  {epoch} AS epoch
FROM found";

/// The ids of all records that match. The page and the order of the query have no effect.
#[must_use]
pub fn ids(table: &TableSpec, query: &ListQuery) -> Statement {
    let mut binds = Binds::after(0);
    let source = query.source();
    let (from, key) = source.matches();
    let sql = IDS
        .replace("{from}", from)
        .replace("{key}", key)
        .replace("{condition}", &query.condition(&source, &mut binds))
        .replace("{max}", &MAX_MATCHES.to_string());
    Statement {
        sql: table.sql(&sql),
        binds: binds.values,
    }
}
