//! What an import has to know of the register before it writes a batch.

use serde_json::Value;
use tables::statement::{self, Statement};

use super::write::insert_all;

/// The records of a batch whose person exists, or that claim a crown which somebody has: rows of
/// (n, version, name, `is_alive`, `is_king`, `place_id`, king's id, king's name). n is the position
/// in the batch. By the primary key, and the index `one_king_a_place`.
const PRESENT: &str = "
SELECT
  e.value ->> 'n' AS n,
  person.version,
  person.name, person.is_alive, person.is_king, person.place_id,
  king.id AS king_id, king.name AS king_name
FROM json_each(?1) AS e
LEFT JOIN person ON person.id = e.value ->> 'id'
LEFT JOIN person AS king
  ON king.place_id = e.value ->> 'placeId' AND king.is_king = 1 AND e.value ->> 'isKing'
  AND king.id IS NOT e.value ->> 'id'
WHERE person.id IS NOT NULL OR king.id IS NOT NULL";

/// What of the register bears on records of a batch: on those that have an id, or claim a crown.
#[must_use]
pub fn present(rows: &[Value]) -> Statement {
    Statement::over(PRESENT, rows)
}

/// Begins the inserts of a batch: see the table `bulk_insert`.
const OPEN: &str = "
INSERT INTO bulk_insert (id, after_seq, at)
SELECT 1, coalesce(max(seq), 0), max(
  CAST(unixepoch('subsec') * 1000 AS INTEGER),
  coalesce((SELECT at FROM person_change WHERE seq = (SELECT max(seq) FROM person_change)), 0)
)
FROM person_change";

/// Adds the people of a batch: their places are counted once, after all of them.
#[must_use]
pub fn insert_batch(rows: &[Value]) -> Vec<Statement> {
    if rows.is_empty() {
        return Vec::new();
    }
    let greatest = rows.iter().filter_map(|row| row["id"].as_i64()).max();
    let inserts = statement::runs(rows).into_iter();
    let inserts = inserts.map(|run| insert_all(run, greatest));
    let open = Statement::new(OPEN, Vec::new());
    let close = Statement::new("DELETE FROM bulk_insert", Vec::new());
    [vec![open], inserts.collect(), vec![close]].concat()
}
