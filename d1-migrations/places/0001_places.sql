-- The places database. It stores places, the change log, and the tombstones of deletions
-- (docs/integrity.md).
--
-- The file has this order: tables, indexes with the queries that use them, triggers.

-- Identifies this schema and this history of the database. Databases of older versions are rejected
-- (docs/operations.md).
CREATE TABLE schema (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  database TEXT NOT NULL,
  version TEXT NOT NULL,
  -- The epoch: a random value that identifies this history of the database. A restore repeats
  -- versions and change sequences for other states, so it must set a new epoch. Entity tags and
  -- cursors contain it.
  epoch TEXT NOT NULL DEFAULT (lower(hex(randomblob(4))))
    CHECK (length(epoch) = 8 AND epoch NOT GLOB '*[^0-9a-f]*')
) STRICT;

INSERT INTO schema (id, database, version) VALUES (1, 'places', '0.3.0');

-- Tables -----------------------------------------------------------------------------------

CREATE TABLE place (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200 AND name = trim(name)),
  -- The case key: the name with case folded. Names are unique by it. The worker computes the keys,
  -- because lower() of SQLite only converts ASCII.
  name_key TEXT NOT NULL UNIQUE CHECK (length(name_key) > 0),
  -- The search key: the case key without accents. Null if they are equal.
  search_key TEXT CHECK (search_key <> name_key),
  -- The words of the search key, separated by spaces. Null if they equal the search key.
  words TEXT CHECK (words <> coalesce(search_key, name_key)),
  -- Counts the states of the place.
  version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
  -- The author of this version, for the change log: the name of the token, or null if writes are
  -- open, and the id of the import or batch, if it belongs to one. Every write sets both.
  actor TEXT,
  batch TEXT,
  -- The search key. Lists are sorted by it, then by name and id.
  sort_key TEXT GENERATED ALWAYS AS (coalesce(search_key, name_key)) VIRTUAL,
  -- The terms of the search index (crates/tables/src/search.rs).
  terms TEXT GENERATED ALWAYS AS (
    coalesce(words, search_key, name_key) || ' =' || replace(name_key, ' ', char(128))
  ) VIRTUAL
) STRICT;

-- The search index: the terms of each place, in order of id. Each filter of a list is a term or the
-- beginning of one. Spaces separate terms, so all other characters of ASCII belong to them. Triggers
-- maintain the index.
CREATE VIRTUAL TABLE place_search USING fts5 (
  terms,
  content = 'place',
  content_rowid = 'id',
  tokenize = "ascii tokenchars '!""#$%&''()*+,-./:;<=>?@[\]^_`{|}~'",
  prefix = '1 2 3',
  detail = none,
  columnsize = 0
);

-- The change log: one row for each version of each place. Triggers write it in the transaction
-- of the change. `seq` orders all changes: D1 runs one write transaction at a time, so a reader
-- that has seen a `seq` has seen all smaller ones. The greatest `seq` is the change sequence of
-- the database.
CREATE TABLE place_change (
  seq INTEGER PRIMARY KEY,
  -- Milliseconds since 1970. Never decreases, even if the clock does.
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
  place_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  -- The state after the change. After a deletion: the state before it.
  name TEXT NOT NULL,
  -- The keys of the name, as in `place`: the places as of a time are searched and sorted by them.
  name_key TEXT NOT NULL,
  search_key TEXT,
  words TEXT,
  -- The author of the change, as in `place`.
  actor TEXT,
  batch TEXT,
  -- The number of places after the change.
  places INTEGER NOT NULL CHECK (places >= 0),
  UNIQUE (place_id, version)
) STRICT;

