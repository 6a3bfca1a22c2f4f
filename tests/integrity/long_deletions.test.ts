// Tests deletions that take longer than a request, because many people live in the place.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { assertIntegrity } from "../support/assert_integrity.ts";
import { makePeople, makePlaces } from "../support/fixtures.ts";
import { type ApiResponse, type System, start } from "../support/harness.ts";
import { waitUntil } from "../support/wait_until.ts";

/** Makes each database call of a deletion's step take this long, as on a slow database. */
const slowDatabase = (milliseconds: number) => `
  import Built from "./index.js";
  const slow = (d1) => ({
    prepare: (sql) => d1.prepare(sql),
    withSession: (constraint) => slow(d1.withSession(constraint)),
    getBookmark: () => d1.getBookmark?.() ?? null,
    batch: async (statements) => {
      await scheduler.wait(${milliseconds});
      return d1.batch(statements);
    },
  });
  const isStep = (request) => new URL(request.url).pathname.startsWith("/internal/residents/");
  export default {
    fetch: (request, env, context) =>
      Built.fetch(request, isStep(request) ? { ...env, DB: slow(env.DB) } : env, context),
    scheduled: (event, env, context) => Built.scheduled(event, env, context),
  };
`;

/** Polls an operation until it has ended, and triggers the schedule every minute. Returns all states
 * that it saw. */
async function waitForEnd(system: System, location: string, minuteMs = 60_000) {
  const seen: { status: string; done: number; remaining: number }[] = [];
  for (let run = Date.now() + minuteMs; ; ) {
    const { status, json, text } = await system.join.get(location);
    assert.equal(status, 200, text);
    seen.push(json);
    if (json.status !== "running") return seen;
    if (Date.now() >= run) {
      run += minuteMs;
      await system.runSchedule("places");
    }
    await sleep(200);
  }
}

function assertAccepted({ status, headers, text }: ApiResponse): string {
  assert.deepEqual([status, text], [202, ""]);
  const { location = "" } = headers;
  assert.match(location, /^\/v1\/operations\/[0-9a-f]{32}$/);
  return location;
}

// The first deletion waits for most of its time.
suite("long deletions", { concurrency: true }, () => {
  test("a_deletion_of_many_people_gets_202_after_10_s_and_the_schedule_finishes_it", async () => {
    const count = 50_000;
    await using system = await start({
      wrappers: { people: slowDatabase(2_800) },
      places: makePlaces(2),
      people: makePeople(count, 1),
    });
    const began = Date.now();
    const accepted = await system.join.request("DELETE", "/v1/places/1?reassignTo=2");
    const seconds = (Date.now() - began) / 1000;
    const location = assertAccepted(accepted);
    assert.ok(seconds > 9.5 && seconds < 15, `${seconds} s`);
    // The services and the gateway tell the same, unless a step of the deletion ends between them.
    let forwarded = accepted;
    await waitUntil("the service and the gateway tell the same", async () => {
      const own = await system.places.get(location);
      forwarded = await system.join.get(location);
      assert.deepEqual([own.status, forwarded.status], [200, 200]);
      return isDeepStrictEqual(own.json, forwarded.json);
    });
    const { done, remaining } = forwarded.json;
    assert.ok(done > 0 && done + remaining === count, forwarded.text);
    // Nobody new can move to the place.
    const newcomer = { name: "New", isAlive: true, placeId: 1 };
    const rejected = await system.join.send("POST", "/v1/people", newcomer);
    assert.deepEqual([rejected.status, rejected.json.type], [409, "/problems/place-is-going"]);

    // The request ends before the deletion does, and leaves the rest to the schedule.
    const isReleased = "SELECT 1 FROM tombstone WHERE since = 0";
    await waitUntil("the deletion is released", async () => {
      return (await system.db.places.rows(isReleased)).length > 0;
    });
    const left = (await system.join.get(location)).json;
    assert.ok(left.status === "running" && left.remaining > 0, JSON.stringify(left));
    const seen = await waitForEnd(system, location, 0);
    assert.deepEqual(seen.at(-1), { status: "done", done: count, remaining: 0 });
    assert.equal((await system.join.get("/v1/places/1")).status, 404);
    const moved = await system.db.people.rows("SELECT 1 FROM person WHERE place_id = 2");
    assert.equal(moved.length, count);
    await assertIntegrity(system);
  });

  test("an_operation_is_not_found_if_it_never_existed_or_its_result_has_expired", async () => {
    await using system = await start({ places: makePlaces(1) });
    const result = `'operation:${"a".repeat(32)}', '', '{"status":"failed","done":0,"remaining":3}'`;
    await system.db.places.exec(
      `INSERT INTO idempotency (key, fingerprint, body) VALUES (${result});`,
    );
    const path = `/v1/operations/${"a".repeat(32)}`;
    const failed = await system.join.get(path);
    assert.deepEqual(failed.json, { status: "failed", done: 0, remaining: 3 });
    await system.db.places.exec("UPDATE idempotency SET at = at - 86400001;");
    await system.runSchedule("places");
    const gone = await system.join.get(path);
    assert.deepEqual([gone.status, gone.json.type], [404, "/problems/not-found"]);
  });

  test("a_path_without_the_id_of_an_operation_is_an_unknown_route", async () => {
    await using system = await start();
    for (const id of ["1", "A".repeat(32), "a".repeat(31), "%2F"]) {
      const { status, json } = await system.join.get(`/v1/operations/${id}`);
      assert.deepEqual([status, json.type], [404, "/problems/unknown-route"], id);
    }
  });

  test("a_place_with_50000_people_is_deleted_within_5_minutes", async (t) => {
    const count = 50_000;
    await using system = await start({
      places: makePlaces(2),
      people: makePeople(count, 1).map((person) => ({ ...person, isAlive: person.id % 2 === 0 })),
    });
    const began = performance.now();
    const deletion = await system.join.request("DELETE", "/v1/places/1?reassignTo=2");
    if (deletion.status !== 204) await waitForEnd(system, assertAccepted(deletion));
    const seconds = (performance.now() - began) / 1000;
    t.diagnostic(`50,000 people, half of them dead, in ${seconds.toFixed(1)} s`);
    assert.ok(seconds < 300, `${seconds} s`);
    assert.equal((await system.join.get("/v1/places/1")).status, 404);
    const left = await system.db.people.rows("SELECT 1 FROM person WHERE place_id = 1");
    assert.deepEqual(left, []);
    await assertIntegrity(system);
  });
});
