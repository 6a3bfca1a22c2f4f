-- The receipt of an import's batch names the changes that it is about, from the first `seq` to the
-- last: it is valid while each of them is the latest change of its person (docs/bulk.md).
ALTER TABLE idempotency ADD COLUMN first_seq INTEGER;
ALTER TABLE idempotency ADD COLUMN last_seq INTEGER;

-- The inserts of a batch while they are being written: a row that is there within one
-- transaction alone. Meanwhile each person is logged as always, at the one time that stands
-- here, and the populations wait: when the row goes they are counted once for the whole batch.
CREATE TABLE bulk (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- The change counter before.
  after_seq INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER bulk_ends AFTER DELETE ON bulk
BEGIN
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
    'created', new.id, new.version, new.name, new.is_alive, new.is_king, new.place_id, 1
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
