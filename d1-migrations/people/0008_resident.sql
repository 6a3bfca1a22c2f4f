-- Each person as the groups of a page show them (their place is that of the group), and an
-- index that holds them in the order of a page: a group is then read from one range of the
-- index, and its people are neither looked up one by one nor written out anew.
ALTER TABLE person ADD COLUMN resident TEXT GENERATED ALWAYS AS (
  '{"id":' || id
    || ',"name":' || json_quote(name)
    || ',"isAlive":' || iif(is_alive, 'true', 'false')
    || ',"isKing":' || iif(is_king, 'true', 'false')
    || '}'
) VIRTUAL;

CREATE INDEX person_resident ON person (place_id, id, resident);

-- The new one serves what this one did.
DROP INDEX person_by_place;
