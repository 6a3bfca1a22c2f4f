// Tests `make backup` and `make restore`. A backup is consistent across both databases, even during
// writes. A restore reproduces the system exactly.
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { untilConsistent } from "../../ops/backup/fence.ts";
import { Local } from "../../ops/backup/local_store.ts";
import { described, read } from "../../ops/backup/manifest.ts";
import type { Name } from "../../ops/workers.ts";
import {
  folder,
  makeBackup,
  makeDatabases,
  newFolder,
  restoreBackup,
  runBackup,
} from "../support/backup_helpers.ts";
import { type System, start } from "../support/harness.ts";

/** The paths of every GET route in the OpenAPI document, with ids and parameters. */
function routes(): string[] {
  const { paths } = JSON.parse(readFileSync("openapi/join.json", "utf8"));
  const reading = Object.keys(paths).filter((path) => paths[path].get);
  assert.ok(reading.length >= 18);
  const needed: Record<string, string> = {
    "/v1/places/as-of": "?asOf=2100-01-01T00:00:00Z&ids=1,2,3,31,32",
    "/v1/people/by-place": "?limit=1000",
    "/v1/people/population": "?limit=1000",
  };
  // A series without an end has other points each time.
  const period = "?from=2026-11-01&to=2026-11-02";
  for (const path of reading) if (path.endsWith("/series")) needed[path] = period;
  const recordPaths = reading.flatMap((path) => {
    if (!path.includes("{")) return [path + (needed[path] ?? "")];
    const ids = [1, 2, 3, 10, 31, 32, 78, 79, 80];
    return ids.map((id) => path.replace(/\{\w+\}/, String(id)) + (needed[path] ?? ""));
  });
  const listPaths = [
    "places?limit=1000&count=exact",
    "people?sort=-name&limit=1000",
    "changes?limit=1000",
  ];
  listPaths.push("people-per-place?limit=1000", "statistics/places?sort=-living&limit=1000");
  return [...recordPaths, ...listPaths.map((path) => `/v1/${path}`)];
}

const VARYING_HEADERS = ["date", "x-request-id", "server-timing", "x-d1-bookmark", "keep-alive"];

/** Replaces the epochs of both databases by their names, also in cursors. They are new after a
 * restore. */
async function epochMask({ db }: System): Promise<(text: string) => string> {
  const inHex = (text: string) => Buffer.from(text).toString("hex");
  const replacements: [string, string][] = [];
  for (const name of ["places", "people"] as const) {
    const [row] = await db[name].rows("SELECT epoch FROM schema");
    const epoch = String(row?.epoch);
    replacements.push([epoch, `(${name})`], [inHex(epoch), `(${name})`]);
  }
  return (text) => replacements.reduce((masked, [from, to]) => masked.replaceAll(from, to), text);
}

/** The status, headers and body of every route, without what differs between requests. */
async function readEveryRoute(system: System): Promise<Record<string, unknown>> {
  const responses: Record<string, unknown> = {};
  const mask = await epochMask(system);
  for (const path of routes()) {
    const { status, allHeaders: headers, text } = await system.join.get(path);
    const comparedHeaders = [...headers]
      .filter(([name]) => !VARYING_HEADERS.includes(name))
      .map(([name, value]) => [name, mask(value)]);
    const id = /,"requestId":"[0-9a-f]{32}"/;
    responses[path] = {
      status,
      headers: Object.fromEntries(comparedHeaders),
      text: text.replace(id, ""),
    };
  }
  return responses;
}

/** Writes of every kind, so that a backup contains changes, deletions and an idempotency key. */
async function writeSomeOfEverything({ join }: System): Promise<void> {
  const key = { "idempotency-key": "once" };
  const steps: [string, string, object?, Record<string, string>?][] = [
    ["POST", "/v1/places", { name: "Tres 'líneas' \\n \"citas\"" }, key],
    ["POST", "/v1/places", { name: "Efímera" }],
    ["POST", "/v1/people", { name: "Ana \\ Ñ 🐉", isAlive: true, placeId: 31 }],
    ["POST", "/v1/people", { name: "Breve", isAlive: true, placeId: 32 }],
    ["PATCH", "/v1/people/78", { isKing: true }],
    ["PATCH", "/v1/people/79", { name: "Breve II" }],
    ["DELETE", "/v1/places/32?reassignTo=31"],
    ["PATCH", "/v1/people/10", { isAlive: false, isKing: false }],
    ["DELETE", "/v1/people/2"],
  ];
  for (const [method, path, body, headers] of steps) {
    const { status, text } = body
      ? await join.send(method, path, body, headers)
      : await join.request(method, path);
    assert.ok(status < 300, `${method} ${path}: ${text}`);
  }
}

