//! The steps of a place's deletion (docs/integrity.md), each one transaction.

use domain::PlaceId;
use tables::statement::{Bind, Statement};

/// The status of places: rows of (id, `is_deleting`). A missing place has no row.
/// By the primary keys.
const STATUSES: &str = "
SELECT place.id, tombstone.place_id IS NOT NULL AS is_deleting
FROM json_each(?1) AS e
JOIN place ON place.id = e.value
LEFT JOIN tombstone ON tombstone.place_id = place.id";

/// The status of places, given as a JSON array of ids.
#[must_use]
pub fn statuses(ids: &str) -> Statement {
    Statement::new(STATUSES, vec![ids.into()])
}

/// Marks a place: a row of (token), if it can be marked. The place must be active and must not
/// receive the people of another one. The place that its own people go to must be active too;
/// it stays, because a place that receives people is not marked. By the primary keys, and the
/// index `tombstone_by_target`.
const MARK: &str = "
INSERT INTO tombstone (place_id, phase, reassign_to, since)
SELECT id, 'deleting', ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM place
WHERE id = ?1 AND version = ?3
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = ?1)
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE reassign_to = ?1)
  AND (?2 IS NULL OR (
    EXISTS (SELECT 1 FROM place WHERE id = ?2)
    AND NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = ?2)
  ))
RETURNING token";

/// Marks a place in a version as being deleted.
#[must_use]
pub fn mark(place: PlaceId, reassign_to: Option<PlaceId>, version: i64) -> Statement {
    let to = Bind::from(reassign_to.map(PlaceId::get));
    Statement::new(MARK, vec![place.get().into(), to, version.into()])
}

/// Removes a mark that the token still owns.
const UNMARK: &str =
    "DELETE FROM tombstone WHERE place_id = ?1 AND token = ?2 AND phase = 'deleting'";

/// Removes one's own mark.
#[must_use]
pub fn unmark(place: PlaceId, token: i64) -> Statement {
    Statement::new(UNMARK, vec![place.get().into(), token.into()])
}

/// Deletes the place if the token still owns the mark.
const DELETE: &str = "
DELETE FROM place
WHERE id = ?1 AND EXISTS (
  SELECT 1 FROM tombstone WHERE place_id = ?1 AND token = ?2 AND phase = 'deleting'
)
RETURNING id";

/// The tombstone stays until the dead are detached.
const SET_DELETED: &str = "
UPDATE tombstone SET phase = 'deleted'
WHERE place_id = ?1 AND token = ?2 AND phase = 'deleting'";

/// Deletes a marked place. The first statement returns a row if it did.
#[must_use]
pub fn delete(place: PlaceId, token: i64) -> [Statement; 2] {
    let binds = || vec![place.get().into(), token.into()];
    [
        Statement::new(DELETE, binds()),
        Statement::new(SET_DELETED, binds()),
    ]
}

/// Removes the tombstone of a deleted place.
const REMOVE_TOMBSTONE: &str =
    "DELETE FROM tombstone WHERE place_id = ?1 AND token = ?2 AND phase = 'deleted'";

/// Removes the tombstone of a place that is deleted and has no dead people any more.
#[must_use]
pub fn remove_tombstone(place: PlaceId, token: i64) -> Statement {
    Statement::new(REMOVE_TOMBSTONE, vec![place.get().into(), token.into()])
}

/// Tombstones older than so many milliseconds: rows of (`place_id`, token, `is_deleted`,
/// `reassign_to`). A scan: there are never many.
const ABANDONED: &str = "
SELECT place_id, token, phase = 'deleted' AS is_deleted, reassign_to
FROM tombstone
WHERE since <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1
ORDER BY place_id
LIMIT ?2";

/// Deletions whose request has crashed.
#[must_use]
pub fn abandoned(milliseconds: i64, limit: i64) -> Statement {
    Statement::new(ABANDONED, vec![milliseconds.into(), limit.into()])
}

/// Takes a deletion over: a row of (the new token), if it has not ended. The row is replaced, so
/// that its token is greater than any before.
const TAKE_OVER: &str = "
INSERT OR REPLACE INTO tombstone (place_id, phase, reassign_to, since)
SELECT place_id, phase, reassign_to, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM tombstone
WHERE place_id = ?1 AND token = ?2
RETURNING token";

/// Takes a deletion over from the owner of a token.
#[must_use]
pub fn take_over(place: PlaceId, from: i64) -> Statement {
    Statement::new(TAKE_OVER, vec![place.get().into(), from.into()])
}
