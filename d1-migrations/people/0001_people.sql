-- The people database. It stores people, the change log, the population of each place, and the
-- pending writes of the protocol across both databases (docs/integrity.md).
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

INSERT INTO schema (id, database, version) VALUES (1, 'people', '0.3.0');

-- Tables -----------------------------------------------------------------------------------

CREATE TABLE person (
  id INTEGER PRIMARY KEY CHECK (id > 0),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200 AND name = trim(name)),
  -- The case key: the name with case folded. The worker computes the keys, because lower() of SQLite
  -- only converts ASCII.
  name_key TEXT NOT NULL CHECK (length(name_key) > 0),
  -- The search key: the case key without accents. Null if they are equal.
  search_key TEXT CHECK (search_key <> name_key),
  -- The words of the search key, separated by spaces. Null if they equal the search key.
  words TEXT CHECK (words <> coalesce(search_key, name_key)),
  is_alive INTEGER NOT NULL DEFAULT 0 CHECK (is_alive IN (0, 1)),
  is_king INTEGER NOT NULL DEFAULT 0 CHECK (is_king IN (0, 1)),
  -- A place in the places database. A foreign key cannot refer to another database.
  place_id INTEGER CHECK (place_id > 0),
  -- Counts the states of this id. A new person with the id of a deleted one continues to count.
  version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
  -- The author of this version, for the change log: the name of the token, or null if writes are
  -- open, and the id of the import or batch, if it belongs to one. Every write sets both.
  actor TEXT,
  batch TEXT,
  -- The search key. Lists are sorted by it, then by name and id.
  sort_key TEXT GENERATED ALWAYS AS (coalesce(search_key, name_key)) VIRTUAL,
  -- The terms of the search index (crates/tables/src/search.rs).
  terms TEXT GENERATED ALWAYS AS (
    coalesce(words, search_key, name_key)
      || ' =' || replace(name_key, ' ', char(128))
      || iif(is_alive, ' +', ' -')
      || iif(is_king, ' !', '')
      || ' @' || coalesce(place_id, 0)
  ) VIRTUAL,
  -- The person as JSON without the place, as lists of people per place show it. The index
  -- person_resident contains it, so that such a list reads one range of that index and no rows
  -- of the table. Measured in SQLite with 200,000 people in 2,000 places: reading all of them
  -- takes 0.18 s instead of 1.7 s, for 77 more bytes per person. A test compares this expression
  -- with the declared columns.
  resident TEXT GENERATED ALWAYS AS (
    '{"id":' || id
      || ',"name":' || json_quote(name)
      || ',"isAlive":' || iif(is_alive, 'true', 'false')
      || ',"isKing":' || iif(is_king, 'true', 'false')
      || '}'
  ) VIRTUAL,
  CONSTRAINT the_living_have_a_place CHECK (is_alive = 0 OR place_id IS NOT NULL),
  CONSTRAINT a_king_is_alive CHECK (is_king = 0 OR is_alive = 1)
) STRICT;

-- The search index: the terms of each person, in order of id. Each filter of a list is a term or the
-- beginning of one. Spaces separate terms, so all other characters of ASCII belong to them. Triggers
-- maintain the index.
CREATE VIRTUAL TABLE person_search USING fts5 (
  terms,
  content = 'person',
  content_rowid = 'id',
  tokenize = "ascii tokenchars '!""#$%&''()*+,-./:;<=>?@[\]^_`{|}~'",
  prefix = '1 2 3',
  detail = none,
  columnsize = 0
);

-- Removes the terms of a deleted or renamed person at once. By default they stay in the index until
-- its parts are merged, but an erased name must not.
INSERT INTO person_search (person_search, rank) VALUES ('secure-delete', 1);

-- Pending writes: one row for each uncommitted write and each place that it refers to. The write
-- adds it before it checks the place, and removes it with the commit. A deletion of the place
-- revokes it. Readers never see pending writes.
CREATE TABLE pending_write (
  -- A random id of the write.
  token TEXT NOT NULL,
  -- The commit of a revoked write violates this constraint, so that it is rolled back.
  place_id INTEGER NOT NULL CONSTRAINT pending_write_is_revoked CHECK (place_id > 0),
  -- The person, if the id is known yet.
  person_id INTEGER,
  -- Milliseconds since 1970.
  since INTEGER NOT NULL,
  PRIMARY KEY (place_id, token)
) STRICT, WITHOUT ROWID;

