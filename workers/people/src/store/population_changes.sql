-- The latest changes of the population of a place: one row of (body, change_seq).
--
-- ?1        the place id
-- ?2        only changes before this time, in milliseconds since 1970
-- ?3        the maximum number of moments
--
-- For each moment at which the population changed, population_history has the last change. From
-- there, the statement finds the other changes of that moment backwards. A moment with more than 40
-- changes, as of an import, becomes one line with the population after it. So 21 moments with the
-- longest names stay below the 2 MB of D1.
--
-- Uses the primary keys of population_history and person_change, and the unique index on
-- (person_id, version): some rows for each change, however long the log is.
WITH RECURSIVE
  moment AS MATERIALIZED (
    SELECT at, seq, living, dead FROM population_history
    WHERE place_id = ?1 AND at < ?2
    ORDER BY at DESC
    LIMIT +?3
  ),
  -- The changes of people at each moment, also those of other places, latest first.
  walk (at, seq, n) AS (
    SELECT at, seq, 1 FROM moment
    UNION ALL
    SELECT walk.at, walk.seq - 1, walk.n + 1
    FROM walk JOIN person_change ON person_change.seq = walk.seq - 1
    WHERE walk.n <= 40 AND person_change.at = walk.at
  ),
  bulk AS MATERIALIZED (SELECT at FROM walk WHERE n > 40),
  line AS (
    SELECT
      walk.seq,
      {time}
        || ',"by":' || json_quote(log.actor)
        || ',"id":' || log.person_id
        || ',"before":' || iif(previous.person_id IS NULL, 'null', {previous})
        || ',"record":' || iif(log.kind = 'deleted', 'null', {log})
        || '}' AS json
    FROM walk
    JOIN person_change AS log ON log.seq = walk.seq
    LEFT JOIN person_change AS previous
      ON previous.person_id = log.person_id AND previous.version = log.version - 1
      AND previous.kind IN ('created', 'updated')
    WHERE (log.place_id = ?1 OR previous.place_id = ?1)
      AND (
        log.kind IN ('created', 'deleted')
        OR log.kind = 'updated' AND (
          log.place_id IS NOT previous.place_id
          OR log.is_alive <> previous.is_alive
          OR log.is_king <> previous.is_king
        )
      )
      AND walk.at NOT IN (SELECT at FROM bulk)
    UNION ALL
    SELECT
      moment.seq,
      {time}
        || ',"by":' || json_quote(log.actor)
        || ',"living":' || moment.living
        || ',"dead":' || moment.dead
        || '}'
    FROM moment JOIN person_change AS log ON log.seq = moment.seq
    WHERE moment.at IN (SELECT at FROM bulk)
  )
SELECT
  '[' || coalesce((SELECT group_concat(json, ',') FROM (SELECT json FROM line ORDER BY seq DESC)), '')
    || ']' AS body,
  (SELECT coalesce(max(seq), 0) FROM person_change)
    || '.' || (SELECT epoch FROM schema WHERE id = 1) AS change_seq
