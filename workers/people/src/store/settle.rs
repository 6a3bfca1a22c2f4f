//! The second half of a write that refers to a place anew (docs/integrity.md). Each
//! statement takes writes as a JSON array of `[id, version]`, and leaves alone whoever is in
//! another version by now.

use registry::sql::Statement;
use serde_json::Value;

/// A write: who, and which version it made.
pub type Write = (i64, i64);

/// It holds. By the primary key.
const SETTLE: &str = "
UPDATE person SET unsettled_since = NULL, returns_to = NULL
FROM json_each(?1) AS e
WHERE person.id = e.value ->> 0 AND person.version = e.value ->> 1
  AND person.unsettled_since IS NOT NULL";

/// Lets writes hold.
#[must_use]
pub fn settle(writes: &[Write]) -> Statement {
    Statement::over(SETTLE, writes)
}

/// The state before an unsettled write: rows of (id, version, name, `is_alive`, `is_king`,
/// `place_id`), with nulls where there was nobody. By the primary key, and the index on
/// `person_change` (`person_id`, version).
const BEFORE: &str = "
SELECT person.id, person.version, h.name, h.is_alive, h.is_king, h.place_id
FROM json_each(?1) AS e
JOIN person ON person.id = e.value ->> 0 AND person.version = e.value ->> 1
LEFT JOIN person_change AS h
  ON h.person_id = person.id AND h.version = person.version - 1 AND h.exists_then = 1
WHERE person.unsettled_since IS NOT NULL";

/// What writes would be taken back to.
#[must_use]
pub fn before(writes: &[Write]) -> Statement {
    Statement::over(BEFORE, writes)
}

/// Back to the state before, by the primary key. The place is that of
/// `returns_to`, which follows where a deleted place's people went; a crown that somebody else has
/// by now, or of another place, is lost.
const RESTORE: &str = "
UPDATE person SET
  name = e.value ->> 'name',
  name_key = e.value ->> 'key',
  is_alive = e.value ->> 'isAlive',
  is_king = e.value ->> 'isKing' AND returns_to IS e.value ->> 'placeId' AND NOT EXISTS (
    SELECT 1 FROM person AS king
    WHERE king.place_id = person.returns_to AND king.is_king = 1 AND king.id <> person.id
  ) AND NOT EXISTS (
    SELECT 1 FROM json_each(?1) AS other
    WHERE other.value ->> 'isKing' AND other.value ->> 'placeId' IS e.value ->> 'placeId'
      AND other.key < e.key
  ),
  place_id = returns_to,
  version = person.version + 1,
  unsettled_since = NULL,
  returns_to = NULL
FROM json_each(?1) AS e
WHERE person.id = e.value ->> 'id' AND person.version = e.value ->> 'version'
  AND person.unsettled_since IS NOT NULL";

/// Takes writes back that changed somebody.
#[must_use]
pub fn restore(rows: &[Value]) -> Statement {
    Statement::over(RESTORE, rows)
}

/// Back to nobody, by the primary key.
const REMOVE: &str = "
DELETE FROM person
WHERE unsettled_since IS NOT NULL
  AND (id, version) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))";

/// Takes writes back that added somebody.
#[must_use]
pub fn remove(writes: &[Write]) -> Statement {
    Statement::over(REMOVE, writes)
}

/// The answers to inserts that are taken back, by the index `idempotency_by_record`.
const FORGET: &str = "
DELETE FROM idempotency
WHERE key IN (
  SELECT kept.key
  FROM json_each(?1) AS e
  JOIN idempotency AS kept ON kept.record_id = e.value ->> 0 AND kept.version = e.value ->> 1
  WHERE NOT EXISTS (
    SELECT 1 FROM person WHERE person.id = kept.record_id AND person.version = kept.version
  )
)";

/// Forgets the answers to inserts that have been taken back in the same batch.
#[must_use]
pub fn forget(writes: &[Write]) -> Statement {
    Statement::over(FORGET, writes)
}

/// The writes among these that have been taken back, by whomever: rows of (id). By the index
/// on `person_change` (`person_id`, version).
const UNDONE: &str = "
SELECT person_id
FROM json_each(?1) AS e
JOIN person_change AS h ON h.person_id = e.value ->> 0 AND h.version = 1 + e.value ->> 1
WHERE h.kind = 'undone'";

/// Which writes have been taken back.
#[must_use]
pub fn undone(writes: &[Write]) -> Statement {
    Statement::over(UNDONE, writes)
}

/// Writes left unsettled for so many milliseconds, oldest first: rows of (id, version,
/// `place_id`). By the index `person_unsettled`.
const UNSETTLED: &str = "
SELECT id, version, place_id
FROM person
WHERE unsettled_since <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1
ORDER BY unsettled_since
LIMIT ?2";

/// Who has been left unsettled.
#[must_use]
pub fn unsettled(milliseconds: i64, most: i64) -> Statement {
    Statement::new(UNSETTLED, vec![milliseconds.into(), most.into()])
}
