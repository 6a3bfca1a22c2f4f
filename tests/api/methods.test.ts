// Tests HEAD and OPTIONS on every route, and checks that other methods and body types are rejected.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { makePeople, makePlaces } from "../support/fixtures.ts";
import { start, type WorkerClient } from "../support/harness.ts";
import {
  assertHeadEqualsGet,
  csvLists,
  listRecords,
  nestedLists,
  TYPES,
  workersServing,
} from "../support/list_routes.ts";

const system = await start({ ...listRecords, countCosts: true });
after(() => system.dispose());
const { places: placesWorker, people: peopleWorker, join } = system;

const RECORD_METHODS = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
const READ_METHODS = "GET, HEAD, OPTIONS";
const IMPORT_TYPES = "text/csv, application/x-ndjson, application/json";
/** The path of every route, with the `Allow` and `Accept-Post` headers of its OPTIONS. */
const routes: Record<string, [allow: string, post?: string]> = {
  "/": [READ_METHODS],
  "/people-per-place": [READ_METHODS],
  "/people-per-place/{id}": [READ_METHODS],
  "/integrity": [READ_METHODS],
  "/integrity/repair": ["POST, OPTIONS"],
  "/statistics/places": [READ_METHODS],
  "/statistics/places/{id}/series": [READ_METHODS],
  "/statistics/export": [READ_METHODS],
  "/statistics/series": [READ_METHODS],
  "/changes": [READ_METHODS],
  "/openapi.json": [READ_METHODS],
  "/docs": [READ_METHODS],
  "/problems": [READ_METHODS],
  "/problems/{type}": [READ_METHODS],
  "/ui/people": [READ_METHODS],
  "/ui/people/{id}": [READ_METHODS],
  "/ui/places/{id}": [READ_METHODS],
  "/ui/changes": [READ_METHODS],
  "/ui/compare": [READ_METHODS],
  "/ui/places": [READ_METHODS],
  "/ui/enter": ["GET, HEAD, POST, OPTIONS"],
  "/ui/forget": ["POST, OPTIONS"],
  "/ui/people/selected": ["GET, HEAD, POST, OPTIONS"],
  "/healthz": [READ_METHODS],
  "/readyz": [READ_METHODS],
  ...Object.fromEntries(
    ["people/new", "people/{id}/{action}", "places/new", "places/{id}/{action}", "import"].map(
      (page) => [`/ui/${page}`, ["GET, HEAD, POST, OPTIONS"]],
    ),
  ),
  ...Object.fromEntries(
    ["/places", "/people"].flatMap((collection) => [
      [collection, ["GET, HEAD, POST, OPTIONS", TYPES.json]],
      [`${collection}/{id}`, [RECORD_METHODS]],
      [`${collection}/{id}/history`, [READ_METHODS]],
      [`${collection}/{id}/restore`, ["POST, OPTIONS", TYPES.json]],
      [`${collection}/import`, ["POST, OPTIONS", IMPORT_TYPES]],
      [`${collection}/batch`, ["POST, OPTIONS", TYPES.json]],
      [`${collection}/export`, [READ_METHODS]],
      [`${collection}/changes`, [READ_METHODS]],
    ]),
  ),
  "/places/as-of": [READ_METHODS],
  "/operations/{token}": [READ_METHODS],
  "/people/by-place": [READ_METHODS],
  "/people/population": [READ_METHODS],
  "/people/population/series": [READ_METHODS],
  "/internal/statuses": [READ_METHODS],
  "/internal/changes": [READ_METHODS],
  "/internal/recent-changes": [READ_METHODS],
  "/internal/matches": [READ_METHODS],
  "/internal/population": ["POST, OPTIONS"],
  "/internal/population-changes": [READ_METHODS],
  "/internal/integrity": [READ_METHODS],
  "/internal/counter": [READ_METHODS],
  "/internal/people-lines": [READ_METHODS],
  "/internal/erasure": [READ_METHODS],
  "/internal/repair": ["POST, OPTIONS"],
  "/internal/residents/{id}/close": ["POST, OPTIONS"],
  "/internal/place-ids": ["POST, OPTIONS"],
  "/internal/residents/close": ["POST, OPTIONS"],
  "/internal/residents/{id}/reassign": ["POST, OPTIONS"],
  "/internal/residents/{id}/detach-dead": ["POST, OPTIONS"],
};

