-- People grouped by place: rows of (text, place_id, remaining, change_seq, epoch). Without groups
-- there is one row, which only has the change sequence.
--
-- ?1, ?2           the first and the last place id; or ?1 is a JSON array of place ids
-- ?3               the maximum number of groups
-- ?4               the maximum number of people per group
-- ?5               the number of people after which no other group begins
-- ?6               the text between two groups
-- ?7               the change sequence of the groups that the client has cached, with its epoch, or
--                  null. If it is still current, there is no row.
--
-- by_place.rs replaces the names in braces.
--
-- Each place with people is a group, even if none of them matches the filter. So the statement reads
-- at most ?3 populations, however few people match. It reads no people of an empty group.
--
-- The texts are concatenated. Each has at most 1,000 people. A name has at most 200 characters of
-- four bytes each, so a text stays far below the 2 MB that D1 allows.
--
-- `remaining` is the number of groups that another statement must read, after `place_id`.
--
-- Uses the primary key of population for the groups. For their people it uses
-- person_resident (place_id, id, is_alive, resident), which contains each person as JSON. With
-- isAlive= it must skip the other people of the place. If there are many (is_sparse), it uses the
-- search index, which reads only matches, but two rows for each. With isKing=true it uses
-- one_king_a_place.
WITH RECURSIVE
  -- Empty if the client has the current response. Then nothing else is read: it is the outer side of
  -- the last join.
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
  -- All groups of the page.
  requested AS (
    SELECT
      place_id,
      king_id,
      size,
      others > min(size, ?4) + 20 AS is_sparse,
      row_number() OVER (ORDER BY {order}) AS n,
      count(*) OVER () AS groups,
      sum(min(size, ?4)) OVER (ORDER BY {order}) AS people_so_far
    FROM (
      SELECT place_id, king_id, {size} AS size, {others} AS others{position}
      FROM {population}
      ORDER BY {order}
      LIMIT +?3
    )
  ),
  -- The groups that this statement returns.
  included AS (
    SELECT
      place_id,
      king_id,
      is_sparse,
      n,
      groups - n AS remaining,
      size > ?4 AS has_more,
      size > 1000 AS is_long,
      -- The id of the last person to show.
      CASE
        WHEN size = 0 THEN 0
        WHEN size > ?4 THEN (
          {id_in_requested} LIMIT 1 OFFSET ?4 - 1
        )
        ELSE 9223372036854775807
      END AS group_end
    FROM requested
    WHERE people_so_far - min(size, ?4) < ?5
  ),
  -- The groups, split into chunks of at most 1,000 people: previous < id <= last. Most groups have
  -- one chunk.
  chunk (n, previous, last, group_end, has_more, place_id, king_id, is_sparse, remaining) AS (
    SELECT
      n,
      0,
      coalesce(
        CASE WHEN is_long THEN min(group_end, (
          {id_before_in_included} LIMIT 1 OFFSET 1000
        )) END,
        group_end
      ),
      group_end, has_more, place_id, king_id, is_sparse, remaining
    FROM included
    UNION ALL
    SELECT
      n,
      last,
      coalesce(
        min(group_end, (
          {id_before_after_chunk} LIMIT 1 OFFSET 1000
        )),
        group_end
      ),
      group_end, has_more, place_id, king_id, is_sparse, remaining
    FROM chunk
    WHERE last < group_end
    ORDER BY 1, 2
  )
SELECT
  {start} || (
    SELECT {people}
    FROM ({people_of_chunk})
  ){end} AS text,
  place_id,
  remaining,
  change_seq,
  epoch
FROM current LEFT JOIN chunk
