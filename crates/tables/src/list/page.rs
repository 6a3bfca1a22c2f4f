//! The statement that reads a page of a list. `crates/tables/src/table_spec/render.rs` makes the
//! expression that renders each record.

use http_semantics::{MediaType, Validator};

use super::access::{Next, Rows};
use super::total::Total;
use super::{Binds, ListQuery, MAX_MATCHES};
use crate::page::SortKey;
use crate::statement::{Bind, Statement, changed_since, framing_binds};
use crate::table_spec::TableSpec;

/// A page: one row of (body, cursor, total, `total_is_minimum`, `change_seq`). The body is null if
/// there are too many matches.
///
/// ?1        the page size
/// ?2 to ?5  the text before, between and after the records, and the end of an empty list
/// ?6        the change sequence of the page that the client has cached, or null
///
/// If nothing has changed, there is no row, and it has read only the last change and the epoch.
const PAGE_BINDS: usize = 6;

/// The page, if a condition tells whether there is a next one. It reads each record once: a
/// window function would read each of them three times. Without a row of `current`, SQLite does not
/// read the page.
const PROBED: &str = "
WITH
  current AS (
    {changed}
  ),{counted}
  page AS MATERIALIZED (
    SELECT group_concat({record}, ?3) AS records, count(*) AS size, {last}
    FROM (
      {rows}
      LIMIT +?1
    )
  )
SELECT
  ?2 || coalesce(records || ?4, ?5) AS body,
  CASE WHEN size = ?1 AND {next} THEN lower(hex({cursor})) END AS cursor,
  {total} AS total,
  {total_is_minimum} AS total_is_minimum,
  change_seq || '.' || epoch AS change_seq
FROM current CROSS JOIN page";

/// The page, if it reads one record more than it shows.
const LOOKAHEAD: &str = "
WITH
  current AS MATERIALIZED (
    {changed}
  ),{counted}
  page AS (
    {rows}
    LIMIT iif(NOT EXISTS (SELECT 1 FROM current) OR {is_unsortable}, 0, ?1 + 1)
  ),
  numbered AS (
    SELECT *, row_number() OVER () AS n FROM page
  )
SELECT
  iif(
    {has_too_many},
    NULL,
    ?2 || coalesce(group_concat({record}, ?3) FILTER (WHERE n <= ?1) || ?4, ?5)
  ) AS body,
  CASE WHEN count(*) > ?1 THEN
    lower(hex(max({cursor}) FILTER (WHERE n = ?1)))
  END AS cursor,
  {total} AS total,
  {total_is_minimum} AS total_is_minimum,
  (SELECT change_seq || '.' || epoch FROM current) AS change_seq
FROM numbered
HAVING EXISTS (SELECT 1 FROM current)";

/// The key of a row in order of name as one text: no name contains U+0001, and it sorts before all
/// characters that names contain.
const NAME_POSITION: &str = "sort_key || char(1) || name || char(1) || format('%016d', id)";

/// A page of a list. `seen` is the change sequence of the page that the client has cached.
#[must_use]
pub fn page(
    table: &'static TableSpec,
    query: &ListQuery,
    media_type: MediaType,
    seen: Option<Validator>,
) -> Statement {
    let page = &query.page;
    let mut binds = Binds::after(PAGE_BINDS);
    let rows = Rows::new(table, query, &mut binds);
    let must_sort = matches!(
        rows.next,
        Next::Lookahead {
            too_many_to_sort: true,
            ..
        }
    );
    let total = Total::new(table, query, must_sort, &mut binds);
    let last = if page.sort.descending { "min" } else { "max" };
    let (last, cursor) = match page.sort.key {
        SortKey::Id => (format!("{last}(id) AS id"), "'i' || id"),
        SortKey::Name => (
            format!("{last}({NAME_POSITION}) AS position, sort_key, name, id"),
            "'n' || id || ':' || sort_key || char(1) || name",
        ),
    };
    let sql = match rows.next {
        Next::Probe(next) => PROBED.replace("{next}", &next).replace("{last}", &last),
        Next::Lookahead {
            too_many_to_sort,
            too_many_to_skip,
        } => {
            let is_unsortable = if too_many_to_sort {
                format!("(SELECT n FROM counted) > {MAX_MATCHES}")
            } else {
                "FALSE".to_owned()
            };
            let has_too_many = match too_many_to_skip {
                Some(too_many) => {
                    format!("count(*) <= ?1 AND {too_many}")
                }
                None => is_unsortable.clone(),
            };
            LOOKAHEAD
                .replace("{is_unsortable}", &is_unsortable)
                .replace("{has_too_many}", &has_too_many)
        }
    };
    let sql = sql
        .replace("{changed}", &changed_since("?6"))
        .replace("{counted}", &total.counted)
        .replace("{total}", &total.number)
        .replace("{total_is_minimum}", &total.is_minimum)
        .replace("{rows}", &rows.sql)
        .replace("{record}", table.record(media_type))
        .replace("{cursor}", cursor);
    let mut all = vec![Bind::Integer(page.limit.get().into())];
    all.extend(framing_binds(table.framing(media_type)));
    all.push(seen.into());
    all.append(&mut binds.values);
    Statement {
        sql: table.sql(&sql),
        binds: all,
    }
}
