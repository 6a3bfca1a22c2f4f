-- The receipt of an import's batch names the changes that it is about, from the first `seq` to the
-- last: it is valid while each of them is the latest change of its place (docs/bulk.md).
ALTER TABLE idempotency ADD COLUMN first_seq INTEGER;
ALTER TABLE idempotency ADD COLUMN last_seq INTEGER;
