-- Changes people who still have the version that the change was made for.
--
-- ?1 a JSON array of them, each with the version before
--
-- Index: the primary key of person.
UPDATE person SET
  name = e.value ->> 'name',
  name_key = e.value ->> 'key',
  is_alive = e.value ->> 'isAlive',
  is_king = e.value ->> 'isKing',
  place_id = e.value ->> 'placeId',
  version = person.version + 1
FROM json_each(?1) AS e
WHERE person.id = e.value ->> 'id' AND person.version = e.value ->> 'version'
