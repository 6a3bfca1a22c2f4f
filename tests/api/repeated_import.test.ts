// Tests imports of a file that was imported before, or that several clients import at once. Nothing
// is added twice, and the report says what each import did.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { tag } from "../support/fixtures.ts";
import { type ApiResponse, start } from "../support/harness.ts";
import {
  assertOutcome,
  batchOutcome,
  CSV,
  countPeople,
  dryRun,
  importFile,
  importWithTrial,
  people,
  places,
  rejections,
  startFilled,
} from "../support/import_helpers.ts";

/** Delays every transaction, so that all concurrent imports plan before any of them writes. */
const delayedDatabase = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const pause = () => new Promise((resolve) => setTimeout(resolve, 300));
  const wrap = (d1) => ({
    prepare: (sql) => d1.prepare(sql),
    withSession: (constraint) => wrap(d1.withSession(constraint)),
    getBookmark: () => d1.getBookmark(),
    batch: (statements) => pause().then(() => d1.batch(statements)),
  });
  export default class extends WorkerEntrypoint {
    fetch(request) {
      return Built.fetch(request, { ...this.env, DB: wrap(this.env.DB) }, this.ctx);
    }
  }
`;

test("a_repeated_import_writes_only_the_missing_batches", async () => {
  await using system = await startFilled();
  const person = (n: number) => `Person ${n},true,${1 + (n % 29)}\n`;
  const rows = Array.from({ length: 22_500 }, (_, n) => person(n));
  const invalid = rows.with(12_500, "Person 12500,true,99\n");
  const header = "name,isAlive,placeId\n";
  const outcomes = (response: ApiResponse) =>
    response.json.batches.map(({ outcome }: { outcome: string }) => outcome);

  const first = await importFile(system, "people", header + invalid.join(""));
  assert.deepEqual(outcomes(first), ["written", "refused", "written"]);
  assert.deepEqual(rejections(first), [[12_502, "no-such-place"]]);
  assert.equal(await countPeople(system), people.length + 12_500);
  const corrected = await importFile(system, "people", header + rows.join(""));
  assert.deepEqual(outcomes(corrected), ["already written", "written", "already written"]);
  for (const key of ["", "twice"]) {
    const second = await importFile(system, "people", header + rows.join(""), CSV, {
      ...(key && { "idempotency-key": key }),
    });
    const all = Array(3).fill(key ? "written" : "already written");
    assert.deepEqual(outcomes(second), all);
  }
  assert.equal(await countPeople(system), people.length + 45_000);
  const { json: report } = await system.join.get("/v1/integrity");
  assert.ok(report.consistent);
});

test("equal_batches_of_one_file_are_all_written_and_only_once", async () => {
  await using system = await startFilled();
  const file = `name,isAlive,placeId\n${"N.N.,true,1\n".repeat(25_000)}`;
  for (const outcome of ["written", "already written"]) {
    const { json } = await importFile(system, "people", file);
    const outcomes = json.batches.map((batch: { outcome: string }) => batch.outcome);
    assert.deepEqual(outcomes, Array(3).fill(outcome));
    assert.equal(await countPeople(system), people.length + 25_000);
  }
});

test("a_repeated_upsert_compares_with_the_present_records", async () => {
  await using system = await startFilled();
  for (const [collection, header, row] of [
    ["people", "id,name,isAlive,placeId", "901,Prueba Una,true,1"],
    ["places", "id,name", "901,Prueba Una"],
  ] as const) {
    const upsert = `${collection}?mode=upsert`;
    const file = `${header}\n${row}\n`;
    const path = `/v1/${collection}/901`;
    await assertOutcome(system, upsert, file, ["written", 1, 0, 0]);
    await assertOutcome(system, upsert, file, ["written", 0, 0, 1]);
    await system.join.send("PATCH", path, { name: "Wrong" });
    const second = await importWithTrial(system, upsert, file);
    assert.deepEqual(batchOutcome(second), ["written", 0, 1, 0]);
    assert.deepEqual([second.json.updated, second.json.alreadyWritten], [1, 0]);
    const { json: record, etag } = await system.join.get(path);
    assert.deepEqual([record.name, etag], ["Prueba Una", tag(3)]);
    assert.equal((await system.join.request("DELETE", path)).status, 204);
    const last = await importWithTrial(system, upsert, file);
    if (collection === "people") {
      assert.deepEqual(batchOutcome(last), ["written", 1, 0, 0]);
      assert.equal((await system.join.get(path)).json.name, "Prueba Una");
    } else {
      assert.deepEqual(rejections(last), [[2, "id-retired"]]);
    }
  }
});

test("a_repeated_upsert_adds_records_without_an_id_once", async () => {
  await using system = await startFilled();
  const named = async (collection: string, name: string) =>
    (await system.join.get(`/v1/${collection}?name=${name}`)).json;
  for (const collection of ["people", "places"]) {
    const upsert = `${collection}?mode=upsert`;
    // The record without an id is the first in the file and is added last.
    const file = "id,name\n,Nueva\n1,Primera\n950,Otra\n";
    await assertOutcome(system, upsert, file, ["written", 2, 1, 0]);
    await assertOutcome(system, upsert, file, ["written", 0, 0, 3]);
    // After a change of a record with an id, the one without is not added again.
    await system.join.send("PATCH", `/v1/${collection}/950`, { name: "Wrong" });
    await assertOutcome(system, upsert, file, ["written", 0, 1, 2]);
    await assertOutcome(system, upsert, file, ["written", 0, 0, 3]);
    const [added, ...more] = await named(collection, "Nueva");
    assert.equal(more.length, 0);
    await system.join.request("DELETE", `/v1/${collection}/${added.id}`);
    await assertOutcome(system, upsert, file, ["written", 1, 0, 2]);
    assert.equal((await named(collection, "Nueva")).length, 1);
    await assertOutcome(system, upsert, file, ["written", 0, 0, 3]);
    const key = { "idempotency-key": "on-purpose" };
    if (collection === "places") continue;
    const twice = await importFile(system, upsert, file, CSV, key);
    assert.deepEqual(batchOutcome(twice), ["written", 1, 0, 2]);
  }
});

test("a_repeated_insert_is_already_written_while_its_records_are_unchanged", async () => {
  await using system = await startFilled();
  for (const collection of ["people", "places"]) {
    const path = `/v1/${collection}`;
    // Records with ids: an existing id is rejected.
    const chosen = "id,name\n960,Uno\n961,Dos\n";
    await assertOutcome(system, collection, chosen, ["written", 2, 0, 0]);
    const second = await importWithTrial(system, collection, chosen);
    assert.deepEqual(batchOutcome(second), ["already written", 2, 0, 0]);
    assert.deepEqual([second.json.created, second.json.alreadyWritten], [0, 2]);
    await system.join.send("PATCH", `${path}/960`, { name: "Wrong" });
    const conflicting = await importWithTrial(system, collection, chosen);
    assert.deepEqual(rejections(conflicting), [
      [2, "id-taken"],
      [3, "id-taken"],
    ]);
    await system.join.send("PATCH", `${path}/960`, { name: "Uno" });
    assert.equal((await importWithTrial(system, collection, chosen)).json.refusedTotal, 2);
    for (const id of [960, 961]) await system.join.request("DELETE", `${path}/${id}`);
    const recreated = await importWithTrial(system, collection, chosen);
    if (collection === "people") {
      assert.deepEqual(batchOutcome(recreated), ["written", 2, 0, 0]);
      assert.equal((await system.join.get(`${path}/960`)).json.name, "Uno");
      await assertOutcome(system, collection, chosen, ["already written", 2, 0, 0]);
    } else {
      assert.deepEqual(rejections(recreated), [
        [2, "id-retired"],
        [3, "id-retired"],
      ]);
    }

    // Records without ids: they are added.
    const findAdded = async () => (await system.join.get(`${path}?name=Sin%20id`)).json;
    const unnumbered = "name\nSin id\n";
    await assertOutcome(system, collection, unnumbered, ["written", 1, 0, 0]);
    const [{ id }] = await findAdded();
    await assertOutcome(system, collection, unnumbered, ["already written", 1, 0, 0]);
    // Other line breaks, as a browser sends them, make no difference.
    for (const same of ["name\r\nSin id\r\n", "name\nSin id"]) {
      assert.equal((await importWithTrial(system, collection, same)).json.alreadyWritten, 1);
    }
    await system.join.request("DELETE", `${path}/${id}`);
    await assertOutcome(system, collection, unnumbered, ["written", 1, 0, 0]);
    assert.equal((await findAdded()).length, 1);
    // A repetition of the new import is again already written.
    assert.equal((await importWithTrial(system, collection, unnumbered)).json.alreadyWritten, 1);
  }
  assert.ok((await system.join.get("/v1/integrity")).json.consistent);
});

test("a_repeated_insert_under_a_key_is_already_written_even_if_its_records_changed", async () => {
  await using system = await startFilled();
  const key = (key: string) => ({ "idempotency-key": key });
  for (const collection of ["people", "places"]) {
    const file = "name\nCon clave\n";
    const add = (name: string) => importFile(system, collection, file, CSV, key(name));
    assert.equal((await add("first")).json.created, 1);
    const [{ id }] = (await system.join.get(`/v1/${collection}?name=con%20clave`)).json;
    await system.join.send("PATCH", `/v1/${collection}/${id}`, { name: "Changed" });
    assert.deepEqual(batchOutcome(await add("first")), ["already written", 1, 0, 0]);
    await system.join.request("DELETE", `/v1/${collection}/${id}`);
    assert.deepEqual(batchOutcome(await add("first")), ["already written", 1, 0, 0]);
    assert.deepEqual(batchOutcome(await add("second")), ["written", 1, 0, 0]);
  }
});

test("concurrent_imports_of_one_file_write_it_once_and_report_consistent_counts", async () => {
  await using system = await start({
    places,
    people,
    wrappers: { places: delayedDatabase, people: delayedDatabase },
  });
  const clients = 5;
  const importConcurrently = async (target: string, file: string) => {
    const imports = Array.from({ length: clients }, () => importFile(system, target, file));
    const responses = await Promise.all(imports);
    for (const { status, text } of responses) assert.equal(status, 200, text);
    const total = (count: string) => responses.reduce((sum, { json }) => sum + json[count], 0);
    const counts = ["created", "updated", "unchanged", "alreadyWritten", "refusedTotal"];
    return Object.fromEntries(counts.map((count) => [count, total(count)]));
  };
  const nothing = { created: 0, updated: 0, unchanged: 0, alreadyWritten: 0, refusedTotal: 0 };
  for (const [collection, header, rest] of [
    ["people", "id,name,isAlive,placeId", ",true,3"],
    ["places", "id,name", ""],
  ] as const) {
    const file = (ids: (number | "")[], name: string) =>
      [header, ...ids.map((id, n) => `${id},${name} ${n}${rest}`)].join("\n");
    const added = await importConcurrently(collection, file(["", ""], "Nueva"));
    assert.deepEqual(added, { ...nothing, created: 2, alreadyWritten: 2 * (clients - 1) });
    const chosen = await importConcurrently(collection, file([970, 971], "Propia"));
    assert.deepEqual(chosen, { ...nothing, created: 2, alreadyWritten: 2 * (clients - 1) });
    const upsert = `${collection}?mode=upsert`;
    // Two existing records, one with a new id, and one without an id.
    const all = await importConcurrently(upsert, file([970, 971, 972, ""], "Otra"));
    assert.deepEqual(all, { ...nothing, created: 2, updated: 2, unchanged: 4 * (clients - 1) });
    const names = (await system.join.get(`/v1/${collection}?name=Otra`)).json;
    assert.equal(names.length, 4);
  }
  assert.ok((await system.join.get("/v1/integrity")).json.consistent);
});

test("a_place_whose_id_is_retired_during_the_import_is_rejected", async () => {
  await using system = await start({ places, wrappers: { places: delayedDatabase } });
  const importing = importFile(system, "places", "id,name\n980,Una\n981,Dos\n");
  await sleep(150);
  await system.db.places.exec(
    "INSERT INTO place (id, name, name_key) VALUES (980, 'x', 'x'); DELETE FROM place WHERE id = 980;",
  );
  const report = await importing;
  assert.deepEqual(rejections(report), [[2, "id-retired"]], report.text);
  assert.equal((await system.join.get("/v1/places/981")).status, 404);
});

test("an_import_succeeds_despite_a_pending_import_of_the_same_file", async () => {
  const file = "name,isAlive,placeId\nOne,true,1\nTwo,true,2\n";
  const pending = "SELECT place_id FROM pending_write";
  for (let step = 1; step < 9; step += 1) {
    await using system = await start({ crashable: true, places });
    const crashing = { "content-type": CSV, "x-crash-after": String(step) };
    await system.people.request("POST", "/v1/people/import", crashing, file);
    if ((await system.db.people.rows(pending)).length === 0) continue;
    assert.deepEqual(batchOutcome(await importFile(system, dryRun("people"), file)), [
      "would be written",
      2,
      0,
      0,
    ]);
    assert.deepEqual(batchOutcome(await importFile(system, "people", file)), ["written", 2, 0, 0]);
    assert.deepEqual(batchOutcome(await importFile(system, "people", file)), [
      "already written",
      2,
      0,
      0,
    ]);
    return;
  }
  assert.fail("no step leaves a pending write");
});
