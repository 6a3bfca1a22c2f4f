-- Adds people.
--
-- ?1 a JSON array of them; one without an id gets the next that was never used
-- ?2 the greatest id that is given to any of those who are added together, or 0
-- {…} the columns that tables::schema declares
--
-- An id that is used again continues to count its versions.
--
-- Indexes: the one on person_change (person_id, version), for the greatest id and version.
WITH
  given AS MATERIALIZED (
    SELECT
      key AS n,
      {given_columns}
    FROM json_each(?1)
  ),
  used (id) AS MATERIALIZED (
    SELECT max(
      coalesce((SELECT max(person_id) FROM person_change), 0),
      ?2
    )
  )
INSERT INTO person (id, {stored_columns}, version)
SELECT
  coalesce(given.id, used.id + sum(given.id IS NULL) OVER (ORDER BY n)),
  {stored_columns},
  iif(
    given.id IS NULL,
    1,
    1 + coalesce((SELECT max(version) FROM person_change WHERE person_id = given.id), 0)
  )
FROM given, used
ORDER BY n
