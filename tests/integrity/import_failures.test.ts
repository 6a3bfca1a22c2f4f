// Tests the reports of imports that fail in the middle. A report says what was written, and a problem
// without `outcome` means that the batch had no effect.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertIntegrity, repairAll } from "../support/assert_integrity.ts";
import { parseNdjson, type System, start } from "../support/harness.ts";
import { heldCalls, whileHeld } from "../support/held_calls.ts";
import { CSV, countPeople, importFile, NDJSON, people, places } from "../support/import_helpers.ts";

type Batch = { outcome: string; placesCreated?: number; problem?: { outcome?: string } };

/** The last batch of a report. In a report by line, it is the line before the totals. */
const lastBatch = (text: string, accept?: string): Batch =>
  accept ? parseNdjson(text).at(-2) : JSON.parse(text).batches.at(-1);

/** A file with one full batch, and a second one with one record. */
const twoBatches = (first: string, second: string) =>
  `name,isAlive,place\n${`${first},,\n`.repeat(10_000)}${second}\n`;

test("a_batch_whose_write_may_be_done_has_an_unknown_outcome_in_the_report", async () => {
  await using system = await start({ places, people, wrappers: { people: heldCalls } });
  for (const accept of [undefined, NDJSON]) {
    const outcomes: (string | undefined)[] = [];
    let written = 0;
    // The first batch takes two calls.
    for (let call = 3; ; call += 1) {
      const before = await countPeople(system);
      const headers = { "x-lose-call": `${call}`, ...(accept && { accept }) };
      const file = twoBatches(`First ${accept} ${call}`, `Second ${accept} ${call},,`);
      const { status, text } = await importFile(system, "people", file, CSV, headers);
      assert.equal(status, 200, text);
      const { outcome, problem } = lastBatch(text, accept);
      if (outcome === "written") break;
      assert.equal(outcome, "failed", text);
      outcomes.push(problem?.outcome);
      written += (await countPeople(system)) - before - 10_000;
    }
    assert.deepEqual(outcomes, ["unknown", "unknown"], accept);
    assert.equal(written, 1, accept);
  }
});

test("a_dry_run_that_fails_has_no_unknown_outcome", async () => {
  await using system = await start({ places, people, wrappers: { people: heldCalls } });
  for (const [call, file] of [
    [1, "name\nOnly\n"],
    [2, twoBatches("First", "Second,,")],
  ] as const) {
    const headers = { "content-type": CSV, "x-lose-call": `${call}` };
    const path = "/v1/people/import?dryRun=true";
    const { json, text } = await system.people.request("POST", path, headers, file);
    const problem = json.batches?.at(-1).problem ?? json;
    assert.deepEqual([problem.type, problem.outcome], ["/problems/internal", undefined], text);
  }
  await using failing = await start({
    places,
    people,
    stubs: { places: () => new Response("", { status: 500 }) },
  });
  for (const query of ["?dryRun=true", "?createPlaces=true"]) {
    const file = "name,isAlive,place\nA,true,Nuevo\n";
    const { status, json, text } = await importFile(failing, `people${query}`, file);
    assert.deepEqual([status, json.service, json.outcome], [502, "places", undefined], text);
  }
});

/** `/arm?statuses` makes the first request for statuses after a creation of places fail.
 * `/arm?creation` truncates the response to the next creation. */
const failsAfterCreation = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  let [armed, hasCreated] = ["", false];
  export default class extends WorkerEntrypoint {
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/arm") {
        [armed, hasCreated] = [search.slice(1), false];
        return new Response("armed");
      }
      const isCreation = search.includes("create=true");
      const fails = isCreation ? armed === "creation" : hasCreated && armed === "statuses" && pathname.endsWith("/statuses");
      hasCreated ||= isCreation;
      if (!fails) return Built.fetch(request, this.env, this.ctx);
      armed = "";
      if (!isCreation) return new Response("", { status: 500 });
      await Built.fetch(request, this.env, this.ctx);
      return new Response("[1");
    }
  }
`;

const hasPlace = async (system: System, name: string) =>
  (await system.join.get(`/v1/places?name=${name}`)).json.length === 1;

test("an_import_that_fails_after_it_has_created_places_reports_them", async () => {
  await using system = await start({ places, people, wrappers: { places: failsAfterCreation } });
  for (const accept of [undefined, NDJSON]) {
    for (const [n, file] of [
      "name,isAlive,place\nAna,true,PLACE\n",
      twoBatches("First", "Ana,true,PLACE"),
    ].entries()) {
      await system.places.get("/arm?statuses");
      const place = `Nuevo${n}${accept?.length ?? 0}`;
      const headers: Record<string, string> = accept ? { accept } : {};
      const target = "people?createPlaces=true";
      const text = file.replace("PLACE", place);
      const response = await importFile(system, target, text, CSV, headers);
      assert.equal(response.status, 200, response.text);
      const { outcome, placesCreated, problem } = lastBatch(response.text, accept);
      const found = [outcome, placesCreated, problem?.outcome];
      assert.deepEqual(found, ["failed", 1, "unknown"], response.text);
      const totals = accept ? parseNdjson(response.text).at(-1) : response.json;
      assert.equal(totals.placesCreated, 1, response.text);
      assert.ok(await hasPlace(system, place), place);
      // The file can be sent again.
      const again = await importFile(system, target, text, CSV);
      assert.equal(again.json.batches.at(-1).outcome, "written", again.text);
      assert.equal(again.json.placesCreated, 0, again.text);
    }
  }
  await repairAll(system.join);
  await assertIntegrity(system);
});

test("a_creation_of_places_whose_response_is_truncated_has_an_unknown_outcome", async () => {
  await using system = await start({ places, people, wrappers: { places: failsAfterCreation } });
  await system.places.get("/arm?creation");
  const file = "name,isAlive,place\nAna,true,Nuevo\n";
  const lost = await importFile(system, "people?createPlaces=true", file);
  assert.deepEqual([lost.status, lost.json.service, lost.json.outcome], [502, "places", "unknown"]);
  assert.ok(await hasPlace(system, "Nuevo"));
  await system.places.get("/arm?creation");
  const second = twoBatches("First", "Ana,true,Otro");
  const { json, text } = await importFile(system, "people?createPlaces=true", second);
  const { outcome, problem } = json.batches.at(-1);
  assert.deepEqual([outcome, problem.outcome], ["failed", "unknown"], text);
  assert.ok(await hasPlace(system, "Otro"));
});

test("the_places_of_a_batch_that_is_planned_again_are_counted_once", async () => {
  await using system = await start({ places, people, wrappers: { people: heldCalls } });
  let plannedAgain = 0;
  for (let call = 1; ; call += 1) {
    const file = `id,place\n2,Nuevo ${call}\n`;
    const type = { "content-type": CSV };
    const path = "/v1/people/import?mode=patch&createPlaces=true";
    const response = await whileHeld(
      system.people,
      call,
      (headers) => system.people.request("POST", path, { ...type, ...headers }, file),
      async () => {
        if (await hasPlace(system, `Nuevo%20${call}`)) plannedAgain += 1;
        const name = { name: `Name ${call}` };
        assert.equal((await system.people.send("PATCH", "/v1/people/2", name)).status, 200);
      },
    );
    if (!response) break;
    const { json, text } = response;
    assert.deepEqual([json.updated, json.placesCreated], [1, 1], `call ${call}: ${text}`);
    assert.equal((await system.people.get("/v1/people/2")).json.name, `Name ${call}`);
  }
  assert.ok(plannedAgain > 0);
  await assertIntegrity(system);
});