test("a_restored_system_responds_to_every_route_exactly_as_before", async () => {
  const data = await makeDatabases(true);
  const backupWhileRunning = async () => {
    await using system = await start({ persist: data });
    await writeSomeOfEverything(system);
    // The backup is made while the system runs.
    return { before: await readEveryRoute(system), from: await makeBackup(data) };
  };
  const { before, from } = await backupWhileRunning();
  rmSync(data, { recursive: true });

  // Restores into three new folders, into one new folder, and into migrated empty databases.
  const separateFolders = join(newFolder(), "of-{name}");
  await restoreBackup(from, separateFolders);
  const oneFolder = newFolder();
  await restoreBackup(await makeBackup(separateFolders), oneFolder);
  for (const target of [oneFolder, await makeDatabases(false)]) {
    if (target !== oneFolder) await restoreBackup(from, target);
    await using restoredSystem = await start({ persist: target });
    const snapshots = await restoredSystem.db.join.rows("SELECT count(*) AS n FROM snapshot");
    assert.deepEqual(snapshots, [{ n: 0 }]);
    const after = await readEveryRoute(restoredSystem);
    for (const path of Object.keys(before)) assert.deepEqual(after[path], before[path], path);
    // The idempotency key still replays its write, and retired ids are not used again.
    const key = { "idempotency-key": "once" };
    const name = "Tres 'líneas' \\n \"citas\"";
    const repeated = await restoredSystem.join.send("POST", "/v1/places", { name }, key);
    assert.deepEqual([repeated.status, repeated.json.id], [201, 31]);
    const place = await restoredSystem.join.send("POST", "/v1/places", { name: "Nueva" });
    assert.equal(place.json.id, 33);
    const person = { name: "Nueva", isAlive: true, placeId: 33 };
    assert.equal((await restoredSystem.join.send("POST", "/v1/people", person)).json.id, 80);
  }
});

test("only_its_owner_may_read_a_backup", async () => {
  const data = await makeDatabases(true);
  const folder = join(newFolder(), "backups", "one");
  // An interrupted backup has left a folder that everybody may read.
  mkdirSync(`${folder}.unfinished`, { recursive: true, mode: 0o755 });
  const umask = process.umask(0);
  try {
    await makeBackup(data, folder);
  } finally {
    process.umask(umask);
  }
  const mode = (path: string) => statSync(path).mode & 0o777;
  assert.equal(mode(folder), 0o700);
  const files = readdirSync(folder);
  assert.deepEqual(files.sort(), ["join.sql", "manifest.json", "people.sql", "places.sql"]);
  for (const file of files) assert.equal(mode(join(folder, file)), 0o600, file);
});

test("a_slash_at_the_end_of_the_folder_of_a_backup_is_ignored", async () => {
  const data = await makeDatabases(true);
  for (const end of ["/", "//", "/."]) {
    const to = newFolder();
    await makeBackup(data, to + end);
    await read(to + end);
    assert.deepEqual(readdirSync(to).length, 4);
    assert.equal(existsSync(`${to}.unfinished`), false);
  }
});

test("a_backup_into_a_folder_that_cannot_be_created_fails_before_it_reads", async () => {
  const file = newFolder();
  writeFileSync(file, "");
  // There are no databases either.
  const { code, output } = await runBackup("backup", { STATE: newFolder(), TO: join(file, "one") });
  assert.equal(code, 1);
  assert.match(output, /^» failed: .*one cannot be created: ENOTDIR.*\n$/);
});

