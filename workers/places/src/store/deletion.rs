//! The statements that a deletion runs in the places database (docs/integrity.md). Each step is one
//! transaction.

use domain::PlaceId;
use http_semantics::Validator;
use http_semantics::actor::Actor;
use tables::change_log;
use tables::record::Author;
use tables::schema::PLACE;
use tables::statement::{Bind, Statement, has_version, version_list};

/// The status of places: rows of (id, `is_deleting`). A missing place has no row.
///
/// ?1  the ids as a JSON array
///
/// Uses the primary key of `place` and the unique index `tombstone (place_id)`.
const STATUSES: &str = "
SELECT place.id, tombstone.place_id IS NOT NULL AS is_deleting
FROM json_each(?1) AS e
JOIN place ON place.id = e.value
LEFT JOIN tombstone ON tombstone.place_id = place.id";

/// The status of places. `ids` is a JSON array.
#[must_use]
pub fn statuses(ids: &str) -> Statement {
    Statement::new(STATUSES, vec![ids.into()])
}

/// Begins a deletion: adds a tombstone and returns its token.
///
/// ?1  the place, which must be active and must not be the target of another deletion
/// ?2  the target of the residents or null. It must be active, too. It cannot be deleted meanwhile,
///     because this tombstone refers to it.
/// ?3  the versions of the place that the client allows, as a JSON array, or null
/// ?4  the author
///
/// Uses the primary key of `place`, the unique index `tombstone (place_id)` and the index
/// `tombstone_by_target`.
const BEGIN: &str = "
INSERT INTO tombstone (place_id, phase, reassign_to, since, actor)
SELECT id, 'deleting', ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER), ?4
FROM place
WHERE id = ?1 AND {has_version}
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = ?1)
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE reassign_to = ?1)
  AND (?2 IS NULL OR (
    EXISTS (SELECT 1 FROM place WHERE id = ?2)
    AND NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = ?2)
  ))
RETURNING token";

/// Begins a deletion: a row of (token), or none if it cannot begin now.
#[must_use]
pub fn begin_deletion(
    place: PlaceId,
    reassign_to: Option<PlaceId>,
    versions: Option<&[Validator]>,
    actor: Option<&Actor>,
) -> Statement {
    let sql = BEGIN.replace("{has_version}", &has_version("?3"));
    let target = Bind::from(reassign_to.map(PlaceId::get));
    let actor = actor.map(Actor::as_str).into();
    let binds = vec![place.get().into(), target, version_list(versions), actor];
    Statement::new(&sql, binds)
}

/// Removes the tombstone of a place that is not deleted, or that nobody refers to. Uses the unique index
/// `tombstone (place_id)`, like all statements below that have a place and a token.
const CANCEL: &str = "
DELETE FROM tombstone WHERE place_id = ?1 AND token = ?2 AND phase = 'deleting' RETURNING token";

/// Removes the tombstone of a deletion that is blocked: a row of (token), or none if the token has
/// changed.
#[must_use]
pub fn cancel_deletion(place: PlaceId, token: i64) -> Statement {
    Statement::new(CANCEL, vec![place.get().into(), token.into()])
}

/// The place, if the tombstone still has this token.
const WITH_TOKEN: &str = "id = ?3 AND EXISTS (
  SELECT 1 FROM tombstone WHERE place_id = ?3 AND token = ?4 AND phase = 'deleting'
)";

/// The tombstone stays until no dead people refer to the place.
const SET_DELETED: &str = "
UPDATE tombstone SET phase = 'deleted'
WHERE place_id = ?1 AND token = ?2 AND phase = 'deleting'";

/// Deletes a place that nobody refers to: a row, or none if the token has changed. The statement
/// [`cancel_deletion`] must follow in the same batch.
#[must_use]
pub fn delete_unreferenced(place: PlaceId, token: i64, actor: Option<&Actor>) -> Statement {
    let author = Author {
        actor: actor.cloned(),
        batch: None,
    };
    let binds = vec![place.get().into(), token.into()];
    change_log::delete(&PLACE, &author, WITH_TOKEN, binds)
}

/// Deletes the place. The first statement returns a row, or none if the token has changed.
#[must_use]
pub fn delete(place: PlaceId, token: i64, actor: Option<&Actor>) -> [Statement; 2] {
    let binds = vec![place.get().into(), token.into()];
    [
        delete_unreferenced(place, token, actor),
        Statement::new(SET_DELETED, binds),
    ]
}

/// Removes the tombstone of a deleted place.
const REMOVE_TOMBSTONE: &str =
    "DELETE FROM tombstone WHERE place_id = ?1 AND token = ?2 AND phase = 'deleted'";

/// Removes the tombstone of a deleted place that no dead people refer to.
#[must_use]
pub fn remove_tombstone(place: PlaceId, token: i64) -> Statement {
    Statement::new(REMOVE_TOMBSTONE, vec![place.get().into(), token.into()])
}

