// Imports and exports, through the join.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type ApiResponse, start } from "../support/harness.ts";

const places = Array.from({ length: 30 }, (_, n) => ({ id: n + 1, name: `Place ${n + 1}` }));
const people = [
  { id: 1, name: "King", isAlive: true, placeId: 1, isKing: true },
  { id: 2, name: "Resident", isAlive: true, placeId: 2, isKing: false },
  { id: 3, name: "Ghost", isAlive: false, placeId: null, isKing: false },
];
const csv = "text/csv";
const json = "application/json";
const lines = "application/x-ndjson";

const fresh = () => start({ places, people });
type System = Awaited<ReturnType<typeof fresh>>;

function take(
  system: System,
  what: string,
  body: string,
  type = csv,
  headers: Record<string, string> = {},
): Promise<ApiResponse> {
  const path = `/v1/${what.replace(/^(\w+)/, "$1/import")}`;
  return system.join.request("POST", path, { "content-type": type, ...headers }, body);
}

const count = async (system: System) =>
  Number((await system.join.get("/v1/people?limit=1&count=exact")).headers["x-total-count"]);

type Refusal = { line: number; problem: { type: string; errors?: { pointer: string }[] } };
const refusals = ({ json }: ApiResponse) =>
  json.refused.map(({ line, problem }: Refusal) => [
    line,
    problem.type.replace("/problems/", ""),
    ...(problem.errors ?? []).map(({ pointer }) => pointer),
  ]);

test("a_file_comes_as_csv_as_lines_or_as_an_array", async () => {
  await using system = await fresh();
  const one = { name: 'O"Hara, ñ', isAlive: true, placeId: 3 };
  const files = [
    [csv, `\ufeffplaceId,isAlive,name\r\n3,TRUE,"O""Hara, ñ"\r\n,,Other\r\n`],
    [lines, `${JSON.stringify(one)}\n\n{"name":"Other"}`],
    [json, `[\n${JSON.stringify(one)},\n{"name":"Other"}\n]`],
  ] as const;
  for (const [n, [type, file]] of files.entries()) {
    const { status, json: report, text } = await take(system, "people", file, type);
    assert.equal(status, 200, text);
    assert.deepEqual([report.read, report.created, report.refusedTotal], [2, 2, 0], text);
    const id = 4 + 2 * n;
    const { json: person } = await system.join.get(`/v1/people/${id}`);
    assert.deepEqual(person, { id, ...one, isKing: false });
  }
  const { json: report } = await take(system, "places", "id,name\n77,Seventy-seven\n,Next\n");
  assert.equal(report.created, 2);
  assert.equal((await system.join.get("/v1/places/78")).json.name, "Next");
});

test("every_refused_line_is_reported_and_nothing_of_its_batch_is_written", async () => {
  await using system = await fresh();
  const file = [
    "id,name,isAlive,placeId,isKing",
    ",Good,true,2,",
    ",,true,2,",
    ",Nowhere,true,99,",
    ",Homeless,true,,",
    "1,Taken,,,",
    "50,Twice,,,",
    "50,Twice,,,",
    ",Second king,true,1,true",
    ",New king,true,2,true",
    ",Newer king,true,2,true",
    ",Wrong,maybe,x,",
    "short,",
  ].join("\n");
  const report = await take(system, "people", file);
  assert.equal(report.status, 200, report.text);
  assert.deepEqual(refusals(report), [
    [3, "invalid-record", "/name"],
    [4, "no-such-place"],
    [5, "invalid-record", "/placeId"],
    [6, "id-taken"],
    [8, "invalid-record", "/id"],
    [9, "place-has-king"],
    [11, "invalid-record", "/isKing"],
    [12, "invalid-record", "/isAlive", "/placeId"],
    [13, "invalid-record", ""],
  ]);
  assert.deepEqual([report.json.created, report.json.batches.length], [0, 1]);
  assert.equal(await count(system), people.length);

  await system.join.request("DELETE", "/v1/places/30");
  const named = await take(system, "places", "id,name\n1,x\n30,y\n,PLACE 7\n,z\n,Z\n");
  assert.deepEqual(refusals(named), [
    [2, "id-taken"],
    [3, "id-retired"],
    [4, "name-taken"],
    [6, "invalid-record", "/name"],
  ]);
});