test("a_backup_during_writes_is_consistent_across_both_databases", async () => {
  const data = await makeDatabases(true);
  await using system = await start({ persist: data });
  let writing = true;
  let written = 0;
  const failures: string[] = [];
  const write = async (method: string, path: string, body?: object) => {
    const { status, text } = body
      ? await system.join.send(method, path, body)
      : await system.join.request(method, path);
    if (status >= 500) failures.push(`${method} ${path}: ${status} ${text}`);
    written += 1;
    return text ? JSON.parse(text) : undefined;
  };
  const people = async (place: number) => {
    while (writing) {
      const { id } = await write("POST", "/v1/people", {
        name: "X",
        isAlive: true,
        placeId: place,
      });
      await write("PATCH", `/v1/people/${id}`, { placeId: 1 + (id % 3) });
    }
  };
  const createPlacesAndDelete = async () => {
    while (writing) {
      const { id } = await write("POST", "/v1/places", { name: `Lugar ${Math.random()}` });
      const resident = { name: "Y", isAlive: true, placeId: id };
      await Promise.all([1, 2, 3].map(() => write("POST", "/v1/people", resident)));
      await write("DELETE", `/v1/places/${id}?reassignTo=3`);
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  const all = Promise.all([
    people(1),
    people(2),
    people(3),
    createPlacesAndDelete(),
    createPlacesAndDelete(),
  ]);
  const backupWhileRunning: string[] = [];
  for (let count = 0; count < 2; count += 1) backupWhileRunning.push(await makeBackup(data));
  const before = written;
  writing = false;
  await all;
  assert.deepEqual(failures, [], "no write fails during a backup");
  assert.ok(before > 50, `${before} writes`);

  const changesUpTo = async (of: System, counters: Record<Name, number>) => ({
    places: await of.db.places.rows(
      `SELECT * FROM place_change WHERE seq <= ${counters.places} ORDER BY seq`,
    ),
    people: await of.db.people.rows(
      `SELECT * FROM person_change WHERE seq <= ${counters.people} ORDER BY seq`,
    ),
  });
  for (const from of backupWhileRunning) {
    const { manifest } = await read(from);
    const { places, people, join } = manifest.databases;
    const counters = { places: places.counter, people: people.counter, join: join.counter };
    const target = newFolder();
    await restoreBackup(from, target);
    await using restoredSystem = await start({ persist: target });
    const was = await changesUpTo(system, counters);
    assert.deepEqual(await changesUpTo(restoredSystem, counters), was);
    // The records equal the last version in the change log.
    const last = new Map(was.people.map((change) => [change.person_id, change]));
    const expectedRows = [...last.values()]
      .filter((change) => change.kind !== "deleted")
      .map((change) => [change.person_id, change.name, change.place_id, change.version])
      .sort(([a], [b]) => Number(a) - Number(b));
    const rows = await restoredSystem.db.people.rows(
      "SELECT id, name, place_id, version FROM person ORDER BY id",
    );
    assert.deepEqual(rows.map(Object.values), expectedRows);
    // A repair completes the writes that were pending, and all rules hold.
    await restoredSystem.join.request("POST", "/v1/integrity/repair?olderThan=0");
    await restoredSystem.join.request("POST", "/v1/integrity/repair?olderThan=0");
    const { json } = await restoredSystem.join.get("/v1/integrity");
    assert.deepEqual(
      [json.consistent, json.complete, json.deleting, json.pending],
      [true, true, [], []],
    );
  }
});

suite("consistency of a backup", () => {
  /** Writes something just before the n-th view of a database. */
  class Meddled extends Local {
    views = 0;
    readonly #meddle: (view: number) => Promise<void>;
    constructor(data: string, meddle: (view: number) => Promise<void>) {
      super(data);
      this.#meddle = meddle;
    }
    protected override async view(name: Name) {
      this.views += 1;
      await this.#meddle(this.views);
      return super.view(name);
    }
  }
  const tablesOf = async (store: Local) => {
    const to = newFolder();
    mkdirSync(to);
    const { places, people } = await described(await store.dump(to));
    return [places.tables.place?.rows, people.tables.person?.rows];
  };

  test("a_backup_contains_a_new_place_and_its_new_person_or_only_the_place", async () => {
    const data = await makeDatabases(true);
    await using system = await start({ persist: data });
    const addPlaceAndPerson = async (name: string) => {
      const { json } = await system.join.send("POST", "/v1/places", { name });
      const resident = { name: "Z", isAlive: true, placeId: json.id };
      assert.equal((await system.join.send("POST", "/v1/people", resident)).status, 201);
    };
    // Before people is viewed (2), and before places is viewed again (3).
    const store = new Meddled(data, async (view) => {
      if (view === 2) await addPlaceAndPerson("Segunda");
      if (view === 3) await addPlaceAndPerson("Tercera");
    });
    assert.deepEqual(await tablesOf(store), [32, 78]);
    // The three views of the only attempt, and that of join.
    assert.equal(store.views, 4);
  });

  test("a_backup_is_repeated_if_a_place_is_deleted_after_people_was_read", async () => {
    const data = await makeDatabases(true);
    await using system = await start({ persist: data });
    const store = new Meddled(data, async (view) => {
      if (view !== 3) return;
      const { status } = await system.join.request("DELETE", "/v1/places/1?reassignTo=2");
      assert.equal(status, 204);
    });
    assert.deepEqual(await tablesOf(store), [29, 77]);
    assert.equal(store.views, 7);
  });

  test("a_backup_fails_after_the_last_attempt", async () => {
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      return undefined;
    };
    await assert.rejects(untilConsistent(attempt, 3), /deleted during each of 3 attempts/);
    assert.equal(attempts, 3);
  });

  test("a_failed_backup_leaves_no_files", async () => {
    const to = newFolder();
    const { code, output } = await runBackup("backup", { STATE: newFolder(), TO: to });
    assert.equal(code, 1);
    assert.match(output, /no database places/);
    assert.ok(!readdirSync(folder).some((name) => join(folder, name).startsWith(to)));
  });

  test("a_backup_does_not_replace_an_earlier_one", async () => {
    const data = await makeDatabases(true);
    const to = await makeBackup(data);
    const { code, output } = await runBackup("backup", { STATE: data, TO: to });
    assert.equal(code, 1);
    assert.match(output, /exists: choose another folder/);
  });
});
