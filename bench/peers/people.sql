CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  is_alive INTEGER NOT NULL DEFAULT 0,
  is_king INTEGER NOT NULL DEFAULT 0,
  place_id INTEGER
);
CREATE INDEX person_by_place ON person (place_id);
CREATE INDEX person_by_life ON person (is_alive);
CREATE UNIQUE INDEX one_king_a_place ON person (place_id) WHERE is_king = 1;
