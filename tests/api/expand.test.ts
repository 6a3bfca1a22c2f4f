// `expand=place`: people with the place that they belong to, through the gateway.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { completePerson } from "../support/declared_fields.ts";
import { people, places } from "../support/fixtures.ts";
import { jsonArray, ndjson, nextLink, type ServiceStub, start } from "../support/harness.ts";
import { CSV_TYPE, TYPES } from "../support/list_routes.ts";

const oddPlace = { id: 30, name: '=1, "x"' };
const allPlaces = [...places, oddPlace];
const allPeople = [
  ...people,
  completePerson({ id: 40, name: "Ana", isAlive: true, placeId: 30, isKing: false }),
  completePerson({ id: 41, name: "Bo", isAlive: true, placeId: 30, isKing: true }),
];
const system = await start({ places: allPlaces, people: allPeople, countCosts: true });
after(() => system.dispose());
const { join } = system;

/** The people with their places, by a lookup. */
const expanded = allPeople
  .toSorted((a, b) => a.id - b.id)
  .map((person) => ({
    ...person,
    place: allPlaces.find(({ id }) => id === person.placeId) ?? null,
  }));

test("an_expanded_list_has_the_place_of_each_person_in_every_format", async () => {
  const path = "/v1/people?limit=1000&expand=place";
  assert.equal((await join.get(path)).text, jsonArray(expanded));
  const lines = await join.get(path, { accept: TYPES.ndjson });
  assert.deepEqual([lines.text, lines.headers.vary], [ndjson(expanded), "accept"]);
  const plain = (await join.get("/v1/people?limit=1000", { accept: TYPES.csv })).text;
  const names = ["placeName", ...expanded.map(({ place }) => place && csvName(place.name))];
  const table = plain
    .trimEnd()
    .split("\r\n")
    .map((line, n) => `${line},${names[n] ?? ""}\r\n`);
  const csv = await join.get(path, { accept: TYPES.csv });
  assert.deepEqual([csv.text, csv.headers["content-type"]], [table.join(""), CSV_TYPE]);
});

function csvName(name: string): string {
  return `"${name.startsWith("=") ? "'" : ""}${name.replaceAll('"', '""')}"`;
}

test("the_filters_orders_and_links_of_an_expanded_list_are_those_of_the_list", async () => {
  for (const query of ["sort=-name&limit=3", "placeId=3&isAlive=true&limit=2", "name=a&limit=1"]) {
    const list: { id: number }[] = await join.records(`/v1/people?${query}`);
    const withPlaces = list.map(({ id }) => expanded.find((person) => person.id === id));
    const pages = await join.pages(`/v1/people?${query}&expand=place`);
    assert.deepEqual(
      pages.flatMap(({ json }) => json),
      withPlaces,
      query,
    );
    assert.ok(pages.length > 1);
    for (const page of pages.slice(0, -1)) assert.match(nextLink(page) ?? "", /expand=place/);
  }
  const empty = await join.get("/v1/people?name=nobody&expand=place&count=exact");
  assert.deepEqual([empty.text, empty.headers["x-total-count"]], ["[]", "0"]);
});

test("an_expanded_person_has_the_place_or_null", async () => {
  for (const person of expanded) {
    const { status, text } = await join.get(`/v1/people/${person.id}?expand=place`);
    assert.deepEqual([status, text], [200, JSON.stringify(person)]);
  }
  const missing = await join.get("/v1/people/999?expand=place");
  const expected = await join.get("/v1/people/999");
  assert.deepEqual([missing.status, missing.json], [404, expected.json]);
  assert.deepEqual(missing.headers, expected.headers);
});

test("head_and_a_conditional_get_of_an_expanded_response_agree_with_get", async () => {
  for (const path of ["/v1/people?expand=place&limit=2&count=exact", "/v1/people/2?expand=place"]) {
    for (const accept of Object.values(TYPES)) {
      const get = await join.get(path, { accept });
      assert.match(get.etag, /^W\/"1[jnc]\d+\.[0-9a-f]{8}-\d+\.[0-9a-f]{8}"$/);
      const head = await join.request("HEAD", path, { accept });
      assert.deepEqual([head.status, head.headers, head.etag], [200, get.headers, get.etag], path);
      const unchanged = await join.get(path, { accept, "if-none-match": get.etag });
      assert.deepEqual([unchanged.status, unchanged.text, unchanged.etag], [304, "", get.etag]);
    }
  }
});

test("a_change_of_a_place_or_a_person_changes_the_entity_tag", async () => {
  await using own = await start({ places, people });
  const paths = ["/v1/people?expand=place", "/v1/people/2?expand=place"];
  const tags = async () => Promise.all(paths.map(async (path) => (await own.join.get(path)).etag));
  const seen = await tags();
  for (const [path, body] of [
    ["/v1/places/3", { name: "Renamed" }],
    ["/v1/people/2", { name: "Other" }],
  ] as const) {
    assert.equal((await own.join.send("PATCH", path, body)).status, 200);
    for (const [n, tag] of (await tags()).entries()) {
      assert.ok(!seen.includes(tag), `${paths[n]} ${tag}`);
      const old = await own.join.get(paths[n] as string, { "if-none-match": seen[n] ?? "" });
      assert.equal(old.status, 200);
      seen.push(tag);
    }
  }
  assert.equal((await own.join.get(paths[1] as string)).json.place.name, "Renamed");
});

test("another_value_of_expand_is_rejected", async () => {
  for (const path of ["/v1/people", "/v1/people/2"]) {
    for (const [query, detail] of [
      ["expand=king", "`expand` must be place."],
      ["expand=", "`expand` must be place."],
      ["expand=place&expand=place", "`expand` must be given once."],
    ]) {
      const { status, json } = await join.get(`${path}?${query}`);
      assert.deepEqual([status, json.parameter, json.detail], [400, "expand", detail], query);
    }
    const unknown = await join.get(`${path}?expand=place&x=1`);
    assert.deepEqual([unknown.status, unknown.json.parameter], [400, "x"]);
  }
  // Only the gateway knows the names of places.
  const { status, json } = await system.people.get("/v1/people?expand=place");
  assert.deepEqual([status, json.type], [400, "/problems/unknown-parameter"]);
});

test("an_expanded_request_costs_one_query_per_database", async () => {
  for (const path of ["/v1/people?expand=place", "/v1/people/2?expand=place"]) {
    await system.takeRoundTrips();
    await join.get(path);
    assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 }, path);
  }
});

test("an_expanded_request_fails_while_a_service_is_down", async () => {
  const failing: ServiceStub = () => new Response("S3CR3T", { status: 500 });
  for (const service of ["places", "people"] as const) {
    await using down = await start({ places, people, stubs: { [service]: failing } });
    for (const path of ["/v1/people?expand=place", "/v1/people/2?expand=place"]) {
      for (const method of ["GET", "HEAD"]) {
        const { status, text } = await down.join.request(method, path);
        assert.equal(status, 502, path);
        if (method === "GET") assert.equal(JSON.parse(text).service, service);
      }
    }
  }
});
