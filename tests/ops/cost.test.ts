// What each route costs, held against `costs.json`: calls of D1 and of services exactly, rows
// and bytes at most. Where more is meant, `UPDATE=1` before this test's command writes the
// table anew, and its difference is there to be read.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { people, places } from "../support/fixtures.ts";
import { type Name, start } from "../support/harness.ts";

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());

type Costs = {
  /** Calls of D1 by places, people and join. */
  d1: number[];
  /** Calls of other workers by the same. */
  calls: number[];
  rowsRead: number;
  rowsWritten: number;
};
type Table = { routes: Record<string, Costs>; gzip: Record<string, number> };

const root = resolve(import.meta.dirname, "../..");
const file = join(root, "tests/ops/costs.json");
const table: Table = JSON.parse(readFileSync(file, "utf8"));
const found: Table = { routes: {}, gzip: {} };
const names: Name[] = ["places", "people", "join"];

const csv = "name,isAlive,placeId\nAda,true,1\nBo,true,3\n";
const person = { name: "New", isAlive: true, placeId: 1 };

/** In order: each sees what those before it have written. */
const requests: [string, string, (object | string)?][] = [
  ["GET", "/v1"],
  ["GET", "/v1/people-per-place"],
  ["GET", "/v1/people-per-place/1"],
  ["GET", "/v1/people-per-place?limit=2&count=exact"],
  ["GET", "/v1/statistics/places"],
  ["GET", "/v1/statistics/places?sort=-living&limit=3"],
  ["GET", "/v1/statistics/places?format=csv"],
  ["GET", "/v1/changes?limit=10"],
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
  ["POST", "/v1/people/import", csv],
  ["POST", "/v1/places/import", "name\nLast\nVery last\n"],
  ["POST", "/v1/integrity/repair"],
];

async function costs(): Promise<Costs> {
  const each = await system.takeCosts();
  const all = names.map((name) => each[name]);
  return {
    d1: all.map(({ roundTrips }) => roundTrips),
    calls: all.map(({ calls }) => calls),
    rowsRead: all.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
    rowsWritten: all.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
  };
}

/** Holds what was found against the table. */
function hold(what: string, now: Costs): void {
  assert.ok(!(what in found.routes), `${what} is there twice`);
  found.routes[what] = now;
  if (process.env.UPDATE) return;
  const then = table.routes[what];
  assert.ok(then, `${what} is not in costs.json`);
  assert.deepEqual([now.d1, now.calls], [then.d1, then.calls], `${what}: calls of D1, of workers`);
  assert.ok(now.rowsRead <= then.rowsRead, `${what} reads ${now.rowsRead} rows`);
  assert.ok(now.rowsWritten <= then.rowsWritten, `${what} writes ${now.rowsWritten} rows`);
}

test("each_route_asks_no_more_than_it_did", async () => {
  await system.takeCosts();
  for (const [method, path, body] of requests) {
    const type = typeof body === "string" ? "text/csv" : "application/json";
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const answer = await system.join.request(method, path, { "content-type": type }, text);
    const given = typeof body === "object" ? ` ${text}` : "";
    hold(`${method} ${path}${given} ${answer.status}`, await costs());
    if (!answer.etag || method !== "GET") continue;
    const known = await system.join.get(path, { "if-none-match": answer.etag });
    assert.equal(known.status, 304, path);
    hold(`${method} ${path} 304`, await costs());
  }
});

test("no_worker_is_greater_than_it_was", () => {
  for (const name of names) {
    const folder = join(root, "workers", name, "build");
    const size = gzipSync(readFileSync(join(folder, "index_bg.wasm"))).length;
    // What a compiler's next version adds is no news.
    found.gzip[name] = 1000 * Math.ceil(size / 1000) + 1000;
    if (process.env.UPDATE) continue;
    assert.ok(size <= (table.gzip[name] ?? 0), `${name} is ${size} bytes`);
  }
});

after(() => {
  if (!process.env.UPDATE) return;
  writeFileSync(file, JSON.stringify(found));
  execFileSync(join(root, "node_modules/.bin/biome"), ["format", "--write", file]);
});
