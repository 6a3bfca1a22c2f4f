-- Adds places. A place with a retired id is not added: no id of a deleted place is used again.
--
-- ?1  a JSON array of places, each with its author. A place without an id gets the next id that was never used.
-- ?2  the greatest id in the whole batch, which may have several of these statements, or 0
-- {…} the columns that tables::schema declares
--
-- Uses the unique index place_change (place_id, version).
WITH
  input AS (
    SELECT
      key AS n,
      {input_columns},
      value ->> 'actor' AS actor,
      value ->> 'batch' AS batch
    FROM json_each(?1)
  ),
  last_used (id) AS MATERIALIZED (
    SELECT max(
      coalesce((SELECT max(place_id) FROM place_change), 0),
      ?2
    )
  )
INSERT INTO place (id, {stored_columns}, actor, batch, version)
SELECT
  coalesce(input.id, last_used.id + sum(input.id IS NULL) OVER (ORDER BY n)),
  {stored_columns}, actor, batch, 1
FROM input, last_used
WHERE input.id IS NULL OR NOT EXISTS (
  SELECT 1 FROM place_change
  WHERE place_id = input.id AND kind = 'deleted'
)
ORDER BY n
