// Tests the gateway's join: each place with its people, and the queries that a response costs.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { completePerson } from "../support/declared_fields.ts";
import { joinPeoplePerPlace, type Person, people, places } from "../support/fixtures.ts";
import { jsonArray, ndjson, parseNdjson, start } from "../support/harness.ts";

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());
const { join } = system;

const nosniff = { "x-content-type-options": "nosniff" };
const recordHeaders = { ...nosniff, "content-type": "application/json" };
const listHeaders = { ...recordHeaders, vary: "accept" };
const acceptNdjson = { accept: "application/x-ndjson" };
const expected = joinPeoplePerPlace(places, people);

test("each_place_lists_its_people_ordered_by_id", async () => {
  const { status, headers, text } = await join.get("/v1/people-per-place");
  assert.deepEqual({ status, headers }, { status: 200, headers: listHeaders });
  assert.equal(text, jsonArray(expected));
});

test("the_joined_list_is_ndjson_when_accept_prefers_it", async () => {
  const { headers, text } = await join.get("/v1/people-per-place", acceptNdjson);
  assert.deepEqual(headers, { ...listHeaders, "content-type": "application/x-ndjson" });
  assert.equal(text, ndjson(expected));
});

test("a_single_joined_place_equals_the_one_in_the_list", async () => {
  for (const place of expected) {
    const { status, headers, text } = await join.get(`/v1/people-per-place/${place.id}`);
    assert.deepEqual({ status, headers }, { status: 200, headers: recordHeaders });
    assert.equal(text, JSON.stringify(place));
  }
});

test("a_place_without_people_has_an_empty_list", async () => {
  assert.deepEqual((await join.get("/v1/people-per-place/2")).json.people, []);
  await using empty = await start({ places });
  const { json } = await empty.join.get("/v1/people-per-place");
  assert.deepEqual(json, joinPeoplePerPlace(places, []));
});

test("people_without_places_give_an_empty_joined_list", async () => {
  await using empty = await start({ people });
  const { status, text, headers } = await empty.join.get("/v1/people-per-place?count=exact");
  assert.deepEqual([status, text, headers["x-total-count"]], [200, "[]", "0"]);
  assert.equal((await empty.join.get("/v1/people-per-place", acceptNdjson)).text, "");
});

test("every_route_of_the_join_works_without_the_version_prefix_and_with_a_trailing_slash", async () => {
  for (const path of ["/people-per-place", "/people-per-place/3"]) {
    const expected = await join.get(`/v1${path}`);
    for (const spelling of [path, `${path}/`, `/v1${path}/`]) {
      assert.deepEqual(await join.get(spelling), expected, spelling);
    }
  }
  const root = await join.get("/v1");
  assert.deepEqual(await join.get("/v1/"), root);
  const bare = await join.get("/", { accept: "application/json" });
  assert.deepEqual([bare.text, bare.headers.vary], [root.text, "accept"]);
});

test("head_of_the_join_has_the_headers_of_get_and_no_body", async () => {
  const paged = "/v1/people-per-place?limit=2&count=exact";
  for (const path of ["/v1", "/v1/people-per-place", paged, "/v1/people-per-place/3"]) {
    const { headers } = await join.get(path);
    const { status, headers: headHeaders, text } = await join.request("HEAD", path);
    assert.deepEqual({ status, headers: headHeaders, text }, { status: 200, headers, text: "" });
  }
});

test("the_root_describes_the_dataset_and_lists_the_routes", async () => {
  const { status, headers, json } = await join.get("/v1");
  assert.deepEqual({ status, headers }, { status: 200, headers: recordHeaders });
  assert.deepEqual([json.title, json.description, json.licence], [null, null, null]);
  for (const route of json.routes) {
    // There is no operation.
    if (route.endsWith("{token}")) continue;
    // Routes that only accept a POST.
    const isPostOnly = /\/(batch|import|repair|restore)$/.test(route);
    const response = await join.get(route.replace("{id}", "1"));
    assert.equal(response.status, isPostOnly ? 405 : 200, route);
  }
  await using described = await start();
  await described.db.join.exec("INSERT INTO dataset VALUES (1, 'T \"t\"', 'D', 'CC0-1.0')");
  const { title, description, licence } = (await described.join.get("/v1")).json;
  assert.deepEqual([title, description, licence], ['T "t"', "D", "CC0-1.0"]);
});

test("people_above_the_limit_are_reached_by_the_next_link", async () => {
  const { json } = await join.get("/v1/people-per-place?peopleLimit=2");
  for (const [n, place] of expected.entries()) {
    const { people: firstPeople, next, ...rest } = json[n];
    assert.deepEqual(
      { ...rest, people: firstPeople },
      { ...place, people: place.people.slice(0, 2) },
    );
    assert.equal(next !== undefined, place.people.length > 2);
    if (!next) continue;
    const single = (await join.get(`/v1/people-per-place/${place.id}?peopleLimit=2`)).json;
    assert.deepEqual(single, json[n]);
    const remaining = await join.records<Person>(next);
    const withoutPlace = remaining.map(({ placeId, ...person }: Person) => {
      assert.equal(placeId, place.id);
      return person;
    });
    assert.deepEqual([...firstPeople, ...withoutPlace], place.people);
  }
});

test("a_joined_page_costs_one_query_per_database", async () => {
  const paths = ["/v1/people-per-place", "/v1/people-per-place?limit=2&count=exact&peopleLimit=1"];
  for (const path of [...paths, "/v1/people-per-place/3", "/v1/people-per-place/2"]) {
    await system.takeRoundTrips();
    await join.get(path);
    assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 }, path);
  }
});

test("orphaned_people_do_not_hide_the_people_of_existing_places", async () => {
  const places = Array.from({ length: 40 }, (_, n) => {
    const id = 100 * (2 * n + 1);
    return { id, name: `Place ${id}` };
  });
  // Between two places there are about a hundred missing ids, and a third of them have an orphan.
  const inhabitants: Person[] = [];
  for (let placeId = 1; placeId <= 8000; placeId += 3) {
    const id = inhabitants.length + 1;
    const person = { id, name: `P${id}`, isAlive: true, placeId, isKing: false };
    inhabitants.push(completePerson(person));
  }
  await using orphaned = await start({ places, people: inhabitants, countCosts: true });
  const expected = joinPeoplePerPlace(places, inhabitants);
  for (const limit of [1, 7, 40, 1000]) {
    const joined = await orphaned.join.records(`/v1/people-per-place?limit=${limit}`);
    assert.deepEqual(joined, expected, `limit=${limit}`);
  }
  await orphaned.takeRoundTrips();
  const first = await orphaned.join.get("/v1/people-per-place?limit=40", acceptNdjson);
  assert.deepEqual(parseNdjson(first.text), expected);
  const roundTrips = await orphaned.takeRoundTrips();
  assert.equal(roundTrips.places, 1);
  assert.ok(roundTrips.people > 1, "the orphans fill the first page, so a second one is needed");
});
