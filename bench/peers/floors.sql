-- Answers, cut into parts that D1 takes.
CREATE TABLE answer (
  key TEXT NOT NULL,
  part INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (key, part)
) WITHOUT ROWID;
