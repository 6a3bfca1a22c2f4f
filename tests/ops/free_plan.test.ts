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
  "new pages of 30 places with 77 people": "GET /v1/people-per-place 200",
  "pages of 50 people": "GET /v1/people 200",
};

test("the_documented_figures_of_the_free_plan_follow_from_the_costs", () => {
  const { routes } = JSON.parse(readFileSync("tests/ops/costs.json", "utf8"));
  const documented = readFileSync("docs/operations.md", "utf8");
  const assertRows = (all: Record<string, string>, limit: number, column: string) => {
    for (const [name, route] of Object.entries(all)) {
      const cost: number = routes[route][column];
      const count = Math.floor(limit / cost).toLocaleString("en");
      const row = `| ${name} | ${cost} | ${count} |`;
      assert.ok(documented.includes(row), `docs/operations.md needs: ${row}`);
    }
  };
  assertRows(writes, ROWS_WRITTEN_PER_DAY, "rowsWritten");
  assertRows(reads, ROWS_READ_PER_DAY, "rowsRead");
});

test("a_deployment_uses_the_documented_number_of_cron_triggers", () => {
  const files = ["wrangler.toml", "workers/places/wrangler.toml", "workers/people/wrangler.toml"];
  const crons = files.map((file) =>
    /^crons = \["\* \* \* \* \*"\]$/m.test(readFileSync(file, "utf8")),
  );
  assert.deepEqual(crons, [true, true, true]);
});
