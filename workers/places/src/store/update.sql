-- Updates places that still have the expected version and are not being deleted.
--
-- ?1  a JSON array of places, each with its version before the update, and its author
-- {…} the columns that tables::schema declares
--
-- Uses the primary key of place and the unique index tombstone (place_id).
UPDATE place SET
  {assignments},
  actor = e.value ->> 'actor',
  batch = e.value ->> 'batch',
  version = place.version + 1
FROM json_each(?1) AS e
WHERE place.id = e.value ->> 'id' AND place.version = e.value ->> 'version'
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = place.id)
