//! The statements that delete places as part of a batch of operations (docs/integrity.md).

use http_semantics::actor::Actor;
use serde_json::Value;
use tables::change_log;
use tables::record::Author;
use tables::schema::PLACE;
use tables::statement::{Statement, check_row_count};

/// Adds tombstones to places that still have the expected version, and that no other deletion
/// concerns: rows of (token, `place_id`).
///
/// ?1  a JSON array of (id, version)
/// ?2  the author
///
/// Uses the primary key of `place`, the unique index `tombstone (place_id)` and the index
/// `tombstone_by_target`.
const RESERVE: &str = "
INSERT INTO tombstone (place_id, phase, since, actor)
SELECT place.id, 'reserved', CAST(unixepoch('subsec') * 1000 AS INTEGER), ?2
FROM json_each(?1) AS e
JOIN place ON place.id = e.value ->> 'id' AND place.version = e.value ->> 'version'
WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = place.id)
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE reassign_to = place.id)
RETURNING token, place_id";

/// Reserves all places or none.
#[must_use]
pub fn reserve(rows: &[Value], actor: Option<&Actor>) -> [Statement; 2] {
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let mut reserve = Statement::bind_json_rows(RESERVE, rows);
    reserve.binds.push(actor.map(Actor::as_str).into());
    [reserve, check_row_count(count)]
}

/// The places that cannot be reserved: rows of (id, `has_changed`). Uses the same indexes.
const CONFLICTS: &str = "
SELECT * FROM (
  SELECT
    e.value ->> 'id' AS id,
    place.id IS NULL AS has_changed,
    EXISTS (SELECT 1 FROM tombstone WHERE place_id = e.value ->> 'id')
      OR EXISTS (SELECT 1 FROM tombstone WHERE reassign_to = e.value ->> 'id') AS is_concerned
  FROM json_each(?1) AS e
  LEFT JOIN place ON place.id = e.value ->> 'id' AND place.version = e.value ->> 'version'
)
WHERE has_changed OR is_concerned";

/// The places that cannot be reserved.
#[must_use]
pub fn reservation_conflicts(rows: &[Value]) -> Statement {
    Statement::bind_json_rows(CONFLICTS, rows)
}

/// The reserved places whose tombstones still have these tokens. Uses the primary keys.
///
/// ?3  a JSON array of (id, token)
const RESERVED: &str = "id IN (
  SELECT tombstone.place_id
  FROM json_each(?3) AS e
  JOIN tombstone ON tombstone.token = e.value ->> 'token'
  WHERE tombstone.place_id = e.value ->> 'id' AND tombstone.phase = 'reserved'
)";

/// Deletes reserved places: a row of (id) for each.
#[must_use]
pub fn delete_reserved(rows: &[Value], author: &Author) -> Statement {
    let rows = Value::from(rows).to_string();
    change_log::delete(&PLACE, author, RESERVED, vec![rows.into()])
}

/// The tombstones of places with dead people stay until these are detached.
///
/// ?1  a JSON array of (token, hasDead)
const KEEP: &str = "
UPDATE tombstone SET phase = 'deleted'
WHERE token IN (SELECT value ->> 'token' FROM json_each(?1) WHERE value ->> 'hasDead')";

/// Removes the tombstones of reserved places, or of those that were deleted without dead people.
const REMOVE: &str = "
DELETE FROM tombstone
WHERE token IN (SELECT value ->> 'token' FROM json_each(?1)) AND phase = 'reserved'";

/// Ends the reservation of places that the same transaction has deleted.
#[must_use]
pub fn end_reservation(rows: &[Value]) -> [Statement; 2] {
    [KEEP, REMOVE].map(|sql| Statement::bind_json_rows(sql, rows))
}

/// Removes the tombstones of places that are not deleted.
#[must_use]
pub fn cancel_reservation(rows: &[Value]) -> Statement {
    Statement::bind_json_rows(REMOVE, rows)
}
