//! The statement that finds the stored places which a batch of an import refers to.

use serde_json::Value;
use tables::schema::PLACE;
use tables::statement::Statement;

/// The records of a batch that have the id or the name of a stored place, or the id of a deleted
/// one: rows of (n, version, body, `is_deleting`, `is_retired`, `same_name_id`).
///
/// ?1  a JSON array of (n, id, key), where n is the position in the batch
///
/// Uses the primary key and the unique index `place (name_key)`, and the unique indexes
/// `tombstone (place_id)` and `place_change (place_id, version)`.
const EXISTING: &str = "
SELECT * FROM (
  SELECT
    e.value ->> 'n' AS n,
    place.version AS version,
    {place} AS body,
    EXISTS (SELECT 1 FROM tombstone WHERE place_id = e.value ->> 'id') AS is_deleting,
    place.id IS NULL AND EXISTS (
      SELECT 1 FROM place_change WHERE place_id = e.value ->> 'id'
    ) AS is_retired,
    same_name.id AS same_name_id
  FROM json_each(?1) AS e
  LEFT JOIN place ON place.id = e.value ->> 'id'
  LEFT JOIN place AS same_name
    ON same_name.name_key = e.value ->> 'key' AND same_name.id IS NOT e.value ->> 'id'
)
WHERE version IS NOT NULL OR is_deleting OR is_retired OR same_name_id IS NOT NULL";

/// The stored places that the records of a batch refer to.
#[must_use]
pub fn existing_places(keys: &[Value]) -> Statement {
    let sql = EXISTING.replace("{place}", &PLACE.json_from("place"));
    Statement::bind_json_rows(&sql, keys)
}
