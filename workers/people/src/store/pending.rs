//! The statements that record, commit and remove pending writes (docs/integrity.md). A write with a
//! new reference records a pending write before it checks the place. A deletion of this place
//! revokes the pending write.

use domain::{PersonId, PlaceId};
use tables::statement::Statement;

/// Records a pending write: one row for each place of the JSON array ?2.
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

/// Records a pending write for a change of a stored person, if it has a new reference. That is the
/// case if the place changes, or if a dead person becomes alive.
///
/// ?1  the token
/// ?2  the person
/// ?3  the new place
/// ?4  whether the change sets the place
/// ?5  whether the person is alive after the change, or null if the change does not set it
///
/// Uses the primary key of `person`.
const ADD_FOR_PERSON: &str = "
INSERT INTO pending_write (token, place_id, person_id, since)
SELECT ?1, iif(?4, ?3, place_id), id, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM person
WHERE id = ?2 AND iif(?4, ?3, place_id) IS NOT NULL
  AND (iif(?4, ?3, place_id) IS NOT place_id OR coalesce(?5, is_alive) > is_alive)";

/// The place of a person after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewPlace {
    /// The same place as before.
    #[default]
    Unchanged,
    /// This place, or no place.
    Set(Option<PlaceId>),
}

/// The part of a change that can make a new reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlaceChange {
    /// The place after the change.
    pub place: NewPlace,
    /// Whether the person is alive after the change, if the change sets it.
    pub is_alive: Option<bool>,
}

/// Records a pending write for a change of a stored person, if it has a new reference. The
/// statement [`super::read_with_pending`] must follow in the same batch.
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

/// Removes a pending write with one place. Uses the primary key.
const REMOVE: &str = "DELETE FROM pending_write WHERE place_id = ?2 AND token = ?1";

/// Removes a pending write with several places, a JSON array. Uses the primary key.
const REMOVE_ALL: &str = "
DELETE FROM pending_write
WHERE place_id IN (SELECT value FROM json_each(?2)) AND token = ?1";

/// If the statement before did not remove ?2 rows, a deletion has revoked some of them. Then this
/// one violates the constraint [`REVOKED`], which rolls back the transaction.
const CHECK_NOT_REVOKED: &str = "
INSERT INTO pending_write (token, place_id, since)
SELECT ?1, 0, 0 WHERE changes() <> ?2";

/// The constraint that the commit of a revoked write violates.
pub const REVOKED: &str = "pending_write_is_revoked";

/// The first statements of a commit: they remove the pending write, and fail if it was revoked. The
/// write must follow in the same batch.
#[must_use]
pub fn commit_pending(token: &str, places: &[i64]) -> [Statement; 2] {
    let count = i64::try_from(places.len()).unwrap_or(i64::MAX);
    [
        remove_pending(token, places),
        Statement::new(CHECK_NOT_REVOKED, vec![token.into(), count.into()]),
    ]
}

/// Removes a pending write.
#[must_use]
pub fn remove_pending(token: &str, places: &[i64]) -> Statement {
    if let [place] = places {
        return Statement::new(REMOVE, vec![token.into(), (*place).into()]);
    }
    let places = serde_json::json!(places).to_string();
    Statement::new(REMOVE_ALL, vec![token.into(), places.into()])
}

/// The pending writes of a minimum age: rows of (token, `place_id`, `person_id`).
///
/// ?1  the minimum age in milliseconds
/// ?2  the maximum number of rows
///
/// Scans the table, which only has rows for writes in progress.
const ABANDONED: &str = "
SELECT token, place_id, person_id FROM pending_write
WHERE since <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1
LIMIT +?2";

/// The pending writes whose request has crashed.
#[must_use]
pub fn abandoned_pending(min_age_ms: i64, limit: i64) -> Statement {
    Statement::new(ABANDONED, vec![min_age_ms.into(), limit.into()])
}

/// Removes all pending writes of a minimum age, ?1 in milliseconds. Scans the table, too.
const REMOVE_ABANDONED: &str = "
DELETE FROM pending_write
WHERE since <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1";

/// Removes the pending writes whose request has crashed.
#[must_use]
pub fn remove_abandoned_pending(min_age_ms: i64) -> Statement {
    Statement::new(REMOVE_ABANDONED, vec![min_age_ms.into()])
}
