-- The population of each place, in an order that it is asked for in: one row of (body, cursor,
-- living, dead, dead_without_place, change_seq), where the numbers are those of all people.
--
-- ?1         the most groups
-- ?2 to ?5   what stands before, between and behind the groups, and behind none
-- ?6         the change sequence at which the client has seen this, or null: if it is still the
--            same, there are no groups, only the change sequence
-- ?7         the least living
-- ?8, ?9     the number and the place that the page before ended with
-- ?10        the time, if it is not now
-- ?11        the only places, if they are named, as a JSON array
--
-- Indexes: the primary keys of population and population_history, and one for each order of
-- population (living, living_down, total, total_down). What is past has no order but that of
-- ids, and is sorted: so many rows as there are places.
WITH RECURSIVE
  current AS MATERIALIZED (
    SELECT coalesce(max(seq), 0) AS change_seq FROM person_change
  ),
  {past}
  page AS (
    SELECT place_id, living, dead, king_id, {number} AS number
    FROM {source}
    WHERE {after} AND living >= ?7
    {order}
    LIMIT iif((SELECT change_seq FROM current) IS ?6, 0, ?1 + 1)
  ),
  numbered AS (
    SELECT *, {king} AS king, row_number() OVER () AS n FROM page
  )
SELECT
  ?2 || coalesce(group_concat(
    {record},
    ?3
  ) FILTER (WHERE n <= ?1) || ?4, ?5) AS body,
  CASE WHEN count(*) > ?1 THEN
    lower(hex(max({cursor}) FILTER (WHERE n = ?1)))
  END AS cursor,
  coalesce((SELECT living {everyone}), 0) AS living,
  coalesce((SELECT dead {everyone}), 0) AS dead,
  coalesce(({nowhere}), 0) AS dead_without_place,
  (SELECT change_seq FROM current) AS change_seq
FROM numbered
