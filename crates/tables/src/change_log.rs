//! The change log of a table: the statements that read its pages and its change sequence.
//!
//! Each write increases the change sequence of its table. A stored response is valid if it was made
//! at the current change sequences. Reading them costs two rows per table.

use crate::page::PageSize;
use crate::record::Author;
use crate::statement::{Bind, Statement, framing_binds};
use crate::table_spec::{TableSpec, Totals};
use http_semantics::Validator;
use http_semantics::media::ListFraming;

/// The change sequences that a response was made at. A backend has one table, and sets both to
/// its change sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeSeqs {
    /// The change sequence of places.
    pub places: Validator,
    /// The change sequence of people.
    pub people: Validator,
}

impl ChangeSeqs {
    /// The change sequences of a response that also contains places that were read at `places`: the
    /// earlier sequence is the one that both contain. None if the epochs differ.
    #[must_use]
    pub fn with_places_at(self, places: Validator) -> Option<Self> {
        let places = self.places.earlier(places)?;
        Some(Self { places, ..self })
    }

    /// The change sequence of a backend's table.
    #[must_use]
    pub fn from_table(seq: Validator) -> Self {
        Self {
            places: seq,
            people: seq,
        }
    }

    /// Whether either change sequence is an earlier one of the same history.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        self.places.is_before(other.places) || self.people.is_before(other.people)
    }

    /// Whether both have the same history of each database.
    #[must_use]
    pub fn has_history_of(&self, other: &Self) -> bool {
        self.places.epoch == other.places.epoch && self.people.epoch == other.people.epoch
    }
}

impl From<[Validator; 2]> for ChangeSeqs {
    fn from([places, people]: [Validator; 2]) -> Self {
        Self { places, people }
    }
}

/// The change sequence of a table, the greatest `seq` of its log or 0: one row of (`change_seq`,
/// epoch). Uses the primary keys.
#[must_use]
pub fn change_seq(table: &TableSpec) -> Statement {
    const CHANGE_SEQ: &str =
        "SELECT coalesce(max(seq), 0) AS change_seq, {epoch} AS epoch FROM {change_log}";
    Statement::new(&table.sql(CHANGE_SEQ), Vec::new())
}

/// Deletes records by their author: adds the deletions to the change log, and a trigger deletes the
/// records. A row of (id) for each.
///
/// ?1  the actor
/// ?2  the batch
///
/// `condition` selects the records of `{table}`. Its placeholders begin at ?3.
#[must_use]
pub fn delete(table: &TableSpec, author: &Author, condition: &str, binds: Vec<Bind>) -> Statement {
    const DELETE: &str = "
INSERT INTO {change_log}
  (at, kind, {change_log_id}, version, {logged_columns}, actor, batch{total_name})
SELECT
  max(
    CAST(unixepoch('subsec') * 1000 AS INTEGER),
    (SELECT at FROM {change_log} WHERE seq = (SELECT max(seq) FROM {change_log}))
  ),
  'deleted', id, version + 1, {logged_columns}, ?1, ?2{total}
FROM {table}
WHERE {condition}
RETURNING {change_log_id} AS id";
    let declaration = table.declaration;
    let (total_name, total) = match declaration.totals {
        Totals::Populations => (String::new(), String::new()),
        Totals::ChangeLog => {
            const LAST: &str = ",
  (SELECT {name} FROM {change_log} WHERE seq = (SELECT max(seq) FROM {change_log}))
    - row_number() OVER ()";
            let total = LAST.replace("{name}", declaration.collection);
            (format!(", {}", declaration.collection), total)
        }
    };
    let sql = DELETE
        .replace("{total_name}", &total_name)
        .replace("{total}", &total)
        .replace("{condition}", condition);
    let mut all: Vec<Bind> = author.binds().into();
    all.extend(binds);
    Statement::new(&table.sql(&sql), all)
}

/// The versions of a record after a version: one row of (body, `last`, `has_more`, epoch). `last` is the
/// last version of the page, or null if the page is empty.
///
/// ?1        the version after which the page begins
/// ?2        the page size
/// ?3 to ?6  the text before, between and after the changes, and the end of an empty list
/// ?7        the id of the record
///
/// Uses the unique index on (id, version).
const VERSIONS: &str = "
WITH
  page AS (
    SELECT * FROM {change_log}
    WHERE {change_log_id} = ?7 AND version > ?1
    ORDER BY version
    LIMIT ?2 + 1
  ),
  numbered AS (SELECT *, row_number() OVER () AS n FROM page)
