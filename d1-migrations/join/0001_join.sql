-- The database of the gateway. It stores the description of the dataset, and snapshots.

-- Identifies this schema. Databases of older versions are rejected (docs/operations.md).
CREATE TABLE schema (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  database TEXT NOT NULL,
  version TEXT NOT NULL
) STRICT;

INSERT INTO schema (id, database, version) VALUES (1, 'join', '0.3.0');

-- The description of the dataset: one row, which the root of the API shows.
CREATE TABLE dataset (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
  description TEXT NOT NULL CHECK (length(description) <= 2000),
  licence TEXT NOT NULL CHECK (length(licence) <= 200)
) STRICT;

-- Snapshots: successful responses that the gateway stores and serves while a backend is down
-- (stale-if-error, docs/reliability.md).
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  -- The media type, the path and the query of the request.
  key TEXT NOT NULL UNIQUE CHECK (length(key) <= 500),
  -- The change sequences of both databases that the response shows, each with its epoch:
  -- `7.1f09ab34`.
  places_seq TEXT NOT NULL,
  people_seq TEXT NOT NULL,
  -- Milliseconds since 1970.
  made_at INTEGER NOT NULL,
  -- When a client last requested this response, or made_at if only the scheduled handler has.
  used_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  -- One per line: the media type, the entity tag, the link, the count.
  headers TEXT NOT NULL
) STRICT;

-- The body of a snapshot, in parts, because D1 rejects values over 2 MB.
CREATE TABLE snapshot_part (
  snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
  part INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (snapshot_id, part)
) STRICT;

-- The change sequence of people at the latest erasure, if there was one: no older response is
-- stored. A response that was made before the erasure may arrive after it.
CREATE TABLE erasure (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  people_seq INTEGER NOT NULL
) STRICT;

-- The eviction of the least recently used snapshots.
CREATE INDEX snapshot_by_use ON snapshot (used_at, id, bytes);
