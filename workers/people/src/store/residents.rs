//! The statements that change the people of a place while the place is being deleted
//! (docs/integrity.md).

use domain::PlaceId;
use tables::record::Author;
use tables::statement::Statement;

/// The maximum number of people that one statement moves or detaches.
pub const MAX_MOVED: i64 = 5_000;

/// The people of a place: a row of (living, dead, changed). `changed` is the number of rows that the
/// statement before has changed. Uses the primary key of `population`.
const COUNT: &str = "
SELECT
  coalesce(max(living), 0) AS living,
  coalesce(max(dead), 0) AS dead,
  changes() AS changed
FROM population WHERE place_id = ?1";

/// Counts the people of a place.
fn count(place: PlaceId) -> Statement {
    Statement::new(COUNT, vec![place.get().into()])
}

/// Revokes the pending writes that refer to a place. Uses the primary key of `pending_write`.
const REVOKE: &str = "DELETE FROM pending_write WHERE place_id = ?1";

/// Revokes the pending writes that refer to a place, unless it has residents. Residents block the
/// deletion, so the writers do not have to begin again.
///
/// Uses the primary keys of `pending_write` and `population`. The `+` makes SQLite read
/// `population` only if there is a pending write.
const REVOKE_IF_EMPTY: &str = "
DELETE FROM pending_write
WHERE place_id = ?1
  AND NOT EXISTS (
    SELECT 1 FROM population
    WHERE population.place_id = +pending_write.place_id AND living > 0
  )";

/// Counts the people of a place. If nobody lives there, revokes the pending writes that refer to
/// it. Both happen in one transaction, so nobody can move there until the deletion ends.
#[must_use]
pub fn close(place: PlaceId) -> [Statement; 2] {
    [
        Statement::new(REVOKE_IF_EMPTY, vec![place.get().into()]),
        count(place),
    ]
}

/// Revokes the pending writes that refer to places, unless one of them has residents. Uses the
/// primary keys of `pending_write` and `population`.
///
/// ?1  the places as a JSON array
const REVOKE_ALL_IF_EMPTY: &str = "
DELETE FROM pending_write
WHERE place_id IN (SELECT value FROM json_each(?1))
  AND NOT EXISTS (
    SELECT 1 FROM json_each(?1) AS e
    JOIN population ON population.place_id = e.value AND living > 0
  )";

/// The people of places: rows of (`place_id`, living, dead). Uses the primary key of `population`.
const COUNT_ALL: &str = "
SELECT place_id, living, dead
FROM json_each(?1) AS e
JOIN population ON population.place_id = e.value";

/// Does for several places what [`close`] does for one, in one transaction: nothing is revoked unless
/// all of them are without residents.
#[must_use]
pub fn close_all(places: &str) -> [Statement; 2] {
    [REVOKE_ALL_IF_EMPTY, COUNT_ALL].map(|sql| Statement::new(sql, vec![places.into()]))
}

/// Moves residents. The king loses the crown, because it belongs to the
/// old place.
///
/// ?1  the old place
/// ?2  the new place
/// ?3  the maximum number of residents
/// ?4  the actor
/// ?5  the batch
///
/// Uses the index `person_by_place_life_and_name`.
const MOVE: &str = "
UPDATE person SET place_id = ?2, is_king = 0, actor = ?4, batch = ?5, version = version + 1
WHERE id IN (
  SELECT id FROM person WHERE place_id = ?1 AND is_alive = 1 LIMIT +?3
)";

/// Revokes the pending writes that refer to a place, moves up to [`MAX_MOVED`] residents to another
/// place, and counts them. If these were all, it detaches the dead, at most as many as it may still
/// change. The deletion of the place will complete, so nobody has to keep it. At last it counts the people
/// who are left.
#[must_use]
pub fn reassign(place: PlaceId, to: PlaceId, author: &Author) -> [Statement; 5] {
    let mut binds = [place.get(), to.get(), MAX_MOVED].map(Into::into).to_vec();
    binds.extend(author.binds());
    let mut detach_binds = [place.get(), MAX_MOVED].map(Into::into).to_vec();
    detach_binds.extend(author.binds());
    let detach = DETACH_DEAD.replace("{max}", "?2 - changes()");
    [
        Statement::new(REVOKE, vec![place.get().into()]),
        Statement::new(MOVE, binds),
        count(place),
        Statement::new(&detach, detach_binds),
        count(place),
    ]
}

/// Detaches dead people from a place.
///
/// ?1  the place
/// ?2  the maximum number of people
/// ?3  the actor
/// ?4  the batch
///
/// Uses the index `person_by_place_life_and_name`.
const DETACH_DEAD: &str = "
UPDATE person SET place_id = NULL, actor = ?3, batch = ?4, version = version + 1
WHERE id IN (
  SELECT id FROM person WHERE place_id = ?1 AND is_alive = 0 LIMIT {max}
)";

/// Detaches up to [`MAX_MOVED`] dead people from a deleted place, and counts the people who are
/// left.
#[must_use]
pub fn detach_dead(place: PlaceId, author: &Author) -> [Statement; 2] {
    let mut binds = [place.get(), MAX_MOVED].map(Into::into).to_vec();
    binds.extend(author.binds());
    let detach = DETACH_DEAD.replace("{max}", "?2");
    [Statement::new(&detach, binds), count(place)]
}
