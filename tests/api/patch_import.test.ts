// Tests imports that change only some fields (`mode=patch`).
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertIntegrity } from "../support/assert_integrity.ts";
import {
  CSV,
  countPeople,
  importFile,
  NDJSON,
  places,
  rejections,
  startFilled,
} from "../support/import_helpers.ts";
import { assertRecord } from "../support/write_helpers.ts";

const king = { id: 1, name: "King", isAlive: true, placeId: 1, isKing: true };
const resident = { id: 2, name: "Resident", isAlive: true, placeId: 2, isKing: false };

test("a_patch_changes_the_columns_of_the_header_and_no_others", async () => {
  await using system = await startFilled();
  const file = "id,placeId\n2,3\n1,1\n";
  const trial = (await importFile(system, "people?mode=patch&dryRun=true", file, CSV)).json;
  assert.deepEqual([trial.created, trial.updated, trial.unchanged], [0, 1, 1]);
  const { json: report, text } = await importFile(system, "people?mode=patch", file, CSV);
  assert.deepEqual([report.created, report.updated, report.unchanged], [0, 1, 1], text);
  assertRecord(await system.join.get("/v1/people/2"), 200, { ...resident, placeId: 3 }, 2);
  assertRecord(await system.join.get("/v1/people/1"), 200, king, 1);
  // A repetition changes nothing.
  const again = (await importFile(system, "people?mode=patch", file, CSV)).json;
  assert.deepEqual([again.updated, again.unchanged, again.alreadyWritten], [0, 2, 0]);
  await assertIntegrity(system);
});

test("a_patch_changes_the_members_of_each_json_line", async () => {
  await using system = await startFilled();
  const file = '{"id":2,"name":"Ana"}\n{"id":1,"isKing":false}\n{"id":3}\n';
  const { json: report } = await importFile(system, "people?mode=patch", file, NDJSON);
  assert.deepEqual([report.updated, report.unchanged], [2, 1]);
  assertRecord(await system.join.get("/v1/people/2"), 200, { ...resident, name: "Ana" }, 2);
  assertRecord(await system.join.get("/v1/people/1"), 200, { ...king, isKing: false }, 2);
  const renamed = await importFile(system, "places?mode=patch", "id,name\n3,Nuevo\n", CSV);
  assert.equal(renamed.json.updated, 1);
});

test("an_empty_cell_of_a_patch_clears_the_field", async () => {
  await using system = await startFilled();
  const file = "id,isAlive,placeId\n2,no,\n";
  assert.equal((await importFile(system, "people?mode=patch", file, CSV)).json.updated, 1);
  const dead = { ...resident, isAlive: false, placeId: null };
  assertRecord(await system.join.get("/v1/people/2"), 200, dead, 2);
});

test("a_patch_that_breaks_a_rule_is_an_error_of_its_line", async () => {
  await using system = await startFilled();
  const file = [
    '{"name":"Nobody"}',
    '{"id":999,"name":"Missing"}',
    '{"id":2,"placeId":null}',
    '{"id":3,"isAlive":true,"placeId":999}',
    '{"id":3,"name":"Twice"}',
    '{"id":1,"name":"Valid"}',
    '{"id":2,"age":7}',
  ].join("\n");
  const before = await countPeople(system);
  const report = await importFile(system, "people?mode=patch", file, NDJSON);
  assert.deepEqual(rejections(report), [
    [1, "invalid-record", "/id"],
    [2, "not-found"],
    [3, "invalid-record", "/placeId"],
    [4, "no-such-place"],
    [5, "invalid-record", "/id"],
    [7, "invalid-record", "/id"],
  ]);
  assertRecord(await system.join.get("/v1/people/1"), 200, king, 1);
  const partial = await importFile(system, "people?mode=patch&skipInvalid=true", file, NDJSON);
  assert.deepEqual([partial.json.updated, partial.json.refusedTotal], [1, 6]);
  assertRecord(await system.join.get("/v1/people/1"), 200, { ...king, name: "Valid" }, 2);
  assert.equal(await countPeople(system), before);
  await assertIntegrity(system);
});

test("a_crown_and_a_name_change_hands_within_one_batch_of_an_import", async () => {
  await using system = await startFilled();
  const moved = await importFile(system, "people?mode=patch", "id,placeId\n2,1\n", CSV);
  assert.equal(moved.json.updated, 1);
  // The heir comes first.
  const file = "id,isKing\n2,true\n1,false\n";
  const { json: report, text } = await importFile(system, "people?mode=patch", file, CSV);
  assert.equal(report.updated, 2, text);
  assert.equal((await system.join.get("/v1/people/2")).json.isKing, true);
  assert.equal((await system.join.get("/v1/people/1")).json.isKing, false);
  const names = `id,name\n1,${places[1]?.name}\n2,Nuevo\n`;
  const renamed = await importFile(system, "places?mode=upsert", names, CSV);
  assert.equal(renamed.json.updated, 2, renamed.text);
  // With skipInvalid, each line must be valid by itself.
  const back = "id,isKing\n1,true\n2,false\n";
  const skipped = await importFile(system, "people?mode=patch&skipInvalid=true", back, CSV);
  assert.deepEqual(rejections(skipped), [[2, "place-has-king"]]);
  await assertIntegrity(system);
});
