// The figures about the Free plan in docs/operations.md follow from the measured costs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const ROWS_WRITTEN_PER_DAY = 100_000;
const ROWS_READ_PER_DAY = 5_000_000;

/** The route that each row of the table stands for, with the rows that one request of it counts. */
const writes: Record<string, string> = {
  "new people": 'POST /v1/people {"name":"New","isAlive":true,"placeId":1} 201',
  "moved people": 'PATCH /v1/people/1 {"placeId":3} 200',
  "renamed people": 'PATCH /v1/people/1 {"name":"Newer"} 200',
  "new places": 'POST /v1/places {"name":"Nueva"} 201',
};
const reads: Record<string, string> = {
  "unchanged pages of people per place": "GET /v1/people-per-place 304",
};
/** The same in a registry of 1,000 people, which fills these pages. */
const readsOfFullPages: Record<string, string> = {
  "new pages of 100 places with 975 people": "GET /v1/people-per-place",
  "pages of 100 people": "GET /v1/people",
};

test("the_documented_figures_of_the_free_plan_follow_from_the_costs", () => {
  const { routes, atScale } = JSON.parse(readFileSync("tests/ops/costs.json", "utf8"));
  const documented = readFileSync("docs/operations.md", "utf8");
  const assertRows = (
    all: Record<string, string>,
    limit: number,
    column: string,
    costs = routes,
  ) => {
    for (const [name, route] of Object.entries(all)) {
      const cost: number = costs[route][column];
      const count = Math.floor(limit / cost).toLocaleString("en");
      const row = `| ${name} | ${cost.toLocaleString("en")} | ${count} |`;
      assert.ok(documented.includes(row), `docs/operations.md needs: ${row}`);
    }
  };
  assertRows(writes, ROWS_WRITTEN_PER_DAY, "rowsWritten");
  assertRows(reads, ROWS_READ_PER_DAY, "rowsRead");
  assertRows(readsOfFullPages, ROWS_READ_PER_DAY, "rowsRead", atScale[1000]);
});

test("a_deployment_uses_the_documented_number_of_cron_triggers", () => {
  const files = ["wrangler.toml", "workers/places/wrangler.toml", "workers/people/wrangler.toml"];
  const crons = files.map((file) =>
    /^crons = \["\* \* \* \* \*"\]$/m.test(readFileSync(file, "utf8")),
  );
  assert.deepEqual(crons, [true, true, true]);
});
