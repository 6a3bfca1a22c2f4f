-- What this registry is: one row, shown at the root of the API.
CREATE TABLE dataset (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  title TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
  description TEXT NOT NULL CHECK (length(description) <= 2000),
  licence TEXT NOT NULL CHECK (length(licence) <= 200)
) STRICT;
