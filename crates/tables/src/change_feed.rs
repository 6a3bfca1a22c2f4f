//! The change feed: its query, and the statement that reads one page of the feed of one table.
//!
//! The change log is append-only, and its column `seq` has no gaps: rows are never deleted, and
//! only one transaction writes at a time. So a binary search along `seq` finds a time, and a page
//! of changes is a range of `seq`.

use domain::{Moment, Param, PersonId, PlaceId};
use http_semantics::media::ListFraming;
use http_semantics::{Params, Problem, Validator};

use crate::Cursor;
use crate::page::PageSize;
use crate::statement::{Bind, Statement, framing_binds};
use crate::table_spec::TableSpec;

/// The maximum number of changes that a page looks through for those of a place.
pub const MAX_SCANNED: i64 = 20_000;

/// The values of `since`, to end the sentence "it must be …".
pub const EXPECTED_SINCE: &str = "a cursor taken from the Link header of a page of changes, `now`, or a time in UTC that is not in the future, like 2026-01-31T12:00:00Z, or a date, like 2026-01-31";

/// The parameters of the feed of places.
const OF_PLACES: &[&str] = &["since", "order", "after", "limit", "placeId"];

/// The parameters of the feed of people, and of both.
pub const PARAMETERS: &[&str] = &["since", "order", "after", "limit", "placeId", "personId"];

/// The parameters of the feed of a table.
#[must_use]
pub fn parameters(table: &TableSpec) -> &'static [&'static str] {
    if has_place(table) {
        PARAMETERS
    } else {
        OF_PLACES
    }
}

/// Whether the records of a table belong to a place.
#[must_use]
pub fn has_place(table: &TableSpec) -> bool {
    let mut columns = table.declaration.columns.iter();
    columns.any(|column| column.name == "place_id")
}

/// The beginning of a feed. `P` is the position of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since<P> {
    /// The first change.
    Beginning,
    /// The change after this one.
    Position(P),
    /// The next change that will be made.
    Now,
    /// The first change at this time or later, in milliseconds since 1970.
    Time(i64),
}

/// The query of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangesQuery<P> {
    /// The beginning.
    pub since: Since<P>,
    /// Whether the latest change comes first.
    pub descending: bool,
    /// In descending order: the page has the changes before this one.
    pub after: Option<P>,
    /// The maximum number of changes.
    pub limit: PageSize,
    /// Only changes of this place, and of people who belonged to it before or after the change.
    pub place: Option<PlaceId>,
    /// Only changes of this person.
    pub person: Option<PersonId>,
}

impl<P> ChangesQuery<P> {
    /// The same query with other positions. None if a position has no counterpart.
    #[must_use]
    pub fn map<Q>(self, position: impl Fn(P) -> Option<Q>) -> Option<ChangesQuery<Q>> {
        Some(ChangesQuery {
            since: match self.since {
                Since::Beginning => Since::Beginning,
                Since::Position(since) => Since::Position(position(since)?),
                Since::Now => Since::Now,
                Since::Time(time) => Since::Time(time),
            },
            after: match self.after {
                Some(after) => Some(position(after)?),
                None => None,
            },
            descending: self.descending,
            limit: self.limit,
            place: self.place,
            person: self.person,
        })
    }

    /// Parses a query. `position` is the position of a cursor, or none for a cursor of another kind
    /// of list. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(
        params: &Params,
        now: i64,
        position: impl Fn(&Cursor) -> Option<P>,
    ) -> Result<Self, Problem> {
        let since = params.parse_value("since", EXPECTED_SINCE, |text| {
            if text == "now" {
                return Some(Since::Now);
            }
            if let Some(moment) = Moment::parse(text) {
                let moment = moment.not_after(now)?;
                return Some(Since::Time(moment.start_milliseconds()));
            }
            position(&Cursor::parse(text)?).map(Since::Position)
        })?;
        let order = params.parse_value("order", "asc or desc", |text| match text {
            "asc" => Some(false),
            "desc" => Some(true),
            _ => None,
        })?;
        let descending = order.unwrap_or(false);
        let after = params.parse_value("after", Cursor::EXPECTED, |text| {
            position(&Cursor::parse(text)?)
        })?;
        if after.is_some() && !descending {
            let expected = "absent without `order=desc`: `since` has the start of the page";
            return Err(Problem::invalid_parameter("after", expected));
        }
        Ok(Self {
            since: since.unwrap_or(Since::Beginning),
            descending,
            after,
            limit: params.get("limit")?.unwrap_or_default(),
            place: params.get("placeId")?,
            person: params.get("personId")?,
        })
    }
}

/// A page of a feed: one row of (body, `last`, `has_more`, epoch). `last` is the position at which
/// the next page begins.
///
/// ?1        the page size
/// ?2 to ?5  the text before, between and after the changes, and the end of an empty list
const PAGE: &str = "
WITH RECURSIVE
  newest AS MATERIALIZED (SELECT coalesce(max(seq), 0) AS seq FROM {change_log}),
  {search}
  start AS MATERIALIZED (SELECT {start} AS seq),
  bounds AS MATERIALIZED (SELECT {low} AS low, {high} AS high FROM start, newest),
  page AS (
    SELECT * FROM {change_log}
    WHERE {seq} > (SELECT low FROM bounds) AND {seq} <= (SELECT high FROM bounds){filter}
    ORDER BY {key} {direction}
    LIMIT ?1 + 1
  ),
  numbered AS (SELECT *, row_number() OVER () AS n FROM page)