test("a_file_that_cannot_be_read_to_its_end_is_refused_whole", async () => {
  await using system = await fresh();
  const cases = [
    [csv, 'name\nGood\n"open', 3],
    [csv, "name,age\nGood,3\n", 1],
    [csv, "name,name\nA,B\n", 1],
    [lines, '{"name":"Good"}\n{"name":', 2],
    [json, '[{"name":"Good"},\n{"name":]', 2],
    [json, '{"name":"Good"}', 1],
  ] as const;
  for (const [type, file, line] of cases) {
    const refused = await take(system, "people", file, type);
    assert.deepEqual([refused.status, refused.json.line], [400, line], refused.text);
    assert.equal(refused.json.type, "/problems/malformed-body");
  }
  assert.equal((await take(system, "people", "x", "text/plain")).status, 415);
  const long = `name\n${"x".repeat(10 * 1024 * 1024)}`;
  assert.equal((await take(system, "people", long)).status, 413);
  assert.equal((await take(system, "people?mode=replace", "name\n")).status, 400);
  assert.equal(await count(system), people.length);
});

test("a_dry_run_says_what_would_be_and_writes_nothing", async () => {
  await using system = await fresh();
  const file = "id,name,isAlive,placeId\n2,Moved,true,3\n3,Ghost,,\n,New,true,1\n";
  const dry = await take(system, "people?mode=upsert&dryRun=true", file);
  const counts = { created: 1, updated: 1, unchanged: 1 };
  const { created, updated, unchanged, dryRun, batches } = dry.json;
  assert.deepEqual([{ created, updated, unchanged }, dryRun], [counts, true]);
  assert.equal(batches[0].outcome, "would be written");
  assert.equal(await count(system), people.length);
  assert.equal((await system.join.get("/v1/people/2")).etag, '"1"');

  const done = await take(system, "people?mode=upsert", file);
  assert.equal(done.json.batches[0].outcome, "written", done.text);
  assert.deepEqual(done.json.updated, 1);
  const { json: moved, etag } = await system.join.get("/v1/people/2");
  assert.deepEqual([moved.name, moved.placeId, etag], ["Moved", 3, '"2"']);
  assert.equal((await system.join.get("/v1/people/3")).etag, '"1"');
});

test("a_file_that_is_sent_again_writes_only_what_is_not_there_yet", async () => {
  await using system = await fresh();
  const person = (n: number) => `Person ${n},true,${1 + (n % 29)}\n`;
  const rows = Array.from({ length: 22_500 }, (_, n) => person(n));
  const wrong = rows.with(12_500, "Person 12500,true,99\n");
  const head = "name,isAlive,placeId\n";
  const outcomes = (answer: ApiResponse) =>
    answer.json.batches.map(({ outcome }: { outcome: string }) => outcome);

  const first = await take(system, "people", head + wrong.join(""));
  assert.deepEqual(outcomes(first), ["written", "refused", "written"]);
  assert.deepEqual(refusals(first), [[12_502, "no-such-place"]]);
  assert.equal(await count(system), people.length + 12_500);
  const mended = await take(system, "people", head + rows.join(""));
  assert.deepEqual(outcomes(mended), ["already written", "written", "already written"]);
  for (const key of ["", "twice"]) {
    const again = await take(system, "people", head + rows.join(""), csv, {
      ...(key && { "idempotency-key": key }),
    });
    const all = Array(3).fill(key ? "written" : "already written");
    assert.deepEqual(outcomes(again), all);
  }
  assert.equal(await count(system), people.length + 45_000);
  const { json: report } = await system.join.get("/v1/integrity");
  assert.ok(report.consistent);
});

