-- A page of populations, now or as of a time: one row of (body, cursor, living, dead,
-- dead_without_place, largest, change_seq). Three numbers count all people, not only those of the
-- page. The largest is the total of the place with the most people. It is null as of a time.
--
-- The page skips places with fewer living people than the minimum, and places without people at the
-- time. It reads a limited number of places, so it may be short, or empty, and have a next page. The
-- body is null if there are too many places to sort.
--
-- ?1        the page size
-- ?2 to ?5  the text before, between and after the records, and the end of an empty list
-- ?6        the change sequence of the page that the client has cached, with its epoch, or null. If
--           it is still current, there is no row.
-- ?7        the minimum number of living people
-- ?8, ?9    the number and the place id after which the page begins
-- ?10       the time in milliseconds since 1970, if the query has one
-- ?11       the place ids as a JSON array, if there is a list
--
-- Uses the primary keys of population and population_history. The orders of the present
-- populations by the living and by the total use population_by_living and population_by_total.
-- There is no index for an order by the dead, or for populations as of a time in another order than
-- by place. Such an order sorts one row per place, and so does any order of a list.
WITH RECURSIVE
  -- Empty if the client has the current response. Then nothing else is read.
  current AS MATERIALIZED (
    SELECT change_seq, epoch
    FROM (
      SELECT
        coalesce(max(seq), 0) AS change_seq,
        (SELECT epoch FROM schema WHERE id = 1) AS epoch
      FROM person_change
      -- Without the limit, SQLite would read the epoch twice.
      LIMIT 1
    )
    WHERE change_seq || '.' || epoch IS NOT ?6
  ),
  {places}
  candidate AS NOT MATERIALIZED (
    {candidates}
    {order}
    LIMIT {max_places}
  ),
  page AS (
    SELECT * FROM candidate
    WHERE living >= ?7
    LIMIT iif(NOT EXISTS (SELECT 1 FROM current) OR {has_too_many}, 0, ?1 + 1)
  ),
  numbered AS (
    SELECT *, {king_name} AS king_name, row_number() OVER () AS n FROM page
  )
SELECT
  iif({has_too_many}, NULL, ?2 || coalesce(group_concat(
    {record},
    ?3
  ) FILTER (WHERE n <= ?1) || ?4, ?5)) AS body,
  CASE
    WHEN count(*) > ?1 THEN lower(hex(max({cursor}) FILTER (WHERE n = ?1)))
    WHEN NOT {is_sorted} THEN (
      SELECT lower(hex({cursor})) FROM candidate LIMIT 1 OFFSET {max_places} - 1
    )
  END AS cursor,
  coalesce((SELECT living {total}), 0) AS living,
  coalesce((SELECT dead {total}), 0) AS dead,
  coalesce(({dead_without_place}), 0) AS dead_without_place,
  ({largest}) AS largest,
  (SELECT change_seq || '.' || epoch FROM current) AS change_seq
FROM numbered
HAVING EXISTS (SELECT 1 FROM current)
