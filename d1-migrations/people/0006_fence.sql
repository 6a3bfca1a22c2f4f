-- The greatest token of a deletion that has moved a place's people (docs/integrity.md): a
-- move of one that was taken over meanwhile comes too late, and does nothing.
CREATE TABLE fence (
  place_id INTEGER PRIMARY KEY CHECK (place_id > 0),
  token INTEGER NOT NULL CHECK (token > 0)
) STRICT;
