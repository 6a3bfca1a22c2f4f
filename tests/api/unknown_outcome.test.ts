// A rejected write has had no effect, unless its problem says that the outcome is unknown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertIntegrity, repairAll } from "../support/assert_integrity.ts";
import { people, places } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";

const settings = { WRITES: "open", UPSTREAM_DEADLINE_MS: "1000" };

test("a_deletion_whose_reassignment_fails_has_an_unknown_outcome", async () => {
  const placedPeople = people.filter(({ placeId }) => places.some(({ id }) => id === placeId));
  await using system = await start({
    places,
    people: placedPeople,
    switchableFaults: true,
    gatewaySettings: settings,
  });
  const faults = { 1: "responds_with_html", 3: "truncates_its_body", 8: "throws" };
  for (const [id, fault] of Object.entries(faults)) {
    await system.setFault("people", fault);
    const { status, json } = await system.join.request("DELETE", `/v1/places/${id}?reassignTo=2`);
    await system.setFault("people");
    assert.deepEqual([status, json.service, json.outcome], [502, "people", "unknown"], fault);
  }
  // The tombstones remain, so the repair can complete the deletions.
  await repairAll(system.join);
  for (const id of Object.keys(faults)) {
    assert.equal((await system.join.get(`/v1/places/${id}`)).status, 404);
  }
  await assertIntegrity(system);
});

test("a_failed_repair_has_an_unknown_outcome_unless_it_is_a_dry_run", async () => {
  await using system = await start({ places, switchableFaults: true, gatewaySettings: settings });
  await system.setFault("people", "responds_with_html");
  for (const [query, outcome] of [
    ["?olderThan=0", "unknown"],
    ["?dryRun=true", undefined],
  ]) {
    const { status, json } = await system.join.request("POST", `/v1/integrity/repair${query}`);
    assert.deepEqual([status, json.service, json.outcome], [502, "people", outcome]);
  }
});

test("a_write_that_fails_internally_has_an_unknown_outcome", async () => {
  await using system = await start({ places, people, panickingWorker: "places" });
  for (const header of ["x-broken", "x-panic"]) {
    const headers = { [header]: "1" };
    const read = await system.places.get("/v1/places/1", headers);
    assert.deepEqual([read.status, read.json.outcome], [500, undefined]);
    for (const method of ["PUT", "PATCH"]) {
      const body = { name: "Other" };
      const { status, json } = await system.places.send(method, "/v1/places/1", body, headers);
      assert.deepEqual([status, json.type, json.outcome], [500, "/problems/internal", "unknown"]);
    }
  }
});