-- The change log: one row for each version of each person. Triggers write it in the transaction
-- of the change. `seq` orders all changes: D1 runs one write transaction at a time, so a reader
-- that has seen a `seq` has seen all smaller ones. The greatest `seq` is the change sequence of
-- the database. An erasure (docs/operations.md) adds the kind `erased`, and removes the names.
CREATE TABLE person_change (
  seq INTEGER PRIMARY KEY,
  -- Milliseconds since 1970. Never decreases, even if the clock does.
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted', 'erased')),
  person_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  -- The state after the change. After a deletion or an erasure: the state before it.
  -- An erased name is null.
  name TEXT CHECK (name IS NULL OR kind <> 'erased'),
  is_alive INTEGER NOT NULL,
  is_king INTEGER NOT NULL,
  place_id INTEGER,
  -- The author of the change, as in `person`.
  actor TEXT,
  batch TEXT,
  -- A version of an id identifies one state.
  UNIQUE (person_id, version)
) STRICT;

-- The numbers of living and dead people of each place, and its king. Triggers maintain it.
-- The row with place_id 0 counts people without a place. Places without people have no row.
CREATE TABLE population (
  place_id INTEGER PRIMARY KEY CHECK (place_id >= 0),
  living INTEGER NOT NULL CHECK (living >= 0),
  dead INTEGER NOT NULL CHECK (dead >= 0),
  king_id INTEGER,
  total INTEGER NOT NULL AS (living + dead) VIRTUAL
) STRICT;

-- The history of the populations: one row for each place and each moment at which its population
-- changed. place_id 0 stands for people without a place, and -1 for all people.
CREATE TABLE population_history (
  place_id INTEGER NOT NULL CHECK (place_id >= -1),
  -- Milliseconds since 1970.
  at INTEGER NOT NULL,
  living INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  king_id INTEGER,
  -- The last change of a person at that moment. The history of a place is read from here, because
  -- the change log has no index by place. Null for all people.
  seq INTEGER,
  PRIMARY KEY (place_id, at)
) STRICT, WITHOUT ROWID;

-- The first total.
INSERT INTO population_history (place_id, at, living, dead)
VALUES (-1, CAST(unixepoch('subsec') * 1000 AS INTEGER), 0, 0);

-- Responses to POST requests with an Idempotency-Key, and receipts of import batches. The
-- transaction of the write stores them. The scheduled handler deletes them after 24 hours.
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
  -- of its person (docs/bulk.md).
  first_seq INTEGER,
  last_seq INTEGER
) STRICT, WITHOUT ROWID;

-- The row exists only during the transaction in which an import inserts a batch. Meanwhile the
-- triggers update neither the populations nor the search index, and log only people whose id is in
-- the file. The deletion of the row logs the others, and updates the populations and the search index
-- once.
CREATE TABLE bulk_insert (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- The change sequence before the batch.
  after_seq INTEGER NOT NULL,
  -- The greatest id that was used before the batch, or is in its file. People without an id in the
  -- file get greater ones.
  last_id INTEGER NOT NULL,
  -- Milliseconds since 1970.
  at INTEGER NOT NULL
) STRICT;

-- Indexes ----------------------------------------------------------------------------------
-- Every index ends with the rowid, which is the id.

-- Rule 3 (docs/rules.md): a place has at most one king.
CREATE UNIQUE INDEX one_king_a_place ON person (place_id) WHERE is_king = 1;

-- /v1/people?sort=name, with isAlive=, with name=, with both. Without isAlive=, a list merges the
-- living and the dead. The second one is for one placeId=, and the third one for isKing=true.
CREATE INDEX person_by_life_and_name ON person (is_alive, sort_key, name);
CREATE INDEX person_by_place_life_and_name ON person (place_id, is_alive, sort_key, name);
CREATE INDEX king_by_name ON person (sort_key, name) WHERE is_king = 1;

-- /v1/people/by-place, also with isAlive=, and /v1/people?placeId= sorted by id. Lists in order of id
-- with any other filter use the search index.
CREATE INDEX person_resident ON person (place_id, id, is_alive, resident);

-- /v1/people/population?sort= and /v1/statistics/places?sort=, in both directions.
CREATE INDEX population_by_living ON population (living, place_id);
CREATE INDEX population_by_total ON population (total, place_id);

-- The deletion of expired responses.
CREATE INDEX idempotency_by_age ON idempotency (at);

-- The latest erasure.
CREATE INDEX erasure ON person_change (seq) WHERE kind = 'erased';

-- Triggers ---------------------------------------------------------------------------------

