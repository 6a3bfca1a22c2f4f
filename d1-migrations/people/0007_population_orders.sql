-- Places in order of population: the fewest or the most first, and by id among equals. One
-- column and one index an order, each ascending, so that a page goes on from (number, place)
-- by one seek: a row-value comparison can't run down one column and up the next.
ALTER TABLE population ADD COLUMN total INTEGER NOT NULL AS (living + dead) VIRTUAL;
ALTER TABLE population ADD COLUMN living_down INTEGER NOT NULL AS (-living) VIRTUAL;
ALTER TABLE population ADD COLUMN total_down INTEGER NOT NULL AS (-(living + dead)) VIRTUAL;

CREATE INDEX population_by_living_down ON population (living_down, place_id);
CREATE INDEX population_by_total ON population (total, place_id);
CREATE INDEX population_by_total_down ON population (total_down, place_id);
