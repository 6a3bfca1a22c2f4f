// Tests imports of files: formats, validation, dry runs, batches, crashes and progress.
import assert from "node:assert/strict";
import { test } from "node:test";
import { completePerson } from "../support/declared_fields.ts";
import { tag } from "../support/fixtures.ts";
import { parseNdjson, start } from "../support/harness.ts";
import {
  batchOutcome,
  CSV,
  countPeople,
  importFile,
  importWithTrial,
  NDJSON,
  people,
  places,
  rejections,
  startFilled,
} from "../support/import_helpers.ts";

const JSON_ARRAY = "application/json";

test("a_batch_with_an_invalid_line_writes_nothing", async () => {
  await using system = await start({ places, people, countCosts: true });
  await system.takeCosts();
  const { json } = await importFile(system, "people", "name,placeId\nA,1\n,2\n");
  assert.deepEqual([json.refusedTotal, json.batches[0].outcome], [1, "refused"]);
  const costs = await system.takeCosts();
  assert.deepEqual([costs.people.rowsWritten, costs.places.rowsWritten], [0, 0]);
});

test("an_import_accepts_csv_ndjson_and_a_json_array", async () => {
  await using system = await startFilled();
  const person = { name: 'O"Hara, ñ', isAlive: true, placeId: 3 };
  const files = [
    [CSV, `\ufeffplaceId,isAlive,name\r\n3,TRUE,"O""Hara, ñ"\r\n,,Other\r\n`],
    [NDJSON, `${JSON.stringify(person)}\n\n{"name":"Other"}`],
    [JSON_ARRAY, `[\n${JSON.stringify(person)},\n{"name":"Other"}\n]`],
  ] as const;
  for (const [n, [type, file]] of files.entries()) {
    const { status, json: report, text } = await importFile(system, "people", file, type);
    assert.equal(status, 200, text);
    assert.deepEqual([report.read, report.created, report.refusedTotal], [2, 2, 0], text);
    const id = 4 + 2 * n;
    const { json: stored } = await system.join.get(`/v1/people/${id}`);
    assert.deepEqual(stored, completePerson({ id, ...person, isKing: false }));
  }
  const { json: report } = await importFile(system, "places", "id,name\n77,Seventy-seven\n,Next\n");
  assert.equal(report.created, 2);
  assert.equal((await system.join.get("/v1/places/78")).json.name, "Next");
});

