-- People grouped by place, in order of place: rows of (text, place_id, remaining,
-- change_seq), at least one: without any group its text is null.
--
-- ?1 < place_id <= ?2   the range of places
-- ?3                    the most groups
-- ?4                    the most people of a group
-- ?5                    the people after which no further group is begun
-- ?6                    the text between two groups
-- ?7                    the change sequence at which the client has seen this, or null: if it is still
--                       the same, there are no groups, only the change sequence
-- {max_page_size}       tables::page::MAX_PAGE_SIZE
--
-- The texts, one behind the other, are the groups. One holds at most 1,000 people, and so
-- stays far from the 2 MB that D1 allows: a name is at most 200 characters of four bytes.
-- `remaining` counts the groups that were asked for and left for another statement, which
-- goes on after `place_id`.
--
-- Indexes: the primary key of population for the groups, and person_resident (place_id,
-- id, resident) for their people, which holds each as the groups show them.
WITH RECURSIVE
  current AS MATERIALIZED (
    SELECT coalesce(max(seq), 0) AS change_seq FROM person_change
  ),
  asked AS (
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
      LIMIT iif((SELECT change_seq FROM current) IS ?7, 0, ?3)
    )
  ),
  taken AS (
    SELECT
      place_id,
      n,
      groups - n AS remaining,
      size > ?4 AS has_more,
      size > 1000 AS is_long,
      -- The last id to show: that of the last person allowed, or any.
      CASE
        WHEN size > ?4 THEN (
          SELECT id FROM person WHERE place_id = asked.place_id ORDER BY id LIMIT 1 OFFSET ?4 - 1
        )
        ELSE 9223372036854775807
      END AS cut
    FROM asked
    WHERE people_so_far - min(size, ?4) < ?5
  ),
  -- A group as runs of at most 1,000 people, behind < id <= last: mostly one.
  run (place_id, behind, last, cut, has_more, n, remaining) AS (
    SELECT
      place_id,
      0,
      coalesce(
        CASE WHEN is_long THEN min(cut, (
          SELECT id - 1 FROM person WHERE place_id = taken.place_id ORDER BY id LIMIT 1 OFFSET 1000
        )) END,
        cut
      ),
      cut, has_more, n, remaining
    FROM taken
    UNION ALL
    SELECT
      place_id,
      last,
      coalesce(
        min(cut, (
          SELECT id - 1 FROM person WHERE place_id = run.place_id AND id > run.last
          ORDER BY id LIMIT 1 OFFSET 1000
        )),
        cut
      ),
      cut, has_more, n, remaining
    FROM run
    WHERE last < cut
    ORDER BY 1, 2
  )
SELECT
  iif(behind = 0, iif(n > 1, ?6, '') || '{"placeId":' || place_id || ',"people":[', ',')
  || (
    SELECT group_concat(resident, ',')
    FROM (
      SELECT resident
      FROM person INDEXED BY person_resident
      WHERE place_id = run.place_id AND id > run.behind AND id <= run.last
      ORDER BY id
    )
  )
  || iif(last < cut, '', ']')
  || iif(last = cut AND has_more,
    ',"next":"/v1/people?placeId=' || place_id || '&limit={max_page_size}&after=' || lower(hex('i' || cut)) || '"', '')
  || iif(last < cut, '', '}') AS text,
  place_id,
  remaining,
  change_seq
FROM current LEFT JOIN run
