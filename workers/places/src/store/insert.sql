-- Adds places.
--
-- ?1 a JSON array of them; one without an id gets the next that was never used
-- ?2 the greatest id that is given to any of those that are added together, or 0
--
-- An id is never used again: who has read of a place that is missing can rely on it. One that a
-- place had before is passed over.
--
-- Index: the one on place_change (place_id, version).
WITH
  given AS (
    SELECT
      key AS n,
      value ->> 'id' AS id,
      value ->> 'name' AS name,
      value ->> 'key' AS name_key
    FROM json_each(?1)
  ),
  used (id) AS MATERIALIZED (
    SELECT max(
      coalesce((SELECT max(place_id) FROM place_change), 0),
      ?2
    )
  )
INSERT INTO place (id, name, name_key, version)
SELECT
  coalesce(given.id, used.id + sum(given.id IS NULL) OVER (ORDER BY n)),
  name, name_key, 1
FROM given, used
WHERE given.id IS NULL OR NOT EXISTS (
  SELECT 1 FROM place_change
  WHERE place_id = given.id AND kind = 'deleted'
)
ORDER BY n
