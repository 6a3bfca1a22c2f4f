// The cache of the platform that all isolates of the gateway share, for the setting FRESH_SECONDS.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { unstable_readConfig as readConfig } from "wrangler";
import { twoPeople as people, twoPlaces as places } from "../support/fixtures.ts";
import { type Options, SERVICE_SECRET, type System, start } from "../support/harness.ts";
import type { SharedCacheState } from "../support/shared_cache.ts";
import { bearer, readToken, TOKENS } from "../support/tokens.ts";
import { waitUntil } from "../support/wait_until.ts";

const settings = { FRESH_SECONDS: "60", SHARED_CACHE: "on", WRITES: "open" };
const other = { "x-isolate": "2" };
const routes = [
  "/v1/people-per-place",
  "/v1/people-per-place/1",
  "/v1/people?isAlive=true",
  "/v1/people/1",
  "/v1/people/by-place",
];

const startShared = (options: Options = {}, more: Record<string, string> = {}) =>
  start({
    places,
    people,
    sharedCache: true,
    gatewaySettings: { ...settings, ...more },
    backendSettings: { WRITES: "open", SERVICE_SECRET },
    ...options,
  });

const state = async (system: System, fault?: string): Promise<SharedCacheState> =>
  (await system.join.get(`/shared-cache${fault === undefined ? "" : `?fault=${fault}`}`)).json;

/** A write that no isolate of the gateway sees. */
async function rename(system: System, name: string): Promise<string> {
  const written = await system.people.send("PATCH", "/v1/people/1", { name });
  assert.equal(written.status, 200, written.text);
  return written.allHeaders.get("x-d1-bookmark") ?? "";
}

