// Tests a hundred thousand people, spread over places and in one place. Responses stay complete.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { residentFields } from "../support/declared_fields.ts";
import { start } from "../support/harness.ts";

const PEOPLE_COUNT = 100_000;
const NAME_SQL = "'Person Number ' || n || ' ñ \"'";

async function startWithPeople(placeOf: string, placesCount: number) {
  const system = await start({ countCosts: true });
  const numbersUpTo = (count: number) =>
    `WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < ${count})`;
  try {
    await system.db.places.exec(
      `${numbersUpTo(placesCount)} INSERT INTO place (id, name, name_key)
       SELECT n, 'Place ' || n, 'place ' || n FROM up`,
    );
    await system.db.people.exec(
      `${numbersUpTo(PEOPLE_COUNT)} INSERT INTO person (id, name, name_key, is_alive, place_id)
       SELECT n, ${NAME_SQL}, lower(${NAME_SQL}), 1, ${placeOf} FROM up`,
    );
    return system;
  } catch (error) {
    await system.dispose();
    throw error;
  }
}

type Row = { id: number; name: string };
const idsOf = (rows: Row[]) => rows.map(({ id }) => id);
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

suite("a hundred thousand people in a thousand places", () => {
  test("one_page_contains_a_hundred_thousand_people", async () => {
    await using system = await startWithPeople("1 + n % 1000", 1000);
    for (const accept of ["application/json", "application/x-ndjson"]) {
      await system.takeRoundTrips();
      const page = await system.join.get("/v1/people-per-place?limit=1000", { accept });
      assert.deepEqual(page.headers, {
        "content-type": accept,
        vary: "accept",
        "x-content-type-options": "nosniff",
      });
      const lines = page.text.trimEnd().split("\n");
      const places = accept.endsWith("/json") ? page.json : lines.map((line) => JSON.parse(line));
      assert.deepEqual(idsOf(places), numbers(1, 1000));
      for (const { id, people } of places) {
        assert.equal(people.length, 100);
        assert.deepEqual(Object.keys(people[0]), residentFields);
        assert.ok(people.every((person: Row) => 1 + (person.id % 1000) === id));
      }
      const ids = places.flatMap(({ people }: { people: Row[] }) => idsOf(people));
      assert.equal(new Set(ids).size, PEOPLE_COUNT);
      // A query returns at most 20,000 people and one more group.
      assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 5, join: 0 });
    }
    const pages = await system.join.pages("/v1/people-per-place?limit=300&peopleLimit=1");
    assert.deepEqual(idsOf(pages.flatMap((page) => page.json)), numbers(1, 1000));

    const count = await system.join.get("/v1/people?limit=1&count=exact");
    assert.equal(count.headers["x-total-count"], String(PEOPLE_COUNT));
  });
});

suite("a hundred thousand people in one place", () => {
  test("a_huge_place_shows_its_first_people_and_links_to_the_rest", async () => {
    await using system = await startWithPeople("2", 3);
    for (const [query, visible] of [
      ["", 1000],
      ["?peopleLimit=10000", 10_000],
      ["?peopleLimit=2500", 2500],
      ["?peopleLimit=1", 1],
    ] as const) {
      const { json, text } = await system.join.get(`/v1/people-per-place${query}`);
      assert.deepEqual(idsOf(json), [1, 2, 3]);
      assert.deepEqual([json[0].people, json[2].people], [[], []]);
      const [, place] = json;
      assert.deepEqual(idsOf(place.people), numbers(1, visible));
      const after = Buffer.from(`i${visible}`).toString("hex");
      assert.equal(place.next, `/v1/people?placeId=2&limit=1000&after=${after}`);
      const single = await system.join.get(`/v1/people-per-place/2${query}`);
      assert.ok(text.includes(single.text), "the single place equals the one in the list");
    }

    const { json: place } = await system.join.get("/v1/people-per-place/2?peopleLimit=10000");
    const rest = await system.join.records(place.next);
    assert.deepEqual(idsOf([...place.people, ...rest]), numbers(1, PEOPLE_COUNT));
  });
});

suite("a place of exactly as many people as are shown", () => {
  test("a_place_has_a_next_link_only_above_the_people_limit", async () => {
    await using system = await start();
    await system.addPlaces([{ id: 1, name: "Full" }]);
    const people = numbers(1, 2001).map((id) => ({
      id,
      name: `P${id}`,
      isAlive: true,
      placeId: 1,
      isKing: false,
    }));
    await system.addPeople(people);
    for (const [limit, hasNext] of [
      [2000, true],
      [2001, false],
      [2002, false],
    ] as const) {
      const { json } = await system.join.get(`/v1/people-per-place/1?peopleLimit=${limit}`);
      assert.equal(json.people.length, Math.min(limit, 2001));
      assert.equal("next" in json, hasNext);
    }
  });
});

test("people_with_the_longest_names_fit_in_a_response", async () => {
  await using system = await start();
  await system.addPlaces([{ id: 1, name: "Long" }]);
  const long = "\u{1F451}".repeat(200);
  const people = numbers(1, 1500).map((id) => ({
    id,
    name: long,
    isAlive: true,
    placeId: 1,
    isKing: false,
  }));
  for (let n = 0; n < people.length; n += 500) await system.addPeople(people.slice(n, n + 500));
  const { json } = await system.join.get("/v1/people-per-place/1?peopleLimit=1500");
  assert.equal(json.people.length, 1500);
  assert.ok(json.people.every(({ name }: Row) => name === long));
  const pages = await system.join.pages("/v1/people?limit=1000&sort=name");
  assert.deepEqual(idsOf(pages.flatMap((page) => page.json)), numbers(1, 1500));
});
