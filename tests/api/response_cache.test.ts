// The response cache of an isolate: a cached response is never older than an acknowledged write.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { makePeople, makePlaces } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";

const places = [
  { id: 1, name: "Descaro del Rey" },
  { id: 2, name: "Más allá del Zumo" },
];
const people = makePeople(40, 2);

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());
const { join } = system;

const reads = [
  "/v1/people-per-place",
  "/v1/people-per-place/1",
  "/v1/people/1",
  "/v1/people?limit=5",
  "/v1/places/1",
  "/v1/places",
  "/v1/statistics/places",
];

test("a_cached_response_is_revalidated_by_one_query_per_database", async () => {
  for (const path of reads) {
    const first = await join.get(path);
    await system.takeRoundTrips();
    const second = await join.get(path);
    assert.deepEqual([second.headers, second.text], [first.headers, first.text], path);
    assert.equal(second.etag, first.etag);
    const { places, people } = await system.takeRoundTrips();
    assert.ok(places <= 1 && people <= 1 && places + people > 0, path);
  }
});

test("a_page_after_a_write_to_one_database_takes_one_query_per_database", async () => {
  const writes = [
    (name: string) => system.people.send("PATCH", "/v1/people/3", { name }),
    (name: string) => system.places.send("PATCH", "/v1/places/2", { name }),
    (name: string) => system.people.send("POST", "/v1/people", { name, isAlive: true, placeId: 2 }),
    (name: string) => system.places.send("POST", "/v1/places", { name }),
  ];
  let count = 0;
  const pages = [
    "/v1/people-per-place",
    "/v1/people-per-place?sort=-id&limit=2",
    "/v1/people-per-place/2",
    "/v1/statistics/places",
  ];
  for (const write of writes) {
    for (const accept of ["application/json", "text/csv"]) {
      for (const path of pages.filter((page) => accept.endsWith("json") || !page.endsWith("/2"))) {
        const before = await join.get(path, { accept });
        count += 1;
        assert.ok((await write(`Written ${count}`)).status < 300);
        await system.takeRoundTrips();
        const page = await join.get(path, { accept });
        const { places, people } = await system.takeRoundTrips();
        assert.deepEqual([page.status, places, people], [200, 1, 1], path);
        // The tag of a single place does not depend on other places.
        if (!path.endsWith("/2")) assert.notEqual(page.etag, before.etag);
        // Parameters in another order are another page for the cache.
        const [address, query = ""] = path.split("?");
        const fresh = await join.get(`${address}?${query.split("&").reverse().join("&")}`, {
          accept: `${accept}, text/x-other;q=0.1`,
        });
        assert.deepEqual([page.text, page.etag], [fresh.text, fresh.etag], path);
      }
    }
  }
});

test("concurrent_requests_for_a_page_after_a_write_share_the_new_page", async () => {
  for (const path of reads.filter((path) => !path.includes("/people/"))) {
    await join.get(path);
    for (const name of ["First", "Second"]) {
      await system.people.send("PATCH", "/v1/people/3", { name: `${name} ${path}` });
      await system.places.send("PATCH", "/v1/places/2", { name: `${name} ${path}` });
      await system.takeRoundTrips();
      const responses = await Promise.all(Array.from({ length: 60 }, () => join.get(path)));
      const { places, people } = await system.takeRoundTrips();
      assert.equal(new Set(responses.map(({ text }) => text)).size, 1, path);
      assert.ok(Math.max(places, people) < 30, `${path}: ${places} and ${people} round trips`);
    }
  }
});

test("the_size_of_the_cache_is_counted_in_bytes", async () => {
  // 600 KB each: 80 of them have more bytes than the cache, and fewer UTF-16 units.
  const people = makePeople(1000, 1).map((person) => ({ ...person, name: "名".repeat(200) }));
  await using full = await start({ places: places.slice(0, 1), people, countCosts: true });
  const read = (n: number) =>
    full.people.get("/v1/people?limit=1000", { accept: `application/json;v=${n}` });
  const rowsOf = async (n: number) => {
    await full.takeCosts();
    await read(n);
    return (await full.takeCosts()).people.rowsRead;
  };
  for (let n = 0; n < 80; n += 1) await read(n);
  assert.ok((await rowsOf(79)) < 10, "the last response is cached");
  assert.ok((await rowsOf(0)) >= 1000, "the first response has been evicted");
});

