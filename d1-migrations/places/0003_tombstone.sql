-- Places on their way out (docs/integrity.md). A place is marked here before its people
-- are counted; the mark is lifted if somebody lives there, or else outlives the place
-- until nobody refers to it any more.
CREATE TABLE tombstone (
  -- Whose deletion it is. One that takes it over gets a greater token, and who had the old
  -- one can do nothing any more.
  token INTEGER PRIMARY KEY AUTOINCREMENT,
  place_id INTEGER NOT NULL UNIQUE CHECK (place_id > 0),
  phase TEXT NOT NULL CHECK (phase IN ('going', 'gone')),
  -- Where its living people go. That place is not deleted meanwhile.
  reassign_to INTEGER CHECK (reassign_to > 0 AND reassign_to <> place_id),
  since INTEGER NOT NULL
) STRICT;

CREATE INDEX tombstone_receives ON tombstone (reassign_to) WHERE reassign_to IS NOT NULL;
