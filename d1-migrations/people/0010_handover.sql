-- A register that is laid over several databases (docs/scale.md): what a person needs on the way
-- into one of them, from another one or from nowhere. Where there is one database these stay empty.

-- Who is about to arrive here: no reader sees them, and nobody else gets their crown.
CREATE TABLE arrival (
  -- The handover that they are a part of, and who they are in it.
  token TEXT NOT NULL CHECK (length(token) = 36),
  n INTEGER NOT NULL CHECK (n >= 0),
  -- Null until it is decided: then the first id that is free, and `n` behind it.
  person_id INTEGER CHECK (person_id > 0),
  version INTEGER NOT NULL CHECK (version > 0),
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  is_alive INTEGER NOT NULL,
  is_king INTEGER NOT NULL,
  place_id INTEGER,
  -- The database that they leave, or in which their id was used before, and that decides; null for
  -- the new, of whom the first decides.
  origin TEXT,
  -- How they are logged.
  kind TEXT NOT NULL CHECK (kind IN ('created', 'updated')),
  at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  PRIMARY KEY (token, n)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX arrival_by_person ON arrival (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX arrival_by_place ON arrival (place_id);
CREATE INDEX arrival_by_age ON arrival (at);
CREATE INDEX arrival_by_origin ON arrival (origin) WHERE origin IS NOT NULL;
CREATE INDEX arrival_unnumbered ON arrival (token) WHERE person_id IS NULL;

-- What became of a handover that this database decides. Who writes it first has decided: the
-- one who hands over, in the transaction in which the people leave, or who gives up waiting.
CREATE TABLE decision (
  token TEXT PRIMARY KEY CHECK (length(token) = 36),
  is_done INTEGER NOT NULL CHECK (is_done IN (0, 1)),
  -- The first id for those without one.
  first_id INTEGER,
  at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) STRICT, WITHOUT ROWID;

CREATE INDEX decision_by_age ON decision (at);

-- The greatest id that was ever given, in the first database.
CREATE TABLE id_sequence (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last INTEGER NOT NULL
) STRICT;

-- How many have gone to each other database, and come from it: where one's numbers are not the
-- other's, a reader of both has seen somebody in neither or in both.
CREATE TABLE passage (
  peer TEXT PRIMARY KEY,
  went INTEGER NOT NULL,
  came INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- There within a transaction in which people pass alone. Who goes or comes then is logged as
-- `updated`: with nobody behind it where they have gone from.
CREATE TABLE passing (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  kind TEXT NOT NULL
) STRICT;

-- A crown on the way is taken. The message is that of the index `one_king_a_place`.
CREATE TRIGGER crown_is_promised_to_one BEFORE INSERT ON arrival
WHEN new.is_king = 1 AND (
  EXISTS (SELECT 1 FROM person WHERE place_id = new.place_id AND is_king = 1)
  OR EXISTS (SELECT 1 FROM arrival WHERE place_id = new.place_id AND is_king = 1)
)
BEGIN SELECT raise(ABORT, 'UNIQUE constraint failed: person.place_id'); END;

CREATE TRIGGER crown_is_on_the_way BEFORE INSERT ON person
WHEN new.is_king = 1 AND NOT EXISTS (SELECT 1 FROM passing)
  AND EXISTS (SELECT 1 FROM arrival WHERE place_id = new.place_id AND is_king = 1)
BEGIN SELECT raise(ABORT, 'UNIQUE constraint failed: person.place_id'); END;

CREATE TRIGGER crown_is_on_the_way_to_another BEFORE UPDATE OF is_king, place_id ON person
WHEN new.is_king = 1
  AND EXISTS (SELECT 1 FROM arrival WHERE place_id = new.place_id AND is_king = 1)
BEGIN SELECT raise(ABORT, 'UNIQUE constraint failed: person.place_id'); END;

DROP TRIGGER person_created;

CREATE TRIGGER person_created AFTER INSERT ON person
BEGIN
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, exists_then)
  VALUES (
    coalesce(
      (SELECT at FROM bulk),
      max(
        CAST(unixepoch('subsec') * 1000 AS INTEGER),
        coalesce((SELECT at FROM person_change ORDER BY seq DESC LIMIT 1), 0)
      )
    ),
    coalesce((SELECT kind FROM passing), 'created'),
    new.id, new.version, new.name, new.is_alive, new.is_king, new.place_id, 1
  );
  INSERT INTO population (place_id, living, dead, king_id)
  SELECT coalesce(new.place_id, 0), new.is_alive, 1 - new.is_alive, iif(new.is_king, new.id, NULL)
  WHERE NOT EXISTS (SELECT 1 FROM bulk)
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
  WHERE NOT EXISTS (SELECT 1 FROM bulk)
  ON CONFLICT DO UPDATE SET living = excluded.living, dead = excluded.dead;
END;

DROP TRIGGER person_deleted;

CREATE TRIGGER person_deleted AFTER DELETE ON person
BEGIN
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, exists_then)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM person_change ORDER BY seq DESC LIMIT 1)
    ),
    coalesce((SELECT kind FROM passing), iif(old.unsettled_since IS NULL, 'deleted', 'undone')),
    old.id, old.version + 1, old.name, old.is_alive, old.is_king, old.place_id, 0
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
END;
