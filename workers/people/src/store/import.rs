//! What an import has to know of the register before it writes a batch.

use registry::sql::{self, Statement};
use serde_json::Value;

use super::write::insert_all;

/// Who of a batch is there already, or claims a crown that somebody wears: rows of (n,
/// version, unsettled, name, `is_alive`, `is_king`, `place_id`, king's id, king's name), where n is
/// the position in the batch, and the others are of the present person and the present king. By
/// the primary key, and the index `one_king_a_place`.
const PRESENT: &str = "
SELECT
  e.value ->> 'n' AS n,
  person.version, person.unsettled_since IS NOT NULL AS unsettled,
  person.name, person.is_alive, person.is_king, person.place_id,
  king.id AS king_id, king.name AS king_name
FROM json_each(?1) AS e
LEFT JOIN person ON person.id = e.value ->> 'id'
LEFT JOIN person AS king
  ON king.place_id = e.value ->> 'placeId' AND king.is_king = 1 AND e.value ->> 'isKing'
  AND king.id IS NOT e.value ->> 'id'
WHERE person.id IS NOT NULL OR king.id IS NOT NULL";

/// What of the register bears on records of a batch: on those that have an id, or claim a crown.
#[must_use]
pub fn present(rows: &[Value]) -> Statement {
    Statement::over(PRESENT, rows)
}

/// A batch that was written before where people are in several databases, by the primary key: a
/// row of (counts), unless some of its changes have been taken back. By the index on
/// `person_change` (`person_id`, version).
const WRITTEN: &str = "
SELECT body
FROM idempotency AS kept
WHERE key = ?1 AND NOT EXISTS (
  SELECT 1
  FROM person_change AS h
  JOIN person_change AS behind
    ON behind.person_id = h.person_id AND behind.version = h.version + 1
  WHERE h.seq BETWEEN kept.first_seq AND kept.last_seq AND behind.kind = 'undone'
)";

/// Forgets a batch that does not count as written any more. It goes before what remembers it.
#[must_use]
pub fn forget_batch(key: &str) -> Statement {
    let sql = format!("DELETE FROM idempotency WHERE key = ?1 AND NOT EXISTS ({WRITTEN})");
    Statement::new(&sql, vec![key.into()])
}

/// Begins the inserts of a batch; see the migration `0009_import`.
const OPEN: &str = "
INSERT INTO bulk (id, after_seq, at)
SELECT 1, coalesce(max(seq), 0), max(
  CAST(unixepoch('subsec') * 1000 AS INTEGER),
  coalesce((SELECT at FROM person_change WHERE seq = (SELECT max(seq) FROM person_change)), 0)
)
FROM person_change";

/// Adds the people of a batch: their places are counted once, behind all of them.
#[must_use]
pub fn insert_batch(rows: &[Value]) -> Vec<Statement> {
    if rows.is_empty() {
        return Vec::new();
    }
    let greatest = rows.iter().filter_map(|row| row["id"].as_i64()).max();
    let inserts = sql::runs(rows).into_iter();
    let inserts = inserts.map(|run| insert_all(run, greatest));
    let open = Statement::new(OPEN, Vec::new());
    let close = Statement::new("DELETE FROM bulk", Vec::new());
    [vec![open], inserts.collect(), vec![close]].concat()
}

/// The `seq` of the first of the latest changes, and that of the last. By the primary key.
const LATEST: &str = "
SELECT last - ?1 + 1 AS first, last
FROM (SELECT max(seq) AS last FROM person_change)";

/// The changes of a batch, in its own transaction: the latest, of which there are this many.
#[must_use]
pub fn latest(changes: i64) -> Statement {
    Statement::new(LATEST, vec![changes.into()])
}

/// The pending writes among the changes of a batch: rows of (id, version, `place_id`). By the
/// index `person_unsettled`, because few are pending, and the index on `person_change`
/// (`person_id`, version).
const PENDING_CHANGES: &str = "
SELECT person.id, person.version, person.place_id
FROM person INDEXED BY person_unsettled
CROSS JOIN person_change AS h
  ON h.person_id = person.id AND h.version = person.version
WHERE person.unsettled_since IS NOT NULL AND h.seq BETWEEN ?1 AND ?2";

/// Which changes of a batch are pending.
#[must_use]
pub fn pending_changes(first: i64, last: i64) -> Statement {
    Statement::new(PENDING_CHANGES, vec![first.into(), last.into()])
}

/// The pending writes of people: rows of (id, version, `place_id`). By the primary key.
const PENDING_PEOPLE: &str = "
SELECT person.id, person.version, person.place_id
FROM json_each(?1) AS e
CROSS JOIN person ON person.id = e.value ->> 'id'
WHERE person.unsettled_since IS NOT NULL";

/// Which of these people have a pending write.
#[must_use]
pub fn pending_people(rows: &[Value]) -> Statement {
    Statement::over(PENDING_PEOPLE, rows)
}

/// The writes of a batch that are not settled yet: rows of (id, version). By the primary key of
/// `person_change`, and that of person.
const DOUBTS: &str = "
SELECT person.id, person.version
FROM person_change AS h
CROSS JOIN person ON person.id = h.person_id AND person.version = h.version
WHERE h.seq BETWEEN ?1 AND ?2 AND person.unsettled_since IS NOT NULL";

/// Which writes of a batch may be taken back.
#[must_use]
pub fn doubts_of(first: i64, last: i64) -> Statement {
    Statement::new(DOUBTS, vec![first.into(), last.into()])
}

/// All of a batch holds. By the same.
const SETTLE: &str = "
UPDATE person SET unsettled_since = NULL, returns_to = NULL
WHERE unsettled_since IS NOT NULL AND (id, version) IN (
  SELECT person_id, version FROM person_change WHERE seq BETWEEN ?1 AND ?2
)";

/// Lets the writes of a batch hold.
#[must_use]
pub fn settle_batch(first: i64, last: i64) -> Statement {
    Statement::new(SETTLE, vec![first.into(), last.into()])
}
