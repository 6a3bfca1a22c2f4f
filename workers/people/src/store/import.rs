//! The statements of an import of people.

use serde_json::Value;
use tables::new_rows::chunks_to_insert;
use tables::schema::PERSON;
use tables::statement::Statement;

use super::write::{in_index_order, insert_chunk};

/// The records of a batch that have the id of a stored person, or that are king of a place with
/// another king: rows of (n, version, body, `king_id`, `king_name`).
///
/// ?1  a JSON array of (n, id, placeId, isKing), where n is the position in the batch
///
/// Uses the primary key and the unique index `one_king_a_place`.
const EXISTING: &str = "
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

/// The stored people that the records of a batch refer to or conflict with.
#[must_use]
pub fn existing_people(keys: &[Value]) -> Statement {
    let sql = EXISTING.replace("{person}", &PERSON.json_from("person"));
    Statement::bind_json_rows(&sql, keys)
}

/// Begins a bulk insert (see the table `bulk_insert`): saves the change sequence, the last id and the
/// time. Uses the primary key and the unique index of the change log.
///
/// ?1  the greatest id in the batch, or 0
const BEGIN: &str = "
INSERT INTO bulk_insert (id, after_seq, last_id, at)
SELECT 1, coalesce(max(seq), 0), max(
  coalesce((SELECT max(person_id) FROM person_change), 0),
  ?1
), max(
  CAST(unixepoch('subsec') * 1000 AS INTEGER),
  coalesce((SELECT at FROM person_change WHERE seq = (SELECT max(seq) FROM person_change)), 0)
)
FROM person_change";

/// Ends a bulk insert: a trigger logs the people and updates the populations and the search index.
const END: &str = "DELETE FROM bulk_insert";

/// Adds the people of a batch. The change log, the population of each place and the search index are
/// updated once, after all inserts.
#[must_use]
pub fn insert_batch(rows: &[Value]) -> Vec<Statement> {
    if rows.is_empty() {
        return Vec::new();
    }
    let max_id = rows.iter().filter_map(|row| row["id"].as_i64()).max();
    let begin = vec![max_id.unwrap_or_default().into()];
    let mut statements = vec![Statement::new(BEGIN, begin)];
    // Numbered once: no chunk is in the change log before the end, so the ids do not depend on it.
    let rows = in_index_order(rows);
    let chunks = chunks_to_insert(&rows).into_iter();
    statements.extend(chunks.map(|chunk| insert_chunk(chunk, max_id)));
    statements.push(Statement::new(END, Vec::new()));
    statements
}
