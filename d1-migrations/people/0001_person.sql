-- The register of people.
CREATE TABLE person (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200 AND name = trim(name)),
  -- The name in lower case, each character by itself (see the places database).
  name_key TEXT NOT NULL CHECK (length(name_key) > 0),
  is_alive INTEGER NOT NULL DEFAULT 0 CHECK (is_alive IN (0, 1)),
  is_king INTEGER NOT NULL DEFAULT 0 CHECK (is_king IN (0, 1)),
  -- A place of the places database: no foreign key can reach it.
  place_id INTEGER CHECK (place_id > 0),
  CONSTRAINT the_living_have_a_place CHECK (is_alive = 0 OR place_id IS NOT NULL),
  CONSTRAINT a_king_is_alive CHECK (is_king = 0 OR is_alive = 1)
) STRICT;

-- A place has at most one king.
CREATE UNIQUE INDEX one_king_a_place ON person (place_id) WHERE is_king = 1;

-- One index for each set of equality filters and each order. The row's id ends
-- every index by itself, so that the indexes without a name serve the order by id.
CREATE INDEX person_by_name ON person (name_key);
CREATE INDEX person_by_life ON person (is_alive);
CREATE INDEX person_by_life_and_name ON person (is_alive, name_key);
CREATE INDEX person_by_place ON person (place_id);
CREATE INDEX person_by_place_and_name ON person (place_id, name_key);
CREATE INDEX person_by_place_and_life ON person (place_id, is_alive);
CREATE INDEX person_by_place_life_and_name ON person (place_id, is_alive, name_key);
CREATE INDEX king_by_id ON person (id) WHERE is_king = 1;
CREATE INDEX king_by_name ON person (name_key) WHERE is_king = 1;
