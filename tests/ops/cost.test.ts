// Compares the costs of each route with the budgets in costs.json. Calls of D1 and of services, and
// the round trips that follow each other, must be equal. Rows and bytes are limits. If higher costs
// are intended, run this test with `UPDATE=1`, which rewrites costs.json, and review the diff.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type DelayedCall, sequentialCalls } from "../support/call_delays.ts";
import { people, places } from "../support/fixtures.ts";
import { type Name, type System, start } from "../support/harness.ts";

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());

type Costs = {
  /** The D1 calls of each worker. */
  d1Calls: Record<Name, number>;
  /** The calls of other services by each worker. */
  serviceCalls: Record<Name, number>;
  rowsRead: number;
  rowsWritten: number;
};
/** The round trips one after the other. Calls in flight at the same time count as one. */
type Trips = {
  /** Those to databases. */
  unplaced: number;
  /** Those of the gateway: if each backend runs near its database, only they take long. */
  placed: number;
};
type Budgets = {
  routes: Record<string, Costs>;
  sequentialTrips: Record<string, Trips>;
  gzippedWasmBytes: Record<string, number>;
};

const root = resolve(import.meta.dirname, "../..");
const file = join(root, "tests/ops/costs.json");
const budgets: Budgets = JSON.parse(readFileSync(file, "utf8"));
const measured: Budgets = { routes: {}, sequentialTrips: {}, gzippedWasmBytes: {} };
const names: Name[] = ["places", "people", "join"];

const csv = "name,isAlive,placeId\nAda,true,1\nBo,true,3\n";
const person = { name: "New", isAlive: true, placeId: 1 };

/** Sent in this order: each request sees the writes of the previous ones. */
const requests: [string, string, (object | string)?][] = [
  ["GET", "/v1"],
  ["GET", "/v1/people-per-place"],
  ["GET", "/v1/people-per-place/1"],
  ["GET", "/v1/people-per-place?limit=2&count=exact"],
  ["GET", "/v1/people-per-place?sort=-id&limit=3&isAlive=true"],
  ["GET", "/v1/people-per-place?sort=name&limit=3"],
  ["GET", "/v1/people-per-place?name=v&isKing=false"],
  ["GET", "/v1/people-per-place?limit=3&hasPeople=true"],
  ["GET", "/v1/people-per-place?hasPeople=false"],
  ["GET", "/v1/people-per-place/1?isKing=true"],
  ["GET", "/v1/statistics/places"],
  ["GET", "/v1/statistics/places?sort=-living&limit=3"],
  ["GET", "/v1/statistics/places?format=csv"],
  ["GET", "/v1/statistics/places?sort=name&limit=3"],
  ["GET", "/v1/statistics/places?q=n&sort=-share&limit=3"],
  ["GET", "/v1/statistics/places?sort=-dead&limit=3"],
  ["GET", "/v1/statistics/export"],
  ["GET", "/v1/changes?limit=10"],
  ["GET", "/v1/changes?order=desc&limit=10"],
  ["GET", "/v1/changes?since=2026-01-01&limit=10"],
  ["GET", "/v1/changes?since=now"],
  ["GET", "/v1/changes?placeId=1"],
  ["GET", "/v1/changes?personId=1"],
  ["GET", "/v1/places/changes?limit=10"],
  ["GET", "/v1/people/changes?limit=10"],
  ["GET", "/v1/integrity"],
  ["GET", "/v1/places"],
  ["GET", "/v1/places?sort=-name&name=v"],
  ["GET", "/v1/places/1"],
  ["GET", "/v1/places/1/history"],
  ["GET", "/v1/places/export"],
  ["GET", "/v1/people"],
  ["GET", "/v1/people?placeId=3&isAlive=true&sort=name"],
  ["GET", "/v1/people?count=exact&limit=2"],
  ["GET", "/v1/people/1"],
  ["GET", "/v1/people/1/history"],
  ["GET", "/v1/people/export"],
  ["POST", "/v1/places", { name: "Nueva" }],
  ["PUT", "/v1/places/2", { name: "Otra" }],
  ["PATCH", "/v1/places/2", { name: "Otra más" }],
  ["DELETE", "/v1/places/2"],
  ["DELETE", "/v1/places/1"],
  ["DELETE", "/v1/places/8?reassignTo=9"],
  ["POST", "/v1/people", person],
  ["PUT", "/v1/people/1", person],
  ["PATCH", "/v1/people/1", { name: "Newer" }],
  ["PATCH", "/v1/people/1", { placeId: 3 }],
  ["PATCH", "/v1/people/2?depose=true", { isKing: true }],
  ["DELETE", "/v1/people/1"],
  ["DELETE", "/v1/people/1?erase=true"],
  ["POST", "/v1/people/import", csv],
  ["POST", "/v1/places/import", "name\nLast\nVery last\n"],
  ["POST", "/v1/people/import?mode=patch&createPlaces=true", "id,place\n2,ñora\n"],
  [
    "POST",
    "/v1/people/batch",
    [
      { op: "create", body: person },
      { op: "update", id: 2, body: { placeId: 3 } },
      { op: "delete", id: 3 },
    ],
  ],
  [
    "POST",
    "/v1/places/batch",
    [
      { op: "update", id: 3, body: { name: "Of a batch" } },
      { op: "delete", id: 5 },
    ],
  ],
  ["POST", "/v1/people/3/restore"],
  ["POST", "/v1/people/2/restore", { version: 1 }],
  ["POST", "/v1/places/3/restore", { version: 1 }],
  [
    "POST",
    "/v1/people/import?skipInvalid=true&createPlaces=true",
    "Name;IsAlive;Place\nCleo;sí;ñora\nDora;sí;\nEric;no;\n",
  ],
  ["POST", "/v1/integrity/repair"],
];

