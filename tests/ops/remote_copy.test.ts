// Tests the copy of a deployed database that changes while it is copied. A local database stands in
// for the deployed one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { RemoteCopy } from "../../ops/backup/remote_copy.ts";
import type { Name } from "../../ops/workers.ts";

const migrations = `CREATE TABLE d1_migrations (
  id INTEGER PRIMARY KEY, name TEXT UNIQUE, applied_at TIMESTAMP
)`;

/** An empty database. */
function emptyDatabase(name: Name): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(migrations);
  database.exec(readFileSync(`d1-migrations/${name}/0001_${name}.sql`, "utf8"));
  return database;
}

/** Copies a database. `after` is called after each query of the copy. */
async function copyOf(
  name: Name,
  source: DatabaseSync,
  after: (sql: string) => void = () => {},
): Promise<RemoteCopy> {
  const read = async (sql: string) => {
    const rows = source.prepare(sql).all();
    after(sql);
    return rows;
  };
  const copy = await RemoteCopy.make(name, read, ":memory:");
  await copy.catchUp();
  return copy;
}

/** The rows of a query. */
const rows = (database: DatabaseSync, sql: string) =>
  database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));

/** Whether a query reads a page of a table. */
const isPageOf = (table: string, sql: string) =>
  sql.includes(`FROM "${table}"`) && sql.includes("LIMIT") && !sql.includes("UNION");

test("a_copy_has_no_name_of_a_deleted_person_who_was_erased_meanwhile", async () => {
  const source = emptyDatabase("people");
  source.exec(`INSERT INTO person (id, name, name_key, is_alive, place_id)
    VALUES (1, 'Secret', 'secret', 1, 1), (2, 'Other', 'other', 1, 1)`);
  source.exec("DELETE FROM person WHERE id = 1");
  const log = "SELECT * FROM person_change ORDER BY seq";
  assert.equal(rows(source, log).filter(({ name }) => name === "Secret").length > 0, true);
  // As the worker erases a person who is deleted already (store/erasure.rs).
  const erase = `INSERT INTO person_change (at, kind, person_id, version, is_alive, is_king, place_id)
    SELECT at, 'erased', person_id, version + 1, is_alive, is_king, place_id
    FROM person_change WHERE person_id = 1 ORDER BY version DESC LIMIT 1;
    UPDATE person_change SET name = NULL WHERE person_id = 1`;
  let pages = 0;
  const copy = await copyOf("people", source, (sql) => {
    if (!isPageOf("person", sql)) return;
    pages += 1;
    source.exec(erase);
  });
  assert.equal(pages, 1);
  assert.deepEqual(rows(copy.database, log), rows(source, log));
  assert.ok(!JSON.stringify(rows(copy.database, log)).includes("Secret"));
});

test("a_copy_has_each_response_that_was_stored_while_it_was_made", async () => {
  const source = emptyDatabase("people");
  const start = 1_800_000_000_000;
  const add = source.prepare(
    "INSERT INTO idempotency (key, fingerprint, at, record_id, version) VALUES (?, 'f', ?, 1, 1)",
  );
  for (let n = 0; n < 9_000; n += 1) add.run(`key-${n}`, start + n);
  // The keys of some new responses lie before the page that is read, and those of others after it.
  let pages = 0;
  const copy = await copyOf("people", source, (sql) => {
    if (!isPageOf("idempotency", sql)) return;
    pages += 1;
    for (const key of ["a", "z"]) add.run(`${key}-${pages}`, start + 10_000 + pages * 15_000);
  });
  assert.ok(pages >= 4, `${pages} pages`);
  const keys = "SELECT key FROM idempotency ORDER BY key";
  assert.deepEqual(rows(copy.database, keys), rows(source, keys));
});

test("a_copy_has_the_tombstones_of_several_batches_of_deletions", async () => {
  const source = emptyDatabase("places");
  const add = source.prepare(
    "INSERT INTO tombstone (place_id, phase, since, actor) VALUES (?, 'deleting', 1, ?)",
  );
  for (let id = 1; id <= 9_000; id += 1) add.run(id, "a".repeat(64));
  const copy = await copyOf("places", source);
  const all = "SELECT * FROM tombstone ORDER BY token";
  assert.deepEqual(rows(copy.database, all), rows(source, all));
});
