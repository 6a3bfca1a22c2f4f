// `make backup` and `make restore`: what comes back is what was there, of one moment in both
// registers, whoever wrote meanwhile.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { backup } from "../../ops/backup/backup.ts";
import { type Dumps, described, read, write } from "../../ops/backup/manifest.ts";
import { Local, type Store } from "../../ops/backup/stores.ts";
import { prepare } from "../../ops/containers/database.ts";
import { plans } from "../../ops/containers/plan.ts";
import { type Name, type System, start } from "../support/harness.ts";

const folder = mkdtempSync(join(tmpdir(), "backups-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const names: Name[] = ["places", "people", "join"];

let folders = 0;
function freshFolder(): string {
  folders += 1;
  return join(folder, `${folders}`);
}

/** A folder of three databases, filled with the seed or without a row. */
async function databases(isSeeded: boolean): Promise<string> {
  const data = freshFolder();
  const all = plans();
  for (const name of names) await prepare(name, all[name], data, isSeeded);
  return data;
}

/** A `wrangler` whose account is this machine: the real one, asked for what is local. */
function localAccount(): Record<string, string> {
  const bin = freshFolder();
  mkdirSync(bin);
  const id = (at: number) => `00000000-0000-0000-0000-00000000500${at + 1}`;
  const all = names.map((name, at) => ({ name: `${name}-staging`, uuid: id(at) }));
  const script = `#!/bin/bash
[ "$1 $2" = "d1 list" ] && exec echo '${JSON.stringify(all)}'
exec '${resolve("node_modules/.bin/wrangler")}' "\${@/#--remote/--local}"
`;
  writeFileSync(join(bin, "wrangler"), script, { mode: 0o755 });
  const path = `${bin}:${resolve("node_modules/.bin")}:${process.env.PATH}`;
  return { PATH: path, DEPLOY_FOLDER: freshFolder(), REMOTE: "1", ENV: "staging" };
}

/** Runs the program, and tells how that ended. */
function run(task: "backup" | "restore", env: Record<string, string>) {
  const program = ["--disable-warning=ExperimentalWarning", "ops/backup/main.ts", task];
  return new Promise<{ code: number; said: string }>((done) => {
    execFile(process.execPath, program, { env: { ...process.env, ...env } }, (error, out, err) =>
      done({ code: error ? 1 : 0, said: out + err }),
    );
  });
}

async function backedUp(data: string): Promise<string> {
  const to = freshFolder();
  const { code, said } = await run("backup", { STATE: data, TO: to });
  assert.equal(code, 0, said);
  return to;
}

async function restored(from: string, data: string): Promise<void> {
  const { code, said } = await run("restore", { STATE: data, FROM: from });
  assert.equal(code, 0, said);
}

/** Every reading route of the documents, with ids and parameters. */
function routes(): string[] {
  const { paths } = JSON.parse(readFileSync("openapi/join.json", "utf8"));
  const reading = Object.keys(paths).filter((path) => paths[path].get);
  assert.ok(reading.length >= 18);
  const needed: Record<string, string> = {
    "/v1/places/as-of": "?asOf=2100-01-01T00:00:00Z&ids=1,2,3,31,32",
    "/v1/people/by-place": "?limit=1000",
    "/v1/people/population": "?limit=1000",
  };
  const all = reading.flatMap((path) => {
    if (!path.includes("{")) return [path + (needed[path] ?? "")];
    return [1, 2, 3, 10, 31, 32, 78, 79, 80].map((id) => path.replace(/\{\w+\}/, String(id)));
  });
  const more = [
    "places?limit=1000&count=exact",
    "people?sort=-name&limit=1000",
    "changes?limit=1000",
  ];
  more.push("people-per-place?limit=1000", "statistics/places?sort=-living&limit=1000");
  return [...all, ...more.map((path) => `/v1/${path}`)];
}

const passing = ["date", "x-request-id", "server-timing", "x-d1-bookmark", "keep-alive"];

/** What every route answers, as it is sent: status, headers and body. */
async function answers(system: System): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const path of routes()) {
    const { status, allHeaders: headers, text } = await system.join.get(path);
    const kept = [...headers].filter(([name]) => !passing.includes(name));
    const id = /,"requestId":"[0-9a-f]{32}"/;
    all[path] = { status, headers: Object.fromEntries(kept), text: text.replace(id, "") };
  }
  return all;
}

