//! Pending writes (docs/integrity.md): a write that is about to refer to a place records that
//! before the place is checked. The deletion of the place revokes it.

use domain::{PersonId, PlaceId};
use tables::statement::Statement;

/// Records a write that refers to places, given as a JSON array.
const ADD: &str = "
INSERT INTO pending_write (token, place_id, since)
SELECT ?1, value, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM json_each(?2)";

/// Records a pending write that refers to places.
#[must_use]
pub fn add_pending(token: &str, places: &[i64]) -> Statement {
    let places = serde_json::json!(places).to_string();
    Statement::new(ADD, vec![token.into(), places.into()])
}

/// The same for a change of a person who exists, if it refers to a new place: another one than before,
/// or that of a dead person who is alive after the change. By the primary key.
///
/// ?2 the person
/// ?3 the new place; ?4 whether the change sets it
/// ?5 whether the person is alive after the change, or null if the change does not say
const ADD_FOR_PERSON: &str = "
INSERT INTO pending_write (token, place_id, person_id, since)
SELECT ?1, iif(?4, ?3, place_id), id, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM person
WHERE id = ?2 AND iif(?4, ?3, place_id) IS NOT NULL
  AND (iif(?4, ?3, place_id) IS NOT place_id OR coalesce(?5, is_alive) > is_alive)";

/// The place after a change of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewPlace {
    /// The place before.
    #[default]
    Unchanged,
    /// This place, or none.
    Set(Option<PlaceId>),
}

/// What a change of one person says about the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlaceChange {
    /// The place after the change.
    pub place: NewPlace,
    /// Whether the person is alive after the change, if the change sets it.
    pub is_alive: Option<bool>,
}

/// Records a pending write of a person who exists if the change refers to a new place. The
/// statement [`super::read_begun`] follows in the same batch.
#[must_use]
pub fn add_pending_for(token: &str, id: PersonId, change: PlaceChange) -> Statement {
    let (is_set, place) = match change.place {
        NewPlace::Unchanged => (false, None),
        NewPlace::Set(place) => (true, place.map(PlaceId::get)),
    };
    let binds = vec![
        token.into(),
        id.get().into(),
        place.into(),
        i64::from(is_set).into(),
        change.is_alive.map(i64::from).into(),
    ];
    Statement::new(ADD_FOR_PERSON, binds)
}

/// Removes a pending write, by the primary key.
const REMOVE: &str = "DELETE FROM pending_write WHERE place_id = ?2 AND token = ?1";

/// The same for several places, given as a JSON array.
const REMOVE_ALL: &str = "
DELETE FROM pending_write
WHERE place_id IN (SELECT value FROM json_each(?2)) AND token = ?1";

/// Fails if the statement before did not remove as many rows as the write has places: a deletion
/// has revoked some. Then the transaction writes nothing.
const EXPECT: &str = "
INSERT INTO pending_write (token, place_id, since)
SELECT ?1, 0, 0 WHERE changes() <> ?2";

/// The constraint on which the commit of a revoked write fails.
pub const REVOKED: &str = "pending_write_is_revoked";

/// Begins the commit of a pending write that refers to these places. The write follows in the
/// same batch.
#[must_use]
pub fn commit_pending(token: &str, places: &[i64]) -> [Statement; 2] {
    let count = i64::try_from(places.len()).unwrap_or(i64::MAX);
    [
        remove_pending(token, places),
        Statement::new(EXPECT, vec![token.into(), count.into()]),
    ]
}

/// Removes a pending write without a commit.
#[must_use]
pub fn remove_pending(token: &str, places: &[i64]) -> Statement {
    if let [place] = places {
        return Statement::new(REMOVE, vec![token.into(), (*place).into()]);
    }
    let places = serde_json::json!(places).to_string();
    Statement::new(REMOVE_ALL, vec![token.into(), places.into()])
}

/// Pending writes older than so many milliseconds: rows of (token, `place_id`, `person_id`).
/// A scan of a table that only has rows for writes in flight.
const ABANDONED: &str = "
SELECT token, place_id, person_id FROM pending_write
WHERE since <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1
LIMIT ?2";

/// Pending writes whose request has crashed.
#[must_use]
pub fn abandoned_pending(milliseconds: i64, limit: i64) -> Statement {
    Statement::new(ABANDONED, vec![milliseconds.into(), limit.into()])
}

/// Removes pending writes older than so many milliseconds.
const SWEEP: &str = "
DELETE FROM pending_write
WHERE since <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1";

/// Removes pending writes whose request has crashed.
#[must_use]
pub fn sweep_pending(milliseconds: i64) -> Statement {
    Statement::new(SWEEP, vec![milliseconds.into()])
}
