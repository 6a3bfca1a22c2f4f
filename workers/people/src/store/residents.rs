//! Who belongs to a place, for the owner of places when it deletes one (docs/integrity.md).

use registry::PlaceId;
use registry::sql::Statement;

/// The most people that one statement moves.
pub const MOVED_A_STATEMENT: i64 = 5_000;

/// One row of (living, dead, `coming_back`, `in_doubt)`: `coming_back` are those who would come back if
/// an unsettled write of theirs were undone, `in_doubt` the dead whose place is unsettled. By
/// the primary key of population, and the indexes `person_returning` and `person_in_doubt`.
const COUNT: &str = "
SELECT
  coalesce((SELECT living FROM population WHERE place_id = ?1), 0) AS living,
  coalesce((SELECT dead FROM population WHERE place_id = ?1), 0) AS dead,
  (SELECT count(*) FROM person WHERE returns_to = ?1) AS coming_back,
  (
    SELECT count(*) FROM person
    WHERE place_id = ?1 AND is_alive = 0 AND unsettled_since IS NOT NULL
  ) AS in_doubt";

/// How many belong to a place.
#[must_use]
pub fn count(place: PlaceId) -> Statement {
    Statement::new(COUNT, vec![place.get().into()])
}

/// Raises the fence of a place to a token, if it is not higher. The statements that move
/// people do nothing behind a higher one: their deletion has been taken over, and the place
/// that they would move to may be gone.
const RAISE: &str = "
INSERT INTO fence (place_id, token) VALUES (?1, ?2)
ON CONFLICT DO UPDATE SET token = excluded.token WHERE excluded.token > token";

/// Who is on the way into the place is taken along, as one of its people. By the index
/// `person_in_doubt`.
const SETTLE: &str = "
UPDATE person SET unsettled_since = NULL, returns_to = NULL
WHERE place_id = ?1 AND unsettled_since IS NOT NULL
  AND EXISTS (SELECT 1 FROM fence WHERE place_id = ?1 AND token = ?2)";

/// Who is on the way out would return to where the others went. By the index
/// `person_returning`.
const REDIRECT: &str = "
UPDATE person SET returns_to = ?3
WHERE returns_to = ?1 AND EXISTS (SELECT 1 FROM fence WHERE place_id = ?1 AND token = ?2)";

/// The crown is of the place: it does not go along. By the index `person_by_place_and_life`.
const MOVE: &str = "
UPDATE person SET place_id = ?3, is_king = 0, version = version + 1
WHERE id IN (
  SELECT id FROM person WHERE place_id = ?1 AND is_alive = 1 ORDER BY id LIMIT ?4
) AND EXISTS (SELECT 1 FROM fence WHERE place_id = ?1 AND token = ?2)";

/// Moves living people from one place to another for the deletion with a token, as many as
/// one statement does, and counts who is left.
#[must_use]
pub fn relocate(from: PlaceId, to: PlaceId, token: i64) -> [Statement; 5] {
    let (old, new) = (from.get(), to.get());
    let bind = |more: &[i64]| [&[old, token], more].concat().into_iter().map(Into::into);
    [
        Statement::new(RAISE, bind(&[]).collect()),
        Statement::new(SETTLE, bind(&[]).collect()),
        Statement::new(REDIRECT, bind(&[new]).collect()),
        Statement::new(MOVE, bind(&[new, MOVED_A_STATEMENT]).collect()),
        count(from),
    ]
}

/// The dead of a place that is gone are let go as they are. By the index `person_in_doubt`.
const SETTLE_DEAD: &str = "
UPDATE person SET unsettled_since = NULL, returns_to = NULL
WHERE place_id = ?1 AND is_alive = 0 AND unsettled_since IS NOT NULL";

/// The dead keep no place that is gone. By the index `person_by_place_and_life`.
const RELEASE: &str = "
UPDATE person SET place_id = NULL, version = version + 1
WHERE id IN (
  SELECT id FROM person WHERE place_id = ?1 AND is_alive = 0 ORDER BY id LIMIT ?2
)";

/// Lets go of the dead of a place, as many as one statement does, and counts who is left.
#[must_use]
pub fn release(place: PlaceId) -> [Statement; 3] {
    let id = place.get();
    [
        Statement::new(SETTLE_DEAD, vec![id.into()]),
        Statement::new(RELEASE, vec![id.into(), MOVED_A_STATEMENT.into()]),
        count(place),
    ]
}