/** The pages, too. */
const pages: [string, string][] = [
  ["GET", "/"],
  ["GET", "/?sort=-living"],
  ["GET", "/?q=n"],
  ["GET", "/ui/places/1"],
  ["GET", "/ui/people"],
  ["GET", "/ui/people/1"],
  ["GET", "/ui/changes"],
];

/** The costs since the last call. */
async function takeCosts(): Promise<Costs> {
  const { places, people, join } = await system.takeCosts();
  const workers = [places, people, join];
  return {
    d1Calls: { places: places.roundTrips, people: people.roundTrips, join: join.roundTrips },
    serviceCalls: { places: places.calls, people: people.calls, join: join.calls },
    rowsRead: workers.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
    rowsWritten: workers.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
  };
}

function assertWithinBudget(route: string, costs: Costs): void {
  assert.ok(!(route in measured.routes), `${route} is requested twice`);
  measured.routes[route] = costs;
  if (process.env.UPDATE) return;
  const budget = budgets.routes[route];
  assert.ok(budget, `${route} has no budget in costs.json`);
  assert.deepEqual(costs.d1Calls, budget.d1Calls, `${route}: D1 calls`);
  assert.deepEqual(costs.serviceCalls, budget.serviceCalls, `${route}: service calls`);
  const { rowsRead, rowsWritten } = costs;
  assert.ok(rowsRead <= budget.rowsRead, `${route} reads ${rowsRead} rows`);
  assert.ok(rowsWritten <= budget.rowsWritten, `${route} writes ${rowsWritten} rows`);
}

test("each_route_stays_within_its_budget", async () => {
  await system.takeCosts();
  for (const [method, path, body] of requests) {
    const type = typeof body === "string" ? "text/csv" : "application/json";
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const response = await system.join.request(method, path, { "content-type": type }, text);
    const jsonBody = typeof body === "object" ? ` ${text}` : "";
    assertWithinBudget(`${method} ${path}${jsonBody} ${response.status}`, await takeCosts());
    if (!response.etag || method !== "GET") continue;
    const conditional = await system.join.get(path, { "if-none-match": response.etag });
    assert.equal(conditional.status, 304, path);
    assertWithinBudget(`${method} ${path} 304`, await takeCosts());
  }
});

/** The round trips one after the other until a moment, in milliseconds since 1970. */
async function takeTrips(delayed: System, until: number): Promise<Trips> {
  const { places, people, join } = await delayed.takeDelayedCalls();
  const before = ({ start }: DelayedCall) => start < until;
  const databases = [...places, ...people, ...join].filter(({ kind }) => kind === "database");
  return {
    unplaced: sequentialCalls(databases.filter(before)),
    placed: sequentialCalls(join.filter(before)),
  };
}

