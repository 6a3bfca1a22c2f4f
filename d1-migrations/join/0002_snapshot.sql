-- The last good answers, to be given again while a service is down (docs/reliability.md).
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  -- The form, the path and the query that it answers.
  key TEXT NOT NULL UNIQUE CHECK (length(key) <= 500),
  -- The registers' change counters that it is made from.
  places_mark INTEGER NOT NULL,
  people_mark INTEGER NOT NULL,
  -- Milliseconds since 1970.
  made_at INTEGER NOT NULL,
  -- When a reader last got it; when it was made, where only the schedule has.
  asked_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  -- A line each: the media type, the tag, the link, the count.
  headers TEXT NOT NULL
) STRICT;

CREATE INDEX snapshot_by_asked ON snapshot (asked_at, id, bytes);

-- A body is cut into parts, because D1 keeps no value over 2 MB.
CREATE TABLE snapshot_part (
  snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
  part INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (snapshot_id, part)
) STRICT;
