// Tests the change feed, which merges the change logs of places and people.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { people as allPeople, places as allPlaces } from "../support/fixtures.ts";
import { type ApiResponse, ndjson, nextLink, start } from "../support/harness.ts";

const places = allPlaces.filter(({ id }) => id < 1000);
const people = allPeople.filter(({ id, placeId }) => id < 1000 && (placeId ?? 0) < 1000);
const system = await start({ places, people, countCosts: true });
after(() => system.dispose());
const { join } = system;

type Change = {
  at: string;
  collection: string;
  seq: number;
  kind: string;
  id: number;
  version: number;
};

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
  for (const query of ["limit=5", "order=desc", "since=2026-01-01&placeId=1"]) {
    await join.get(`/v1/changes?${query}`);
    assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 }, query);
  }
  await join.get("/v1/changes?personId=1");
  assert.deepEqual(await system.takeRoundTrips(), { places: 0, people: 1, join: 0 });
});

/** All changes of a query, by the links of the feed while there are more. */
async function follow(path: string): Promise<Change[]> {
  const changes: Change[] = [];
  for (let next = path; ; ) {
    const page = await join.get(next);
    assert.equal(page.status, 200, page.text);
    changes.push(...page.json);
    if (!page.headers["x-more-changes"]) return changes;
    next = nextLink(page) ?? assert.fail("a page with more changes has a link");
    const sent = new URL(path, "http://x").searchParams;
    const kept = new URL(next, "http://x").searchParams;
    for (const [name, value] of sent) {
      if (!["since", "after"].includes(name)) assert.equal(kept.get(name), value, next);
    }
  }
}

test("descending_changes_are_the_ascending_ones_reversed", async () => {
  for (const collection of ["", "/places", "/people"]) {
    const ascending = await follow(`/v1${collection}/changes?limit=1000`);
    for (const limit of [1, 4, 1000]) {
      const descending = await follow(`/v1${collection}/changes?order=desc&limit=${limit}`);
      assert.deepEqual(descending, ascending.toReversed(), `${collection} by ${limit}`);
    }
    const last = await join.get(`/v1${collection}/changes?order=desc&limit=1000`);
    assert.equal(last.headers.link, undefined);
  }
});

test("changes_since_a_time_are_those_at_that_time_or_later", async () => {
  const all = await follow("/v1/changes?limit=1000");
  const later = (await join.send("POST", "/v1/people", { name: "Later" })).json;
  const [{ at = "" } = {}] = await follow("/v1/changes?order=desc&limit=1");
  const found = await follow(`/v1/changes?since=${at}`);
  assert.deepEqual(
    found.map(({ id }) => id),
    [...all.filter((change) => change.at >= at).map(({ id }) => id), later.id],
  );
  const today = at.slice(0, 10);
  const everything = await follow(`/v1/changes?since=${today}&limit=1000`);
  assert.equal(everything.length, all.length + 1);
  assert.deepEqual(
    await follow(`/v1/changes?since=${today}&order=desc&limit=1000`),
    everything.toReversed(),
  );
});

test("changes_since_now_begin_with_the_next_change", async () => {
  for (const collection of ["", "/people"]) {
    const now = await join.get(`/v1${collection}/changes?since=now`);
    assert.deepEqual(now.json, []);
    const { id } = (await join.send("POST", "/v1/people", { name: "Next" })).json;
    const next = await join.get(nextLink(now) ?? "");
    assert.deepEqual(
      next.json.map((change: Change) => change.id),
      [id],
    );
  }
});

test("changes_of_a_place_include_those_of_people_who_came_or_left", async () => {
  const place = (await join.send("POST", "/v1/places", { name: "Filtro" })).json.id;
  const { id } = (await join.send("POST", "/v1/people", { name: "Va", isAlive: true, placeId: 1 }))
    .json;
  const moves = [{ placeId: place }, { name: "Viene" }, { placeId: 3 }, { name: "Lejos" }];
  for (const move of moves) {
    assert.equal((await join.send("PATCH", `/v1/people/${id}`, move)).status, 200);
  }
  const versions = (changes: Change[]) =>
    changes.map(({ collection, id: of, version }) => [collection, of, version]);
  const expected = [
    ["places", place, 1],
    ["people", id, 2],
    ["people", id, 3],
    ["people", id, 4],
  ];
  assert.deepEqual(versions(await follow(`/v1/changes?placeId=${place}`)), expected);
  assert.deepEqual(
    versions(await follow(`/v1/changes?placeId=${place}&limit=1&order=desc`)),
    expected.toReversed(),
  );
  const ofBackends = await Promise.all(
    ["places", "people"].map((name) => follow(`/v1/${name}/changes?placeId=${place}`)),
  );
  assert.deepEqual(versions(ofBackends.flat()), expected);
  const ofPerson = await follow(`/v1/changes?personId=${id}&limit=2`);
  assert.deepEqual(
    versions(ofPerson),
    [1, 2, 3, 4, 5].map((version) => ["people", id, version]),
  );
  assert.deepEqual(await follow(`/v1/people/changes?personId=${id}`), ofPerson);
  const both = await follow(`/v1/changes?personId=${id}&placeId=${place}`);
  assert.deepEqual(versions(both), expected.slice(1));
  // A cursor of the whole feed is a cursor of the feed of one person, too.
  const now = nextLink(await join.get("/v1/changes?since=now")) ?? "";
  await join.send("PATCH", `/v1/people/${id}`, { name: "Fin" });
  assert.deepEqual(versions((await join.get(`${now}&personId=${id}`)).json), [["people", id, 6]]);
});

test("an_invalid_parameter_of_the_change_feed_is_named", async () => {
  for (const [query, parameter] of [
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["since=zz", "since"],
    ["since=6933", "since"],
    ["since=6e313a61", "since"],
    ["since=", "since"],
    ["since=2999-01-01", "since"],
    ["since=Now", "since"],
    ["order=up", "order"],
    ["order=desc&after=zz", "after"],
    ["placeId=0", "placeId"],
    ["personId=x", "personId"],
    ["since=63312e3166303961623334", "since"],
    ["after=70332e33", "after"],
    ["asOf=2026-01-31T12:00:00Z", "asOf"],
  ] as const) {
    const { status, json } = await join.get(`/v1/changes?${query}`);
    assert.deepEqual([status, json.parameter], [400, parameter], query);
  }
  const ofPlaces = await join.get("/v1/places/changes?personId=1");
  assert.deepEqual([ofPlaces.status, ofPlaces.json.parameter], [400, "personId"]);
});