-- Only an erasure changes a row: it removes the name.
CREATE TRIGGER person_change_is_never_updated BEFORE UPDATE ON person_change
WHEN new.name IS NOT NULL
  OR (old.seq, old.at, old.kind, old.person_id, old.version, old.is_alive, old.is_king, old.place_id, old.actor, old.batch)
    IS NOT (new.seq, new.at, new.kind, new.person_id, new.version, new.is_alive, new.is_king, new.place_id, new.actor, new.batch)
BEGIN SELECT raise(ABORT, 'the change log is append-only'); END;

CREATE TRIGGER person_change_is_never_deleted BEFORE DELETE ON person_change
BEGIN SELECT raise(ABORT, 'the change log is append-only'); END;

CREATE TRIGGER person_created AFTER INSERT ON person
WHEN NOT EXISTS (SELECT 1 FROM bulk_insert)
BEGIN
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, actor, batch)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      coalesce((SELECT at FROM person_change ORDER BY seq DESC LIMIT 1), 0)
    ),
    'created', new.id, new.version, new.name, new.is_alive, new.is_king, new.place_id,
    new.actor, new.batch
  );
  INSERT INTO population (place_id, living, dead, king_id)
  VALUES (coalesce(new.place_id, 0), new.is_alive, 1 - new.is_alive, iif(new.is_king, new.id, NULL))
  ON CONFLICT DO UPDATE SET
    living = living + excluded.living,
    dead = dead + excluded.dead,
    king_id = coalesce(excluded.king_id, king_id);
  INSERT INTO population_history (place_id, at, living, dead)
  SELECT -1, now.at, coalesce(total.living, 0) + new.is_alive, coalesce(total.dead, 0) + 1 - new.is_alive
  FROM (SELECT at FROM person_change ORDER BY seq DESC LIMIT 1) AS now
  LEFT JOIN (
    SELECT living, dead FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1
  ) AS total
  WHERE TRUE
  ON CONFLICT DO UPDATE SET living = excluded.living, dead = excluded.dead;
  INSERT INTO person_search (rowid, terms) VALUES (new.id, new.terms);
END;

-- During a bulk insert, for an id of the file. The end of the bulk insert does the rest.
CREATE TRIGGER person_created_in_bulk AFTER INSERT ON person
WHEN new.id <= (SELECT last_id FROM bulk_insert)
BEGIN
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, actor, batch)
  VALUES (
    (SELECT at FROM bulk_insert),
    'created', new.id, new.version, new.name, new.is_alive, new.is_king, new.place_id,
    new.actor, new.batch
  );
END;

-- In this order, because later steps read the time of the change: the change log, the population
-- of the old place, that of the new place, the total.
CREATE TRIGGER person_updated AFTER UPDATE ON person
BEGIN
  SELECT raise(ABORT, 'an update adds one to the version')
  WHERE new.version <> old.version + 1 OR new.id <> old.id;
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, actor, batch)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM person_change ORDER BY seq DESC LIMIT 1)
    ),
    'updated', new.id, new.version, new.name, new.is_alive, new.is_king, new.place_id,
    new.actor, new.batch
  );
  UPDATE population SET
    living = living - old.is_alive,
    dead = dead - (1 - old.is_alive),
    king_id = nullif(king_id, old.id)
  WHERE place_id = coalesce(old.place_id, 0) AND (
    old.place_id IS NOT new.place_id OR old.is_alive <> new.is_alive OR old.is_king <> new.is_king
  );
  INSERT INTO population (place_id, living, dead, king_id)
  SELECT coalesce(new.place_id, 0), new.is_alive, 1 - new.is_alive, iif(new.is_king, new.id, NULL)
  WHERE old.place_id IS NOT new.place_id OR old.is_alive <> new.is_alive OR old.is_king <> new.is_king
  ON CONFLICT DO UPDATE SET
    living = living + excluded.living,
    dead = dead + excluded.dead,
    king_id = coalesce(excluded.king_id, king_id);
  DELETE FROM population
  WHERE place_id = coalesce(old.place_id, 0) AND living = 0 AND dead = 0
    AND old.place_id IS NOT new.place_id;
  INSERT INTO population_history (place_id, at, living, dead)
  SELECT
    -1, now.at,
    total.living + new.is_alive - old.is_alive,
    total.dead - new.is_alive + old.is_alive
  FROM (SELECT at FROM person_change ORDER BY seq DESC LIMIT 1) AS now
  JOIN (
    SELECT living, dead FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1
  ) AS total
  WHERE old.is_alive <> new.is_alive
  ON CONFLICT DO UPDATE SET living = excluded.living, dead = excluded.dead;
  -- FTS5 removes a row by its former contents.
  INSERT INTO person_search (person_search, rowid, terms)
  SELECT 'delete', old.id, old.terms WHERE old.terms <> new.terms;
  INSERT INTO person_search (rowid, terms)
  SELECT new.id, new.terms WHERE old.terms <> new.terms;