/** Some of everything: births, moves, deaths, crowns, deletions. */
async function lived({ join }: System): Promise<void> {
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

test("what_is_restored_answers_every_route_as_before_byte_for_byte", async () => {
  const data = await databases(true);
  const taken = async () => {
    await using system = await start({ persist: data });
    await lived(system);
    // It is taken while the system runs.
    return { before: await answers(system), from: await backedUp(data) };
  };
  const { before, from } = await taken();
  rmSync(data, { recursive: true });

  // Into nothing at all, be it three folders or one, and into databases that have been migrated.
  const apart = join(freshFolder(), "of-{name}");
  await restored(from, apart);
  const together = freshFolder();
  await restored(await backedUp(apart), together);
  for (const target of [together, await databases(false)]) {
    if (target !== together) await restored(from, target);
    await using again = await start({ persist: target });
    const snapshots = await again.db.join.rows("SELECT count(*) AS n FROM snapshot");
    assert.deepEqual(snapshots, [{ n: 0 }]);
    assert.deepEqual(await answers(again), before);
    // What was done once is not done again, and what was used is not used again.
    const key = { "idempotency-key": "once" };
    const name = "Tres 'líneas' \\n \"citas\"";
    const repeated = await again.join.send("POST", "/v1/places", { name }, key);
    assert.deepEqual([repeated.status, repeated.json.id], [201, 31]);
    const place = await again.join.send("POST", "/v1/places", { name: "Nueva" });
    assert.equal(place.json.id, 33);
    const person = { name: "Nueva", isAlive: true, placeId: 33 };
    assert.equal((await again.join.send("POST", "/v1/people", person)).json.id, 80);
  }
});

test("what_wrangler_restores_and_exports_is_the_same", async () => {
  const data = await databases(true);
  const from = await backedUp(data);
  const account = localAccount();
  const { code, said } = await run("restore", { ...account, FROM: from });
  assert.equal(code, 0, said);
  const to = freshFolder();
  const taken = await run("backup", { ...account, TO: to });
  assert.equal(taken.code, 0, taken.said);
  const [before, after] = [read(from), read(to)].map(({ manifest }) => manifest);
  assert.deepEqual([before?.source, after?.source], ["local", "staging"]);
  for (const name of names) {
    assert.deepEqual(after?.databases[name].tables, before?.databases[name].tables, name);
  }
});

test("what_is_taken_while_many_write_is_one_moment_of_both_registers", async () => {
  const data = await databases(true);
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
  const settlers = async () => {
    while (writing) {
      const { id } = await write("POST", "/v1/places", { name: `Lugar ${Math.random()}` });
      const settler = { name: "Y", isAlive: true, placeId: id };
      await Promise.all([1, 2, 3].map(() => write("POST", "/v1/people", settler)));
      await write("DELETE", `/v1/places/${id}?reassignTo=3`);
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  const all = Promise.all([people(1), people(2), people(3), settlers(), settlers()]);
  const taken: string[] = [];
  for (let count = 0; count < 2; count += 1) taken.push(await backedUp(data));
  const before = written;
  writing = false;
  await all;
  assert.deepEqual(failures, [], "who writes is not disturbed");
  assert.ok(before > 50, `${before} writes`);

  const journal = async (of: System, counters: Record<Name, number>) => ({
    places: await of.db.places.rows(
      `SELECT * FROM place_change WHERE seq <= ${counters.places} ORDER BY seq`,
    ),
    people: await of.db.people.rows(
      `SELECT * FROM person_change WHERE seq <= ${counters.people} ORDER BY seq`,
    ),
  });
  for (const from of taken) {
    const { manifest } = read(from);
    const { places, people, join } = manifest.databases;
    const counters = { places: places.counter, people: people.counter, join: join.counter };
    const target = freshFolder();
    await restored(from, target);
    await using again = await start({ persist: target });
    const was = await journal(system, counters);
    assert.deepEqual(await journal(again, counters), was);
    // The registers are what their journals say.
    const last = new Map(was.people.map((change) => [change.person_id, change]));
    const standing = [...last.values()]
      .filter((change) => change.kind !== "deleted")
      .map((change) => [change.person_id, change.name, change.place_id, change.version])
      .sort(([a], [b]) => Number(a) - Number(b));
    const rows = await again.db.people.rows(
      "SELECT id, name, place_id, version FROM person ORDER BY id",
    );
    assert.deepEqual(rows.map(Object.values), standing);
    // What was on its way is brought to its end, and all rules hold.
    await again.join.request("POST", "/v1/integrity/repair?olderThan=0");
    await again.join.request("POST", "/v1/integrity/repair?olderThan=0");
    const { json } = await again.join.get("/v1/integrity");
    assert.deepEqual(
      [json.consistent, json.complete, json.deleting, json.pending],
      [true, true, [], []],
    );
  }
});

suite("a restore refuses", () => {
  let data = "";
  let from = "";
  before(async () => {
    data = await databases(true);
    from = await backedUp(data);
  });
  const refused = async (change: (copy: string) => void, why: RegExp, data = freshFolder()) => {
    const copy = freshFolder();
    cpSync(from, copy, { recursive: true });
    change(copy);
    const { code, said } = await run("restore", { STATE: data, FROM: copy });
    assert.equal(code, 1);
    assert.match(said, why);
    return data;
  };
  const edited = (file: string, from: string | RegExp, to: string) => (copy: string) => {
    const path = join(copy, file);
    const text = readFileSync(path, "utf8");
    assert.notEqual(text.replace(from, to), text);
    writeFileSync(path, text.replace(from, to));
  };

  test("what_was_changed_or_is_incomplete", async () => {
    await refused(edited("people.sql", "Sensei", "Sensai"), /people.sql is not what was written/);
    await refused((copy) => rmSync(join(copy, "manifest.json")), /no manifest/);
    await refused((copy) => writeFileSync(join(copy, "manifest.json"), "{"), /no manifest/);
    await refused((copy) => rmSync(join(copy, "join.sql")), /join.sql/);
    await refused(edited("manifest.json", '"rows": 77', '"rows": 76'), /other rows/);
    await refused(edited("manifest.json", '"format": 1', '"format": 2'), /format 2/);
  });

  test("what_is_of_a_schema_that_is_not_known", async () => {
    const { dumps } = read(from);
    const people = dumps.people.replaceAll("0001_people.sql", "0001_other.sql");
    const other = freshFolder();
    write(other, "local", { ...dumps, people });
    const { code, said } = await run("restore", { STATE: freshFolder(), FROM: other });
    assert.equal(code, 1);
    assert.match(said, /0001_other.sql/);
  });

  test("to_write_over_anything", async () => {
    await using system = await start({ persist: data });
    await system.join.send("POST", "/v1/places", { name: "Después" });
    const { text } = await system.join.get("/v1/places?limit=1000");
    await refused(() => {}, /places is not empty/, data);
    assert.equal((await system.join.get("/v1/places?limit=1000")).text, text);
  });

  test("registers_that_are_not_of_one_moment", async () => {
    const { dumps } = read(from);
    const gone = dumps.places.replace(/^INSERT INTO "place" .* VALUES\(3,.*\n/m, "");
    assert.notEqual(gone, dumps.places);
    assert.throws(() => described({ ...dumps, places: gone }), /people live in the place 3/);
    const broken = `${dumps.people}nonsense;\n`;
    assert.throws(() => described({ ...dumps, people: broken }), /people: .*nonsense/);
  });
});

suite("a backup", () => {
  /** Databases whose register of places moves during the first so many dumps. */
  class Moving implements Store {
    readonly source = "local";
    dumps = 0;
    readonly #store: Local;
    readonly #moves: number;
    constructor(data: string, moves: number) {
      this.#store = new Local(data);
      this.#moves = moves;
    }
    dump(name: Name) {
      if (name === "people") this.dumps += 1;
      return this.#store.dump(name);
    }
    async query() {
      return [{ counter: Math.min(this.dumps, this.#moves) }];
    }
    async load() {}
  }

  test("is_tried_again_until_the_places_stand_still_and_fails_if_they_never_do", async () => {
    const data = await databases(true);
    const twice = new Moving(data, 2);
    const dumps: Dumps = await backup(twice);
    assert.equal(twice.dumps, 3);
    assert.equal(described(dumps).places.tables.place?.rows, 30);
    const always = new Moving(data, Number.POSITIVE_INFINITY);
    await assert.rejects(backup(always, 3), /changed during the backup/);
    assert.equal(always.dumps, 3);
  });

  test("between_whose_dumps_somebody_settles_in_a_new_place_has_both_or_neither", async () => {
    const data = await databases(true);
    await using system = await start({ persist: data });
    class Meddled extends Local {
      left = 2;
      override async dump(name: Name) {
        const sql = await super.dump(name);
        if (name === "places" && this.left > 0) {
          this.left -= 1;
          const { json } = await system.join.send("POST", "/v1/places", { name: `L ${this.left}` });
          const settler = { name: "Z", isAlive: true, placeId: json.id };
          const { status } = await system.join.send("POST", "/v1/people", settler);
          assert.equal(status, 201);
        }
        return sql;
      }
    }
    const { places, people } = described(await backup(new Meddled(data)));
    assert.equal(places.tables.place?.rows, 32);
    assert.equal(people.tables.person?.rows, 79);
  });

  test("that_cannot_be_taken_leaves_nothing_behind", async () => {
    const to = freshFolder();
    const { code, said } = await run("backup", { STATE: freshFolder(), TO: to });
    assert.equal(code, 1);
    assert.match(said, /no database places/);
    assert.ok(!readdirSync(folder).some((name) => join(folder, name).startsWith(to)));
  });
});
