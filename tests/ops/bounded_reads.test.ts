// The number of rows that a read costs does not depend on the size of the tables. `ALL=1` also
// fills a million rows, which takes minutes.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { isComplete } from "../support/complete.ts";
import { fillRegistry } from "../support/fill_registry.ts";
import { type System, start } from "../support/harness.ts";

/** The maximum number of rows that a page of 20 records may read, for each request. */
const limits: Record<string, number> = {
  "/v1/people?limit=20": 30,
  "/v1/people?limit=20&count=exact": 35,
  "/v1/people?limit=20&sort=name": 50,
  "/v1/people?limit=20&sort=-name&isAlive=true&count=exact": 50,
  "/v1/people?limit=20&sort=-id&isAlive=false": 50,
  "/v1/people?limit=20&isKing=false&placeId=1": 50,
  "/v1/people?limit=20&isKing=true&sort=name": 50,
  "/v1/people?limit=20&placeId=1,3&count=exact": 60,
  "/v1/people?limit=20&placeId=none": 30,
  "/v1/people?limit=20&name=p": 50,
  "/v1/people?limit=20&name=persona%209&sort=-id": 50,
  "/v1/people?limit=20&name=p&sort=name": 110,
  "/v1/people?limit=20&q=p": 50,
  "/v1/people?limit=20&q=persona%209&isAlive=true": 50,
  // Pages far from the beginning: the cursors of the ids 900 and 100.
  "/v1/people?limit=20&q=persona&after=69393030": 50,
  "/v1/people?limit=20&q=persona&sort=-id&after=69313030": 50,
  "/v1/people/population?limit=20&after=693930": 110,
  "/v1/people/population?limit=20&after=693930&sort=-id": 110,
  "/v1/places?limit=20&q=l&after=693930": 50,
  "/v1/statistics/places?limit=20&after=693930": 200,
  "/v1/people/export?q=persona%20777": 2_500,
  "/v1/people-per-place?limit=20": 300,
  "/v1/people-per-place?limit=20&sort=-id&isAlive=true": 500,
  "/v1/people-per-place?limit=20&sort=name": 600,
  "/v1/people-per-place?limit=20&sort=-name&isKing=true": 600,
  "/v1/people-per-place?limit=20&q=lugar&isAlive=false": 500,
  "/v1/people-per-place?limit=20&hasPeople=true&isKing=true": 850,
  "/v1/people?limit=20&expand=place": 80,
  "/v1/people-per-place/1?isAlive=false": 40,
  "/v1/people/population?limit=20&sort=-living": 100,
  "/v1/statistics/places?limit=20": 200,
  "/v1/statistics/places?limit=20&sort=-total&least=3": 400,
  "/v1/statistics/places?limit=20&sort=name": 600,
  "/v1/statistics/places?limit=20&q=lugar&sort=-id": 700,
  "/v1/statistics/places?limit=20&q=777&sort=-share": 1_100,
  "/v1/places?limit=20&count=exact": 30,
  "/v1/places?limit=20&sort=name&name=l": 110,
  "/v1/places?limit=20&q=l": 50,
  "/v1/places/as-of?limit=20": 140,
  "/v1/changes?limit=20": 200,
  "/v1/people/5/history": 20,
  // These count, sort or skip up to their limit.
  "/v1/people?limit=20&q=p&count=exact": 20_100,
  "/v1/people?limit=20&q=p&sort=name": 60_000,
  "/v1/people?limit=20&placeId=1,3&sort=name": 1_000,
  "/v1/statistics/places?limit=20&sort=living&least=900": 60_000,
  // All places have equal totals here. Each of its eight steps skips those of the steps before.
  "/v1/statistics/places?limit=20&sort=total&least=900": 100_000,
};

for (const people of isComplete ? [1_000, 1_000_000] : [1_000, 30_000]) {
  suite(`the rows read with ${people} people`, () => {
    let system: System;
    before(async () => {
      system = await start({ countCosts: true });
      await fillRegistry(system, people);
    });
    after(() => system.dispose());

    test("each_read_stays_within_its_limit", async () => {
      for (const [path, limit] of Object.entries(limits)) {
        await system.takeCosts();
        const { status, text } = await system.join.get(path);
        const isSorted = path.includes("q=p&sort=name");
        assert.equal(status, isSorted && people > 20_000 ? 422 : 200, `${path}: ${text}`);
        const costs = Object.values(await system.takeCosts());
        const rows = costs.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
        if (process.env.SHOW) console.log(people, path, rows);
        assert.ok(rows <= limit, `${path} reads ${rows} rows`);
      }
    });

    // Its totals need the population of every place.
    test("a_page_as_of_a_time_reads_a_few_rows_per_place", async () => {
      const { headers } = await system.join.get("/v1/places?limit=1&count=exact");
      const places = Number(headers["x-total-count"]);
      const asOf = new Date().toISOString();
      for (const path of ["/v1/people/population", "/v1/statistics/places"]) {
        for (const sort of ["id", "-id", "-living"]) {
          await system.takeCosts();
          const { status, text } = await system.join.get(
            `${path}?limit=20&sort=${sort}&asOf=${asOf}`,
          );
          assert.equal(status, places > 20_000 && sort === "-living" ? 422 : 200, text);
          const { rowsRead } = (await system.takeCosts()).people;
          if (process.env.SHOW) console.log(places, path, sort, rowsRead);
          assert.ok(rowsRead <= 8 * places + 200, `${path} ${sort} reads ${rowsRead} rows`);
        }
      }
    });

    test("a_page_reads_places_ahead_only_while_they_are_few", async () => {
      const page = () => system.join.get("/ui/people", { accept: "text/html" });
      await page();
      // Nothing that is cached from places is current then.
      await system.join.send("PATCH", "/v1/places/1", { name: "Otro lugar" });
      await system.takeCosts();
      assert.equal((await page()).status, 200);
      const { rowsRead } = (await system.takeCosts()).places;
      // The registry of 1,000 people has 100 places.
      assert.equal(rowsRead > 100, people === 1_000, `${rowsRead} rows of places`);
    });

    test("a_total_that_is_not_maintained_is_counted_up_to_its_limit", async () => {
      const total = async (query: string) => {
        const { headers } = await system.join.get(`/v1/people?limit=1&count=exact&${query}`);
        return [headers["x-total-count"], headers["x-total-count-relation"]];
      };
      const all = people > 20_000 ? ["20000", "at-least"] : [String(people), undefined];
      assert.deepEqual(await total("q=p"), all);
      assert.deepEqual(await total(""), [String(people), undefined]);
      assert.deepEqual(await total("isAlive=false"), [String(people / 20), undefined]);
      const { json } = await system.join.get("/v1/people?q=p&sort=name");
      if (people > 20_000) {
        assert.deepEqual([json.type, json.limit], ["/problems/too-many-matches", 20_000]);
      }
    });
  });
}
