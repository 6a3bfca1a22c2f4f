-- Changes places that are still in the version that the change was made for, and not on
-- their way out.
--
-- ?1 a JSON array of them, each with the version before
-- {…} the columns that tables::schema declares
--
-- Indexes: the primary keys of place and tombstone.
UPDATE place SET
  {assignments},
  version = place.version + 1
FROM json_each(?1) AS e
WHERE place.id = e.value ->> 'id' AND place.version = e.value ->> 'version'
  AND NOT EXISTS (SELECT 1 FROM tombstone WHERE place_id = place.id)
