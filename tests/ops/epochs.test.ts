// After a restore, new states get versions and change sequences that older states had before. A
// restore sets new epochs, so that nothing from before it counts as current.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { read, write } from "../../ops/backup/manifest.ts";
import {
  makeBackup,
  makeDatabases,
  newFolder,
  restoreBackup,
  runBackup,
} from "../support/backup_helpers.ts";
import { EPOCH } from "../support/fixtures.ts";
import { type ApiResponse, nextLink, type System, start } from "../support/harness.ts";
import { writeScheduledSnapshots } from "../support/stale_helpers.ts";

const records = ["/v1/places/1", "/v1/people/1"];
const lists = [
  "/v1/places",
  "/v1/places/as-of",
  "/v1/people?limit=5",
  "/v1/people/by-place",
  "/v1/people/population",
  "/v1/people-per-place",
  "/v1/people-per-place/1",
  "/v1/statistics/places",
];
const changes = [
  "/v1/changes",
  "/v1/places/changes",
  "/v1/people/changes",
  "/v1/places/1/history?limit=1",
  "/v1/people/1/history?limit=1",
];

/** Writes as many versions of as many records for every name. */
async function writeVersions({ join }: System, name: string): Promise<void> {
  for (const path of records) {
    for (const number of [1, 2]) {
      const body = { name: `${name} ${number} ${path}` };
      const { status, text } = await join.send("PATCH", path, body);
      assert.equal(status, 200, text);
    }
  }
}

/** The entity tags and the cursors that a client gets. */
async function readAll({ join }: System) {
  const tags = new Map<string, string>();
  const nextPages = new Map<string, string>();
  const read = async (path: string): Promise<ApiResponse> => {
    const response = await join.get(path);
    assert.equal(response.status, 200, `${path}: ${response.text}`);
    return response;
  };
  for (const path of [...records, ...lists]) tags.set(path, (await read(path)).etag);
  for (const path of changes) {
    nextPages.set(path, nextLink(await read(path)) ?? assert.fail(`${path} has no next page`));
  }
  return { tags, nextPages };
}

/** Checks that nothing that a client read before is taken as current. */
async function assertRestarted(
  { join }: System,
  { tags, nextPages }: Awaited<ReturnType<typeof readAll>>,
): Promise<void> {
  for (const [path, etag] of tags) {
    const response = await join.get(path, { "if-none-match": etag });
    assert.equal(response.status, 200, path);
    assert.notEqual(response.etag, etag, path);
  }
  for (const path of records) {
    const stale = { "if-match": tags.get(path) ?? "" };
    for (const method of ["PATCH", "PUT"]) {
      const rejected = await join.send(method, path, { name: "Pisado" }, stale);
      assert.deepEqual([rejected.status, rejected.json.version], [412, 3], `${method} ${path}`);
      const current = { "if-none-match": rejected.json.etag };
      assert.equal((await join.get(path, current)).status, 304, path);
    }
    assert.equal((await join.request("DELETE", path, stale)).status, 412, path);
  }
  for (const [path, next] of nextPages) {
    const rejected = await join.get(next);
    assert.deepEqual([rejected.status, rejected.json.type], [410, "/problems/history-restarted"]);
    assert.match(rejected.json.detail, /read again from the beginning/);
    assert.equal((await join.get(path)).status, 200, path);
  }
}

const snapshotRows = async ({ db }: System) => ({
  heads: await db.join.rows("SELECT * FROM snapshot"),
  parts: await db.join.rows("SELECT * FROM snapshot_part"),
});

async function insertSnapshots(
  { db }: System,
  { heads, parts }: Awaited<ReturnType<typeof snapshotRows>>,
): Promise<void> {
  await db.join.exec("DELETE FROM snapshot");
  for (const [table, rows] of [
    ["snapshot", heads],
    ["snapshot_part", parts],
  ] as const) {
    const columns = Object.keys(rows[0] ?? {});
    const values = columns.map((column) => `value ->> '${column}'`);
    const sql = `INSERT INTO ${table} (${columns}) SELECT ${values} FROM json_each(?1)`;
    await db.join.insert(rows, sql);
  }
}

test("a_restore_invalidates_the_tags_cursors_and_snapshots_of_the_lost_history", async () => {
  const data = await makeDatabases(true);
  const from = await makeBackup(data);
  const lose = async () => {
    await using system = await start({ persist: data });
    await writeVersions(system, "Perdido");
    const known = await readAll(system);
    await writeScheduledSnapshots(system);
    await system.join.get("/v1/people-per-place?limit=2");
    return { known, snapshots: await snapshotRows(system) };
  };
  const { known, snapshots } = await lose();

  const restored = newFolder();
  await restoreBackup(from, restored);
  await using system = await start({ persist: restored, switchableFaults: true });
  await writeVersions(system, "Nuevo");
  await assertRestarted(system, known);

  // A snapshot of the lost history, with the same change sequences as the present state.
  await insertSnapshots(system, snapshots);
  const isLost = (rows: Record<string, unknown>[]) =>
    rows.some(({ body }) => String(body).includes("Perdido"));
  assert.ok(isLost((await snapshotRows(system)).parts));
  await system.join.get("/v1/people-per-place?limit=3");
  await system.setFault("people", "throws");
  const partial = await system.join.get("/v1/statistics/places");
  assert.equal(partial.status, 502, partial.text);
  await system.setFault("people");
  await writeScheduledSnapshots(system);
  assert.ok(!isLost((await snapshotRows(system)).parts), "the schedule replaces or deletes them");
});

test("a_new_epoch_after_time_travel_invalidates_tags_and_cursors", async () => {
  const data = await makeDatabases(true);
  const readBefore = async () => {
    await using system = await start({ persist: data });
    await writeVersions(system, "Perdido");
    return await readAll(system);
  };
  const known = await readBefore();
  const { code, output } = await runBackup("epoch", { STATE: data });
  assert.equal(code, 0, output);
  await using system = await start({ persist: data });
  await assertRestarted(system, known);
});

test("a_restore_sets_a_new_epoch_even_if_the_dump_contains_one", async () => {
  const { dumps } = await read(await makeBackup(await makeDatabases(true)));
  // As a dump by wrangler.
  const withEpoch = (dump: string) => {
    const sql = readFileSync(dump, "utf8").replace(
      /^INSERT INTO "schema" \("id","database","version"\) VALUES\((.*)\);$/m,
      `INSERT INTO "schema" VALUES($1,'${EPOCH}');`,
    );
    assert.match(sql, new RegExp(`'${EPOCH}'`));
    const copy = newFolder();
    writeFileSync(copy, sql);
    return copy;
  };
  const [places, people] = [withEpoch(dumps.places), withEpoch(dumps.people)];
  const from = newFolder();
  await write(from, "local", { ...dumps, places, people });
  const epochs: unknown[] = [EPOCH];
  for (const data of [newFolder(), newFolder()]) {
    await restoreBackup(from, data);
    await using system = await start({ persist: data });
    for (const name of ["places", "people"] as const) {
      epochs.push((await system.db[name].rows("SELECT epoch FROM schema"))[0]?.epoch);
    }
  }
  assert.equal(new Set(epochs).size, 5, epochs.join());
});
