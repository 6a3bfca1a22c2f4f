//! Statements: SQL with what is bound to it, and the one that makes a page of a register.
//!
//! `SQLite` makes the JSON: a page is one row of four columns, its body ready to be sent,
//! the cursor behind it, the count, and the register's change counter. Rust does not look
//! into the records.

use serde::Serialize;
use serde_json::Value;

use crate::Cursor;
use crate::page::{Key, Page};
use domain::ids::Ids;
use domain::name;
use http_semantics::Format;
use http_semantics::media::Frame;

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// A whole number, at most 2^53 - 1 either way.
    Integer(i64),
    /// A text.
    Text(String),
    /// Nothing.
    Null,
}

impl<T: Into<Bind>> From<Option<T>> for Bind {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<String> for Bind {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Bind {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// A statement, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text, with `?1`, `?2`, … for what is bound.
    pub sql: String,
    /// What is bound, in order.
    pub binds: Vec<Bind>,
}

impl Statement {
    /// A statement of a fixed text.
    #[must_use]
    pub fn new(sql: &str, binds: Vec<Bind>) -> Self {
        Self {
            sql: sql.to_owned(),
            binds,
        }
    }
}

impl Statement {
    /// A statement over many rows: `?1` is the JSON array of them, the one form in which D1
    /// takes many values at once.
    #[must_use]
    pub fn over<T: Serialize>(sql: &str, rows: &[T]) -> Self {
        // Plain values always serialize.
        let rows = serde_json::to_string(rows).unwrap_or_default();
        Self::new(sql, vec![rows.into()])
    }
}

/// The most bytes of rows that are bound to one statement: D1 takes no text over 2 MB.
const MOST_BOUND: usize = 1_900_000;

/// The bytes of a row beside its texts, at most.
const AROUND: usize = 250;

/// Rows in runs, each short enough to be bound to one statement.
#[must_use]
pub fn runs(rows: &[Value]) -> Vec<&[Value]> {
    // A quote or a backslash is escaped, and no control character is in a name.
    let length = |value: &Value| 2 * value.as_str().map_or(0, str::len);
    let (mut runs, mut begin, mut bytes) = (Vec::new(), 0, 0);
    for (n, row) in rows.iter().enumerate() {
        let members = row.as_object().into_iter().flatten();
        let row = AROUND + members.map(|(_, value)| length(value)).sum::<usize>();
        if bytes + row > MOST_BOUND {
            runs.extend(rows.get(begin..n));
            (begin, bytes) = (n, 0);
        }
        bytes += row;
    }
    runs.extend(rows.get(begin..).filter(|rest| !rest.is_empty()));
    runs
}

/// A register: a table with `id`, `name` and `name_key`.
#[derive(Debug, Clone, Copy)]
pub struct Register {
    /// The table.
    pub table: &'static str,
    /// The columns that the record is made of.
    pub columns: &'static str,
    /// The expression that makes one record.
    pub record: &'static str,
    /// The first line of a table of them.
    pub header: &'static str,
    /// The expression that makes one of its other lines.
    pub line: &'static str,
    /// The table of its changes, whose greatest `seq` is the register's change counter.
    pub changes: &'static str,
}

impl Register {
    /// The register, whose record is written as the form has it.
    #[must_use]
    pub fn written(self, format: Format) -> Self {
        match format {
            Format::Json | Format::NdJson => self,
            Format::Csv => Self {
                record: self.line,
                ..self
            },
        }
    }

    /// What stands around a list of the records.
    #[must_use]
    pub fn frame(self, format: Format) -> Frame {
        format.frame_below(self.header)
    }
}

/// The conditions of a list, joined by AND.
#[derive(Debug, Default)]
pub struct Filters {
    conditions: Vec<String>,
    binds: Vec<Bind>,
}

/// The binds that every page, and every part, has before those of its filters.
const PAGE_BINDS: usize = 6;

impl Filters {
    /// Adds a condition without a value.
    pub fn condition(&mut self, condition: &str) {
        self.conditions.push(condition.to_owned());
    }

    /// Adds a condition in which each `$` stands for the value.
    pub fn bound(&mut self, condition: &str, value: impl Into<Bind>) {
        let value = self.bind(value);
        self.condition(&condition.replace('$', &value));
    }

    /// Adds the condition that the name begins so, as one range of the index on names.
    pub fn name_begins(&mut self, prefix: &name::Prefix) {
        self.bound(
            "name_key >= $ AND name_key < $ || char(0x10FFFF)",
            prefix.key(),
        );
    }

    /// Adds the condition that the record is one of these, by the primary key.
    pub fn among(&mut self, ids: &Ids) {
        self.bound(
            "id IN (SELECT value FROM json_each($))",
            ids.to_json().as_str(),
        );
    }

    /// Binds a value, and gives what stands for it in the text.
    fn bind(&mut self, value: impl Into<Bind>) -> String {
        self.binds.push(value.into());
        format!("?{}", PAGE_BINDS + self.binds.len())
    }

