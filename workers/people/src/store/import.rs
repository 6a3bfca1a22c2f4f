//! What an import has to know of the register before it writes a batch.

use registry::sql::Statement;
use serde_json::Value;

/// Who of a batch is there already, or claims a crown that somebody wears: rows of (n,
/// version, unsettled, name, `is_alive`, `is_king`, `place_id`, king's id, king's name), where n is
/// the position in the batch, and the others are of the present person and the present king. By
/// the primary key, and the index `one_king_a_place`.
const PRESENT: &str = "
SELECT
  e.key AS n,
  person.version, person.unsettled_since IS NOT NULL AS unsettled,
  person.name, person.is_alive, person.is_king, person.place_id,
  king.id AS king_id, king.name AS king_name
FROM json_each(?1) AS e
LEFT JOIN person ON person.id = e.value ->> 'id'
LEFT JOIN person AS king
  ON king.place_id = e.value ->> 'placeId' AND king.is_king = 1 AND e.value ->> 'isKing'
  AND king.id IS NOT e.value ->> 'id'
WHERE person.id IS NOT NULL OR king.id IS NOT NULL";

/// What of the register bears on a batch.
#[must_use]
pub fn present(rows: &[Value]) -> Statement {
    Statement::over(PRESENT, rows)
}