test("an_import_that_dies_writes_all_of_a_batch_or_nothing", async () => {
  const file = "name,isAlive,placeId\nOne,true,1\nTwo,true,2\n";
  let deaths = 0;
  for (let step = 1; step < 9; step += 1) {
    await using system = await start({ crashable: true, places });
    const dying = { "content-type": csv, "x-crash-after": String(step) };
    const died = await system.people.request("POST", "/v1/people/import", dying, file);
    if (died.status !== 599) break;
    deaths += 1;
    const names = await system.db.people.rows("SELECT name FROM person ORDER BY id");
    assert.ok(names.length === 0 || names.length === 2, `step ${step}: ${names.length}`);
    await system.join.request("POST", "/v1/integrity/repair?olderThan=0");
    assert.deepEqual(await system.db.people.rows("SELECT * FROM pending_write"), []);
    if (names.length > 0) continue;
    // Nothing of it is left in the way of the deletion of its places, or of another import.
    assert.equal((await system.places.request("DELETE", "/v1/places/1")).status, 204);
    const again = await take(system, "people", file);
    assert.deepEqual(refusals(again), [[2, "no-such-place"]], again.text);
    const other = await take(system, "people", "name,isAlive,placeId\nOther,true,2\n");
    assert.equal(other.json.created, 1, other.text);
  }
  assert.ok(deaths >= 3, `${deaths} deaths`);
});

type Row = { outcome: string; created: number; updated: number; unchanged: number };
/** The outcome of a file of one batch, with its counts. */
const outcome = ({ json, text }: ApiResponse) => {
  assert.ok(json.batches, text);
  const [{ outcome, created, updated, unchanged }]: [Row] = json.batches;
  return [outcome, created, updated, unchanged];
};
const dry = (what: string) => `${what}${what.includes("?") ? "&" : "?"}dryRun=true`;

/** A trial and an import of the same: what the trial says is what becomes of it. */
async function tried(system: System, what: string, body: string, type = csv): Promise<ApiResponse> {
  const trial = await take(system, dry(what), body, type);
  const done = await take(system, what, body, type);
  const [said, ...counts] = outcome(trial);
  const found = said === "would be written" ? "written" : said;
  assert.deepEqual(outcome(done), [found, ...counts]);
  assert.deepEqual(refusals(done), refusals(trial));
  return done;
}

test("an_upsert_compares_with_the_present_records_each_time", async () => {
  await using system = await fresh();
  for (const [register, head, row] of [
    ["people", "id,name,isAlive,placeId", "901,Prueba Una,true,1"],
    ["places", "id,name", "901,Prueba Una"],
  ] as const) {
    const what = `${register}?mode=upsert`;
    const file = `${head}\n${row}\n`;
    const path = `/v1/${register}/901`;
    assert.deepEqual(outcome(await tried(system, what, file)), ["written", 1, 0, 0]);
    assert.deepEqual(outcome(await tried(system, what, file)), ["written", 0, 0, 1]);
    await system.join.send("PATCH", path, { name: "Wrong" });
    const again = await tried(system, what, file);
    assert.deepEqual(outcome(again), ["written", 0, 1, 0]);
    assert.deepEqual([again.json.updated, again.json.alreadyWritten], [1, 0]);
    const { json: record, etag } = await system.join.get(path);
    assert.deepEqual([record.name, etag], ["Prueba Una", '"3"']);
    assert.equal((await system.join.request("DELETE", path)).status, 204);
    const last = await tried(system, what, file);
    if (register === "people") {
      assert.deepEqual(outcome(last), ["written", 1, 0, 0]);
      assert.equal((await system.join.get(path)).json.name, "Prueba Una");
    } else {
      assert.deepEqual(refusals(last), [[2, "id-retired"]]);
    }
  }
});

test("an_upsert_adds_records_without_an_id_once", async () => {
  await using system = await fresh();
  const named = async (register: string, name: string) =>
    (await system.join.get(`/v1/${register}?name=${name}`)).json;
  for (const register of ["people", "places"]) {
    const what = `${register}?mode=upsert`;
    // The one without an id comes first, and is added last.
    const file = "id,name\n,Nueva\n1,Primera\n950,Otra\n";
    assert.deepEqual(outcome(await tried(system, what, file)), ["written", 2, 1, 0]);
    assert.deepEqual(outcome(await tried(system, what, file)), ["written", 0, 0, 3]);
    // A change of one that has an id does not add another one without.
    await system.join.send("PATCH", `/v1/${register}/950`, { name: "Wrong" });
    assert.deepEqual(outcome(await tried(system, what, file)), ["written", 0, 1, 2]);
    assert.deepEqual(outcome(await tried(system, what, file)), ["written", 0, 0, 3]);
    const [added, ...more] = await named(register, "Nueva");
    assert.equal(more.length, 0);
    await system.join.request("DELETE", `/v1/${register}/${added.id}`);
    assert.deepEqual(outcome(await tried(system, what, file)), ["written", 1, 0, 2]);
    assert.equal((await named(register, "Nueva")).length, 1);
    assert.deepEqual(outcome(await tried(system, what, file)), ["written", 0, 0, 3]);
    const key = { "idempotency-key": "on-purpose" };
    if (register === "places") continue;
    const twice = await take(system, what, file, csv, key);
    assert.deepEqual(outcome(twice), ["written", 1, 0, 2]);
  }
});