    fn text(&self) -> String {
        if self.conditions.is_empty() {
            "TRUE".to_owned()
        } else {
            self.conditions.join(" AND ")
        }
    }
}

/// One page of a register. `{…}` are filled by [`page`]; `?1` is the limit, `?2` to
/// `?4` what stands before, between and behind the records, `?5` what stands behind none,
/// `?6` the change counter that the reader has seen the page at, if it has.
///
/// One record more than asked for is read, to know whether there is a next page; none at
/// all where nothing has changed, so that a 304 costs one row of the changes.
const PAGE: &str = "
WITH
  register AS MATERIALIZED (
    SELECT coalesce(max(seq), 0) AS counter FROM {changes}
  ),
  page AS (
    SELECT id, name_key, {columns}
    FROM {table}
    WHERE {filters} AND {after}
    ORDER BY {order}
    LIMIT iif((SELECT counter FROM register) IS ?6, 0, ?1 + 1)
  ),
  numbered AS (
    SELECT *, row_number() OVER () AS n FROM page
  )
SELECT
  ?2 || coalesce(group_concat({record}, ?3) FILTER (WHERE n <= ?1) || ?4, ?5),
  CASE WHEN count(*) > ?1 THEN
    lower(hex(max({cursor}) FILTER (WHERE n = ?1)))
  END,
  {count},
  (SELECT counter FROM register)
FROM numbered";

/// One part of an export: a row of (text, the last id, how many records). `?1` is the most
/// records, `?2` to `?5` what stands around them, as in [`PAGE`], and `?6` the id behind which
/// the part begins. Each record is read once.
const PART: &str = "
SELECT
  ?2 || coalesce(group_concat({record}, ?3) || ?4, ?5),
  max(id),
  count(*)
FROM (
  SELECT id, {columns}
  FROM {table}
  WHERE {filters} AND id > ?6
  ORDER BY id
  LIMIT ?1
)";

/// So many records of a register, in order of id, behind the one with an id.
#[must_use]
pub fn part(
    register: Register,
    filters: Filters,
    frame: Frame,
    after: i64,
    most: i64,
) -> Statement {
    let sql = PART
        .replace("{record}", register.record)
        .replace("{columns}", register.columns)
        .replace("{table}", register.table)
        .replace("{filters}", &filters.text());
    let frame = [frame.open, frame.between, frame.close, frame.none].map(Bind::from);
    let mut binds = vec![Bind::Integer(most)];
    binds.extend(frame);
    binds.push(after.into());
    binds.extend(filters.binds);
    Statement { sql, binds }
}

/// The page of a register that a request asks for; `seen` is the change counter of the
/// page that it has already.
#[must_use]
pub fn page(
    register: Register,
    mut filters: Filters,
    page: &Page,
    frame: Frame,
    seen: Option<i64>,
) -> Statement {
    let matching = filters.text();
    let (beyond, direction) = if page.sort.descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    let (order, cursor) = match page.sort.key {
        Key::Id => (format!("id {direction}"), "'i' || id"),
        Key::Name => (
            format!("name_key {direction}, id {direction}"),
            "'n' || id || ':' || name_key",
        ),
    };
    let after = match &page.after {
        None => "TRUE".to_owned(),
        Some(Cursor::Id(id) | Cursor::Pair(_, id)) => format!("id {beyond} {}", filters.bind(*id)),
        Some(Cursor::Name { key, id }) => {
            let (key, id) = (filters.bind(key.as_str()), filters.bind(*id));
            // The first part bounds the index, the second settles equal names.
            format!("name_key {beyond}= {key} AND (name_key, id) {beyond} ({key}, {id})")
        }
    };
    let count = if page.count {
        format!(
            "iif((SELECT counter FROM register) IS ?6, NULL, (SELECT count(*) FROM {} WHERE {matching}))",
            register.table
        )
    } else {
        "NULL".to_owned()
    };
    let sql = PAGE
        .replace("{changes}", register.changes)
        .replace("{table}", register.table)
        .replace("{columns}", register.columns)
        .replace("{record}", register.record)
        .replace("{filters}", &matching)
        .replace("{after}", &after)
        .replace("{order}", &order)
        .replace("{cursor}", cursor)
        .replace("{count}", &count);
    let frame = [frame.open, frame.between, frame.close, frame.end(true)].map(Bind::from);
    let mut binds = vec![Bind::Integer(page.limit.get().into())];
    binds.extend(frame);
    binds.push(seen.into());
    binds.append(&mut filters.binds);
    Statement { sql, binds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_come_in_runs_that_a_statement_takes() {
        let id = 9_007_199_254_740_991_i64;
        let row = |name: &str| {
            json!({
                "n": id, "id": id, "version": id, "name": name, "key": name, "isAlive": false,
                "isKing": false, "placeId": id, "isAnew": false,
            })
        };
        for (name, least) in [("", 6_000), ("\\\"", 1_500), ("\u{10ffff}", 500)] {
            let rows = vec![row(&name.repeat(200 / name.chars().count().max(1))); 20_000];
            let runs = runs(&rows);
            assert_eq!(runs.concat(), rows);
            let fits = |run: &&[Value]| serde_json::to_string(run).unwrap().len() < 2_000_000;
            assert!(runs.iter().all(fits));
            assert!(runs[0].len() >= least, "{}", runs[0].len());
        }
        assert_eq!(runs(&[]), Vec::<&[Value]>::new());
    }
}
