//! The statements of an import.

use serde_json::Value;
use tables::schema::PERSON;
use tables::statement::{self, Statement};

use super::write::insert_all;

/// The records of a batch whose person exists, or that claim a crown which somebody has: rows of
/// (n, version, body, `king_id`, `king_name`). n is the position in the batch. By the primary key, and the index `one_king_a_place`.
const PRESENT: &str = "
SELECT
  e.value ->> 'n' AS n,
  person.version,
  {person} AS body,
  king.id AS king_id, king.name AS king_name
FROM json_each(?1) AS e
LEFT JOIN person ON person.id = e.value ->> 'id'
LEFT JOIN person AS king
  ON king.place_id = e.value ->> 'placeId' AND king.is_king = 1 AND e.value ->> 'isKing'
  AND king.id IS NOT e.value ->> 'id'
WHERE person.id IS NOT NULL OR king.id IS NOT NULL";

/// The people that records of a batch concern: those with their id, and kings in their way.
#[must_use]
pub fn present(rows: &[Value]) -> Statement {
    let sql = PRESENT.replace("{person}", &PERSON.json_from("person"));
    Statement::bind_json_rows(&sql, rows)
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
    let inserts = statement::chunks_by_size(rows).into_iter();
    let inserts = inserts.map(|chunk| insert_all(chunk, greatest));
    let open = Statement::new(OPEN, Vec::new());
    let close = Statement::new("DELETE FROM bulk_insert", Vec::new());
    [vec![open], inserts.collect(), vec![close]].concat()
}
