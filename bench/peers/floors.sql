-- Stores each response in parts that fit into D1.
CREATE TABLE answer (
  key TEXT NOT NULL,
  part INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (key, part)
) WITHOUT ROWID;
