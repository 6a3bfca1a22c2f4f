//! What an import has to know of the register before it writes a batch.

use serde_json::Value;
use tables::statement::Statement;

/// Which of a batch are there already, going, gone, or of a name that another one has: rows of
/// (n, version, name, going, retired, the other's id), where n is the position in the batch. By
/// the primary key, the unique index on `name_key` and that on `place_change`.
const PRESENT: &str = "
SELECT * FROM (
  SELECT
    e.value ->> 'n' AS n,
    place.version AS version,
    place.name AS name,
    EXISTS (SELECT 1 FROM tombstone WHERE place_id = e.value ->> 'id') AS going,
    place.id IS NULL AND EXISTS (
      SELECT 1 FROM place_change WHERE place_id = e.value ->> 'id'
    ) AS retired,
    named.id AS other
  FROM json_each(?1) AS e
  LEFT JOIN place ON place.id = e.value ->> 'id'
  LEFT JOIN place AS named
    ON named.name_key = e.value ->> 'key' AND named.id IS NOT e.value ->> 'id'
)
WHERE version IS NOT NULL OR going OR retired OR other IS NOT NULL";

/// What of the register bears on a batch.
#[must_use]
pub fn present(rows: &[Value]) -> Statement {
    Statement::over(PRESENT, rows)
}
