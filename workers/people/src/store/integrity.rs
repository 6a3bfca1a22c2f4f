//! The statements that read this database's part of the integrity report.

use tables::statement::Statement;

/// The populations of places: one row of (`residents`, a JSON array; `next`, the last place if
/// there may be more).
///
/// ?1  the place id after which they begin
/// ?2  the maximum number of places
///
/// Uses the primary key of `population`.
const RESIDENT_COUNTS: &str = "
SELECT
  json_group_array(json_object('placeId', place_id, 'living', living, 'dead', dead)) AS residents,
  iif(count(*) = ?2, max(place_id), NULL) AS next
FROM (
  SELECT place_id, living, dead FROM population
  WHERE place_id > ?1 AND place_id > 0
  ORDER BY place_id
  LIMIT +?2
)";

/// The numbers of living and dead people of the places after an id.
#[must_use]
pub fn resident_counts(after: i64, limit: i64) -> Statement {
    Statement::new(RESIDENT_COUNTS, vec![after.into(), limit.into()])
}

/// Places with several kings, and pending writes: one row of two JSON arrays.
///
/// ?1  the maximum size of each array
///
/// Uses the unique index `one_king_a_place`, which also makes a second king impossible. Scans
/// `pending_write`, which only has rows for writes in progress.
const FINDINGS: &str = "
SELECT
  (
    SELECT json_group_array(json_object('placeId', place_id, 'kings', kings))
    FROM (
      SELECT place_id, count(*) AS kings FROM person WHERE is_king = 1
      GROUP BY place_id HAVING count(*) > 1
      LIMIT +?1
    )
  ) AS double_kings,
  (
    SELECT json_group_array(json_object('id', person_id, 'placeId', place_id))
    FROM (SELECT person_id, place_id FROM pending_write LIMIT +?1)
  ) AS pending";

/// Places with several kings, and pending writes.
#[must_use]
pub fn integrity_findings(limit: i64) -> Statement {
    Statement::new(FINDINGS, vec![limit.into()])
}