suite("shared cache", () => {
  test("another_isolate_sends_a_response_within_the_setting", async () => {
    await using system = await startShared();
    for (const path of routes) {
      const first = await system.join.get(path);
      assert.equal(first.status, 200, first.text);
      assert.equal(first.allHeaders.get("cache-status"), null, path);
      await rename(system, `Ana ${path.length}`);
      const shared = await system.join.get(path, other);
      assert.equal(shared.text, first.text);
      assert.equal(shared.allHeaders.get("cache-status"), "join; hit");
      assert.match(shared.allHeaders.get("age") ?? "", /^[1-9]$/);
      const ofOneRequest = ["age", "cache-status", "x-request-id", "server-timing", "date"];
      const headers = [first, shared].map(({ allHeaders }) =>
        [...allHeaders].filter(([name]) => !ofOneRequest.includes(name)).sort(),
      );
      assert.deepEqual(headers[1], headers[0]);
      // The isolate keeps it.
      await state(system);
      assert.equal((await system.join.get(path, other)).text, first.text);
      assert.deepEqual((await state(system)).requests, []);
    }
  });

  test("a_shared_response_is_never_older_than_the_setting", async () => {
    for (const fault of ["", "keeps"]) {
      await using system = await startShared({}, { FRESH_SECONDS: "1" });
      await state(system, fault);
      for (const path of routes) await system.join.get(path);
      await rename(system, "Eva");
      await sleep(1_100);
      for (const path of routes) {
        for (const headers of [{}, other]) {
          assert.ok((await system.join.get(path, headers)).text.includes("Eva"), path);
        }
      }
    }
  });

  test("a_bound_of_the_client_does_not_use_the_shared_cache", async () => {
    await using system = await startShared();
    for (const path of routes) {
      await system.join.get(path);
      const name = `Ana ${path.length}`;
      await rename(system, name);
      await state(system);
      for (const control of ["no-cache", "max-age=0", "max-age=30"]) {
        const response = await system.join.get(path, { ...other, "cache-control": control });
        assert.ok(response.text.includes(name), `${path} ${control}`);
      }
      assert.deepEqual((await state(system)).requests, []);
    }
  });

  test("a_shared_response_is_never_older_than_the_bookmark_of_the_client", async () => {
    await using system = await startShared({ withReplicas: true });
    for (const path of routes) {
      await system.join.get(path);
      const name = `Ana ${path.length}`;
      const bookmark = await rename(system, name);
      assert.notEqual(bookmark, "");
      const response = await system.join.get(path, { ...other, "x-d1-bookmark": bookmark });
      assert.ok(response.text.includes(name), path);
    }
  });

  test("a_shared_response_is_only_sent_to_clients_who_may_read", async () => {
    await using system = await startShared({}, { TOKENS, READS: "token", WRITES: "token" });
    for (const path of routes) {
      const reader = { ...other, ...bearer(readToken) };
      assert.equal((await system.join.get(path, bearer(readToken))).status, 200);
      assert.equal(
        (await system.join.get(path, reader)).allHeaders.get("cache-status"),
        "join; hit",
      );
      const stranger = await system.join.get(path, other);
      assert.deepEqual([stranger.status, stranger.json.type], [401, "/problems/token-required"]);
    }
    const { requests } = await state(system);
    assert.notEqual(requests.length, 0);
    for (const { headers } of requests) {
      assert.ok(!headers.includes("authorization") && !headers.includes("cookie"), String(headers));
    }
  });

  test("a_shared_response_counts_for_the_rate_limit", async () => {
    const rateLimit = { limit: 3, period: 60 } as const;
    await using system = await startShared({ rateLimit }, { RATE_LIMIT: "3/60" });
    const statuses: number[] = [];
    for (const headers of [{}, other, other, other, other]) {
      statuses.push((await system.join.get("/v1/people/1", headers)).status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  });

  test("shared_responses_of_several_formats_are_kept_apart", async () => {
    await using system = await startShared();
    for (const headers of [{}, other, {}, other]) {
      const csv = await system.join.get("/v1/people", { ...headers, accept: "text/csv" });
      assert.match(csv.headers["content-type"] ?? "", /^text\/csv/);
      const json = await system.join.get("/v1/people", { ...headers, accept: "application/json" });
      assert.equal(json.headers["content-type"], "application/json");
      assert.match(json.allHeaders.get("vary") ?? "", /^accept$/i);
    }
    const page = await system.join.get("/v1/people?limit=1");
    assert.notEqual(page.text, (await system.join.get("/v1/people?limit=2", other)).text);
  });

  test("no_client_can_replace_the_shared_response_of_others", async () => {
    await using system = await startShared();
    const path = "/v1/people-per-place";
    // The names of the entries must not be possible as `Accept`.
    for (const accept of ["text/csv shared", "shared text/csv"]) {
      await system.join.get(path, { accept, "cache-control": "max-age=60" });
    }
    const { headers } = await system.join.get(path, { accept: "text/csv" });
    assert.match(headers["content-type"] ?? "", /^text\/csv/);
  });

  test("errors_and_incomplete_responses_are_not_shared", async () => {
    await using system = await startShared({ switchableFaults: true });
    for (const path of ["/v1/people/99", "/v1/people?limit=0", "/v1/people/export", "/"]) {
      await system.join.get(path);
    }
    await system.setFault("people", "responds_500");
    const partial = await system.join.get("/v1/people-per-place");
    assert.equal(partial.status, 200, partial.text);
    assert.deepEqual((await state(system)).stored, []);
    await system.setFault("people");
  });

  test("a_client_that_has_the_shared_response_gets_a_304", async () => {
    await using system = await startShared();
    for (const path of ["/v1/people-per-place", "/v1/people/1"]) {
      const { etag } = await system.join.get(path);
      const again = await system.join.get(path, { ...other, "if-none-match": etag });
      assert.deepEqual([again.status, again.text, again.etag], [304, "", etag]);
      const unknown = await system.join.get(path, { ...other, "if-none-match": '"other"' });
      assert.equal(unknown.status, 200);
    }
  });

  test("a_write_is_visible_at_once_in_its_isolate_and_removes_shared_responses", async () => {
    await using system = await startShared();
    const path = "/v1/people-per-place";
    await system.join.get(path);
    await system.join.get("/v1/people/2", other);
    const changed = await system.join.send("PATCH", "/v1/people/1", { name: "Eva" });
    assert.equal(changed.status, 200, changed.text);
    assert.ok((await system.join.get(path)).text.includes("Eva"));
    await waitUntil("one purge", async () => (await state(system)).purges === 1);
    assert.ok((await system.join.get(path, other)).text.includes("Eva"));
    const rejected = await system.join.send("PATCH", "/v1/people/99", { name: "Eva" });
    const origin = { origin: system.join.url.origin };
    const logout = await system.join.request("POST", "/ui/forget", origin);
    assert.deepEqual([rejected.status, logout.status], [404, 303]);
    await sleep(50);
    assert.equal((await state(system)).purges, 1, "neither is a write");
  });

  test("without_the_cache_or_its_purges_reads_and_writes_succeed", async () => {
    for (const fault of ["throws", "hangs", "limits"]) {
      await using system = await startShared({}, { UPSTREAM_DEADLINE_MS: "500" });
      await state(system, fault);
      for (const headers of [{}, other]) {
        const read = await system.join.get("/v1/people/1", headers);
        assert.equal(read.status, 200, `${fault}: ${read.text}`);
      }
      const changed = await system.join.send("PATCH", "/v1/people/1", { name: "Eva" });
      assert.equal(changed.status, 200, fault);
      assert.ok((await system.join.get("/v1/people/1")).text.includes("Eva"));
    }
  });

  test("the_configuration_can_enable_the_cache_of_the_entrypoint_alone", () => {
    const config = readFileSync("wrangler.toml", "utf8");
    const enabled = config.replace(/(?<=\n)# (?=\[exports|type = "worker"|cache = )/g, "");
    const folder = mkdtempSync(join(tmpdir(), "shared-cache-"));
    try {
      const path = join(folder, "wrangler.toml");
      writeFileSync(path, enabled);
      const { cache, exports } = readConfig({ config: path });
      assert.equal(cache, undefined);
      assert.deepEqual(exports, { SharedReads: { type: "worker", cache: { enabled: true } } });
    } finally {
      rmSync(folder, { recursive: true });
    }
    const built = readFileSync("workers/join/build/index.js", "utf8");
    assert.match(built, /export\s*\{[^}]*\bas SharedReads\b/);
  });

  test("without_the_setting_no_isolate_asks_the_shared_cache", async () => {
    for (const [name, value] of [
      ["SHARED_CACHE", ""],
      ["FRESH_SECONDS", ""],
      ["FRESH_SECONDS", "301"],
    ] as const) {
      await using system = await startShared({}, { [name]: value });
      for (const headers of [{}, other]) await system.join.get("/v1/people/1", headers);
      assert.deepEqual((await state(system)).requests, [], `${name}=${value}`);
    }
  });
});
