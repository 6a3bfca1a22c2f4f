// Tests seed.sql: its sections, and that its rows obey the rules of the data.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joined } from "node:path";
import { after, test } from "node:test";
import { Local } from "../../ops/backup/local_store.ts";
import { prepare } from "../../ops/containers/database.ts";
import { plans } from "../../ops/containers/plan.ts";
import { sections } from "../../ops/seed.ts";
import { names } from "../../ops/workers.ts";
import { makeDatabases, newFolder } from "../support/backup_helpers.ts";
import { joinPeoplePerPlace, type Person, type Place } from "../support/fixtures.ts";
import { nameKeys, start } from "../support/harness.ts";

const system = await start({ seed: true });
after(() => system.dispose());
const { join } = system;
const everything = async <T>(path: string): Promise<T[]> => await join.records(path);
const places = await everything<Place>("/v1/places");
const people = await everything<Person>("/v1/people");

test("a_seed_section_reaches_from_its_heading_to_the_next", () => {
  const text =
    "-- about\n-- database: places\nINSERT 1;\n\n--database: x\n-- database:people  \nINSERT 2;";
  const found = [...sections(text)];
  assert.deepEqual(found, [
    ["places", "INSERT 1;\n\n--database: x"],
    ["people", "INSERT 2;"],
  ]);
  assert.equal(sections("").size, 0);
  assert.equal(sections("-- database: join").get("join"), "");
  assert.equal(sections("SELECT 1; -- database: join").size, 0);
});

test("an_unknown_or_repeated_seed_section_is_rejected", () => {
  assert.throws(() => sections("-- database: kings\n"), /no database "kings"/);
  assert.throws(() => sections("-- database: people\n-- database: people\n"), /two sections/);
});

test("the_seed_has_a_section_for_each_database", () => {
  const seed = readFileSync(new URL("../../seed.sql", import.meta.url), "utf8");
  assert.deepEqual([...sections(seed).keys()].sort(), ["join", "people", "places"]);
});

test("every_seeded_key_is_the_one_that_the_worker_computes", async () => {
  await using empty = await start();
  const keys = "name, name_key, search_key, words";
  for (const [database, table] of [
    ["places", "place"],
    ["people", "person"],
  ] as const) {
    const select = `SELECT ${keys} FROM ${table} ORDER BY name, id`;
    const seeded = await system.db[database].rows(select);
    const lines = seeded.map(({ name }) => JSON.stringify({ name })).join("\n");
    const type = { "content-type": "application/x-ndjson" };
    const imported = await empty.join.request("POST", `/v1/${database}/import`, type, lines);
    assert.equal(imported.status, 200, imported.text);
    assert.deepEqual(await empty.db[database].rows(select), seeded);
    for (const { name, name_key, search_key, words } of seeded) {
      const expected = { key: name_key, searchKey: search_key, words };
      assert.deepEqual(nameKeys(String(name)), expected);
    }
  }
});

test("the_seed_has_records_of_every_kind", async () => {
  assert.ok(places.length >= 26, `${places.length} places`);
  assert.ok(people.length >= 60, `${people.length} people`);
  assert.ok(people.some(({ isAlive, placeId }) => !isAlive && placeId === null));
  assert.ok(people.some(({ isAlive, placeId }) => !isAlive && placeId !== null));
  assert.ok(people.filter(({ isKing }) => isKing).length > 1);
  assert.ok(joinPeoplePerPlace(places, people).some(({ people }) => people.length === 0));
  const { title, description, licence } = (await join.get("/v1")).json;
  assert.ok(title && description && licence);
});

test("every_seeded_person_lives_in_an_existing_place", () => {
  const ids = new Set(places.map(({ id }) => id));
  for (const { placeId, name } of people) assert.ok(placeId === null || ids.has(placeId), name);
});

test("the_seed_contains_the_required_rows", () => {
  const named = (rows: Place[]) => rows.slice(0, 3).map(({ id, name }) => [id, name]);
  assert.deepEqual(named(places), [
    [1, "Descaro del Rey"],
    [2, "Más allá del Zumo"],
    [3, "Veranolandia"],
  ]);
  for (const [name, placeId, isAlive] of [
    ["Sensei Lamister", 1, true],
    ["Aiba Stack", 3, true],
    ["Joaquín Nevado", 3, true],
    ["Dedo Gordo", null, false],
    ["Juanito Lamister", 1, true],
    ["Nerf Stack", 3, true],
  ] as const) {
    const found = people.filter((person) => person.name === name);
    assert.deepEqual(
      found.map((person) => [person.placeId, person.isAlive]),
      [[placeId, isAlive]],
      name,
    );
  }
  assert.equal(people.find(({ id }) => id === 1)?.name, "Sensei Lamister");
});

test("the_seeded_people_per_place_equal_the_join_of_both_lists", async () => {
  assert.deepEqual(
    await everything("/v1/people-per-place?limit=10"),
    joinPeoplePerPlace(places, people),
  );
});

/** Runs a program on the databases in a folder, and returns its exit code and output. */
function run(program: string, args: string[], state: string) {
  const env = { ...process.env, STATE_ROOT: state };
  const all = ["--disable-warning=ExperimentalWarning", program, ...args];
  return new Promise<{ code: unknown; output: string }>((done) => {
    execFile(process.execPath, all, { env }, (error, stdout, stderr) =>
      done({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

test("a_database_whose_records_were_all_deleted_is_not_seeded_again", async () => {
  const state = newFolder();
  const data = await makeDatabases(true, joined(state, "v3/d1"));
  const deleteAll = async () => {
    await using seeded = await start({ persist: data });
    for (const database of ["people", "places"] as const) {
      const rows = await seeded.join.records<Place>(`/v1/${database}`);
      const operations = rows.map(({ id }) => ({ op: "delete", id }));
      const { status, text } = await seeded.join.send("POST", `/v1/${database}/batch`, operations);
      assert.equal(status, 200, text);
    }
  };
  await deleteAll();
  // A container starts again.
  const all = plans();
  for (const name of names) await prepare(name, all[name], data, true);
  const { code, output } = await run("ops/seed.ts", [], state);
  assert.equal(code, 0, output);
  const skipped = output.match(/has or had records: skipped/g) ?? [];
  assert.equal(skipped.length, 3, output);
  await using system = await start({ persist: data });
  for (const path of ["/v1/people", "/v1/places"]) {
    assert.deepEqual((await system.join.get(path)).json, []);
  }
});

test("a_migration_of_an_older_database_fails_in_one_line_and_does_not_change_it", async () => {
  const state = mkdtempSync(joined(tmpdir(), "older-"));
  after(() => rmSync(state, { recursive: true, force: true }));
  const store = new Local(joined(state, "v3/d1"));
  const older = joined(state, "older.sql");
  writeFileSync(older, "CREATE TABLE person (id INTEGER PRIMARY KEY);");
  await store.load("people", older);
  const { code, output } = await run("ops/migrate.ts", ["people"], state);
  assert.equal(code, 1, output);
  assert.match(output, /^» an older version made the database people: run `rm -r .*\n$/);
  const tables =
    "SELECT name FROM sqlite_schema WHERE name IN ('person', 'schema', 'd1_migrations')";
  const left = await store.query("people", tables);
  assert.deepEqual(
    left.map(({ name }) => name),
    ["person"],
  );
});
