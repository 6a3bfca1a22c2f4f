//! Statements that read a page of a list, or a part of an export.
//!
//! SQLite renders the records: the result is one row with the response body, so that Rust does not
//! have to parse and serialize each record.

use http_semantics::MediaType;
use http_semantics::media::ListFraming;

use crate::Cursor;
use crate::list_query::{Conditions, ListQuery};
use crate::page::SortKey;
use crate::statement::{Bind, Statement, framing_binds};
use crate::table_spec::TableSpec;

/// A page: one row of (body, cursor, total, `change_seq`).
///
/// ?1        the page size
/// ?2 to ?5  the text before, between and after the records, and the end of an empty list
/// ?6        the change sequence of the page that the client has cached, or null
///
/// It reads one record more than the page size, to know whether there is a next page. If nothing
/// has changed it reads no records, so that a 304 costs one row of the change log.
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

/// The number of matching records on all pages.
const TOTAL: &str = "iif(
    (SELECT change_seq FROM current) IS ?6,
    NULL,
    (SELECT count(*) FROM {table} WHERE {conditions})
  )";

/// A part of an export: one row of (body, `last_id`, records).
///
/// ?1        the maximum number of records
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

/// A part of an export: the records after an id, sorted by id.
#[must_use]
pub fn export_part(
    table: &'static TableSpec,
    conditions: Conditions,
    media_type: MediaType,
    after: i64,
    limit: i64,
) -> Statement {
    // Only the first part has the header.
    let framing = if after == 0 {
        table.framing(media_type)
    } else {
        media_type.framing()
    };
    let sql = table
        .sql(PART)
        .replace("{record}", table.record(media_type))
        .replace("{conditions}", &conditions.to_sql());
    let mut binds = vec![Bind::Integer(limit)];
    binds.extend(framing_binds(framing));
    binds.push(after.into());
    binds.extend(conditions.binds);
    Statement { sql, binds }
}

/// A page of a list. `seen` is the change sequence of the page that the client has cached.
#[must_use]
pub fn page(
    table: &'static TableSpec,
    query: &ListQuery,
    media_type: MediaType,
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
            // The first condition bounds the range of the index. The second one skips the records
            // with an equal name that the page before has.
            format!("name_key {beyond}= {key} AND (name_key, id) {beyond} ({key}, {id})")
        }
    };
    let total = if page.count { TOTAL } else { "NULL" };
    let sql = table
        .sql(&PAGE.replace("{total}", total))
        .replace("{record}", table.record(media_type))
        .replace("{conditions}", &matching)
        .replace("{after}", &after)
        .replace("{order}", &order)
        .replace("{cursor}", cursor);
    let mut binds = vec![Bind::Integer(page.limit.get().into())];
    binds.extend(framing_binds(table.framing(media_type)));
    binds.push(seen.into());
    binds.append(&mut conditions.binds);
    Statement { sql, binds }
}

impl TableSpec {
    /// The SQL expression of one record in a media type.
    #[must_use]
    pub fn record(&self, media_type: MediaType) -> &str {
        match media_type {
            MediaType::Json | MediaType::NdJson => &self.json,
            MediaType::Csv => &self.csv_line,
        }
    }

    /// The text around the records of a list.
    #[must_use]
    pub fn framing(&'static self, media_type: MediaType) -> ListFraming {
        media_type.framing_with_header(&self.csv_header)
    }
}
