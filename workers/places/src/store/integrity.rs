//! The statements that read this database's part of the integrity report.

use tables::statement::Statement;

/// The ids of places: one row of (`ids`, a JSON array; `next`, the last id if there may be more).
///
/// ?1  the id after which they begin
/// ?2  the maximum number of ids
///
/// Uses the primary key.
const IDS: &str = "
SELECT json_group_array(id) AS ids, iif(count(*) = ?2, max(id), NULL) AS next
FROM (SELECT id FROM place WHERE id > ?1 ORDER BY id LIMIT +?2)";

/// The ids of the places after an id.
#[must_use]
pub fn ids(after: i64, limit: i64) -> Statement {
    Statement::new(IDS, vec![after.into(), limit.into()])
}

/// The deletions in progress: one row with a JSON array.
///
/// ?1  the maximum number of deletions
///
/// Scans the table, which only has rows for deletions in progress.
const DELETIONS: &str = "
SELECT json_group_array(json_object(
  'placeId', place_id,
  'isGone', json(iif(phase = 'deleted', 'true', 'false')),
  'reassignTo', reassign_to
)) AS deletions
FROM (SELECT * FROM tombstone ORDER BY place_id LIMIT +?1)";

/// The deletions in progress.
#[must_use]
pub fn deletions(limit: i64) -> Statement {
    Statement::new(DELETIONS, vec![limit.into()])
}
