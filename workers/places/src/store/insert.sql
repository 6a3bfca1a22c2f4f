-- Adds places. A place with a retired id is not added: no id of a deleted place is used again.
--
-- ?1  a JSON array of places (tables::new_rows). A place without an id gets the n-th id after the last one that was used.
-- ?2  the greatest id in the whole batch, which may have several of these statements, or 0
-- ?3  the actor
-- ?4  the batch
-- {…} the columns that tables::schema declares
--
-- Uses the unique index place_change (place_id, version).
WITH
  input AS (
    SELECT
      {input_columns}
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
  coalesce(input.id, last_used.id + n),
  {stored_columns}, ?3, ?4, 1
FROM last_used CROSS JOIN input
WHERE input.id IS NULL OR NOT EXISTS (
  SELECT 1 FROM place_change
  WHERE place_id = input.id AND kind = 'deleted'
)
