// Tests the rules across both databases: the integrity report, the repair, and writers that crash
// after any step. crates/model checks the protocol itself. These tests check the built workers.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assertIntegrity, repairAll } from "../support/assert_integrity.ts";
import { makePlaces } from "../support/fixtures.ts";
import { type ApiResponse, type System, start } from "../support/harness.ts";

const alive = (name: string, placeId: number) => ({ name, isAlive: true, placeId });

test("the_integrity_report_lists_all_faults_and_a_repair_dry_run_changes_nothing", async () => {
  await using system = await start({
    places: makePlaces(2),
    people: [
      { id: 1, name: "Orphan", isAlive: true, placeId: 7, isKing: false },
      { id: 2, name: "Ghost", isAlive: false, placeId: 8, isKing: false },
      { id: 3, name: "Resident", isAlive: true, placeId: 2, isKing: false },
    ],
  });
  await system.db.places.exec(
    "INSERT INTO tombstone (place_id, phase, since) VALUES (1, 'deleting', 0)",
  );
  await system.db.people.exec(
    "INSERT INTO pending_write (token, place_id, person_id, since) VALUES ('t', 2, 3, 0)",
  );
  const before = (await system.join.get("/v1/integrity")).json;
  assert.deepEqual(before, {
    consistent: false,
    complete: true,
    withoutPlace: [
      { placeId: 7, living: 1, dead: 0 },
      { placeId: 8, living: 0, dead: 1 },
    ],
    doubleKings: [],
    deleting: [{ placeId: 1, isGone: false, reassignTo: null }],
    pending: [{ id: 3, placeId: 2 }],
  });
  const plan = {
    deletions: [{ placeId: 1, isGone: false, reassignTo: null, action: "finish" }],
    pending: [{ id: 3, placeId: 2, action: "remove" }],
    released: [{ placeId: 8, dead: 1 }],
    byHand: [
      {
        placeId: 7,
        living: 1,
        remedy: "PATCH each of them with the placeId of a place that exists.",
      },
    ],
  };
  const dry = await system.join.request("POST", "/v1/integrity/repair?dryRun=true");
  assert.deepEqual(dry.json, { dryRun: true, ...plan });
  assert.deepEqual((await system.join.get("/v1/integrity")).json, before);

  const done = await system.join.request("POST", "/v1/integrity/repair");
  const deletions = [{ ...plan.deletions[0], end: "deleted" }];
  assert.deepEqual(done.json, { dryRun: false, ...plan, deletions });
  const moved = await system.join.send("PATCH", "/v1/people/1", { placeId: 2 });
  assert.equal(moved.status, 200);
  await assertIntegrity(system);
  assert.equal((await system.join.get("/v1/places/1")).status, 404);
});

/** Asserts that each operation of a batch is done, and only once. */
async function assertDoneAsAWhole(system: System, name: string, base: number) {
  if (name === "batch") {
    const mover = await system.people.get(`/v1/people/${base + 1}`);
    assert.equal(mover.json.placeId, base + 2);
    assert.equal((await system.people.get(`/v1/people/${base + 2}`)).status, 404);
    for (const created of [`new${base}`, `other${base}`]) {
      assert.equal((await system.people.get(`/v1/people?name=${created}`)).json.length, 1);
    }
    return;
  }
  const place = await system.places.get(`/v1/places/${base + 1}`);
  assert.equal(place.json.name, `Renamed ${base}`);
  for (const id of [base + 2, base + 3]) {
    assert.equal((await system.places.get(`/v1/places/${id}`)).status, 404);
  }
}