test("a_batch_with_a_rejected_line_is_not_written_and_each_rejection_is_reported", async () => {
  await using system = await startFilled();
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
  const report = await importFile(system, "people", file);
  assert.equal(report.status, 200, report.text);
  assert.deepEqual(rejections(report), [
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
  assert.equal(await countPeople(system), people.length);

  await system.join.request("DELETE", "/v1/places/30");
  const named = await importFile(system, "places", "id,name\n1,x\n30,y\n,PLACE 7\n,z\n,Z\n");
  assert.deepEqual(rejections(named), [
    [2, "id-taken"],
    [3, "id-retired"],
    [4, "name-taken"],
    [6, "invalid-record", "/name"],
  ]);
});

test("a_file_with_a_syntax_error_is_rejected_as_a_whole", async () => {
  await using system = await startFilled();
  const cases = [
    [CSV, 'name\nGood\n"open', 3],
    [CSV, "name,age\nGood,3\n", 1],
    [CSV, "name,name\nA,B\n", 1],
    [NDJSON, '{"name":"Good"}\n{"name":', 2],
    [JSON_ARRAY, '[{"name":"Good"},\n{"name":]', 2],
    [JSON_ARRAY, '{"name":"Good"}', 1],
  ] as const;
  for (const [type, file, line] of cases) {
    const rejected = await importFile(system, "people", file, type);
    assert.deepEqual([rejected.status, rejected.json.line], [400, line], rejected.text);
    assert.equal(rejected.json.type, "/problems/malformed-body");
  }
  assert.equal((await importFile(system, "people", "x", "text/plain")).status, 415);
  const long = `name\n${"x".repeat(10 * 1024 * 1024)}`;
  assert.equal((await importFile(system, "people", long)).status, 413);
  assert.equal((await importFile(system, "people?mode=replace", "name\n")).status, 400);
  assert.equal(await countPeople(system), people.length);
});

test("a_dry_run_reports_the_outcome_and_writes_nothing", async () => {
  await using system = await startFilled();
  const file = "id,name,isAlive,placeId\n2,Moved,true,3\n3,Ghost,,\n,New,true,1\n";
  const dry = await importFile(system, "people?mode=upsert&dryRun=true", file);
  const counts = { created: 1, updated: 1, unchanged: 1 };
  const { created, updated, unchanged, dryRun, batches } = dry.json;
  assert.deepEqual([{ created, updated, unchanged }, dryRun], [counts, true]);
  assert.equal(batches[0].outcome, "would be written");
  assert.equal(await countPeople(system), people.length);
  assert.equal((await system.join.get("/v1/people/2")).etag, tag(1));

  const done = await importFile(system, "people?mode=upsert", file);
  assert.equal(done.json.batches[0].outcome, "written", done.text);
  assert.deepEqual(done.json.updated, 1);
  const { json: moved, etag } = await system.join.get("/v1/people/2");
  assert.deepEqual([moved.name, moved.placeId, etag], ["Moved", 3, tag(2)]);
  assert.equal((await system.join.get("/v1/people/3")).etag, tag(1));
});

test("a_crashed_import_writes_a_whole_batch_or_nothing", async () => {
  const file = "name,isAlive,placeId\nOne,true,1\nTwo,true,2\n";
  let crashes = 0;
  for (let step = 1; step < 9; step += 1) {
    await using system = await start({ crashable: true, places });
    const crashing = { "content-type": CSV, "x-crash-after": String(step) };
    const crashed = await system.people.request("POST", "/v1/people/import", crashing, file);
    if (crashed.status !== 599) break;
    crashes += 1;
    const names = await system.db.people.rows("SELECT name FROM person ORDER BY id");
    assert.ok(names.length === 0 || names.length === 2, `step ${step}: ${names.length}`);
    await system.join.request("POST", "/v1/integrity/repair?olderThan=0");
    assert.deepEqual(await system.db.people.rows("SELECT * FROM pending_write"), []);
    if (names.length > 0) continue;
    // The crash must not block the deletion of a place or another import.
    assert.equal((await system.places.request("DELETE", "/v1/places/1")).status, 204);
    const second = await importFile(system, "people", file);
    assert.deepEqual(rejections(second), [[2, "no-such-place"]], second.text);
    const other = await importFile(system, "people", "name,isAlive,placeId\nOther,true,2\n");
    assert.equal(other.json.created, 1, other.text);
  }
  assert.ok(crashes >= 3, `${crashes} crashes`);
});

test("an_import_streams_one_progress_line_per_batch", async () => {
  await using system = await startFilled();
  const file = `name\n${"x\n".repeat(10_001)}`;
  const { text, headers } = await importFile(system, "people", file, CSV, { accept: NDJSON });
  assert.equal(headers["content-type"], NDJSON);
  const progress = parseNdjson(text);
  const [first, second, report] = progress;
  assert.deepEqual([progress.length, first.records, second.records], [3, 10_000, 1]);
  assert.deepEqual([report.read, report.created], [10_001, 10_001]);
});

test("an_import_that_needs_a_failed_service_names_it", async () => {
  await using system = await start({
    places,
    people,
    stubs: { places: () => new Response("", { status: 500 }) },
  });
  const failed = await importFile(system, "people", "name,isAlive,placeId\nA,true,1\n");
  assert.deepEqual([failed.status, failed.json.service], [502, "places"]);
  assert.equal((await importFile(system, "people", "name\nA\n")).json.created, 1);
});

test("repeated_values_in_a_json_array_on_one_line_are_rejected", async () => {
  await using system = await startFilled();
  const king = { name: "K", isAlive: true, isKing: true, placeId: 3 };
  for (const [target, records, pointer] of [
    ["places", [{ name: "perm" }, { name: "PERM" }], "/name"],
    ["places", [{ name: "Ñ" }, { name: "N\u0303" }], "/name"],
    [
      "people?mode=upsert",
      [
        { id: 9, name: "a" },
        { id: 9, name: "b" },
      ],
      "/id",
    ],
    ["people", [king, king], "/isKing"],
  ] as const) {
    const response = await importWithTrial(system, target, JSON.stringify(records), JSON_ARRAY);
    assert.deepEqual(rejections(response), [[1, "invalid-record", pointer]], response.text);
    const [{ index, problem }] = response.json.refused;
    assert.equal(index, 1);
    assert.match(problem.detail, /the record at index 0 has it/);
  }
});

test("every_exported_id_can_be_imported", async () => {
  await using system = await startFilled();
  const top = 4503599627370496;
  assert.equal((await system.join.send("PUT", `/v1/places/${top}`, { name: "Top" })).status, 201);
  assert.equal((await system.join.send("POST", "/v1/places", { name: "Next" })).json.id, top + 1);
  const { text } = await system.join.get("/v1/places/export");
  assert.ok(text.includes(`${top + 1},"Next"`), text);
  await using other = await start();
  const imported = await importWithTrial(other, "places", text);
  assert.deepEqual(batchOutcome(imported), ["written", places.length + 2, 0, 0]);
  assert.equal((await other.join.get("/v1/places/export")).text, text);
  const unchanged = await importWithTrial(system, "places?mode=upsert", text);
  assert.deepEqual(batchOutcome(unchanged), ["written", 0, 0, places.length + 2]);
  // The last ids are left for the database to assign.
  const last = await importWithTrial(system, "places", "id,name\n9007199254740991,Last\n");
  assert.deepEqual(rejections(last), [[2, "invalid-record", "/id"]]);
});
