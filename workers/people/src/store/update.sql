-- Changes people who still have the version that the change was made for.
--
-- ?1 a JSON array of them, each with the version before
-- {…} the columns that tables::schema declares
--
-- Index: the primary key of person.
UPDATE person SET
  {assignments},
  version = person.version + 1
FROM json_each(?1) AS e
WHERE person.id = e.value ->> 'id' AND person.version = e.value ->> 'version'