SELECT
  ?3 || coalesce(group_concat({change_json}, ?4) FILTER (WHERE n <= ?2) || ?5, ?6) AS body,
  max(version) FILTER (WHERE n <= ?2) AS last,
  count(*) > ?2 AS has_more,
  {epoch} AS epoch
FROM numbered";

/// The versions of a record after a version.
#[must_use]
pub fn versions(
    table: &TableSpec,
    id: i64,
    version: i64,
    limit: PageSize,
    framing: ListFraming,
) -> Statement {
    let mut binds = vec![Bind::Integer(version), Bind::Integer(limit.get().into())];
    binds.extend(framing_binds(framing));
    binds.push(id.into());
    Statement::new(&table.sql(VERSIONS), binds)
}

/// The latest changes, latest first: one row of (body, `change_seq`). Each change has the record
/// before it, unless there was none.
///
/// ?1  the maximum number of changes
///
/// Uses the primary key, and the unique index on (id, version).
const LATEST: &str = "
WITH
  page AS (SELECT * FROM {change_log} ORDER BY seq DESC LIMIT +?1),
  line AS (
    SELECT {change_json} AS json, (
      SELECT {previous} FROM {change_log} AS previous
      WHERE previous.{change_log_id} = page.{change_log_id}
        AND previous.version = page.version - 1
        AND previous.kind IN ('created', 'updated')
    ) AS before
    FROM page
  )
SELECT
  '[' || coalesce(
    group_concat('{\"before\":' || coalesce(before, 'null') || ',' || substr(json, 2), ','), ''
  ) || ']' AS body,
  (SELECT coalesce(max(seq), 0) FROM {change_log}) || '.' || {epoch} AS change_seq
FROM line";

/// The latest changes, each with the record before it.
#[must_use]
pub fn latest(table: &TableSpec, limit: PageSize) -> Statement {
    let sql = LATEST.replace("{previous}", &table.logged_json_from("previous"));
    Statement::new(&table.sql(&sql), vec![Bind::Integer(limit.get().into())])
}

/// The latest change of a record and, if there is a version, the change with that version, the
/// latest one first: rows of (version, `has_state`, `is_erased`, body, epoch). A deletion has no
/// state, and its body is the state before it. Uses the unique index on (id, version).
#[must_use]
pub fn latest_and(table: &TableSpec, id: i64, version: Option<i64>) -> Statement {
    const LATEST_AND: &str = "
SELECT
  version,
  kind IN ('created', 'updated') AS has_state,
  name IS NULL AS is_erased,
  {logged_json} AS body,
  {epoch} AS epoch
FROM {change_log}
WHERE {change_log_id} = ?1
  AND version IN (?2, (SELECT max(version) FROM {change_log} WHERE {change_log_id} = ?1))
ORDER BY version DESC";
    Statement::new(&table.sql(LATEST_AND), vec![id.into(), version.into()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Param;

    fn seqs(places: &str, people: &str) -> ChangeSeqs {
        ChangeSeqs {
            places: Validator::parse(places).unwrap(),
            people: Validator::parse(people).unwrap(),
        }
    }

    #[test]
    fn a_state_is_earlier_if_either_table_was() {
        let now = seqs("7.00000001", "9.00000001");
        for earlier in [
            "6.00000001 9.00000001",
            "7.00000001 8.00000001",
            "8.00000001 8.00000001",
        ] {
            let (places, people) = earlier.split_once(' ').unwrap();
            assert!(seqs(places, people).is_before(&now), "{earlier}");
        }
        assert!(!now.is_before(&now));
        assert!(!seqs("6.00000002", "9.00000001").is_before(&now));
    }

    #[test]
    fn a_response_that_also_contains_earlier_places_has_their_change_sequence() {
        let response = seqs("7.00000001", "9.00000001");
        for (places, earlier) in [(6, 6), (7, 7), (8, 7)] {
            let places = Validator::parse(&format!("{places}.00000001")).unwrap();
            let expected = seqs(&format!("{earlier}.00000001"), "9.00000001");
            assert_eq!(response.with_places_at(places), Some(expected));
        }
        let of_another_history = Validator::parse("6.00000002").unwrap();
        assert_eq!(response.with_places_at(of_another_history), None);
    }

    #[test]
    fn two_states_have_one_history_if_no_database_was_replaced() {
        let now = seqs("7.00000001", "9.00000001");
        assert!(seqs("1.00000001", "2.00000001").has_history_of(&now));
        assert!(!seqs("7.00000002", "9.00000001").has_history_of(&now));
        assert!(!seqs("7.00000001", "9.00000002").has_history_of(&now));
    }
}
