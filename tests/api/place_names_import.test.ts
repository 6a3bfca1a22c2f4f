// Tests imports of people whose lines have the names of their places.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertIntegrity } from "../support/assert_integrity.ts";
import type { System } from "../support/harness.ts";
import {
  CSV,
  countPeople,
  importFile,
  NDJSON,
  places,
  rejections,
  startFilled,
} from "../support/import_helpers.ts";

const [first, second] = places.map(({ name }) => name);

async function lastPeople(system: System, count: number) {
  const { json } = await system.join.get(`/v1/people?sort=-id&limit=${count}`);
  return json
    .reverse()
    .map(({ name, placeId }: { name: string; placeId: number }) => [name, placeId]);
}

const countPlaces = async (system: System) =>
  Number((await system.join.get("/v1/places?limit=1&count=exact")).headers["x-total-count"]);

test("a_person_is_imported_into_the_place_with_a_name_in_any_case", async () => {
  await using system = await startFilled();
  const file = `name,isAlive,place\nAna,true,${first?.toUpperCase()}\nEva,true, ${second?.toLowerCase()} \nIda,false,\n`;
  const { json: report, text } = await importFile(system, "people", file, CSV);
  assert.deepEqual(
    [report.created, report.refusedTotal, report.placesCreated],
    [3, 0, undefined],
    text,
  );
  assert.deepEqual(await lastPeople(system, 3), [
    ["Ana", 1],
    ["Eva", 2],
    ["Ida", null],
  ]);
  const again = (await importFile(system, "people", file, CSV)).json;
  assert.deepEqual([again.created, again.alreadyWritten], [0, 3]);
  // At the service, and in another normalization form.
  await system.join.send("POST", "/v1/places", { name: "Más allá" });
  const lines = `{"name":"Leo","isAlive":true,"place":"${"MÁS ALLÁ".normalize("NFD")}"}\n`;
  const direct = await system.people.request(
    "POST",
    "/v1/people/import",
    { "content-type": NDJSON },
    lines,
  );
  assert.equal(direct.json.created, 1, direct.text);
  await assertIntegrity(system);
});

test("an_unknown_or_contradicting_name_of_a_place_is_an_error_of_its_line", async () => {
  await using system = await startFilled();
  const before = await countPeople(system);
  const file = [
    "id,name,isAlive,placeId,place",
    `,Ana,true,2,${second}`,
    `,Eva,true,2,${first}`,
    ",Ida,true,,Nowhere",
    ",Leo,true,,",
    `,Uma,true,,"a\u200bb"`,
    "",
  ].join("\n");
  const report = await importFile(system, "people", file, CSV);
  assert.deepEqual(rejections(report), [
    [3, "invalid-record", "/place"],
    [4, "no-such-place"],
    [5, "invalid-record", "/placeId"],
    [6, "invalid-record", "/place"],
  ]);
  assert.equal(report.json.refused[1].problem.name, "Nowhere");
  assert.equal(await countPeople(system), before);
  const partial = await importFile(system, "people?skipInvalid=true", file, CSV);
  assert.deepEqual([partial.json.created, partial.json.refusedTotal], [1, 4]);
});

test("missing_places_are_created_once_the_lines_of_the_batch_are_valid", async () => {
  await using system = await startFilled();
  const [peopleBefore, placesBefore] = [await countPeople(system), await countPlaces(system)];
  const create = (file: string, query = "") =>
    importFile(system, `people?createPlaces=true${query}`, file, CSV);
  const invalid = "name,isAlive,place\nAna,true,Nuevo\n,true,Otro\n";
  const refused = await create(invalid);
  assert.deepEqual([refused.json.refusedTotal, refused.json.placesCreated], [1, 0]);
  assert.equal(await countPlaces(system), placesBefore);
  // The place of a line that is left out is not created.
  const trial = (await create(invalid, "&skipInvalid=true&dryRun=true")).json;
  assert.deepEqual([trial.created, trial.placesCreated], [1, 1]);
  const file = `name,isAlive,place\nAna,true,Nuevo\nEva,true,NUEVO\nIda,true,${first}\n`;
  const dry = (await create(file, "&dryRun=true")).json;
  assert.deepEqual([dry.created, dry.placesCreated, dry.dryRun], [3, 1, true]);
  assert.equal(await countPlaces(system), placesBefore);
  const { json: report, text } = await create(file);
  assert.deepEqual([report.created, report.placesCreated], [3, 1], text);
  assert.equal(report.batches[0].placesCreated, 1);
  const found = await system.join.get("/v1/places?name=Nuevo");
  assert.deepEqual(
    found.json.map(({ name }: { name: string }) => name),
    ["Nuevo"],
  );
  const { id } = found.json[0];
  assert.deepEqual(await lastPeople(system, 3), [
    ["Ana", id],
    ["Eva", id],
    ["Ida", 1],
  ]);
  assert.equal(await countPeople(system), peopleBefore + 3);
  assert.equal(await countPlaces(system), placesBefore + 1);
  const again = (await create(file)).json;
  assert.deepEqual([again.created, again.alreadyWritten], [0, 3]);
  await assertIntegrity(system);
});