test("concurrent_requests_share_a_revalidation", async () => {
  for (const path of reads) {
    const first = await join.get(path);
    await system.takeRoundTrips();
    const responses = await Promise.all(Array.from({ length: 60 }, () => join.get(path)));
    for (const { status, text } of responses) assert.deepEqual([status, text], [200, first.text]);
    const { places, people } = await system.takeRoundTrips();
    assert.ok(Math.max(places, people) < 30, `${path}: ${places} and ${people} round trips`);
  }
});

/** An Accept header that is too long for the cache key, so that the response is not cached. */
const uncacheableAccept = `application/json, ${"text/plain;q=0.1, ".repeat(20)}*/*;q=0.1`;

test("concurrent_conditional_requests_share_a_revalidation_without_a_cached_response", async () => {
  for (const path of ["/v1/people-per-place", "/v1/statistics/places"]) {
    const { etag } = await join.get(path, { accept: uncacheableAccept });
    const headers = { accept: uncacheableAccept, "if-none-match": etag };
    await system.takeRoundTrips();
    const responses = await Promise.all(Array.from({ length: 60 }, () => join.get(path, headers)));
    for (const response of responses)
      assert.deepEqual([response.status, response.etag], [304, etag]);
    const { places, people } = await system.takeRoundTrips();
    assert.ok(Math.max(places, people) < 30, `${path}: ${places} and ${people} round trips`);
    const malformed = await join.get(`${path}?limit=0`, headers);
    assert.equal(malformed.status, 400);
  }
});

test("a_streamed_page_is_cached_once_it_is_complete", async () => {
  const [places, people] = [makePlaces(30), makePeople(12_000, 30)];
  await using largeSystem = await start({ places, people, countCosts: true });
  const path = "/v1/people-per-place";
  // A client that disconnects early must not leave a truncated response in the cache.
  const cancelled = await fetch(`${largeSystem.join.url.origin}${path}`);
  await cancelled.body?.cancel();
  const first = await largeSystem.join.get(path);
  assert.ok(first.text.length > 500_000);
  await largeSystem.takeRoundTrips();
  const second = await largeSystem.join.get(path);
  assert.ok(second.text === first.text && second.etag === first.etag);
  assert.deepEqual(await largeSystem.takeRoundTrips(), { places: 1, people: 1, join: 0 });
  await largeSystem.join.send("PATCH", "/v1/people/1", { name: "Other" });
  const changed = await largeSystem.join.get(path);
  assert.ok(changed.text !== first.text && changed.text.includes('"Other"'));
});

test("each_media_type_is_cached_separately", async () => {
  const types = ["application/json", "application/x-ndjson", "text/csv"];
  const path = "/v1/people?limit=3";
  const first = await Promise.all(types.map((accept) => join.get(path, { accept })));
  const second = await Promise.all(types.map((accept) => join.get(path, { accept })));
  assert.equal(new Set(second.map(({ text }) => text)).size, 3);
  for (const [n, { text, headers }] of second.entries()) {
    assert.deepEqual([text, headers], [first[n]?.text, first[n]?.headers]);
    assert.equal(headers.vary, "accept");
  }
});

test("a_conditional_request_gets_a_304_from_the_cache", async () => {
  for (const path of reads) {
    const { etag } = await join.get(path);
    assert.equal((await join.get(path, { "if-none-match": etag })).status, 304, path);
    assert.equal((await join.get(path, { "if-none-match": '"other"' })).status, 200, path);
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => join.get(path, { "if-none-match": etag })),
    );
    for (const response of responses)
      assert.deepEqual([response.status, response.etag], [304, etag]);
  }
  const { etag } = await join.get("/v1/people-per-place/2");
  assert.equal((await join.send("PATCH", "/v1/people/2", { name: "Other" })).status, 200);
  const changed = await join.get("/v1/people-per-place/2", { "if-none-match": etag });
  assert.equal(changed.status, 200);
});

test("concurrent_conditional_requests_always_get_a_304", async () => {
  await using system = await start({ seed: true });
  for (const [worker, path] of [
    [system.join, "/v1/people-per-place"],
    [system.people, "/v1/people"],
  ] as const) {
    const { etag } = await worker.get(path);
    // Requests join a batch while it runs. None of them may miss its result.
    const client = async () => {
      for (let turn = 0; turn < 250; turn += 1) {
        const { status } = await worker.get(path, { "if-none-match": etag });
        assert.equal(status, 304, `${path}, ${turn}`);
      }
    };
    await Promise.all(Array.from({ length: 12 }, client));
  }
});
