-- Updates people who still have the expected version.
--
-- ?1  a JSON array of people, each with its version before the update, and its author
-- {…} the columns that tables::schema declares
--
-- Uses the primary key.
UPDATE person SET
  {assignments},
  actor = e.value ->> 'actor',
  batch = e.value ->> 'batch',
  version = person.version + 1
FROM json_each(?1) AS e
WHERE person.id = e.value ->> 'id' AND person.version = e.value ->> 'version'
