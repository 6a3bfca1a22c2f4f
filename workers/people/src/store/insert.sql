-- Adds people. If a deleted person had the id, the versions continue after those of that person.
--
-- ?1  a JSON array of people (tables::new_rows). A person without an id gets the n-th id after the last one that was used.
-- ?2  the greatest id in the whole batch, which may have several of these statements, or 0
-- ?3  the actor
-- ?4  the batch
-- {…} the columns that tables::schema declares
--
-- Uses the unique index person_change (person_id, version).
WITH
  input AS (
    SELECT
      {input_columns}
    FROM json_each(?1)
  ),
  last_used (id) AS MATERIALIZED (
    SELECT max(
      coalesce((SELECT max(person_id) FROM person_change), 0),
      ?2
    )
  )
INSERT INTO person (id, {stored_columns}, actor, batch, version)
SELECT
  coalesce(input.id, last_used.id + n),
  {stored_columns}, ?3, ?4,
  1 + coalesce((SELECT max(version) FROM person_change WHERE person_id = input.id), 0)
FROM last_used CROSS JOIN input
