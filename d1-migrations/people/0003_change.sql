-- What changed: one row for each version of each person, written by triggers in the
-- transaction of the write itself. `seq` orders all changes of the register, and its
-- greatest value is the register's own version: D1 writes one transaction at a time, so
-- who has read up to a `seq` has seen all before it.
ALTER TABLE person ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);

-- A write that refers to a place anew is unsettled until the place has been asked again
-- (docs/integrity.md): since when, in milliseconds since 1970, and the place that the
-- person returns to if it is taken back.
ALTER TABLE person ADD COLUMN unsettled_since INTEGER;
ALTER TABLE person ADD COLUMN returns_to INTEGER CHECK (returns_to > 0);
CREATE INDEX person_unsettled ON person (unsettled_since) WHERE unsettled_since IS NOT NULL;
CREATE INDEX person_in_doubt ON person (place_id) WHERE unsettled_since IS NOT NULL;
CREATE INDEX person_returning ON person (returns_to) WHERE returns_to IS NOT NULL;

CREATE TABLE person_change (
  seq INTEGER PRIMARY KEY,
  -- Milliseconds since 1970, never less than those of the change before, whatever the clock.
  at INTEGER NOT NULL,
  -- `undone`: taken back, because the place went away meanwhile.
  kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted', 'undone')),
  person_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  -- The state behind the change; of a deletion, the last one.
  name TEXT NOT NULL,
  is_alive INTEGER NOT NULL,
  is_king INTEGER NOT NULL,
  place_id INTEGER,
  -- Whether there is a person behind the change.
  exists_then INTEGER NOT NULL CHECK (exists_then IN (0, 1)),
  -- A version is of one state: it goes on counting where a deleted id is used again.
  UNIQUE (person_id, version)
) STRICT;

CREATE TRIGGER person_change_is_never_updated BEFORE UPDATE ON person_change
BEGIN SELECT raise(ABORT, 'what happened stays as it is'); END;

CREATE TRIGGER person_change_is_never_deleted BEFORE DELETE ON person_change
BEGIN SELECT raise(ABORT, 'what happened stays as it is'); END;

-- The people who are there already were created, as far as is known, now.
INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, exists_then)
SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER), 'created', id, version, name, is_alive, is_king, place_id, 1
FROM person
ORDER BY id;
