// Measures the rows and round trips of each route of costs.json in a registry of 1,000 people, and
// with `ALL=1` also of 1,000,000. `UPDATE=1` rewrites the limits: review the diff.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { isComplete } from "../support/complete.ts";
import { fillRegistry } from "../support/fill_registry.ts";
import { type System, start } from "../support/harness.ts";

type Costs = { status: number; roundTrips: number; rowsRead: number; rowsWritten: number };

const root = resolve(import.meta.dirname, "../..");
const file = join(root, "tests/ops/costs.json");
const budgets = JSON.parse(readFileSync(file, "utf8"));
const atScale: Record<string, Record<string, Costs>> = budgets.atScale ?? {};

const IMPORTED = 1_000;
const MAX_ROWS_PER_IMPORTED_PERSON = 11;
const lines = Array.from({ length: IMPORTED }, (_, n) => `Persona ${n},true,${5 + (n % 15)}\n`);
const importFile = `name,isAlive,placeId\n${lines.join("")}`;

const person = { name: "New", isAlive: true, placeId: 1 };
const writes: [string, string, (object | string)?][] = [
  ["POST", "/v1/places", { name: "Nueva" }],
  ["PATCH", "/v1/places/2", { name: "Otra" }],
  ["DELETE", "/v1/places/3?reassignTo=4"],
  ["POST", "/v1/people", person],
  ["PUT", "/v1/people/1", { ...person, name: "Other" }],
  ["PATCH", "/v1/people/2", { name: "Newer" }],
  ["PATCH", "/v1/people/2", { placeId: 5 }],
  ["DELETE", "/v1/people/3"],
  ["POST", "/v1/people/import", importFile],
];

/** The reads of costs.json. */
const reads = Object.keys(budgets.routes).flatMap((route): [string, string][] => {
  const path = /^GET (\S+) 200$/.exec(route)?.[1];
  return path ? [["GET", path]] : [];
});

async function measure(
  { join, takeCosts }: { join: System["join"]; takeCosts: System["takeCosts"] },
  [method, path, body]: [string, string, (object | string)?],
): Promise<Costs> {
  await takeCosts();
  const type = typeof body === "string" ? "text/csv" : "application/json";
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const response = await join.request(method, path, { "content-type": type }, text);
  assert.ok(response.status < 500, `${method} ${path}: ${response.text}`);
  const costs = Object.values(await takeCosts());
  const sum = (name: "roundTrips" | "rowsRead" | "rowsWritten") =>
    costs.reduce((sum, cost) => sum + cost[name], 0);
  return {
    status: response.status,
    roundTrips: sum("roundTrips"),
    rowsRead: sum("rowsRead"),
    rowsWritten: sum("rowsWritten"),
  };
}

const measured: Record<string, Record<string, Costs>> = {};

for (const people of isComplete ? [1_000, 1_000_000] : [1_000]) {
  test(`each_route_stays_within_its_budget_with_${people}_people`, async (t) => {
    await using system = await start({ countCosts: true });
    const began = performance.now();
    await fillRegistry(system, people);
    t.diagnostic(`filled in ${Math.round((performance.now() - began) / 1000)} s`);
    const results: Record<string, Costs> = {};
    measured[people] = results;
    const gateway = { join: system.join, takeCosts: () => system.takeCosts() };
    for (const [n, request] of [...reads, ...writes].entries()) {
      const [method, path, body] = request;
      const more = typeof body === "object" ? ` ${JSON.stringify(body)}` : "";
      const route = `${method} ${path}${more}`;
      const costs = await measure(gateway, request);
      assert.ok(!(route in results), `${route} is requested twice`);
      results[route] = costs;
      if (process.env.UPDATE) continue;
      const budget = atScale[people]?.[route];
      assert.ok(budget, `${route} has no budget for ${people} people, request ${n}`);
      assert.equal(costs.status, budget.status, route);
      for (const name of ["roundTrips", "rowsRead", "rowsWritten"] as const) {
        const message = `${route} with ${people} people: ${costs[name]} ${name}`;
        assert.ok(costs[name] <= budget[name], message);
      }
    }
    const { rowsWritten } = results["POST /v1/people/import"] as Costs;
    t.diagnostic(`an import writes ${rowsWritten / IMPORTED} rows per person`);
    assert.ok(rowsWritten >= IMPORTED, `the import writes ${rowsWritten} rows`);
    assert.ok(rowsWritten <= MAX_ROWS_PER_IMPORTED_PERSON * IMPORTED, `${rowsWritten} rows`);
  });
}

after(() => {
  if (!process.env.UPDATE) return;
  writeFileSync(file, JSON.stringify({ ...budgets, atScale: { ...atScale, ...measured } }));
  execFileSync(join(root, "node_modules/.bin/biome"), ["format", "--write", file]);
});