test("a_patch_moves_people_to_a_place_by_its_name", async () => {
  await using system = await startFilled();
  const file = "id,place\n2,Nuevo\n";
  const report = (await importFile(system, "people?mode=patch&createPlaces=true", file, CSV)).json;
  assert.deepEqual([report.updated, report.placesCreated], [1, 1]);
  const { json } = await system.join.get("/v1/people/2?expand=place");
  assert.deepEqual([json.name, json.place.name], ["Resident", "Nuevo"]);
  const unknown = await importFile(system, "places?createPlaces=true", "name\nx\n", CSV);
  assert.equal(unknown.status, 400);
});

test("an_expanded_export_can_be_imported_again", async () => {
  await using system = await startFilled();
  for (const [id, name] of [
    [1, '=Uno, "dos"'],
    [2, "Más allá"],
  ] as const) {
    assert.equal((await system.join.send("PATCH", `/v1/places/${id}`, { name })).status, 200);
  }
  const before = await countPeople(system);
  for (const [type, query] of [
    [CSV, "format=csv"],
    [NDJSON, "format=ndjson"],
  ] as const) {
    const file = (await system.join.get(`/v1/people/export?expand=place&${query}`)).text;
    assert.match(file, type === CSV ? /^id,.*,placeName\r\n/ : /"place":\{"id":1,"name":"=Uno/);
    const upsert = await importFile(system, "people?mode=upsert", file, type);
    const { unchanged, refusedTotal } = upsert.json;
    assert.deepEqual([unchanged, refusedTotal], [before, 0], upsert.text);
    const patch = await importFile(system, "people?mode=patch", file, type);
    assert.deepEqual([patch.json.unchanged, patch.json.refusedTotal], [before, 0], patch.text);
  }
  // Columns may be removed: then the other one says which place it is.
  const named = `ID;PLACENAME\n2;más allá\n`;
  const { json } = await importFile(system, "people?mode=patch", named, CSV);
  assert.deepEqual([json.updated + json.unchanged, json.refusedTotal], [1, 0]);
  assert.equal((await system.join.get("/v1/people/2")).json.placeId, 2);
  await assertIntegrity(system);
});

test("a_place_name_that_is_not_that_of_the_place_id_is_an_error_of_its_line", async () => {
  await using system = await startFilled();
  const file = (await system.join.get("/v1/people/export?expand=place&placeId=2")).text;
  const [header, line] = file.split("\r\n");
  await system.join.send("PATCH", "/v1/places/2", { name: "Otro nombre" });
  const [peopleBefore, placesBefore] = [await countPeople(system), await countPlaces(system)];
  for (const query of ["", "&createPlaces=true"]) {
    const csv = `${header}\r\n${line}\r\n`;
    const report = await importFile(system, `people?mode=upsert${query}`, csv, CSV);
    assert.deepEqual(rejections(report), [[2, "invalid-record", "/place"]], report.text);
    assert.match(report.json.refused[0].problem.detail, /the name of the place in `placeId`/);
  }
  const lines = [
    { name: "Ana", isAlive: true, placeId: 1, place: { id: 2, name: "Otro nombre" } },
    { name: "Eva", isAlive: true, place: { id: 1, name: "Otro nombre" } },
    { name: "Ida", isAlive: true, place: { name: "Otro nombre" } },
    { name: "Leo", isAlive: true, place: { id: 2, name: 3 } },
    { name: "Uma", isAlive: true, place: { id: 2, name: "Otro nombre", country: "x" } },
  ];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const report = await importFile(system, "people", text, NDJSON);
  assert.deepEqual(
    rejections(report),
    lines.map((_, n) => [n + 1, "invalid-record", "/place"]),
    report.text,
  );
  assert.equal(await countPeople(system), peopleBefore);
  assert.equal(await countPlaces(system), placesBefore);
  const twice = await importFile(system, "people", "name,place,placeName\nAna,a,a\n", CSV);
  assert.deepEqual([twice.status, twice.json.type], [400, "/problems/malformed-body"]);
});
