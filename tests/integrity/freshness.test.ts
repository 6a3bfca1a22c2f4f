// Tests bounded staleness. If a client or the setting FRESH_SECONDS allows a response of a certain
// age, the gateway sends it without a query. By default, every response is current.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { twoPeople as people, twoPlaces as places } from "../support/fixtures.ts";
import { type ApiResponse, type System, start } from "../support/harness.ts";
import { bearer, readToken, TOKENS } from "../support/tokens.ts";

const minute = { "cache-control": "max-age=60" };
/** The headers of requests whose responses must be current. */
const current: Record<string, string>[] = [
  {},
  { "cache-control": "no-cache" },
  { "cache-control": "max-age=0" },
];

/** One route of each kind: joined and forwarded, a list and a record, checked and only reusable. */
const routes = [
  "/v1/people-per-place",
  "/v1/people-per-place/1",
  "/v1/statistics/places",
  "/v1/statistics/series?from=2026-11-24&to=2026-11-24",
  "/v1/statistics/places/1/series?from=2026-11-24&to=2026-11-24",
  "/v1/places",
  "/v1/places/1",
  "/v1/people?isAlive=true",
  "/v1/people/1",
  "/v1/people/1/history",
  "/v1/people/by-place",
];

/** The calls of services and the round trips to databases since the last call. */
async function work(system: System): Promise<number> {
  const costs = Object.values(await system.takeCosts());
  return costs.reduce((sum, { roundTrips, calls }) => sum + roundTrips + calls, 0);
}

/** Waits for the work that earlier requests do after their responses. */
async function settle(system: System): Promise<void> {
  while ((await work(system)) > 0) await sleep(20);
}

function assertHit(response: ApiResponse, first: ApiResponse): void {
  assert.equal(response.status, 200, response.text);
  assert.equal(response.text, first.text);
  assert.equal(response.allHeaders.get("cache-status"), "join; hit");
  assert.match(response.allHeaders.get("age") ?? "", /^[0-2]$/);
  for (const header of ["content-type", "link", "x-content-type-options", "vary"]) {
    assert.equal(response.allHeaders.get(header), first.allHeaders.get(header), header);
  }
  assert.equal(response.etag, first.etag);
  assert.notEqual(
    response.allHeaders.get("x-request-id"),
    first.allHeaders.get("x-request-id"),
    "each response has the id of its request",
  );
}