/** Each worker with the paths of its routes. The gateway also forwards those of its backends. */
function routesByWorker(): [WorkerClient, string][] {
  const routesIn = (file: string) => {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    return [...source.matchAll(/\.route\(\s*"([^"]+)"/g)].map(([, route]) => route ?? "");
  };
  const routes = ["places", "people", "join"].map((name) => routesIn(`workers/${name}/src/lib.rs`));
  const [placesRoutes = [], peopleRoutes = [], joinRoutes = []] = routes;
  // Catch-all routes are not paths of their own.
  const gatewayRoutes = joinRoutes.filter((route) => !/[/]{[*]rest}$|^[/]ui$/.test(route));
  // The gateway serves its own OpenAPI document as a file, and no internal route.
  const isForwarded = (route: string) => !/^\/(internal\/|openapi.json)/.test(route);
  const forwardedRoutes = [...placesRoutes, ...peopleRoutes].filter(isForwarded);
  return [
    ...placesRoutes.map((route): [WorkerClient, string] => [placesWorker, route]),
    ...peopleRoutes.map((route): [WorkerClient, string] => [peopleWorker, route]),
    ...[...new Set([...gatewayRoutes, ...forwardedRoutes])].map((route): [WorkerClient, string] => [
      join,
      route,
    ]),
  ];
}
const pathOf = (route: string) =>
  `/v1${route
    .replace(/{id}|{token}/, "1")
    .replace("{action}", "remove")
    .replace("{type}", "not-found")
    .replace(/^\/$/, "")}`;

test("options_lists_the_methods_and_body_types_of_every_route", async () => {
  const workerRoutes = routesByWorker();
  assert.deepEqual(
    [...new Set(workerRoutes.map(([, route]) => route))].sort(),
    Object.keys(routes).sort(),
  );
  for (const [worker, route] of workerRoutes) {
    const path = pathOf(route);
    const [allow, post] = routes[route] ?? assert.fail(route);
    const patch = allow.includes("PATCH") && "application/merge-patch+json, application/json";
    const { status, headers, text } = await worker.request("OPTIONS", path);
    const expected = {
      "x-content-type-options": "nosniff",
      allow,
      ...(patch && { "accept-patch": patch }),
      ...(post && { "accept-post": post }),
    };
    assert.deepEqual([status, headers, text], [204, expected, ""], `OPTIONS ${path}`);
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
      if (allow.includes(method)) continue;
      const rejected = await worker.request(method, path);
      const actual = [rejected.status, rejected.headers.allow];
      assert.deepEqual(actual, [405, allow], `${method} ${path}`);
    }
    // A body of another type is rejected with the list of accepted types (RFC 5789, section 2.2).
    for (const [method, acceptedTypes] of [
      ["PATCH", patch],
      ["POST", post],
    ] as const) {
      if (!acceptedTypes) continue;
      const rejected = await worker.request(method, path, { "content-type": "text/x" }, "x");
      const actual = [rejected.status, rejected.headers[`accept-${method.toLowerCase()}`]];
      assert.deepEqual(actual, [415, acceptedTypes], `${method} ${path}`);
    }
  }
  for (const path of ["/v1/x", "/v1/places/1/x", "/v1/internal/statuses"]) {
    assert.equal((await join.request("OPTIONS", path)).status, 404, path);
  }
});

