-- The register of places.
CREATE TABLE place (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200 AND name = trim(name)),
  -- The name in lower case, each character by itself: SQLite folds ASCII alone, so
  -- the worker computes it. It makes names unique whatever their case, and it is
  -- what lists sort and search by.
  name_key TEXT NOT NULL UNIQUE CHECK (length(name_key) > 0)
) STRICT;