SELECT
  ?2 || coalesce(group_concat({change}, ?3) FILTER (WHERE n <= ?1) || ?4, ?5) AS body,
  iif(count(*) > ?1, {last_of_page}, {end}) AS last,
  count(*) > ?1 OR {more} AS has_more,
  {epoch} AS epoch
FROM numbered";

/// Finds the last change before a time: one seek by the primary key per step.
const SEARCH: &str = "search (position, step) AS (
    SELECT 0, 4294967296
    UNION ALL
    SELECT
      position + iif(
        (SELECT at FROM {change_log} WHERE seq = position + step) < {time}, step, 0
      ),
      step / 2
    FROM search WHERE step > 0
  ),";

/// The condition that a person belonged to a place before or after a change.
const OF_PLACE: &str = " AND (place_id = {place} OR EXISTS (
      SELECT 1 FROM {change_log} AS previous
      WHERE previous.{change_log_id} = {change_log}.{change_log_id}
        AND previous.version = {change_log}.version - 1
        AND previous.kind IN ('created', 'updated') AND previous.place_id = {place}
    ))";

/// The start of a line of a stream: the place before the change and after it, the id of the record
/// and the `seq`. A filter can then be applied without parsing the change.
const LINE_OF_PERSON: &str = "coalesce((
    SELECT previous.place_id FROM {change_log} AS previous
    WHERE previous.{change_log_id} = numbered.{change_log_id}
      AND previous.version = numbered.version - 1 AND previous.kind IN ('created', 'updated')
  ), 0) || ',' || coalesce(place_id, 0) || ',' || {change_log_id} || ',' || seq || ' ' || ";
const LINE_OF_PLACE: &str =
    "{change_log_id} || ',' || {change_log_id} || ',' || {change_log_id} || ',' || seq || ' ' || ";

/// The format of the changes of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeFormat {
    /// JSON.
    Json,
    /// JSON after the text that a stream filters by.
    StreamLine,
}

/// A page of the feed of a table. In order of `seq` it reads a range of the primary key; with the id
/// of a record, the unique index on (id, version). A page of the changes of a place looks through
/// at most [`MAX_SCANNED`] changes, so it may be short, or empty, and have a next page.
#[must_use]
pub fn page(
    table: &TableSpec,
    query: &ChangesQuery<Validator>,
    framing: ListFraming,
    format: ChangeFormat,
) -> Statement {
    let mut binds = vec![Bind::Integer(query.limit.get().into())];
    binds.extend(framing_binds(framing));
    let mut bind = |value: i64| {
        binds.push(value.into());
        format!("?{}", binds.len())
    };
    let mut search = String::new();
    let start = match query.since {
        Since::Beginning => "0".to_owned(),
        Since::Position(position) => bind(position.number),
        Since::Now => "(SELECT seq FROM newest)".to_owned(),
        Since::Time(time) => {
            search = SEARCH.replace("{time}", &bind(time));
            "(SELECT position FROM search WHERE step = 0)".to_owned()
        }
    };
    let (id, place) = if has_place(table) {
        (query.person.map(PersonId::get), query.place)
    } else {
        (query.place.map(PlaceId::get), None)
    };
    let mut filter = String::new();
    if let Some(place) = place {
        filter += &OF_PLACE.replace("{place}", &bind(place.get()));
    }
    // The versions of one record are in order of `seq`. The `+` keeps SQLite from reading all changes.
    let (seq, key) = match id {
        Some(id) => {
            filter += &[" AND {change_log_id} = ", &bind(id)].concat();
            ("+seq", "version")
        }
        None => ("seq", "seq"),
    };
    let is_scan = place.is_some() && id.is_none();
    let newest = match query.after {
        Some(after) => format!("{} - 1", bind(after.number)),
        None => "newest.seq".to_owned(),
    };
    let oldest = "start.seq".to_owned();
    let (low, high) = match (is_scan, query.descending) {
        (false, _) => (oldest, newest),
        (true, true) => (format!("max(start.seq, {newest} - {MAX_SCANNED})"), newest),
        (true, false) => (oldest, format!("min({newest}, start.seq + {MAX_SCANNED})")),
    };
    let (direction, last_of_page, end, more) = if query.descending {
        (
            "DESC",
            "min(seq) FILTER (WHERE n <= ?1)",
            "(SELECT low + 1 FROM bounds)",
            "(SELECT low FROM bounds) > (SELECT seq FROM start)",
        )
    } else {
        (
            "ASC",
            "max(seq) FILTER (WHERE n <= ?1)",
            "(SELECT max(low, high) FROM bounds)",
            "(SELECT high FROM bounds) < (SELECT seq FROM newest)",
        )
    };
    let line = match format {
        ChangeFormat::Json => "",
        ChangeFormat::StreamLine if has_place(table) => LINE_OF_PERSON,
        ChangeFormat::StreamLine => LINE_OF_PLACE,
    };
    let mut sql = PAGE.to_owned();
    for (name, part) in [
        ("{search}", search.as_str()),
        ("{start}", &start),
        ("{low}", &low),
        ("{high}", &high),
        ("{seq}", seq),
        ("{filter}", &filter),
        ("{key}", key),
        ("{direction}", direction),
        ("{last_of_page}", last_of_page),
        ("{end}", end),
        ("{more}", more),
        ("{change}", &format!("{line}{{change_json}}")),
    ] {
        sql = sql.replace(name, part);
    }
    Statement {
        sql: table.sql(&sql),
        binds,
    }
}

#[cfg(test)]
mod tests;
