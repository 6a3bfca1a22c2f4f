//! The query of a list or an export, and the statements that read a page of a list or a part of an
//! export.
//!
//! SQLite renders the records: the result is one row with the response body, so that Rust does not
//! have to parse and serialize each record.

use domain::PlaceId;
use domain::id::Ids;
use domain::name::{Normalize, Prefix};
use http_semantics::media::ListFraming;
use http_semantics::{MediaType, Params, Problem, Validator};

use crate::page::SortKey;
use crate::statement::{Bind, Statement, framing_binds};
use crate::table_spec::{Filter, FilterKind, TableSpec};
use crate::{Cursor, Page};

/// A parsed query: the conditions of the filters that the table declares, and the page.
#[derive(Debug, Default)]
pub struct ListQuery {
    filters: Vec<Condition>,
    /// The page.
    pub page: Page,
}

/// An SQL condition with `$` for each use of the value.
#[derive(Debug)]
struct Condition(String, Option<Bind>);

impl ListQuery {
    /// Parses the filters and the page. Names are normalized as in a write.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(
        table: &TableSpec,
        params: &Params,
        normalize: Normalize,
    ) -> Result<Self, Problem> {
        let mut filters = Vec::new();
        for Filter { name, kind } in table.declaration.filters {
            filters.extend(match kind {
                FilterKind::Id(column) => {
                    let id = params.get::<PlaceId>(name)?.map(PlaceId::get);
                    id.map(|id| Condition([column, " = $"].concat(), Some(id.into())))
                }
                FilterKind::Boolean(column) => {
                    let value = params.get::<bool>(name)?;
                    let value = value.map(|value| if value { " = 1" } else { " = 0" });
                    value.map(|value| Condition([column, value].concat(), None))
                }
                FilterKind::NamePrefix => {
                    let parse = |text: &str| Prefix::new(text, normalize);
                    let prefix = params.parse_value(name, Prefix::EXPECTED, parse)?;
                    prefix
                        .map(|prefix| Condition(NAME_PREFIX.to_owned(), Some(prefix.key().into())))
                }
                FilterKind::Ids => {
                    let ids = params.get::<Ids>(name)?;
                    ids.map(|ids| Condition(IDS.to_owned(), Some(ids.to_json().into())))
                }
            });
        }
        let page = Page::from_params(params)?;
        Ok(Self { filters, page })
    }

    /// The conditions of the filters.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        for Condition(sql, value) in &self.filters {
            conditions.add(sql, value.as_ref());
        }
        conditions
    }
}

/// A range of an index on the key of the name.
const NAME_PREFIX: &str = "name_key >= $ AND name_key < $ || char(0x10FFFF)";

/// Uses the primary key.
const IDS: &str = "id IN (SELECT value FROM json_each($))";

/// SQL conditions, joined by AND, with their binds.
#[derive(Debug, Default)]
pub struct Conditions {
    conditions: Vec<String>,
    binds: Vec<Bind>,
}

/// The number of binds of a page or an export part before those of its conditions.
const PAGE_BINDS: usize = 6;

impl Conditions {
    /// Adds a condition with its value.
    fn add(&mut self, condition: &str, value: Option<&Bind>) {
        let value = value.map(|value| self.bind(value.clone()));
        let condition = condition.replace('$', value.as_deref().unwrap_or_default());
        self.conditions.push(condition);
    }

    /// Binds a value, and returns its placeholder.
    fn bind(&mut self, value: impl Into<Bind>) -> String {
        self.binds.push(value.into());
        format!("?{}", PAGE_BINDS + self.binds.len())
    }

    /// The conditions as SQL.
    fn to_sql(&self) -> String {
        if self.conditions.is_empty() {
            "TRUE".to_owned()
        } else {
            self.conditions.join(" AND ")
        }
    }
}

/// A page: one row of (body, cursor, total, `change_seq`, epoch).
///
/// ?1        the page size
/// ?2 to ?5  the text before, between and after the records, and the end of an empty list
/// ?6        the change sequence of the page that the client has cached, with its epoch, or null
///
/// It reads one record more than the page size, to know whether there is a next page. If nothing
/// has changed it reads no records, so that a 304 costs one row of the change log.
const PAGE: &str = "
WITH
  current AS MATERIALIZED (
    SELECT coalesce(max(seq), 0) AS change_seq, {epoch} AS epoch FROM {change_log}
  ),
  page AS (
    SELECT {record_columns}, name_key
    FROM {table}
    WHERE {conditions} AND {after}
    ORDER BY {order}
    LIMIT iif((SELECT change_seq || '.' || epoch FROM current) IS ?6, 0, ?1 + 1)
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
  (SELECT change_seq FROM current) AS change_seq,
  (SELECT epoch FROM current) AS epoch
FROM numbered";

/// The number of matching records on all pages.
const TOTAL: &str = "iif(
    (SELECT change_seq || '.' || epoch FROM current) IS ?6,
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
    seen: Option<Validator>,
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
        Some(Cursor::Name { key, id }) => {
            let (key, id) = (conditions.bind(key.as_str()), conditions.bind(*id));
            // The first condition bounds the range of the index. The second one skips the records
            // with an equal name that the page before has.
            format!("name_key {beyond}= {key} AND (name_key, id) {beyond} ({key}, {id})")
        }
        Some(cursor) => format!("id {beyond} {}", conditions.bind(cursor.id())),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{PERSON, PLACE};

    /// A filter that is declared twice would only be parsed once.
    #[test]
    fn each_parameter_of_a_list_is_declared_once() {
        for table in [&PLACE, &PERSON] {
            let mut names = table.list_parameters.clone();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.list_parameters.len());
        }
    }

    #[test]
    fn each_filter_in_the_query_adds_its_condition() -> Result<(), Problem> {
        let query = "isAlive=true&isKing=false&placeId=3&name=A&ids=1,2&limit=5";
        let params = Params::parse(query, &PERSON.list_parameters)?;
        let list = ListQuery::from_params(&PERSON, &params, str::to_owned)?;
        let conditions = list.conditions();
        assert_eq!(
            conditions.to_sql(),
            "is_alive = 1 AND is_king = 0 AND place_id = ?7 \
             AND name_key >= ?8 AND name_key < ?8 || char(0x10FFFF) \
             AND id IN (SELECT value FROM json_each(?9))"
        );
        assert_eq!(conditions.binds.len(), 3);
        assert_eq!(list.page.limit.get(), 5);
        Ok(())
    }

    #[test]
    fn the_name_filter_is_normalized_like_a_name() -> Result<(), Problem> {
        let params = Params::parse("name=n%CC%83a", &PLACE.list_parameters)?;
        let list = ListQuery::from_params(&PLACE, &params, |text| text.replace("n\u{303}", "ñ"))?;
        assert_eq!(list.conditions().binds, ["ña".into()]);
        Ok(())
    }
}
