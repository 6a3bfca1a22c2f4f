-- The population of each place as it was: a row for each moment at which it changed, so
-- that statistics can be asked as of any time. Place 0 stands for those of no place, and
-- -1 for everyone.
CREATE TABLE population_history (
  place_id INTEGER NOT NULL CHECK (place_id >= -1),
  -- Milliseconds since 1970.
  at INTEGER NOT NULL,
  living INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  king_id INTEGER,
  PRIMARY KEY (place_id, at)
) STRICT, WITHOUT ROWID;

ALTER TABLE population ADD COLUMN king_id INTEGER;
UPDATE population SET king_id = (
  SELECT id FROM person WHERE place_id = population.place_id AND is_king = 1
);
CREATE INDEX population_by_living ON population (living, place_id);

INSERT INTO population_history
SELECT place_id, CAST(unixepoch('subsec') * 1000 AS INTEGER), living, dead, king_id FROM population
UNION ALL
SELECT -1, CAST(unixepoch('subsec') * 1000 AS INTEGER), coalesce(sum(living), 0), coalesce(sum(dead), 0), NULL
FROM population;

CREATE TRIGGER population_begins AFTER INSERT ON population
BEGIN
  INSERT INTO population_history (place_id, at, living, dead, king_id)
  SELECT new.place_id, at, new.living, new.dead, new.king_id
  FROM person_change ORDER BY seq DESC LIMIT 1
  ON CONFLICT DO UPDATE
  SET living = excluded.living, dead = excluded.dead, king_id = excluded.king_id;
END;

CREATE TRIGGER population_changes AFTER UPDATE ON population
BEGIN
  INSERT INTO population_history (place_id, at, living, dead, king_id)
  SELECT new.place_id, at, new.living, new.dead, new.king_id
  FROM person_change ORDER BY seq DESC LIMIT 1
  ON CONFLICT DO UPDATE
  SET living = excluded.living, dead = excluded.dead, king_id = excluded.king_id;
END;

-- One trigger for each kind of write, so that its steps have an order: the change, the
-- place that is left, the place that is entered.
DROP TRIGGER person_arrives;
DROP TRIGGER person_leaves;
DROP TRIGGER person_moves;

CREATE TRIGGER person_created AFTER INSERT ON person
BEGIN
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, exists_then)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      coalesce((SELECT at FROM person_change ORDER BY seq DESC LIMIT 1), 0)
    ),
    'created', new.id, new.version, new.name, new.is_alive, new.is_king, new.place_id, 1
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
END;

CREATE TRIGGER person_updated
AFTER UPDATE OF id, name, name_key, is_alive, is_king, place_id, version ON person
BEGIN
  SELECT raise(ABORT, 'a change raises the version by one')
  WHERE new.version <> old.version + 1 OR new.id <> old.id;
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, exists_then)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM person_change ORDER BY seq DESC LIMIT 1)
    ),
    iif(old.unsettled_since IS NULL, 'updated', 'undone'),
    new.id, new.version, new.name, new.is_alive, new.is_king, new.place_id, 1
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
  WHERE place_id = coalesce(old.place_id, 0) AND living = 0 AND dead = 0;
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
END;

CREATE TRIGGER person_deleted AFTER DELETE ON person
BEGIN
  INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, exists_then)
  VALUES (
    max(
      CAST(unixepoch('subsec') * 1000 AS INTEGER),
      (SELECT at FROM person_change ORDER BY seq DESC LIMIT 1)
    ),
    iif(old.unsettled_since IS NULL, 'deleted', 'undone'),
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
