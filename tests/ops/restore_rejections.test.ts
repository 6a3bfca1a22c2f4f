// Tests which backups and targets `make restore` rejects.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { Local } from "../../ops/backup/local_store.ts";
import { described, read, write } from "../../ops/backup/manifest.ts";
import { makeBackup, makeDatabases, newFolder, runBackup } from "../support/backup_helpers.ts";
import { start } from "../support/harness.ts";

suite("rejections of a restore", () => {
  let data = "";
  let from = "";
  before(async () => {
    data = await makeDatabases(true);
    from = await makeBackup(data);
  });
  const assertRejected = async (
    change: (copy: string) => void,
    why: RegExp,
    data = newFolder(),
  ) => {
    const copy = newFolder();
    cpSync(from, copy, { recursive: true });
    change(copy);
    const { code, output } = await runBackup("restore", { STATE: data, FROM: copy });
    assert.equal(code, 1);
    assert.match(output, why);
    assert.match(output, /^» failed: .*\n$/, "one line without a stack trace");
    return data;
  };
  const edited = (file: string, from: string | RegExp, to: string) => (copy: string) => {
    const path = join(copy, file);
    const text = readFileSync(path, "utf8");
    assert.notEqual(text.replace(from, to), text);
    writeFileSync(path, text.replace(from, to));
  };

  /** A copy of a dump with one change. */
  const changed = (dump: string, from: string | RegExp, to: string) => {
    const text = readFileSync(dump, "utf8");
    assert.notEqual(text.replace(from, to), text);
    const copy = newFolder();
    writeFileSync(copy, text.replace(from, to));
    return copy;
  };

  test("a_restore_rejects_a_modified_or_incomplete_backup", async () => {
    await assertRejected(edited("people.sql", "Sensei", "Sensai"), /people.sql was modified/);
    await assertRejected((copy) => rmSync(join(copy, "manifest.json")), /no manifest/);
    await assertRejected((copy) => writeFileSync(join(copy, "manifest.json"), "{"), /no manifest/);
    const remove = (copy: string) => rmSync(join(copy, "join.sql"));
    await assertRejected(remove, /incomplete: .*no such file .*join.sql/);
    const replaceByFolder = (copy: string) => {
      rmSync(join(copy, "join.sql"));
      mkdirSync(join(copy, "join.sql"));
    };
    await assertRejected(replaceByFolder, /incomplete: .*directory/);
    for (const [text, why] of [
      ["null", /format undefined/],
      ['{"format":2}', /places.sql was modified/],
    ] as const)
      await assertRejected((copy) => writeFileSync(join(copy, "manifest.json"), text), why);
    await assertRejected(
      edited("manifest.json", '"rows": 77', '"rows": 76'),
      /differ from the manifest/,
    );
    await assertRejected(edited("manifest.json", '"format": 2', '"format": 1'), /format 1/);
  });

  test("a_restore_rejects_a_backup_of_an_unknown_schema", async () => {
    const { dumps } = await read(from);
    const people = changed(dumps.people, "0001_people.sql", "0001_other.sql");
    const other = newFolder();
    await write(other, "local", { ...dumps, people });
    const { code, output } = await runBackup("restore", { STATE: newFolder(), FROM: other });
    assert.equal(code, 1);
    assert.match(output, /0001_other.sql/);
  });

  test("a_restore_rejects_databases_that_are_not_empty", async () => {
    await using system = await start({ persist: data });
    await system.join.send("POST", "/v1/places", { name: "Después" });
    const { text } = await system.join.get("/v1/places?limit=1000");
    await assertRejected(() => {}, /places is not empty/, data);
    assert.equal((await system.join.get("/v1/places?limit=1000")).text, text);
  });

  for (const [what, name, sql, query, why] of [
    [
      "a_table_of_another_project",
      "people",
      "CREATE TABLE customer (name TEXT); INSERT INTO customer VALUES ('Ana');",
      "SELECT name FROM customer",
      /people has tables that are neither in the backup nor of this version \(customer\): restore/,
    ],
    [
      "a_search_index_of_another_project",
      "join",
      "CREATE VIRTUAL TABLE note USING fts5 (name); INSERT INTO note VALUES ('Ana');",
      "SELECT name FROM note",
      /join has tables that are neither in the backup nor of this version \(note\): restore/,
    ],
    [
      "rows_in_any_table",
      "places",
      "INSERT INTO idempotency (key, fingerprint) VALUES ('k', 'f');",
      "SELECT key FROM idempotency",
      /the database places is not empty: restore into a new one/,
    ],
  ] as const) {
    test(`a_restore_rejects_a_database_with_${what}_and_does_not_change_it`, async () => {
      const target = await makeDatabases(false);
      const store = new Local(target);
      const file = newFolder();
      writeFileSync(file, sql);
      await store.load(name, file);
      const schema = "SELECT name FROM sqlite_schema ORDER BY name";
      const state = async () => [await store.query(name, query), await store.query(name, schema)];
      const before = await state();
      assert.equal(before[0]?.length, 1);
      await assertRejected(() => {}, why, target);
      assert.deepEqual(await state(), before);
    });
  }

  test("a_restore_rejects_databases_of_different_moments", async () => {
    const { dumps } = await read(from);
    const places = changed(dumps.places, /^INSERT INTO "place" .* VALUES\(3,.*\n/m, "");
    await assert.rejects(described({ ...dumps, places }), /people live in the place 3/);
    const erased = `INSERT INTO person_change (seq, at, kind, person_id, version, is_alive, is_king)
      VALUES (1000, 4000000000000, 'erased', 5, 1000, 1, 0);\n`;
    const withName = changed(dumps.people, /$/, erased);
    await assert.rejects(described({ ...dumps, people: withName }), /name of the erased person 5/);
    const people = changed(dumps.people, /$/, "nonsense;\n");
    await assert.rejects(described({ ...dumps, people }), /people: .*nonsense/);
  });
});