END;

-- A deletion has an author, too, but a DELETE cannot name one. So a deletion is added to the change
-- log, and this trigger deletes the person.
CREATE TRIGGER person_deletion_logged AFTER INSERT ON person_change
WHEN new.kind = 'deleted'
BEGIN
  DELETE FROM person WHERE id = new.person_id AND version = new.version - 1;
END;

-- A DELETE that an operator has typed is logged without an author.
CREATE TRIGGER person_deleted AFTER DELETE ON person
BEGIN
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id)
  SELECT
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM person_change ORDER BY seq DESC LIMIT 1)
    ),
    'deleted', old.id, old.version + 1, old.name, old.is_alive, old.is_king, old.place_id
  WHERE NOT EXISTS (
    SELECT 1 FROM person_change WHERE person_id = old.id AND version = old.version + 1
  );
  UPDATE population SET
    living = living - old.is_alive,
    dead = dead - (1 - old.is_alive),
    king_id = nullif(king_id, old.id)
  WHERE place_id = coalesce(old.place_id, 0);
  DELETE FROM population
  WHERE place_id = coalesce(old.place_id, 0) AND living = 0 AND dead = 0;
  INSERT INTO population_history (place_id, at, living, dead)
  SELECT -1, now.at, total.living - old.is_alive, total.dead - 1 + old.is_alive
  FROM (SELECT at FROM person_change ORDER BY seq DESC LIMIT 1) AS now
  JOIN (
    SELECT living, dead FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1
  ) AS total
  WHERE TRUE
  ON CONFLICT DO UPDATE SET living = excluded.living, dead = excluded.dead;
  INSERT INTO person_search (person_search, rowid, terms) VALUES ('delete', old.id, old.terms);
END;

CREATE TRIGGER population_added AFTER INSERT ON population
BEGIN
  INSERT INTO population_history (place_id, at, living, dead, king_id, seq)
  SELECT new.place_id, at, new.living, new.dead, new.king_id, seq
  FROM person_change ORDER BY seq DESC LIMIT 1
  ON CONFLICT DO UPDATE SET
    living = excluded.living,
    dead = excluded.dead,
    king_id = excluded.king_id,
    seq = excluded.seq;
END;

CREATE TRIGGER population_updated AFTER UPDATE ON population
BEGIN
  INSERT INTO population_history (place_id, at, living, dead, king_id, seq)
  SELECT new.place_id, at, new.living, new.dead, new.king_id, seq
  FROM person_change ORDER BY seq DESC LIMIT 1
  ON CONFLICT DO UPDATE SET
    living = excluded.living,
    dead = excluded.dead,
    king_id = excluded.king_id,
    seq = excluded.seq;
END;

-- The change log is written in order of id: people are inserted in the order of another index, which
-- would touch the pages of the log and of its index at random.
--
-- The search index is written in order of id: FTS5 writes what it has in memory whenever an id is less
-- than the previous one.
CREATE TRIGGER bulk_insert_ends AFTER DELETE ON bulk_insert
BEGIN
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, actor, batch)
  SELECT old.at, 'created', id, version, name, is_alive, is_king, place_id, actor, batch
  FROM person WHERE id > old.last_id
  ORDER BY id;
  INSERT INTO person_search (rowid, terms)
  SELECT id, terms FROM person
  WHERE id IN (SELECT person_id FROM person_change WHERE seq > old.after_seq)
  ORDER BY id;
  INSERT INTO population (place_id, living, dead, king_id)
  SELECT
    coalesce(place_id, 0), sum(is_alive), sum(1 - is_alive), max(iif(is_king, person_id, NULL))
  FROM person_change
  WHERE seq > old.after_seq
  GROUP BY 1
  ON CONFLICT DO UPDATE SET
    living = living + excluded.living,
    dead = dead + excluded.dead,
    king_id = coalesce(excluded.king_id, king_id);
  INSERT INTO population_history (place_id, at, living, dead)
  SELECT
    -1, old.at,
    coalesce(total.living, 0) + added.living, coalesce(total.dead, 0) + added.dead
  FROM (
    SELECT sum(is_alive) AS living, sum(1 - is_alive) AS dead
    FROM person_change WHERE seq > old.after_seq
    HAVING count(*) > 0
  ) AS added
  LEFT JOIN (
    SELECT living, dead FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1
  ) AS total
  WHERE TRUE
  ON CONFLICT DO UPDATE SET living = excluded.living, dead = excluded.dead;
END;
