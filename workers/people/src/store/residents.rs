//! The people of a place that is being deleted (docs/integrity.md).

use domain::PlaceId;
use tables::statement::Statement;

/// The most people that one statement moves or detaches.
pub const MAX_MOVED: i64 = 5_000;

/// The number of living and dead people of a place: a row of (living, dead), or none if it has no
/// people. By the primary key of population.
const COUNT: &str = "SELECT living, dead FROM population WHERE place_id = ?1";

/// Counts the people of a place.
fn count(place: PlaceId) -> Statement {
    Statement::new(COUNT, vec![place.get().into()])
}

/// Revokes the pending writes that refer to a place, by the primary key.
const REVOKE: &str = "DELETE FROM pending_write WHERE place_id = ?1";

/// The same, unless somebody lives there: then the deletion ends here, and no writer needs to
/// begin again. The `+` keeps SQLite from reading the population if nothing is pending.
const REVOKE_IF_EMPTY: &str = "
DELETE FROM pending_write
WHERE place_id = ?1
  AND NOT EXISTS (
    SELECT 1 FROM population
    WHERE population.place_id = +pending_write.place_id AND living > 0
  )";

/// Counts the people of a place. If nobody lives there, revokes the pending writes that refer to
/// it in the same transaction, so that nobody can live there until the deletion ends.
#[must_use]
pub fn close(place: PlaceId) -> [Statement; 2] {
    [
        Statement::new(REVOKE_IF_EMPTY, vec![place.get().into()]),
        count(place),
    ]
}

/// Moves the residents with the least ids. A crown belongs to the place and stays behind. By the
/// index `person_by_place_and_life`.
const MOVE: &str = "
UPDATE person SET place_id = ?2, is_king = 0, version = version + 1
WHERE id IN (
  SELECT id FROM person WHERE place_id = ?1 AND is_alive = 1 ORDER BY id LIMIT ?3
)";

/// Moves residents of a place to another one, as many as one statement may, revokes the pending
/// writes that refer to the place, and counts its people.
#[must_use]
pub fn reassign(place: PlaceId, to: PlaceId) -> [Statement; 3] {
    let binds = [place.get(), to.get(), MAX_MOVED].map(Into::into);
    [
        Statement::new(REVOKE, vec![place.get().into()]),
        Statement::new(MOVE, binds.into()),
        count(place),
    ]
}

/// Removes a deleted place from its dead. By the index `person_by_place_and_life`.
const DETACH_DEAD: &str = "
UPDATE person SET place_id = NULL, version = version + 1
WHERE id IN (
  SELECT id FROM person WHERE place_id = ?1 AND is_alive = 0 ORDER BY id LIMIT ?2
)";

/// Removes a deleted place from its dead, as many as one statement may, and counts its people.
#[must_use]
pub fn detach_dead(place: PlaceId) -> [Statement; 2] {
    let binds = [place.get(), MAX_MOVED].map(Into::into);
    [Statement::new(DETACH_DEAD, binds.into()), count(place)]
}