/// Records the progress of a deletion. It counts as abandoned only some time after this.
///
/// ?3  the people who were moved or detached since the last record
/// ?4  the people who are left in the place
const RECORD_PROGRESS: &str = "
UPDATE tombstone SET
  done = done + ?3,
  remaining = ?4,
  since = CAST(unixepoch('subsec') * 1000 AS INTEGER)
WHERE place_id = ?1 AND token = ?2
RETURNING token";

/// Records the progress of a deletion: a row of (token), or none if the token has changed.
#[must_use]
pub fn record_progress(place: PlaceId, token: i64, done: i64, remaining: i64) -> Statement {
    let binds = [place.get(), token, done, remaining].map(Bind::from);
    Statement::new(RECORD_PROGRESS, binds.into())
}

/// Releases a deletion: from now on it counts as abandoned.
const RELEASE: &str = "UPDATE tombstone SET since = 0 WHERE place_id = ?1 AND token = ?2";

/// Leaves a deletion to the next scheduled run.
#[must_use]
pub fn release_deletion(place: PlaceId, token: i64) -> Statement {
    Statement::new(RELEASE, vec![place.get().into(), token.into()])
}

/// Names a deletion, so that the client can ask for its status.
const MAKE_OPERATION: &str = "
UPDATE tombstone SET operation = ?3 WHERE place_id = ?1 AND token = ?2 RETURNING token";

/// Makes a deletion an operation: a row of (token), or none if the token has changed.
#[must_use]
pub fn make_operation(place: PlaceId, token: i64, operation: &str) -> Statement {
    let binds = vec![place.get().into(), token.into(), operation.into()];
    Statement::new(MAKE_OPERATION, binds)
}

/// The final status of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationStatus {
    /// The place is deleted, and nobody refers to it.
    Done,
    /// The place is not deleted.
    Failed,
}

/// Saves the status of an operation next to the responses of idempotency keys, for as long as those.
///
/// ?3  the status
/// ?4  the people who were moved or detached since the last record
const SAVE_OPERATION: &str = "
INSERT INTO idempotency (key, fingerprint, body)
SELECT
  'operation:' || operation, '',
  json_object('status', ?3, 'done', done + ?4, 'remaining', iif(?3 = 'done', 0, remaining))
FROM tombstone
WHERE place_id = ?1 AND token = ?2 AND operation IS NOT NULL";

/// Saves the final status of an operation. The statement that removes the tombstone must follow in
/// the same batch.
#[must_use]
pub fn save_operation(
    place: PlaceId,
    token: i64,
    status: OperationStatus,
    unrecorded: i64,
) -> Statement {
    let status = match status {
        OperationStatus::Done => "done",
        OperationStatus::Failed => "failed",
    };
    let binds = vec![
        place.get().into(),
        token.into(),
        status.into(),
        unrecorded.into(),
    ];
    Statement::new(SAVE_OPERATION, binds)
}

/// The status of an operation: a row of (body), or none if there is no such operation.
///
/// Uses the unique index `tombstone_by_operation` and the primary key of `idempotency`.
const OPERATION: &str = "
SELECT json_object('status', 'running', 'done', done, 'remaining', remaining) AS body
FROM tombstone WHERE operation = ?1
UNION ALL
SELECT body FROM idempotency WHERE key = 'operation:' || ?1";

/// The status of an operation as JSON.
#[must_use]
pub fn operation(operation: &str) -> Statement {
    Statement::new(OPERATION, vec![operation.into()])
}

/// The tombstones of a minimum age: rows of (`place_id`, token, `is_deleted`, `reassign_to`, actor,
/// `is_operation`, `is_reserved`). The one that was taken over longest ago is first.
///
/// ?1  the minimum age in milliseconds
/// ?2  the maximum number of rows
///
/// Scans the table, which only has rows for deletions in progress.
const ABANDONED: &str = "
SELECT
  place_id, token, phase = 'deleted' AS is_deleted, reassign_to, actor,
  operation IS NOT NULL AS is_operation, phase = 'reserved' AS is_reserved
FROM tombstone
WHERE since <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1
ORDER BY token
LIMIT +?2";

/// The deletions whose request has crashed, or was interrupted.
#[must_use]
pub fn abandoned_deletions(min_age_ms: i64, limit: i64) -> Statement {
    Statement::new(ABANDONED, vec![min_age_ms.into(), limit.into()])
}

/// Takes a deletion over. It replaces the row, so that the new token is greater than all before.
const TAKE_OVER: &str = "
INSERT OR REPLACE INTO tombstone
  (place_id, phase, reassign_to, actor, since, operation, done, remaining)
SELECT
  place_id, phase, reassign_to, actor, CAST(unixepoch('subsec') * 1000 AS INTEGER),
  operation, done, remaining
FROM tombstone
WHERE place_id = ?1 AND token = ?2 AND phase <> 'reserved'
RETURNING token";

/// Takes a deletion over: a row of the new (token), or none if the deletion has ended.
#[must_use]
pub fn take_over_deletion(place: PlaceId, previous_token: i64) -> Statement {
    Statement::new(TAKE_OVER, vec![place.get().into(), previous_token.into()])
}
