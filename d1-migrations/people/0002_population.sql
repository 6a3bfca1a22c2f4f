-- How many live, and lie, in each place: kept by triggers in the transaction of the
-- write itself. It lets a page of groups be planned (which places have people, and
-- how many) by one index range, however many people there are.
-- Place 0 stands for the dead of no place.
CREATE TABLE population (
  place_id INTEGER PRIMARY KEY CHECK (place_id >= 0),
  living INTEGER NOT NULL CHECK (living >= 0),
  dead INTEGER NOT NULL CHECK (dead >= 0)
) STRICT;

CREATE TRIGGER person_arrives AFTER INSERT ON person
BEGIN
  INSERT INTO population (place_id, living, dead)
  VALUES (coalesce(new.place_id, 0), new.is_alive, 1 - new.is_alive)
  ON CONFLICT (place_id) DO UPDATE
  SET living = living + excluded.living, dead = dead + excluded.dead;
END;

CREATE TRIGGER person_leaves AFTER DELETE ON person
BEGIN
  UPDATE population
  SET living = living - old.is_alive, dead = dead - (1 - old.is_alive)
  WHERE place_id = coalesce(old.place_id, 0);
  DELETE FROM population
  WHERE place_id = coalesce(old.place_id, 0) AND living = 0 AND dead = 0;
END;

CREATE TRIGGER person_moves AFTER UPDATE OF place_id, is_alive ON person
WHEN old.place_id IS NOT new.place_id OR old.is_alive <> new.is_alive
BEGIN
  UPDATE population
  SET living = living - old.is_alive, dead = dead - (1 - old.is_alive)
  WHERE place_id = coalesce(old.place_id, 0);
  INSERT INTO population (place_id, living, dead)
  VALUES (coalesce(new.place_id, 0), new.is_alive, 1 - new.is_alive)
  ON CONFLICT (place_id) DO UPDATE
  SET living = living + excluded.living, dead = dead + excluded.dead;
  DELETE FROM population
  WHERE place_id = coalesce(old.place_id, 0) AND living = 0 AND dead = 0;
END;
