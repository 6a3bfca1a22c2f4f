-- Changes people who are still in the version that the change was made for.
--
-- ?1 a JSON array of them, each with the version before and `isAnew`, whether it refers to
--    its place anew: then it is unsettled, and would return to the place before.
--
-- Index: the primary key of person.
UPDATE person SET
  name = e.value ->> 'name',
  name_key = e.value ->> 'key',
  is_alive = e.value ->> 'isAlive',
  is_king = e.value ->> 'isKing',
  place_id = e.value ->> 'placeId',
  version = person.version + 1,
  unsettled_since = iif(e.value ->> 'isAnew', CAST(unixepoch('subsec') * 1000 AS INTEGER), NULL),
  returns_to = iif(e.value ->> 'isAnew', person.place_id, NULL)
FROM json_each(?1) AS e
WHERE person.id = e.value ->> 'id' AND person.version = e.value ->> 'version'
  AND person.unsettled_since IS NULL
