//! What the report on integrity is made from.

use tables::statement::Statement;

/// The people of places, after a place: one row of (`residents`, a JSON array;
/// `next`, the last place if there may be more). By the primary key of population.
const RESIDENTS: &str = "
SELECT
  json_group_array(json_object('placeId', place_id, 'living', living, 'dead', dead)) AS residents,
  iif(count(*) = ?2, max(place_id), NULL) AS next
FROM (
  SELECT place_id, living, dead FROM population
  WHERE place_id > ?1 AND place_id > 0
  ORDER BY place_id
  LIMIT ?2
)";

/// Who belongs to which place.
#[must_use]
pub fn residents(after: i64, most: i64) -> Statement {
    Statement::new(RESIDENTS, vec![after.into(), most.into()])
}

/// Places with more than one king, which the index `one_king_a_place` makes impossible, and
/// pending writes: one row of two JSON arrays. By that index, and a scan of a table that only
/// has rows for writes in flight.
const FINDINGS: &str = "
SELECT
  (
    SELECT json_group_array(json_object('placeId', place_id, 'kings', kings))
    FROM (
      SELECT place_id, count(*) AS kings FROM person WHERE is_king = 1
      GROUP BY place_id HAVING count(*) > 1
      LIMIT ?1
    )
  ) AS double_kings,
  (
    SELECT json_group_array(json_object('id', person_id, 'placeId', place_id))
    FROM (SELECT person_id, place_id FROM pending_write LIMIT ?1)
  ) AS pending";

/// Double kings and pending writes.
#[must_use]
pub fn findings(limit: i64) -> Statement {
    Statement::new(FINDINGS, vec![limit.into()])
}
