//! Statements that read a page of a table, or a part of an export.
//!
//! SQLite renders the JSON: a page is one row with a body that is ready to be sent. Rust does not
//! parse the records.

use http_semantics::MediaType;
use http_semantics::media::ListFraming;

use crate::Cursor;
use crate::list_query::{Conditions, ListQuery};
use crate::page::SortKey;
use crate::statement::{Bind, Statement};
use crate::table_spec::TableSpec;

/// One page of a table: a row of (body, cursor, total, `change_seq`).
///
/// ?1        the limit
/// ?2 to ?5  the text before, between and after the records, and after none
/// ?6        the change sequence at which the client has seen the page, or null
///
/// It reads one record more than the limit, to know whether there is a next page. It reads none
/// if nothing has changed, so that a 304 costs one row of the change log.
const PAGE: &str = "
WITH
  current AS MATERIALIZED (
    SELECT coalesce(max(seq), 0) AS change_seq FROM {change_log}
  ),
  page AS (
    SELECT {record_columns}, name_key
    FROM {table}
    WHERE {conditions} AND {after}
    ORDER BY {order}
    LIMIT iif((SELECT change_seq FROM current) IS ?6, 0, ?1 + 1)
  ),
  numbered AS (
    SELECT *, row_number() OVER () AS n FROM page
  )
SELECT
  ?2 || coalesce(group_concat({record}, ?3) FILTER (WHERE n <= ?1) || ?4, ?5) AS body,
  CASE WHEN count(*) > ?1 THEN
    lower(hex(max({cursor}) FILTER (WHERE n = ?1)))
  END AS cursor,
  {total} AS total,
  (SELECT change_seq FROM current) AS change_seq
FROM numbered";

/// The number of all records that match.
const TOTAL: &str = "iif(
    (SELECT change_seq FROM current) IS ?6,
    NULL,
    (SELECT count(*) FROM {table} WHERE {conditions})
  )";

/// One part of an export: a row of (body, `last_id`, records).
///
/// ?1        the most records
/// ?2 to ?5  as in [`PAGE`]
/// ?6        the id after which the part begins
const PART: &str = "
SELECT
  ?2 || coalesce(group_concat({record}, ?3) || ?4, ?5) AS body,
  max(id) AS last_id,
  count(*) AS records
FROM (
  SELECT {record_columns}
  FROM {table}
  WHERE {conditions} AND id > ?6
  ORDER BY id
  LIMIT ?1
)";

/// Records of a table after an id, in order of id.
#[must_use]
pub fn export_part(
    table: &'static TableSpec,
    conditions: Conditions,
    format: MediaType,
    after: i64,
    limit: i64,
) -> Statement {
    // Only the first part has the header.
    let frame = if after == 0 {
        table.framing(format)
    } else {
        format.framing()
    };
    let sql = table
        .sql(PART)
        .replace("{record}", table.record(format))
        .replace("{conditions}", &conditions.to_sql());
    let frame = [frame.open, frame.between, frame.close, frame.none].map(Bind::from);
    let mut binds = vec![Bind::Integer(limit)];
    binds.extend(frame);
    binds.push(after.into());
    binds.extend(conditions.binds);
    Statement { sql, binds }
}

/// The page of a table that a query asks for. `seen` is the change sequence of the page that the
/// client has already.
#[must_use]
pub fn page(
    table: &'static TableSpec,
    query: &ListQuery,
    format: MediaType,
    seen: Option<i64>,
) -> Statement {
    let page = &query.page;
    let mut conditions = query.conditions();
    let matching = conditions.to_sql();
    let (beyond, direction) = if page.sort.descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    let (order, cursor) = match page.sort.key {
        SortKey::Id => (format!("id {direction}"), "'i' || id"),
        SortKey::Name => (
            format!("name_key {direction}, id {direction}"),
            "'n' || id || ':' || name_key",
        ),
    };
    let after = match &page.after {
        None => "TRUE".to_owned(),
        Some(Cursor::Id(id) | Cursor::Pair(_, id)) => {
            format!("id {beyond} {}", conditions.bind(*id))
        }
        Some(Cursor::Name { key, id }) => {
            let (key, id) = (conditions.bind(key.as_str()), conditions.bind(*id));
            // The first part bounds the index, the second decides between equal names.
            format!("name_key {beyond}= {key} AND (name_key, id) {beyond} ({key}, {id})")
        }
    };
    let total = if page.count { TOTAL } else { "NULL" };
    let sql = table
        .sql(&PAGE.replace("{total}", total))
        .replace("{record}", table.record(format))
        .replace("{conditions}", &matching)
        .replace("{after}", &after)
        .replace("{order}", &order)
        .replace("{cursor}", cursor);
    let frame = table.framing(format);
    let frame = [frame.open, frame.between, frame.close, frame.end(true)].map(Bind::from);
    let mut binds = vec![Bind::Integer(page.limit.get().into())];
    binds.extend(frame);
    binds.push(seen.into());
    binds.append(&mut conditions.binds);
    Statement { sql, binds }
}

impl TableSpec {
    /// The expression of one record in a format.
    #[must_use]
    pub fn record(&self, format: MediaType) -> &str {
        match format {
            MediaType::Json | MediaType::NdJson => &self.json,
            MediaType::Csv => &self.csv_line,
        }
    }

    /// The text around a list in a format.
    #[must_use]
    pub fn framing(&'static self, format: MediaType) -> ListFraming {
        format.framing_with_header(&self.csv_header)
    }
}
