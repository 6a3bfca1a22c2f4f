//! Writes: for one person as for many, bound as one JSON array.

use registry::sql::Statement;
use registry::{PersonId, PlaceId};
use serde_json::Value;

use super::record;

/// Adds people; see the statement.
#[must_use]
pub fn insert(rows: &[Value]) -> Statement {
    let sql = include_str!("insert.sql").replace("{record}", record!());
    Statement::over(&sql, rows)
}

/// Changes people; see the statement.
#[must_use]
pub fn update(rows: &[Value]) -> Statement {
    let sql = include_str!("update.sql").replace("{record}", record!());
    Statement::over(&sql, rows)
}

/// Takes the crown from the king of a place, by the index `one_king_a_place`, for an heir in
/// a version. A king who is unsettled keeps it: his state is not his own yet.
const DEPOSE: &str = "
UPDATE person SET is_king = 0, version = version + 1
WHERE place_id = ?1 AND is_king = 1 AND id <> ?2 AND unsettled_since IS NULL
  AND EXISTS (
    SELECT 1 FROM person AS heir
    WHERE heir.id = ?2 AND heir.version = ?3 AND heir.unsettled_since IS NULL
  )";

/// Takes the crown from whoever has it, for an heir.
#[must_use]
pub fn depose(place: PlaceId, heir: PersonId, version: i64) -> Statement {
    let binds = [place.get(), heir.get(), version].map(Into::into);
    Statement::new(DEPOSE, binds.into())
}

/// Removes a person in a version, by the primary key.
const DELETE: &str =
    "DELETE FROM person WHERE id = ?1 AND version = ?2 AND unsettled_since IS NULL RETURNING id";

/// Removes a person who is still in a version: a row if so.
#[must_use]
pub fn delete(id: PersonId, version: i64) -> Statement {
    Statement::new(DELETE, vec![id.get().into(), version.into()])
}

/// The present king of a place, by the index `one_king_a_place`.
const KING: &str = "SELECT id, name FROM person WHERE place_id = ?1 AND is_king = 1";

/// The id and the name of a place's king.
#[must_use]
pub fn king(place: PlaceId) -> Statement {
    Statement::new(KING, vec![place.get().into()])
}
