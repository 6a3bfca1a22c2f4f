// The join: each place with its people, and what it asks of the other two for that.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { joinPeoplePerPlace, type Person, people, places } from "../support/fixtures.ts";
import { jsonArray, start } from "../support/harness.ts";

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());
const { join } = system;

const secure = { "x-content-type-options": "nosniff" };
const one = { ...secure, "content-type": "application/json" };
const list = { ...one, vary: "accept" };
const asLines = { accept: "application/x-ndjson" };
const expected = joinPeoplePerPlace(places, people);

test("each_place_has_its_people_in_order_of_id", async () => {
  const { status, headers, text } = await join.get("/v1/people-per-place");
  assert.deepEqual({ status, headers }, { status: 200, headers: list });
  assert.equal(text, jsonArray(expected));
});

test("the_list_comes_as_lines_where_accept_prefers_them", async () => {
  const { headers, text } = await join.get("/v1/people-per-place", asLines);
  assert.deepEqual(headers, { ...list, "content-type": "application/x-ndjson" });
  assert.equal(text, expected.map((place) => `${JSON.stringify(place)}\n`).join(""));
});

test("a_place_by_its_id_is_the_one_of_the_list", async () => {
  for (const place of expected) {
    const { status, headers, text } = await join.get(`/v1/people-per-place/${place.id}`);
    assert.deepEqual({ status, headers }, { status: 200, headers: one });
    assert.equal(text, JSON.stringify(place));
  }
});

test("a_place_without_people_has_an_empty_list", async () => {
  assert.deepEqual((await join.get("/v1/people-per-place/2")).json.people, []);
  await using empty = await start({ places });
  const { json } = await empty.join.get("/v1/people-per-place");
  assert.deepEqual(json, joinPeoplePerPlace(places, []));
});

test("without_places_there_is_an_empty_array_whoever_lives_nowhere", async () => {
  await using empty = await start({ people });
  const { status, text, headers } = await empty.join.get("/v1/people-per-place?count=exact");
  assert.deepEqual([status, text, headers["x-total-count"]], [200, "[]", "0"]);
  assert.equal((await empty.join.get("/v1/people-per-place", asLines)).text, "");
});

test("every_route_answers_with_and_without_version_and_trailing_slash", async () => {
  for (const path of ["/people-per-place", "/people-per-place/3"]) {
    const whole = await join.get(`/v1${path}`);
    for (const spelling of [path, `${path}/`, `/v1${path}/`]) {
      assert.deepEqual(await join.get(spelling), whole, spelling);
    }
  }
  const root = await join.get("/v1");
  assert.deepEqual(await join.get("/v1/"), root);
  const bare = await join.get("/", { accept: "application/json" });
  assert.deepEqual([bare.text, bare.headers.vary], [root.text, "accept"]);
});

test("head_has_the_headers_of_get_and_no_body", async () => {
  const paged = "/v1/people-per-place?limit=2&count=exact";
  for (const path of ["/v1", "/v1/people-per-place", paged, "/v1/people-per-place/3"]) {
    const { headers } = await join.get(path);
    const { status, headers: found, text } = await join.request("HEAD", path);
    assert.deepEqual({ status, headers: found, text }, { status: 200, headers, text: "" });
  }
});

test("the_root_describes_the_dataset_and_names_the_routes", async () => {
  const { status, headers, json } = await join.get("/v1");
  assert.deepEqual({ status, headers }, { status: 200, headers: one });
  assert.deepEqual([json.title, json.description, json.licence], [null, null, null]);
  for (const route of json.routes) {
    // What only takes something in says so.
    const isWrite = /\/(import|repair)$/.test(route);
    const answer = await join.get(route.replace("{id}", "1"));
    assert.equal(answer.status, isWrite ? 405 : 200, route);
  }
  await using described = await start();
  await described.db.join.exec("INSERT INTO dataset VALUES (1, 'T \"t\"', 'D', 'CC0-1.0')");
  const { title, description, licence } = (await described.join.get("/v1")).json;
  assert.deepEqual([title, description, licence], ['T "t"', "D", "CC0-1.0"]);
});

test("more_people_than_the_limit_are_left_to_a_link", async () => {
  const { json } = await join.get("/v1/people-per-place?peopleLimit=2");
  for (const [n, place] of expected.entries()) {
    const { people: shown, next, ...rest } = json[n];
    assert.deepEqual({ ...rest, people: shown }, { ...place, people: place.people.slice(0, 2) });
    assert.equal(next !== undefined, place.people.length > 2);
    if (!next) continue;
    const single = (await join.get(`/v1/people-per-place/${place.id}?peopleLimit=2`)).json;
    assert.deepEqual(single, json[n]);
    const left = (await join.pages(next)).flatMap((page) => page.json);
    const without = left.map(({ placeId, ...person }: Person) => {
      assert.equal(placeId, place.id);
      return person;
    });
    assert.deepEqual([...shown, ...without], place.people);
  }
});

test("a_list_asks_each_service_once_and_each_runs_one_statement", async () => {
  const paths = ["/v1/people-per-place", "/v1/people-per-place?limit=2&count=exact&peopleLimit=1"];
  for (const path of [...paths, "/v1/people-per-place/3", "/v1/people-per-place/2"]) {
    await system.takeRoundTrips();
    await join.get(path);
    assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 }, path);
  }
});

test("people_of_places_that_do_not_exist_hide_nobody_elses_people", async () => {
  const odd = Array.from({ length: 40 }, (_, n) => 2 * n + 1);
  const between = odd.map((id) => ({ id: id * 100, name: `Place ${id}` }));
  // Every place has a hundred ids around it, and each of those has an orphan.
  const inhabitants: Person[] = [];
  for (let placeId = 1; placeId <= 8000; placeId += 3) {
    const id = inhabitants.length + 1;
    inhabitants.push({ id, name: `P${id}`, isAlive: true, placeId, isKing: false });
  }
  await using orphaned = await start({ places: between, people: inhabitants, countCosts: true });
  const whole = joinPeoplePerPlace(between, inhabitants);
  for (const limit of [1, 7, 40, 1000]) {
    const pages = await orphaned.join.pages(`/v1/people-per-place?limit=${limit}`);
    assert.deepEqual(
      pages.flatMap((page) => page.json),
      whole,
      `limit=${limit}`,
    );
  }
  await orphaned.takeRoundTrips();
  const first = await orphaned.join.get("/v1/people-per-place?limit=40", asLines);
  assert.deepEqual(
    first.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
    whole,
  );
  const { places: once, people: often } = await orphaned.takeRoundTrips();
  assert.equal(once, 1);
  assert.ok(often > 1, "the orphans made it ask again");
});
