-- A time series of the population of a place, or of all people: one row of
-- (body, change_seq).
--
-- ?1        the place id, or -1 for all people
-- ?2 to ?5  the text before, between and after the points, and the end of an empty list
-- ?6        the change sequence of the series that the client has cached, with its epoch, or null.
--           If it is still current, there is no row.
-- ?7        the points as a JSON array of pairs: milliseconds since 1970, and the time as text
--
-- Uses the primary key of population_history: two seeks for each point.
WITH
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
  series AS (
    SELECT
      point.value ->> 1 AS at,
      coalesce(population.living, 0) AS living,
      coalesce(population.dead, 0) AS dead
    FROM json_each(iif(NOT EXISTS (SELECT 1 FROM current), '[]', ?7)) AS point
    LEFT JOIN population_history AS population
      ON population.place_id = ?1 AND population.at = (
        SELECT max(at) FROM population_history
        WHERE place_id = ?1 AND at <= point.value ->> 0
      )
    ORDER BY point.key
  )
SELECT
  ?2 || coalesce(group_concat({point}, ?3) || ?4, ?5) AS body,
  (SELECT change_seq || '.' || epoch FROM current) AS change_seq
FROM series
HAVING EXISTS (SELECT 1 FROM current)