suite("freshness", () => {
  test("without_a_bound_every_response_is_checked", async () => {
    await using system = await start({ places, people, countCosts: true });
    for (const headers of current) {
      for (const path of routes) {
        await system.join.get(path, minute);
        await settle(system);
        const response = await system.join.get(path, headers);
        assert.equal(response.status, 200, response.text);
        assert.equal(response.allHeaders.get("age"), null);
        assert.ok((await work(system)) > 0, path);
      }
    }
  });

  test("within_the_bound_of_the_client_a_read_makes_no_call_and_no_query", async () => {
    await using system = await start({ places, people, countCosts: true });
    for (const path of routes) {
      const first = await system.join.get(path, minute);
      assert.equal(first.allHeaders.get("age"), null);
      await settle(system);
      assertHit(await system.join.get(path, minute), first);
      assertHit(await system.join.get(path, { "cache-control": "max-stale=60" }), first);
      assert.equal(await work(system), 0, path);
    }
  });

  test("a_response_is_never_older_than_the_bound", async () => {
    await using system = await start({ places, people });
    const second = { "cache-control": "max-age=1" };
    for (const path of ["/v1/people-per-place", "/v1/places"]) {
      const first = await system.join.get(path, second);
      // A write that this gateway does not see.
      const name = `Nuevo ${path.length}`;
      assert.equal((await system.places.send("POST", "/v1/places", { name })).status, 201);
      assertHit(await system.join.get(path, second), first);
      for (const headers of current) {
        assert.ok((await system.join.get(path, headers)).text.includes(name));
      }
      await sleep(1_100);
      const later = await system.join.get(path, second);
      assert.ok(later.text.includes(name), later.text);
    }
  });

  test("the_setting_applies_to_clients_without_a_bound_of_their_own", async () => {
    await using system = await start({
      places,
      people,
      countCosts: true,
      gatewaySettings: { FRESH_SECONDS: "60" },
    });
    for (const path of routes) {
      const first = await system.join.get(path);
      await settle(system);
      assertHit(await system.join.get(path), first);
      assert.equal(await work(system), 0, path);
      for (const bound of ["max-age=0", "no-cache"]) {
        const checked = await system.join.get(path, { "cache-control": bound });
        assert.equal(checked.allHeaders.get("age"), null);
        assert.ok((await work(system)) > 0, path);
      }
    }
  });

  test("a_write_through_the_gateway_is_visible_at_once", async () => {
    await using system = await start({ places, people });
    for (const [index, path] of ["/v1/people-per-place", "/v1/people/1"].entries()) {
      await system.join.get(path, minute);
      const name = `Ana ${index}`;
      const changed = await system.join.send("PATCH", "/v1/people/1", { name });
      assert.equal(changed.status, 200);
      assert.ok((await system.join.get(path, minute)).text.includes(name));
    }
  });

  test("a_rejected_request_does_not_make_recent_responses_unusable", async () => {
    const gatewaySettings = { TOKENS, READS: "open" };
    await using system = await start({ places, people, gatewaySettings });
    const { join } = system;
    const path = "/v1/people-per-place";
    await join.get(path, minute);
    await settle(system);
    for (const [method, address, status] of [
      ["POST", "/v1/places", 401],
      ["POST", "/nonexistent", 404],
      ["PUT", "/healthz", 405],
      ["POST", "/v1/people/%2e%2e/x", 404],
    ] as const) {
      assert.equal((await join.request(method, address)).status, status);
      const { allHeaders } = await join.get(path, minute);
      assert.equal(allHeaders.get("cache-status"), "join; hit", `${method} ${address}`);
    }
  });

  test("no_client_gets_the_bookmark_that_another_one_has_sent", async () => {
    await using system = await start({ places, people });
    const foreign = "ffffffff-ffffffff-ffffffff-ffffffffffffffffffffffffffffffff";
    for (const path of ["/v1/people?limit=7", "/v1/people-per-place", "/v1/statistics/places"]) {
      const sent = { ...minute, "x-d1-bookmark": `${foreign}.${foreign}` };
      assert.equal((await system.join.get(path, sent)).status, 200);
      for (const headers of [minute, {}]) {
        const { allHeaders } = await system.join.get(path, headers);
        assert.doesNotMatch(allHeaders.get("x-d1-bookmark") ?? "", /ffffffff-ffffffff/, path);
      }
    }
  });

  test("a_response_is_never_older_than_the_bookmark_of_the_client", async () => {
    await using system = await start({ places, people, withReplicas: true });
    for (const path of ["/v1/people-per-place", "/v1/people/1"]) {
      await system.join.get(path, minute);
      const name = `Ana ${path.length}`;
      // Another isolate writes, and the client knows the bookmark of its response.
      const written = await system.people.send("PATCH", "/v1/people/1", { name });
      assert.equal(written.status, 200, written.text);
      const bookmark = written.allHeaders.get("x-d1-bookmark") ?? "";
      assert.notEqual(bookmark, "");
      const headers = { ...minute, "x-d1-bookmark": bookmark };
      assert.ok((await system.join.get(path, headers)).text.includes(name), path);
    }
  });

  test("a_recent_response_is_only_sent_to_clients_who_may_read", async () => {
    const gatewaySettings = { TOKENS, READS: "token" };
    await using system = await start({ places, people, gatewaySettings });
    const reader = { ...minute, ...bearer(readToken) };
    for (const path of routes) {
      assert.equal((await system.join.get(path, reader)).status, 200);
      assert.equal(
        (await system.join.get(path, reader)).allHeaders.get("cache-status"),
        "join; hit",
      );
      const stranger = await system.join.get(path, minute);
      assert.deepEqual([stranger.status, stranger.json.type], [401, "/problems/token-required"]);
    }
  });

  test("recent_responses_of_several_formats_are_kept_apart", async () => {
    await using system = await start({ places, people });
    for (const path of ["/v1/people", "/v1/statistics/places"]) {
      for (const _ of ["stored", "sent again"]) {
        const csv = await system.join.get(path, { ...minute, accept: "text/csv" });
        assert.match(csv.headers["content-type"] ?? "", /^text\/csv/);
        const json = await system.join.get(path, { ...minute, accept: "application/json" });
        assert.equal(json.headers["content-type"], "application/json");
        assert.match(json.allHeaders.get("vary") ?? "", /accept/i);
      }
    }
  });

  test("a_client_that_has_the_recent_response_gets_a_304", async () => {
    await using system = await start({ places, people, countCosts: true });
    for (const path of ["/v1/people-per-place", "/v1/places", "/v1/people/1"]) {
      const { etag } = await system.join.get(path, minute);
      await settle(system);
      const again = await system.join.get(path, { ...minute, "if-none-match": etag });
      assert.deepEqual([again.status, again.text, again.etag], [304, "", etag]);
      assert.equal(again.allHeaders.get("cache-status"), "join; hit");
      assert.equal(await work(system), 0, path);
      const other = await system.join.get(path, { ...minute, "if-none-match": '"other"' });
      assert.equal(other.status, 200);
    }
  });

  test("errors_files_feeds_reports_and_pages_are_not_sent_again", async () => {
    await using system = await start({ places, people, countCosts: true });
    const errors = ["/v1/people/99", "/v1/people?limit=0"];
    const feeds = ["/v1/changes", "/v1/integrity"];
    const pages = ["/", "/ui/places/1", "/ui/people"];
    for (const path of [...errors, "/v1/people/export", ...feeds, ...pages]) {
      const headers = { ...minute, ...(pages.includes(path) && { accept: "text/html" }) };
      await system.join.get(path, headers);
      await settle(system);
      const again = await system.join.get(path, headers);
      assert.equal(again.allHeaders.get("cache-status"), null);
      assert.ok((await work(system)) > 0, path);
    }
  });
});
