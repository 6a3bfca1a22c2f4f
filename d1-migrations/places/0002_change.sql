-- What changed: one row for each version of each place, written by triggers in the
-- transaction of the write itself. `seq` orders all changes of the register, and its
-- greatest value is the register's own version: D1 writes one transaction at a time, so
-- who has read up to a `seq` has seen all before it.
ALTER TABLE place ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);

CREATE TABLE place_change (
  seq INTEGER PRIMARY KEY,
  -- Milliseconds since 1970, never less than those of the change before, whatever the clock.
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
  place_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  -- The state behind the change; of a deletion, the last one.
  name TEXT NOT NULL,
  -- A version is of one state: it goes on counting where a deleted id is used again.
  UNIQUE (place_id, version)
) STRICT;

CREATE TRIGGER place_change_is_never_updated BEFORE UPDATE ON place_change
BEGIN SELECT raise(ABORT, 'what happened stays as it is'); END;

CREATE TRIGGER place_change_is_never_deleted BEFORE DELETE ON place_change
BEGIN SELECT raise(ABORT, 'what happened stays as it is'); END;

CREATE TRIGGER place_created AFTER INSERT ON place
BEGIN
  INSERT INTO place_change (at, kind, place_id, version, name)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      coalesce((SELECT at FROM place_change ORDER BY seq DESC LIMIT 1), 0)
    ),
    'created', new.id, new.version, new.name
  );
END;

CREATE TRIGGER place_updated AFTER UPDATE OF id, name, name_key, version ON place
BEGIN
  SELECT raise(ABORT, 'a change raises the version by one')
  WHERE new.version <> old.version + 1 OR new.id <> old.id;
  INSERT INTO place_change (at, kind, place_id, version, name)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM place_change ORDER BY seq DESC LIMIT 1)
    ),
    'updated', new.id, new.version, new.name
  );
END;

CREATE TRIGGER place_deleted AFTER DELETE ON place
BEGIN
  INSERT INTO place_change (at, kind, place_id, version, name)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM place_change ORDER BY seq DESC LIMIT 1)
    ),
    'deleted', old.id, old.version + 1, old.name
  );
END;

-- The places that are there already were created, as far as is known, now.
INSERT INTO place_change (at, kind, place_id, version, name)
SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER), 'created', id, version, name
FROM place
ORDER BY id;