suite("a writer that crashes after any step", () => {
  // More calls than any request makes, of its own database and of the other service.
  const steps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  type Send = (
    system: System,
    headers: Record<string, string>,
    base: number,
  ) => Promise<ApiResponse>;
  const requests: Record<string, Send> = {
    insert: ({ people }, headers, base) => {
      const key = { "idempotency-key": `k${base}` };
      return people.send("POST", "/v1/people", alive(`New${base}`, base + 2), {
        ...headers,
        ...key,
      });
    },
    put: ({ people }, headers, base) =>
      people.send("PUT", `/v1/people/${base + 77}`, alive("New", base + 2), headers),
    move: ({ people }, headers, base) =>
      people.send("PATCH", `/v1/people/${base + 1}`, { placeId: base + 2 }, headers),
    resurrection: ({ people }, headers, base) => {
      const revived = { isAlive: true, placeId: base + 2 };
      return people.send("PATCH", `/v1/people/${base + 2}`, revived, headers);
    },
    restoration: async ({ people }, headers, base) => {
      const path = `/v1/people/${base + 1}`;
      // Only the first of the three requests finds the person.
      if ("x-crash-after" in headers) await people.request("DELETE", path);
      return people.request("POST", `${path}/restore`, headers);
    },
    batch: ({ people }, headers, base) => {
      const operations = [
        { op: "update", id: base + 1, body: { placeId: base + 2 } },
        { op: "create", body: alive(`New${base}`, base + 2) },
        { op: "delete", id: base + 2 },
        { op: "create", body: alive(`Other${base}`, base + 1) },
      ];
      const key = { "idempotency-key": `k${base}` };
      return people.send("POST", "/v1/people/batch", operations, { ...headers, ...key });
    },
    batch_of_deletions: ({ places }, headers, base) => {
      const operations = [
        { op: "delete", id: base + 2 },
        { op: "delete", id: base + 3 },
        { op: "update", id: base + 1, body: { name: `Renamed ${base}` } },
      ];
      const key = { "idempotency-key": `k${base}` };
      return places.send("POST", "/v1/places/batch", operations, { ...headers, ...key });
    },
    rejected_batch_of_deletions: ({ places }, headers, base) => {
      const operations = [base + 1, base + 2].map((id) => ({ op: "delete", id }));
      return places.send("POST", "/v1/places/batch", operations, headers);
    },
    deletion: ({ places }, headers, base) =>
      places.request("DELETE", `/v1/places/${base + 3}`, headers),
    rejected_deletion: ({ places }, headers, base) =>
      places.request("DELETE", `/v1/places/${base + 1}`, headers),
    reassigning_deletion: ({ places }, headers, base) =>
      places.request("DELETE", `/v1/places/${base + 1}?reassignTo=${base + 2}`, headers),
  };
  for (const [name, send] of Object.entries(requests)) {
    test(`a_repair_completes_a_crashed_${name}`, async () => {
      let [finished, crashes] = [0, 0];
      await using system = await start({ crashable: true });
      for (const step of steps) {
        // Each step has its own records.
        const base = 100 * step;
        const request = (headers = {}) => send(system, headers, base);
        await system.addPlaces(makePlaces(base + 3).slice(base));
        await system.addPeople([
          { id: base + 1, name: "Mover", isAlive: true, placeId: base + 1, isKing: true },
          { id: base + 2, name: "Ghost", isAlive: false, placeId: base + 3, isKing: false },
        ]);
        const crashed = await request({ "x-crash-after": String(step) });
        if (crashed.status === 599) crashes += 1;
        else finished += 1;
        assert.ok(crashed.status < 500 || crashed.status === 599, crashed.text);
        // The next request gets a result or a conflict, never a 500.
        const next = await request();
        assert.ok(next.status < 500, `${step}: ${next.text}`);
        await repairAll(system.join);
        await assertIntegrity(system);
        const last = await request();
        assert.ok(last.status < 500 && last.status !== 599, `${step}: ${last.text}`);
        await repairAll(system.join);
        await assertIntegrity(system);
        if (name.startsWith("batch")) await assertDoneAsAWhole(system, name, base);
        if (name === "insert") {
          // The idempotency key makes the three requests create one person.
          const { json } = await system.people.get(`/v1/people?name=new${base}`);
          assert.equal(json.length, 1, `step ${step}`);
        }
        if (crashed.status !== 599) break;
      }
      assert.equal(finished, 1, "the last step is after the last call of the request");
      assert.ok(crashes >= 3, `${crashes} deaths`);
    });
  }
});