test("head_has_the_headers_of_get_on_every_route", async () => {
  const requests = routesByWorker().map(([worker, route]): [WorkerClient, string] => [
    worker,
    pathOf(route),
  ]);
  for (const path of [
    ...Object.keys(csvLists),
    ...nestedLists,
    "/v1/people-per-place?peopleLimit=1",
  ]) {
    for (const worker of workersServing(system, path)) requests.push([worker, path]);
  }
  requests.push([join, "/v1/x"], [join, "/v1/people/999"], [join, "/v1/people-per-place/999"]);
  requests.push([join, "/v1/people?limit=0"], [join, "/v1/people-per-place?limit=0"]);
  requests.push([placesWorker, "/internal/statuses?ids=1,2"]);
  for (const [worker, path] of requests) {
    for (const accept of ["*/*", TYPES.ndjson, TYPES.csv, "text/html"]) {
      await assertHeadEqualsGet(worker, path, { accept });
    }
    const { etag } = await worker.get(path);
    if (etag) await assertHeadEqualsGet(worker, path, { "if-none-match": etag });
  }
});

test("a_head_runs_no_query_that_only_a_body_needs", async () => {
  const [places, people] = [makePlaces(100), makePeople(25_000, 100)];
  await using largeSystem = await start({ places, people, countCosts: true });
  const roundTripsOf = async (method: string, path: string) => {
    await largeSystem.takeRoundTrips();
    assert.equal((await largeSystem.join.request(method, path)).status, 200);
    return largeSystem.takeRoundTrips();
  };
  for (const [path, expected] of [
    ["/v1/people/export", { places: 0, people: 0, join: 0 }],
    ["/v1/people/by-place", { places: 0, people: 1, join: 0 }],
    ["/v1/people-per-place", { places: 1, people: 1, join: 0 }],
  ] as const) {
    assert.deepEqual(await roundTripsOf("HEAD", path), expected, path);
    assert.ok((await roundTripsOf("GET", path)).people > 1, path);
  }
});

test("a_static_file_supports_options_and_names_its_methods_in_a_405", async () => {
  for (const path of ["/openapi.json", "/v1/openapi.json", "/docs/", "/docs/start.js"]) {
    const options = await join.request("OPTIONS", path);
    assert.deepEqual([options.status, options.headers.allow], [204, READ_METHODS], path);
    for (const method of ["POST", "DELETE"]) {
      const { status, headers, json } = await join.request(method, path);
      assert.deepEqual([status, headers.allow], [405, READ_METHODS], path);
      assert.equal(json.type, "/problems/method-not-allowed");
    }
    const [get, head] = [await join.get(path), await join.request("HEAD", path)];
    assert.deepEqual([get.status, head.status, head.text], [200, 200, ""], path);
    assert.ok(get.allHeaders.get("x-request-id"), path);
    const again = await join.get(path, { "if-none-match": get.etag });
    assert.equal(again.status, 304, path);
  }
  const missing = await join.get("/docs/nothing");
  assert.deepEqual([missing.status, missing.json.type], [404, "/problems/unknown-route"]);
});

test("a_get_with_a_body_is_answered_as_one_without", async () => {
  await using gateway = await start({ seed: true });
  const send = (method: string, path: string) =>
    new Promise<[number | undefined, string]>((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": "2" };
      const options = { method, headers, agent: false };
      const request = http.request(new URL(path, gateway.join.url), options, (response) => {
        text(response).then((body) => resolve([response.statusCode, body]), reject);
      });
      request.on("error", reject);
      request.end("[]");
    });
  // More than the failures after which a circuit breaker opens.
  for (let n = 0; n < 8; n += 1) {
    for (const path of ["/v1/people/batch", "/v1/places/1/restore", "/v1/people/import"]) {
      assert.equal((await send("GET", path))[0], 405, path);
    }
    const [status, body] = await send("GET", "/v1/people/46?expand=place");
    assert.deepEqual([status, JSON.parse(body).place.id], [200, 15]);
    assert.equal((await send("GET", "/v1/places/1"))[0], 200);
    assert.equal((await send("HEAD", "/v1/people/46"))[0], 200);
    assert.equal((await send("GET", "/v1/people-per-place/1"))[0], 200);
  }
  assert.equal((await gateway.join.get("/v1/people/46")).status, 200);
});
