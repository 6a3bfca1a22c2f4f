-- The answers to POSTs that came with an Idempotency-Key, stored in the transaction of
-- the write itself and swept after 24 hours.
CREATE TABLE idempotency (
  key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
  -- Of method, address and body.
  fingerprint TEXT NOT NULL,
  at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  -- The record that the write made, and its version.
  record_id INTEGER,
  version INTEGER,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (at);
-- A write that is taken back takes its answer along.
CREATE INDEX idempotency_by_record ON idempotency (record_id) WHERE record_id IS NOT NULL;
