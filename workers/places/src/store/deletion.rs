//! The steps of a deletion (docs/integrity.md), each of them one transaction.

use registry::PlaceId;
use registry::sql::{Bind, Statement};

/// How places stand: rows of (id, whether it is going); a place that is missing has none. By
/// the primary keys.
const STANDING: &str = "
SELECT place.id, tombstone.place_id IS NOT NULL
FROM json_each(?1) AS e
JOIN place ON place.id = e.value
LEFT JOIN tombstone ON tombstone.place_id = place.id";

/// How places stand, given as a JSON array of ids.
#[must_use]
pub fn standing(ids: &str) -> Statement {
    Statement::new(STANDING, vec![ids.into()])
}

/// Marks a place: the token if it is done. The place must exist and have no mark; where its people
/// go to another, that one must exist and have none either. It is held there by this very
/// mark, for nobody marks a place that takes people in. By the primary keys, and the index
/// `tombstone_receives`.
const MARK: &str = "
INSERT INTO tombstone (place_id, phase, reassign_to, since)
SELECT id, 'going', ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM place
WHERE id = ?1 AND version = ?3
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = ?1)
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE reassign_to = ?1)
  AND (?2 IS NULL OR (
    EXISTS (SELECT 1 FROM place WHERE id = ?2)
    AND NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = ?2)
  ))
RETURNING token";

/// Marks a place in a version as going.
#[must_use]
pub fn mark(place: PlaceId, reassign_to: Option<PlaceId>, version: i64) -> Statement {
    let to = Bind::from(reassign_to.map(PlaceId::get));
    Statement::new(MARK, vec![place.get().into(), to, version.into()])
}

/// Takes a mark back.
const UNMARK: &str = "DELETE FROM tombstone WHERE place_id = ?1 AND token = ?2 AND phase = 'going'";

/// Takes one's own mark back.
#[must_use]
pub fn unmark(place: PlaceId, token: i64) -> Statement {
    Statement::new(UNMARK, vec![place.get().into(), token.into()])
}

/// The place goes, if the mark is still one's own.
const REMOVE: &str = "
DELETE FROM place
WHERE id = ?1 AND EXISTS (
  SELECT 1 FROM tombstone WHERE place_id = ?1 AND token = ?2 AND phase = 'going'
)
RETURNING id";

/// The mark outlives it, until nobody refers to the place.
const BURY: &str = "
UPDATE tombstone SET phase = 'gone' WHERE place_id = ?1 AND token = ?2 AND phase = 'going'";

/// Deletes a place under one's own mark; the first gives a row if it is done.
#[must_use]
pub fn commit(place: PlaceId, token: i64) -> [Statement; 2] {
    let binds = || vec![place.get().into(), token.into()];
    [
        Statement::new(REMOVE, binds()),
        Statement::new(BURY, binds()),
    ]
}

/// Nobody refers to the place any more.
const FORGET: &str = "DELETE FROM tombstone WHERE place_id = ?1 AND token = ?2 AND phase = 'gone'";

/// Removes the tombstone of a place that is gone.
#[must_use]
pub fn forget(place: PlaceId, token: i64) -> Statement {
    Statement::new(FORGET, vec![place.get().into(), token.into()])
}

/// Deletions left for so many milliseconds: rows of (`place_id`, token, whether the place is
/// gone, `reassign_to`). A walk over the tombstones, of which there are never many.
const LEFT: &str = "
SELECT place_id, token, phase = 'gone', reassign_to
FROM tombstone
WHERE since <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1
ORDER BY place_id
LIMIT ?2";

/// Deletions that nobody seems to be at.
#[must_use]
pub fn left(milliseconds: i64, most: i64) -> Statement {
    Statement::new(LEFT, vec![milliseconds.into(), most.into()])
}

/// Takes a deletion over: the new token, if it had not ended. The row is replaced, so that its
/// token is greater than any before.
const TAKE_OVER: &str = "
INSERT OR REPLACE INTO tombstone (place_id, phase, reassign_to, since)
SELECT place_id, phase, reassign_to, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM tombstone
WHERE place_id = ?1 AND token = ?2
RETURNING token";

/// Takes a deletion over from whoever had the token.
#[must_use]
pub fn take_over(place: PlaceId, from: i64) -> Statement {
    Statement::new(TAKE_OVER, vec![place.get().into(), from.into()])
}
