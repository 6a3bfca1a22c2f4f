//! What the report on integrity is made from.

use tables::statement::Statement;

/// The ids of places, after one: one row of (array, the last where there may be more). By the
/// primary key.
const IDS: &str = "
SELECT json_group_array(id) AS ids, iif(count(*) = ?2, max(id), NULL) AS next
FROM (SELECT id FROM place WHERE id > ?1 ORDER BY id LIMIT ?2)";

/// Which places there are.
#[must_use]
pub fn ids(after: i64, most: i64) -> Statement {
    Statement::new(IDS, vec![after.into(), most.into()])
}

/// The places that are being deleted: one row of an array. A scan of the tombstones: there are
/// never many.
const DELETIONS: &str = "
SELECT json_group_array(json_object(
  'placeId', place_id, 'isGone', json(iif(phase = 'deleted', 'true', 'false')), 'reassignTo', reassign_to
)) AS deletions
FROM (SELECT * FROM tombstone ORDER BY place_id LIMIT ?1)";

/// The places that are being deleted.
#[must_use]
pub fn deletions(limit: i64) -> Statement {
    Statement::new(DELETIONS, vec![limit.into()])
}
