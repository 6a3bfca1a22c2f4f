// The feed of both registers' changes.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { type ApiResponse, nextLink, start } from "../support/harness.ts";

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());
const { join } = system;

type Change = { at: string; register: string; seq: number; kind: string; id: number };

const log = async (register: string): Promise<Change[]> =>
  (await join.get(`/v1/${register}/changes?limit=1000`)).json;

/** Pages from an address on, until one is empty; between two of them something happens. */
async function walk(from: string, between: (n: number) => Promise<unknown>) {
  const shown: Change[] = [];
  let next = from;
  for (let n = 0; ; n += 1) {
    const page: ApiResponse = await join.get(next);
    assert.equal(page.status, 200, page.text);
    next = nextLink(page) ?? assert.fail("there is always a next page");
    if (page.json.length === 0) return { shown, next };
    shown.push(...page.json);
    await between(n);
  }
}

test("the_feed_is_both_logs_in_order_of_time", async () => {
  const page = await join.get("/v1/changes?limit=1000");
  assert.equal(page.headers["content-type"], "application/json");
  const changes: Change[] = page.json;
  assert.deepEqual(
    changes.map(({ at }) => at),
    changes.map(({ at }) => at).sort(),
  );
  for (const register of ["places", "people"]) {
    const own = changes.filter((change) => change.register === register);
    assert.deepEqual(own, await log(register));
  }
  const lines = await join.get("/v1/changes?limit=1000", { accept: "application/x-ndjson" });
  assert.equal(lines.text, changes.map((change) => `${JSON.stringify(change)}\n`).join(""));
});

test("a_walk_shows_each_change_once_whatever_is_written_meanwhile", async () => {
  const writes = [
    () => join.send("POST", "/v1/places", { name: "Nueva" }),
    () => join.send("POST", "/v1/people", { name: "A", isAlive: true, placeId: 1 }),
    () => join.send("POST", "/v1/people", { name: "B", isAlive: true, placeId: 3 }),
    () => join.request("DELETE", "/v1/people/17"),
    () => join.send("POST", "/v1/places", { name: "Más nueva" }),
    () => join.request("DELETE", "/v1/places/2"),
  ];
  for (const limit of [1, 3, 10]) {
    const { shown, next } = await walk(`/v1/changes?limit=${limit}`, async (n) => {
      const written = await writes[n]?.();
      // The second walk finds names taken and people gone: then nothing is written.
      assert.ok(written === undefined || written.status < 500);
    });
    for (const register of ["places", "people"]) {
      const own = shown.filter((change) => change.register === register);
      assert.deepEqual(own, await log(register), `${register} by ${limit}`);
    }
    // What comes later is behind the last page's link.
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

test("a_page_is_a_statement_a_register", async () => {
  await system.takeRoundTrips();
  await join.get("/v1/changes?limit=5");
  assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 });
});

test("what_cannot_be_used_is_named", async () => {
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