test("each_route_stays_within_its_sequential_round_trips", async () => {
  const delays = { database: 20, services: 0 };
  await using delayed = await start({ places, people, delays });
  // Starts the three workers.
  assert.equal((await delayed.join.get("/readyz")).status, 200);
  const send = async (
    name: string,
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ) => {
    // Calls that the request before makes after its response are not part of this one.
    for (let calls = 1; calls > 0; ) {
      await setTimeout(2 * delays.database);
      calls = Object.values(await delayed.takeDelayedCalls()).flat().length;
    }
    const response = await delayed.join.request(method, path, headers, body);
    const trips = await takeTrips(delayed, Date.now());
    const key = `${name} ${response.status}`;
    assert.ok(!(key in measured.sequentialTrips), `${key} is requested twice`);
    measured.sequentialTrips[key] = trips;
    if (process.env.UPDATE) return;
    const budget = budgets.sequentialTrips[key];
    assert.ok(budget, `${key} has no budget in costs.json`);
    for (const profile of ["unplaced", "placed"] as const) {
      const found = trips[profile];
      assert.ok(found <= budget[profile], `${key}: ${found} sequential round trips, ${profile}`);
    }
  };
  for (const [method, path] of pages) {
    await send(`${method} ${path} (page)`, method, path, { accept: "text/html" });
  }
  // The backends have cached the parts of the pages, and check them.
  for (const [method, path] of pages) {
    await send(`${method} ${path} (page) again`, method, path, { accept: "text/html" });
  }
  for (const [method, path, body] of requests) {
    const type = typeof body === "string" ? "text/csv" : "application/json";
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const jsonBody = typeof body === "object" ? ` ${text}` : "";
    await send(`${method} ${path}${jsonBody}`, method, path, { "content-type": type }, text);
  }
  // The writes above have changed both tables.
  for (const path of ["/v1/people-per-place", "/v1/people-per-place/3", "/v1/statistics/places"]) {
    await send(`GET ${path} after a write`, "GET", path, {});
    await send(`GET ${path} again`, "GET", path, {});
  }
  // The gateway has seen this page, and its places are still the same.
  const byName = "/v1/people-per-place?sort=name&limit=3";
  await delayed.join.get(byName);
  const type = { "content-type": "application/json" };
  await delayed.join.request("PATCH", "/v1/people/2", type, '{"name":"Renamed"}');
  await send(`GET ${byName} after a write of people`, "GET", byName, {});
  await delayed.join.request("PATCH", "/v1/places/3", type, '{"name":"zzz"}');
  await send(`GET ${byName} after a write of places`, "GET", byName, {});
});

test("the_start_of_a_stream_stays_within_its_budget", async () => {
  const headers = { accept: "text/event-stream" };
  for (const path of ["/v1/changes?since=now", "/v1/people/changes?since=now"]) {
    const response = await fetch(`${system.join.url.origin}${path}`, { headers });
    const reader = response.body?.getReader();
    await reader?.read();
    assertWithinBudget(`GET ${path} 200 text/event-stream`, await takeCosts());
    await reader?.cancel();
  }
});

test("each_worker_stays_within_its_size_budget", () => {
  for (const name of names) {
    const folder = join(root, "workers", name, "build");
    const size = gzipSync(readFileSync(join(folder, "index_bg.wasm"))).length;
    // A margin, because the next compiler version may produce a few more bytes.
    measured.gzippedWasmBytes[name] = 1000 * Math.ceil(size / 1000) + 1000;
    if (process.env.UPDATE) continue;
    assert.ok(size <= (budgets.gzippedWasmBytes[name] ?? 0), `${name} has ${size} bytes`);
  }
});

after(() => {
  if (!process.env.UPDATE) return;
  // The costs of larger registries are those of cost_at_scale.test.ts.
  writeFileSync(file, JSON.stringify({ ...budgets, ...measured }));
  execFileSync(join(root, "node_modules/.bin/biome"), ["format", "--write", file]);
});
