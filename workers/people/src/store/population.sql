-- The population of each place, in an order that it is asked for in: one row of (body, cursor,
-- all the living, the dead of no place, counter, all the dead).
--
-- ?1         the most groups
-- ?2 to ?5   what stands before, between and behind the groups, and behind none
-- ?6         the register's change counter that the reader has seen this at, if any: where it
--            is still the same there are no groups, and only the counter
-- ?7         the least living
-- ?8, ?9     the number and the place that the page before ended with
-- ?10        the time, if it is not now
-- ?11        the only places, if they are named, as a JSON array
--
-- Indexes: the primary keys of population and population_history, and one for each order of
-- population (living, living_down, total, total_down). What is past has no order but that of
-- ids, and is sorted: so many rows as there are places.
WITH RECURSIVE
  register AS MATERIALIZED (
    SELECT coalesce(max(seq), 0) AS counter FROM person_change
  ),
  {past}
  page AS (
    SELECT place_id, living, dead, king_id, {number} AS number
    FROM {source}
    WHERE {after} AND living >= ?7
    {order}
    LIMIT iif((SELECT counter FROM register) IS ?6, 0, ?1 + 1)
  ),
  numbered AS (
    SELECT *, {king} AS king, row_number() OVER () AS n FROM page
  )
SELECT
  ?2 || coalesce(group_concat(
    {record},
    ?3
  ) FILTER (WHERE n <= ?1) || ?4, ?5),
  CASE WHEN count(*) > ?1 THEN
    lower(hex(max({cursor}) FILTER (WHERE n = ?1)))
  END,
  coalesce((SELECT living {everyone}), 0),
  coalesce(({nowhere}), 0),
  (SELECT counter FROM register),
  coalesce((SELECT dead {everyone}), 0)
FROM numbered
