// The change feed, which merges the change logs of places and people.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { type ApiResponse, ndjson, nextLink, start } from "../support/harness.ts";

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());
const { join } = system;

type Change = { at: string; collection: string; seq: number; kind: string; id: number };

const changesOf = async (table: string): Promise<Change[]> =>
  (await join.get(`/v1/${table}/changes?limit=1000`)).json;

/** Reads pages until one is empty, and calls a function after each. */
async function readPages(first: string, betweenPages: (n: number) => Promise<unknown>) {
  const records: Change[] = [];
  let next = first;
  for (let n = 0; ; n += 1) {
    const page: ApiResponse = await join.get(next);
    assert.equal(page.status, 200, page.text);
    next = nextLink(page) ?? assert.fail("every page of the feed has a next link");
    if (page.json.length === 0) return { changes: records, next };
    records.push(...page.json);
    await betweenPages(n);
  }
}

test("the_change_feed_merges_both_change_logs_by_time", async () => {
  const page = await join.get("/v1/changes?limit=1000");
  assert.equal(page.headers["content-type"], "application/json");
  const changes: Change[] = page.json;
  assert.deepEqual(
    changes.map(({ at }) => at),
    changes.map(({ at }) => at).sort(),
  );
  for (const table of ["places", "people"]) {
    const ownChanges = changes.filter((change) => change.collection === table);
    assert.deepEqual(ownChanges, await changesOf(table));
  }
  const lines = await join.get("/v1/changes?limit=1000", { accept: "application/x-ndjson" });
  assert.equal(lines.text, ndjson(changes));
});

test("the_pages_of_the_change_feed_show_each_change_once_despite_concurrent_writes", async () => {
  const writes = [
    () => join.send("POST", "/v1/places", { name: "Nueva" }),
    () => join.send("POST", "/v1/people", { name: "A", isAlive: true, placeId: 1 }),
    () => join.send("POST", "/v1/people", { name: "B", isAlive: true, placeId: 3 }),
    () => join.request("DELETE", "/v1/people/17"),
    () => join.send("POST", "/v1/places", { name: "Más nueva" }),
    () => join.request("DELETE", "/v1/places/2"),
  ];
  for (const limit of [1, 3, 10]) {
    const { changes, next } = await readPages(`/v1/changes?limit=${limit}`, async (n) => {
      const written = await writes[n]?.();
      // After the first round the names are taken and the people deleted, so writes are rejected.
      assert.ok(written === undefined || written.status < 500);
    });
    for (const table of ["places", "people"]) {
      const ownChanges = changes.filter((change) => change.collection === table);
      assert.deepEqual(ownChanges, await changesOf(table), `${table} by ${limit}`);
    }
    // The last page's link leads to later changes.
    assert.deepEqual((await join.get(next)).json, []);
    const added = await join.send("POST", "/v1/people", { name: `C${limit}` });
    assert.equal(added.status, 201, added.text);
    const later: Change[] = (await join.get(next)).json;
    assert.deepEqual(
      later.map(({ kind, id }) => [kind, id]),
      [["created", added.json.id]],
    );
  }
});

test("a_page_of_the_change_feed_costs_one_query_per_database", async () => {
  await system.takeRoundTrips();
  await join.get("/v1/changes?limit=5");
  assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 });
});

test("an_invalid_parameter_of_the_change_feed_is_named", async () => {
  for (const [query, parameter] of [
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["since=zz", "since"],
    ["since=6933", "since"],
    ["since=6e313a61", "since"],
    ["since=", "since"],
    ["after=70332e33", "after"],
    ["asOf=2026-01-31T12:00:00Z", "asOf"],
  ] as const) {
    const { status, json } = await join.get(`/v1/changes?${query}`);
    assert.deepEqual([status, json.parameter], [400, parameter], query);
  }
});