test("an_insert_counts_as_written_while_its_records_are_as_it_left_them", async () => {
  await using system = await fresh();
  for (const register of ["people", "places"]) {
    const path = `/v1/${register}`;
    // With ids: whoever is there already is refused.
    const chosen = "id,name\n960,Uno\n961,Dos\n";
    assert.deepEqual(outcome(await tried(system, register, chosen)), ["written", 2, 0, 0]);
    const again = await tried(system, register, chosen);
    assert.deepEqual(outcome(again), ["already written", 2, 0, 0]);
    assert.deepEqual([again.json.created, again.json.alreadyWritten], [0, 2]);
    await system.join.send("PATCH", `${path}/960`, { name: "Wrong" });
    const taken = await tried(system, register, chosen);
    assert.deepEqual(refusals(taken), [
      [2, "id-taken"],
      [3, "id-taken"],
    ]);
    await system.join.send("PATCH", `${path}/960`, { name: "Uno" });
    assert.equal((await tried(system, register, chosen)).json.refusedTotal, 2);
    for (const id of [960, 961]) await system.join.request("DELETE", `${path}/${id}`);
    const gone = await tried(system, register, chosen);
    if (register === "people") {
      assert.deepEqual(outcome(gone), ["written", 2, 0, 0]);
      assert.equal((await system.join.get(`${path}/960`)).json.name, "Uno");
      assert.deepEqual(outcome(await tried(system, register, chosen)), [
        "already written",
        2,
        0,
        0,
      ]);
    } else {
      assert.deepEqual(refusals(gone), [
        [2, "id-retired"],
        [3, "id-retired"],
      ]);
    }

    // Without: they are added.
    const found = async () => (await system.join.get(`${path}?name=Sin%20id`)).json;
    const unnumbered = "name\nSin id\n";
    assert.deepEqual(outcome(await tried(system, register, unnumbered)), ["written", 1, 0, 0]);
    const [{ id }] = await found();
    assert.deepEqual(outcome(await tried(system, register, unnumbered)), [
      "already written",
      1,
      0,
      0,
    ]);
    // A browser's line breaks are other ones.
    for (const same of ["name\r\nSin id\r\n", "name\nSin id"]) {
      assert.equal((await tried(system, register, same)).json.alreadyWritten, 1);
    }
    await system.join.request("DELETE", `${path}/${id}`);
    assert.deepEqual(outcome(await tried(system, register, unnumbered)), ["written", 1, 0, 0]);
    assert.equal((await found()).length, 1);
    // What is written now counts as before.
    assert.equal((await tried(system, register, unnumbered)).json.alreadyWritten, 1);
  }
  assert.ok((await system.join.get("/v1/integrity")).json.consistent);
});

test("an_insert_under_a_key_is_done_once_whatever_became_of_its_records", async () => {
  await using system = await fresh();
  const key = (key: string) => ({ "idempotency-key": key });
  for (const register of ["people", "places"]) {
    const file = "name\nCon clave\n";
    const add = (name: string) => take(system, register, file, csv, key(name));
    assert.equal((await add("first")).json.created, 1);
    const [{ id }] = (await system.join.get(`/v1/${register}?name=con%20clave`)).json;
    await system.join.send("PATCH", `/v1/${register}/${id}`, { name: "Changed" });
    assert.deepEqual(outcome(await add("first")), ["already written", 1, 0, 0]);
    await system.join.request("DELETE", `/v1/${register}/${id}`);
    assert.deepEqual(outcome(await add("first")), ["already written", 1, 0, 0]);
    assert.deepEqual(outcome(await add("second")), ["written", 1, 0, 0]);
  }
});

