-- The places database: one row per place, the log of all changes, and the places that are
-- being deleted (docs/integrity.md).
--
-- Read it from top to bottom: tables, indexes with the queries they serve, triggers.

-- Identifies this schema. Databases made before 0.2.0 do not have this table, and are
-- rejected (docs/operations.md).
CREATE TABLE schema (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  database TEXT NOT NULL,
  version TEXT NOT NULL
) STRICT;

INSERT INTO schema (id, database, version) VALUES (1, 'places', '0.2.0');

-- Tables -----------------------------------------------------------------------------------

CREATE TABLE place (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200 AND name = trim(name)),
  -- The name in lower case. SQLite only folds ASCII, so the worker computes it. Names are
  -- unique in it, and lists sort and search by it.
  name_key TEXT NOT NULL UNIQUE CHECK (length(name_key) > 0),
  -- Counts the states of this id.
  version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0)
) STRICT;

-- The change log: one row for each version of each place, written by triggers in the
-- transaction of the write. `seq` orders all changes. D1 runs one write transaction at a time,
-- so a reader that has seen a `seq` has seen every smaller one. The greatest `seq` is the
-- change sequence of the database.
CREATE TABLE place_change (
  seq INTEGER PRIMARY KEY,
  -- Milliseconds since 1970. Never less than in the change before, even if the clock is.
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
  place_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  -- The state after the change. After a deletion: the state before it.
  name TEXT NOT NULL,
  UNIQUE (place_id, version)
) STRICT;

-- Places that are being deleted. A row is added before the people of the place are counted.
-- It goes when the deletion is rejected, or after the place is deleted and its dead are
-- detached.
CREATE TABLE tombstone (
  -- Identifies the owner of the deletion. Whoever takes it over gets a greater token, and the
  -- old one is then worth nothing: a fencing token.
  token INTEGER PRIMARY KEY AUTOINCREMENT,
  place_id INTEGER NOT NULL UNIQUE CHECK (place_id > 0),
  -- `deleted`: the place is gone, and dead people may still have it.
  phase TEXT NOT NULL CHECK (phase IN ('deleting', 'deleted')),
  -- Where the residents go. That place cannot be deleted meanwhile.
  reassign_to INTEGER CHECK (reassign_to > 0 AND reassign_to <> place_id),
  -- Milliseconds since 1970.
  since INTEGER NOT NULL
) STRICT;

-- Responses to POST requests with an Idempotency-Key, and batches of imports. The transaction
-- of the write stores them. The scheduled handler deletes them after 24 hours.
CREATE TABLE idempotency (
  key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
  -- A hash of method, path and body.
  fingerprint TEXT NOT NULL,
  -- Milliseconds since 1970.
  at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  -- The record that the request created, and its version.
  record_id INTEGER,
  version INTEGER,
  body TEXT NOT NULL,
  -- The changes of a batch, from the first to the last: its receipt is valid while each of them is
  -- the latest change of its place (docs/bulk.md).
  first_seq INTEGER,
  last_seq INTEGER
) STRICT, WITHOUT ROWID;

-- Indexes ----------------------------------------------------------------------------------

-- Whether a deletion moves people to a place.
CREATE INDEX tombstone_by_target ON tombstone (reassign_to) WHERE reassign_to IS NOT NULL;

-- The deletion of expired responses.
CREATE INDEX idempotency_by_age ON idempotency (at);

-- Triggers ---------------------------------------------------------------------------------

CREATE TRIGGER place_change_is_never_updated BEFORE UPDATE ON place_change
BEGIN SELECT raise(ABORT, 'the change log is append-only'); END;

CREATE TRIGGER place_change_is_never_deleted BEFORE DELETE ON place_change
BEGIN SELECT raise(ABORT, 'the change log is append-only'); END;

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

CREATE TRIGGER place_updated AFTER UPDATE ON place
BEGIN
  SELECT raise(ABORT, 'an update adds one to the version')
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