-- Tombstones: the places that are being deleted. A deletion adds a tombstone before it counts
-- the people of the place. It removes the tombstone when it is rejected, or when the place is
-- deleted and dead people no longer refer to it.
CREATE TABLE tombstone (
  -- A fencing token: identifies the process that runs the deletion. A process that takes the
  -- deletion over gets a greater token, and the statements of the previous one no longer match.
  token INTEGER PRIMARY KEY AUTOINCREMENT,
  place_id INTEGER NOT NULL UNIQUE CHECK (place_id > 0),
  -- `reserved`: the transaction of a batch of operations deletes the place, or else it stays.
  -- `deleted`: the place no longer exists, but dead people may still refer to it.
  -- SQLite would count the row of a list with three values as read.
  phase TEXT NOT NULL CHECK (phase IN ('deleting', 'deleted') OR phase = 'reserved'),
  -- The place that gets the residents. It cannot be deleted meanwhile.
  reassign_to INTEGER CHECK (reassign_to > 0 AND reassign_to <> place_id),
  -- The author of the deletion. All its changes have this name, also those of the repair.
  actor TEXT,
  -- The last progress of its process, in milliseconds since 1970. 0: no process runs the deletion.
  since INTEGER NOT NULL,
  -- A random name, if the client asks for the status (/v1/operations).
  operation TEXT,
  -- The people who were moved or detached, and those who still refer to the place.
  done INTEGER NOT NULL DEFAULT 0,
  remaining INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Responses to POST requests with an Idempotency-Key, receipts of import batches, and the results
-- of operations. The transaction of the write stores them. The scheduled handler deletes them after 24 hours.
CREATE TABLE idempotency (
  key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
  -- A hash of method, path and body. A different request with the same key is rejected.
  fingerprint TEXT NOT NULL,
  -- Milliseconds since 1970.
  at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  -- The response to a request: the record that it created, in this version of the change log.
  record_id INTEGER,
  version INTEGER,
  -- The counts of a batch.
  body TEXT,
  -- The range of changes of a batch. Its receipt is valid while each of them is the latest change
  -- of its place (docs/bulk.md).
  first_seq INTEGER,
  last_seq INTEGER
) STRICT, WITHOUT ROWID;

-- Indexes ----------------------------------------------------------------------------------

-- /v1/places?sort=name. A walk along it also serves name=.
CREATE INDEX place_by_name ON place (sort_key, name);

-- The check whether a deletion moves people to a place.
CREATE INDEX tombstone_by_target ON tombstone (reassign_to) WHERE reassign_to IS NOT NULL;

-- The status of an operation.
CREATE UNIQUE INDEX tombstone_by_operation ON tombstone (operation) WHERE operation IS NOT NULL;

-- The deletion of expired responses.
CREATE INDEX idempotency_by_age ON idempotency (at);

-- Triggers ---------------------------------------------------------------------------------

CREATE TRIGGER place_change_is_never_updated BEFORE UPDATE ON place_change
BEGIN SELECT raise(ABORT, 'the change log is append-only'); END;

CREATE TRIGGER place_change_is_never_deleted BEFORE DELETE ON place_change
BEGIN SELECT raise(ABORT, 'the change log is append-only'); END;

CREATE TRIGGER place_created AFTER INSERT ON place
BEGIN
  INSERT INTO place_change
    (at, kind, place_id, version, name, name_key, search_key, words, actor, batch, places)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      coalesce((SELECT at FROM place_change ORDER BY seq DESC LIMIT 1), 0)
    ),
    'created', new.id, new.version, new.name, new.name_key, new.search_key, new.words,
    new.actor, new.batch,
    1 + coalesce((SELECT places FROM place_change ORDER BY seq DESC LIMIT 1), 0)
  );
  INSERT INTO place_search (rowid, terms) VALUES (new.id, new.terms);
END;

CREATE TRIGGER place_updated AFTER UPDATE ON place
BEGIN
  SELECT raise(ABORT, 'an update adds one to the version')
  WHERE new.version <> old.version + 1 OR new.id <> old.id;
  INSERT INTO place_change
    (at, kind, place_id, version, name, name_key, search_key, words, actor, batch, places)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM place_change ORDER BY seq DESC LIMIT 1)
    ),
    'updated', new.id, new.version, new.name, new.name_key, new.search_key, new.words,
    new.actor, new.batch,
    (SELECT places FROM place_change ORDER BY seq DESC LIMIT 1)
  );
  -- FTS5 removes a row by its former contents.
  INSERT INTO place_search (place_search, rowid, terms)
  SELECT 'delete', old.id, old.terms WHERE old.terms <> new.terms;
  INSERT INTO place_search (rowid, terms)
  SELECT new.id, new.terms WHERE old.terms <> new.terms;
END;

-- A deletion has an author, too, but a DELETE cannot name one. So a deletion is added to the change
-- log, and this trigger deletes the place.
CREATE TRIGGER place_deletion_logged AFTER INSERT ON place_change
WHEN new.kind = 'deleted'
BEGIN
  DELETE FROM place WHERE id = new.place_id AND version = new.version - 1;
END;

-- A DELETE that an operator has typed is logged without an author.
CREATE TRIGGER place_deleted AFTER DELETE ON place
BEGIN
  INSERT INTO place_change (at, kind, place_id, version, name, name_key, search_key, words, places)
  SELECT
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM place_change ORDER BY seq DESC LIMIT 1)
    ),
    'deleted', old.id, old.version + 1, old.name, old.name_key, old.search_key, old.words,
    (SELECT places FROM place_change ORDER BY seq DESC LIMIT 1) - 1
  WHERE NOT EXISTS (
    SELECT 1 FROM place_change WHERE place_id = old.id AND version = old.version + 1
  );
  INSERT INTO place_search (place_search, rowid, terms) VALUES ('delete', old.id, old.terms);
END;
