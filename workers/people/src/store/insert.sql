-- Adds people. If a deleted person had the id, the versions continue after those of that person.
--
-- ?1  a JSON array of people, each with its author. A person without an id gets the next id that was never used.
-- ?2  the greatest id in the whole batch, which may have several of these statements, or 0
-- {…} the columns that tables::schema declares
--
-- Uses the unique index person_change (person_id, version).
WITH
  input AS MATERIALIZED (
    SELECT
      key AS n,
      {input_columns},
      value ->> 'actor' AS actor,
      value ->> 'batch' AS batch
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
  coalesce(input.id, last_used.id + sum(input.id IS NULL) OVER (ORDER BY n)),
  {stored_columns}, actor, batch,
  iif(
    input.id IS NULL,
    1,
    1 + coalesce((SELECT max(version) FROM person_change WHERE person_id = input.id), 0)
  )
FROM input, last_used
ORDER BY n
