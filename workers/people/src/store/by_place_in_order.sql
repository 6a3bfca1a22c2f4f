-- All people grouped by place, in order of place: rows of (text, place_id, remaining, change_seq,
-- epoch). Without groups there is one row, which only has the change sequence.
--
-- ?1               the place id after which the groups begin
-- ?2               the last place id
-- ?3               the maximum number of groups
-- ?4               the maximum number of people per group
-- ?5               the number of people after which no other group begins
-- ?6               the text between two groups
-- ?7               the change sequence of the groups that the client has cached, with its epoch, or
--                  null. If it is still current, there is no row.
-- {max_page_size}  tables::page::MAX_PAGE_SIZE
--
-- The texts are concatenated. Each has at most 1,000 people. A name has at most 200 characters of
-- four bytes each, so a text stays far below the 2 MB that D1 allows.
--
-- `remaining` is the number of groups that another statement must read, after `place_id`.
--
-- Most pages have few people. The statement then reads person_resident (place_id, id, is_alive,
-- resident) in order. This index contains each person as JSON. It reads one row per person, and one
-- per group to count people. If a group or page is long, it reads each group alone, up to its limit.
--
-- Uses the primary key of population for the groups.
WITH RECURSIVE
  -- Empty if the client has the current response. Then nothing else is read.
  current AS (
    SELECT change_seq, epoch
    FROM (
      SELECT
        coalesce(max(seq), 0) AS change_seq,
        (SELECT epoch FROM schema WHERE id = 1) AS epoch
      FROM person_change
      -- Without the limit, SQLite would read the epoch twice.
      LIMIT 1
    )
    WHERE change_seq || '.' || epoch IS NOT ?7
  ),
  -- The ends of the page, and whether all its groups are complete and can be read at once. Without a
  -- row of `current`, SQLite does not read the groups, and there is no row.
  page AS MATERIALIZED (
    SELECT *
    FROM current CROSS JOIN (
      SELECT
        min(place_id) AS first,
        max(place_id) AS last,
        sum(size) <= ?5 AND max(size) <= min(?4, 1000) AS is_small
      FROM (
        SELECT place_id, living + dead AS size
        FROM population
        WHERE place_id > ?1 AND place_id <= ?2
        ORDER BY place_id
        LIMIT +?3
      )
    )
  ),
  -- All groups of a page that is not small.
  requested AS (
    SELECT
      place_id,
      living + dead AS size,
      row_number() OVER (ORDER BY place_id) AS n,
      count(*) OVER () AS groups,
      sum(min(living + dead, ?4)) OVER (ORDER BY place_id) AS people_so_far
    FROM (
      SELECT place_id, living, dead
      FROM population
      WHERE place_id > ?1 AND place_id <= ?2
      ORDER BY place_id
      LIMIT +?3
    )
  ),
  -- The groups that this statement returns.
  included AS (
    SELECT
      place_id,
      n,
      groups - n AS remaining,
      size > ?4 AS has_more,
      size > 1000 AS is_long,
      -- The id of the last person to show.
      CASE
        WHEN size > ?4 THEN (
          SELECT id FROM person WHERE place_id = requested.place_id
          ORDER BY id LIMIT 1 OFFSET ?4 - 1
        )
        ELSE 9223372036854775807
      END AS group_end
    FROM requested
    WHERE people_so_far - min(size, ?4) < ?5
  ),
  -- The groups, split into chunks of at most 1,000 people: previous < id <= last. Most groups have
  -- one chunk.
  chunk (place_id, previous, last, group_end, has_more, n, remaining) AS (
    SELECT
      place_id,
      0,
      coalesce(
        CASE WHEN is_long THEN min(group_end, (
          SELECT id - 1 FROM person WHERE place_id = included.place_id
          ORDER BY id LIMIT 1 OFFSET 1000
        )) END,
        group_end
      ),
      group_end, has_more, n, remaining
    FROM included
    UNION ALL
    SELECT
      place_id,
      last,
      coalesce(
        min(group_end, (
          SELECT id - 1 FROM person WHERE place_id = chunk.place_id AND id > chunk.last
          ORDER BY id LIMIT 1 OFFSET 1000
        )),
        group_end
      ),
      group_end, has_more, n, remaining
    FROM chunk
    WHERE last < group_end
    ORDER BY 1, 2
  )
SELECT
  iif(place_id > (SELECT first FROM page), ?6, '')
    || '{"placeId":' || place_id || ',"people":[' || group_concat(resident, ',') || ']}' AS text,
  place_id,
  0 AS remaining,
  (SELECT change_seq FROM page) AS change_seq,
  (SELECT epoch FROM page) AS epoch
FROM (
  SELECT place_id, resident
  FROM person INDEXED BY person_resident
  WHERE place_id > ?1 AND place_id <= (SELECT last FROM page WHERE is_small)
  ORDER BY place_id, id
)
GROUP BY place_id
UNION ALL
SELECT
  iif(previous = 0, iif(n > 1, ?6, '') || '{"placeId":' || place_id || ',"people":[', ',')
  || (
    SELECT group_concat(resident, ',')
    FROM (
      SELECT resident
      FROM person INDEXED BY person_resident
      WHERE place_id = chunk.place_id AND id > chunk.previous AND id <= chunk.last
      ORDER BY id
    )
  )
  || iif(last < group_end, '', ']')
  || iif(last = group_end AND has_more,
    ',"next":"/v1/people?placeId=' || place_id || '&limit={max_page_size}&after='
      || lower(hex('i' || group_end)) || '"', '')
  || iif(last < group_end, '', '}') AS text,
  place_id,
  remaining,
  (SELECT change_seq FROM page),
  (SELECT epoch FROM page)
-- As the inner side of a join, the groups of a small page are not read again.
FROM (SELECT is_small FROM page) CROSS JOIN chunk
WHERE is_small IS FALSE
UNION ALL
SELECT NULL, NULL, NULL, change_seq, epoch
FROM page
WHERE first IS NULL