/** A main module that lets every transaction wait, so that all who come meanwhile have planned. */
const hesitant = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const pause = () => new Promise((done) => setTimeout(done, 300));
  const database = (d1) => ({
    prepare: (sql) => d1.prepare(sql),
    withSession: (from) => database(d1.withSession(from)),
    getBookmark: () => d1.getBookmark(),
    batch: (all) => pause().then(() => d1.batch(all)),
  });
  export default class extends WorkerEntrypoint {
    fetch(request) {
      return Built.fetch(request, { ...this.env, DB: database(this.env.DB) }, this.ctx);
    }
  }
`;

test("clients_that_import_one_file_at_once_all_get_what_is_so", async () => {
  await using system = await start({
    places,
    people,
    wrappers: { places: hesitant, people: hesitant },
  });
  const clients = 5;
  const atOnce = async (what: string, file: string) => {
    const imports = Array.from({ length: clients }, () => take(system, what, file));
    const answers = await Promise.all(imports);
    for (const { status, text } of answers) assert.equal(status, 200, text);
    const total = (count: string) => answers.reduce((sum, { json }) => sum + json[count], 0);
    const counts = ["created", "updated", "unchanged", "alreadyWritten", "refusedTotal"];
    return Object.fromEntries(counts.map((count) => [count, total(count)]));
  };
  const nothing = { created: 0, updated: 0, unchanged: 0, alreadyWritten: 0, refusedTotal: 0 };
  for (const [register, head, rest] of [
    ["people", "id,name,isAlive,placeId", ",true,3"],
    ["places", "id,name", ""],
  ] as const) {
    const file = (ids: (number | "")[], name: string) =>
      [head, ...ids.map((id, n) => `${id},${name} ${n}${rest}`)].join("\n");
    const added = await atOnce(register, file(["", ""], "Nueva"));
    assert.deepEqual(added, { ...nothing, created: 2, alreadyWritten: 2 * (clients - 1) });
    const chosen = await atOnce(register, file([970, 971], "Propia"));
    assert.deepEqual(chosen, { ...nothing, created: 2, alreadyWritten: 2 * (clients - 1) });
    const upsert = `${register}?mode=upsert`;
    // Two that are there, one under a new id, and one without.
    const all = await atOnce(upsert, file([970, 971, 972, ""], "Otra"));
    assert.deepEqual(all, { ...nothing, created: 2, updated: 2, unchanged: 4 * (clients - 1) });
    const names = (await system.join.get(`/v1/${register}?name=Otra`)).json;
    assert.equal(names.length, 4);
  }
  assert.ok((await system.join.get("/v1/integrity")).json.consistent);
});

test("a_place_whose_id_is_retired_meanwhile_does_not_count_as_created", async () => {
  await using system = await start({ places, wrappers: { places: hesitant } });
  const importing = take(system, "places", "id,name\n980,Una\n981,Dos\n");
  await new Promise((done) => setTimeout(done, 150));
  await system.db.places.exec(
    "INSERT INTO place (id, name, name_key) VALUES (980, 'x', 'x'); DELETE FROM place WHERE id = 980;",
  );
  const report = await importing;
  assert.deepEqual(refusals(report), [[2, "id-retired"]], report.text);
  assert.equal((await system.join.get("/v1/places/981")).status, 404);
});

test("an_import_is_not_hindered_by_a_pending_one", async () => {
  const file = "name,isAlive,placeId\nOne,true,1\nTwo,true,2\n";
  const pending = "SELECT place_id FROM pending_write";
  for (let step = 1; step < 9; step += 1) {
    await using system = await start({ crashable: true, places });
    const dying = { "content-type": csv, "x-crash-after": String(step) };
    await system.people.request("POST", "/v1/people/import", dying, file);
    if ((await system.db.people.rows(pending)).length === 0) continue;
    assert.deepEqual(outcome(await take(system, dry("people"), file)), [
      "would be written",
      2,
      0,
      0,
    ]);
    assert.deepEqual(outcome(await take(system, "people", file)), ["written", 2, 0, 0]);
    assert.deepEqual(outcome(await take(system, "people", file)), ["already written", 2, 0, 0]);
    return;
  }
  assert.fail("no step leaves a pending write");
});

test("progress_comes_a_line_a_batch", async () => {
  await using system = await fresh();
  const file = `name\n${"x\n".repeat(10_001)}`;
  const { text, headers } = await take(system, "people", file, csv, { accept: lines });
  assert.equal(headers["content-type"], lines);
  const told = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const [first, second, whole] = told;
  assert.deepEqual([told.length, first.records, second.records], [3, 10_000, 1]);
  assert.deepEqual([whole.read, whole.created], [10_001, 10_001]);
});

test("an_import_without_the_other_service_fails_with_its_name", async () => {
  await using system = await start({
    places,
    people,
    stubs: { places: () => new Response("", { status: 500 }) },
  });
  const failed = await take(system, "people", "name,isAlive,placeId\nA,true,1\n");
  assert.deepEqual([failed.status, failed.json.service], [502, "places"]);
  assert.equal((await take(system, "people", "name\nA\n")).json.created, 1);
});

const crowd = 21_000;
const system = await start({ places, people });
after(() => system.dispose());

test("a_hundred_thousand_people_come_in_and_go_out_again", async (t) => {
  const names = ["=1+1", "'=1", "-a", "@b", "+c", '"q"', "a,b", "＝x", "'plain"];
  const row = (n: number) => {
    const name = names[n] ?? `Person ${n}`;
    return { name, isAlive: n % 3 > 0, placeId: 1 + (n % 30) };
  };
  const rows = Array.from({ length: 100_000 }, (_, n) => row(n));
  const began = performance.now();
  const file = rows.map((one) => `${JSON.stringify(one)}\n`).join("");
  const { json: report, text } = await take(system, "people", file, lines);
  const seconds = (performance.now() - began) / 1000;
  t.diagnostic(`100,000 people imported in ${seconds.toFixed(1)} s`);
  assert.deepEqual([report.created, report.refusedTotal], [100_000, 0], text.slice(0, 500));
  assert.ok(seconds < 30, `${seconds} s`);

  const { text: exported, headers } = await system.join.get("/v1/people/export");
  assert.equal(headers["content-disposition"], 'attachment; filename="people.csv"');
  assert.match(headers["content-type"] ?? "", /^text\/csv/);
  const out = exported.split("\r\n");
  assert.deepEqual(
    [out.length, out[0], out.at(-1)],
    [100_005, "id,name,isAlive,placeId,isKing", ""],
  );
  // No cell begins as a formula does.
  assert.ok(out.every((line) => !/^\d+,"[=+\-@＝]/.test(line)));

  // What has gone out comes in as it was.
  await using other = await start({ places });
  const back = await take(other, "people", out.slice(0, crowd).join("\n"));
  assert.equal(back.json.created, crowd - 1, back.text.slice(0, 500));
  const asLines = "/v1/people/export?format=ndjson";
  const [here, there] = [await system.join.get(asLines), await other.join.get(asLines)];
  assert.ok(here.text.startsWith(there.text));
  assert.equal(there.text.trimEnd().split("\n").length, crowd - 1);
});

test("an_export_has_no_name_too_long_for_it", async () => {
  await using system = await fresh();
  const row = (n: number) => `${String(n).padStart(4, "0")}${"😀".repeat(196)}\n`;
  const rows = Array.from({ length: 4000 }, (_, n) => row(n));
  // Together they are longer than what D1 makes of a text.
  assert.ok(rows.join("").length > 1_500_000);
  for (const half of [rows.slice(0, 2500), rows.slice(2500)]) {
    const report = await take(system, "people", `name\n${half.join("")}`);
    assert.equal(report.json.created, half.length, report.text.slice(0, 500));
  }
  for (const format of ["csv", "ndjson"]) {
    const { text } = await system.join.get(`/v1/people/export?format=${format}`);
    const numbers = [...text.matchAll(/"(\d{4})😀/g)].map(([, number]) => Number(number));
    assert.deepEqual(numbers, [...rows.keys()], `${format} ${text.slice(-200)}`);
  }
});

test("an_export_takes_the_filters_of_the_list", async () => {
  const { text } = await system.join.get("/v1/people/export?isKing=true", { accept: lines });
  assert.deepEqual(JSON.parse(text), people[0]);
  const none = await system.join.get("/v1/people/export?name=nobody");
  assert.equal(none.text, "id,name,isAlive,placeId,isKing\r\n");
  const bad = await system.join.get("/v1/people/export?format=xlsx");
  assert.deepEqual([bad.status, bad.json.parameter], [400, "format"]);
  const all = (await system.join.get("/v1/places/export?format=ndjson")).text;
  assert.deepEqual(
    all
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
    places,
  );
});
