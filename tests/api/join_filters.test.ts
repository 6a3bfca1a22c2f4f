// Compares the filters and orders of the join with a filter over the same random records. The test
// covers all code that applies a filter: the groups, the pages, both kinds of next links, the
// formats, HEAD and entity tags.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  allowedHeaders,
  corsHeaders,
  fromOrigin,
  localOrigin,
  originList,
  type RequestCase,
  sendFrom,
  startWithOrigins,
  varyOf,
} from "../support/cors_helpers.ts";
import { completePerson, residentFields, residentOf } from "../support/declared_fields.ts";
import type { Person, Place } from "../support/fixtures.ts";
import {
  type ApiResponse,
  jsonArray,
  ndjson,
  nextLink,
  type ServiceStub,
  start,
} from "../support/harness.ts";
import { CSV_TYPE, TYPES } from "../support/list_routes.ts";
import { Random } from "../support/random.ts";

const random = new Random(7);
const endings = ["", ' "q"', ";=1+1", ", x", "\\"];
const places: Place[] = Array.from({ length: 45 }, (_, n) => ({
  id: 1 + 3 * n,
  // The number makes the order by name differ from the order by id.
  name: `${random.pick(["a", "B", "c"])}${(n * 17) % 45}${random.pick(endings)}`,
}));
const people: Person[] = [];
const kings = new Set<number>();
for (let id = 1; id <= 160; id++) {
  // Some people belong to places that do not exist, between the others.
  const placeId = random.chance(0.1) ? null : 1 + random.below(100);
  const isAlive = placeId !== null && random.chance(0.6);
  const isKing = isAlive && !kings.has(placeId) && random.chance(0.5);
  if (isKing) kings.add(placeId);
  const name = `${random.pick(["Ana", "=1", "-x", 'O"Hara'])}${random.pick(endings)}`;
  people.push(completePerson({ id, name, isAlive, placeId, isKing }));
}

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());
const { join } = system;

type Test<T> = [query: string, matches: (record: T) => boolean];

const placeFilters: Test<Place>[] = [
  ["", () => true],
  ["&name=b", ({ name }) => name.startsWith("B")],
  ["&q=a", ({ name }) => name.startsWith("a")],
  [
    `&ids=${places.map(({ id }) => id + (id % 2)).join()}`,
    ({ id }) => places.some((other) => other.id + (other.id % 2) === id),
  ],
  [
    "&ids=1,4,7,10,13,22,99&name=a",
    ({ id, name }) => [1, 4, 7, 10, 13, 22].includes(id) && name.startsWith("a"),
  ],
];
const peopleFilters: Test<Person>[] = [
  ["", () => true],
  ["&isAlive=true", ({ isAlive }) => isAlive],
  ["&isAlive=false", ({ isAlive }) => !isAlive],
  ["&isKing=true", ({ isKing }) => isKing],
  ["&isKing=false", ({ isKing }) => !isKing],
  ["&isAlive=true&isKing=true", ({ isAlive, isKing }) => isAlive && isKing],
  ["&isAlive=true&isKing=false", ({ isAlive, isKing }) => isAlive && !isKing],
  ["&isAlive=false&isKing=true", () => false],
  ["&isAlive=false&isKing=false", ({ isAlive }) => !isAlive],
];
const byName = (a: Place, b: Place) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1);
const orders: [string, (a: Place, b: Place) => number][] = [
  ["", (a, b) => a.id - b.id],
  ["&sort=-id", (a, b) => b.id - a.id],
  ["&sort=name", byName],
  ["&sort=-name", (a, b) => byName(b, a)],
];
const residents = ({ id }: Place, [, matches]: Test<Person>) =>
  people.filter((person) => person.placeId === id && matches(person));
const hasPeopleFilters: [string, (count: number) => boolean][] = [
  ["", () => true],
  ["&hasPeople=true", (count) => count > 0],
  ["&hasPeople=false", (count) => count === 0],
];

type Case = { query: string; expected: Place[]; people: Test<Person> };

/** Every filter of places with every order and `hasPeople`, and in turn the filters for people. */
const cases: Case[] = placeFilters.flatMap(([placeQuery, matchesPlace], placeIndex) =>
  orders.flatMap(([order, compare], orderIndex) =>
    hasPeopleFilters.flatMap(([hasPeople, matchesCount]) =>
      [0, 3, 6].map((offset) => {
        const index = (offset + placeIndex + orderIndex) % peopleFilters.length;
        const filter = peopleFilters[index] as Test<Person>;
        const expected = places
          .filter(matchesPlace)
          .filter((place) => matchesCount(residents(place, filter).length))
          .sort(compare);
        return { query: `${placeQuery}${order}${hasPeople}${filter[0]}`, expected, people: filter };
      }),
    ),
  ),
);

function joined({ expected, people }: Case) {
  return expected.map((place) => ({ ...place, people: residents(place, people).map(residentOf) }));
}

test("the_pages_of_every_filter_and_order_are_the_places_and_people_that_match", async () => {
  for (const [n, one] of cases.entries()) {
    const path = `/v1/people-per-place?limit=${[3, 8, 1000][n % 3]}${one.query}`;
    assert.deepEqual(await join.records(path), joined(one), path);
  }
});

/** A cell of CSV that no spreadsheet runs as a formula. */
function cell(value: unknown): string {
  if (typeof value !== "string") return String(value);
  let text = value;
  if (/;['" ]*[=+@-]/.test(text)) text = text.replaceAll(";", ";'");
  if (/^'*[=+@-]/.test(text)) text = `'${text}`;
  return `"${text.replaceAll('"', '""')}"`;
}

function csv(records: ReturnType<typeof joined>): string {
  const lines = records.flatMap(({ id, name, people }) => {
    const place = [id, name].map(cell);
    if (people.length === 0) return [[...place, ...residentFields.map(() => "")]];
    return people.map((person) => [
      ...place,
      ...residentFields.map((field) => cell(person[field])),
    ]);
  });
  const header = ["placeId", "placeName", ...residentFields];
  return [header, ...lines].map((line) => `${line.join(",")}\r\n`).join("");
}

test("every_format_head_and_entity_tag_has_the_filters", async () => {
  for (const one of cases) {
    const path = `/v1/people-per-place?limit=1000${one.query}`;
    const records = joined(one);
    const texts = { json: jsonArray(records), ndjson: ndjson(records), csv: csv(records) };
    for (const [name, accept] of Object.entries(TYPES)) {
      const { status, headers, text, etag } = await join.get(path, { accept });
      assert.deepEqual([status, headers.link], [200, undefined], path);
      assert.equal(headers["content-type"], name === "csv" ? CSV_TYPE : accept);
      assert.equal(text, texts[name as keyof typeof texts], path);
      const chosen = await join.get(`${path}&format=${name}`, { accept: "text/html" });
      assert.deepEqual([chosen.text, chosen.etag], [text, etag], path);
      const head = await join.request("HEAD", path, { accept });
      assert.deepEqual([head.status, head.headers, head.etag, head.text], [200, headers, etag, ""]);
      const unchanged = await join.get(path, { accept, "if-none-match": etag });
      assert.deepEqual([unchanged.status, unchanged.etag], [304, etag], path);
    }
  }
});

test("an_allowed_origin_can_read_every_filtered_page", async () => {
  await using open = await startWithOrigins(originList, { places, people });
  const invalid = ["name=", "hasPeople=1", "sort=age"];
  const queries = cases.filter((_, n) => n % 9 === 0).map(({ query }) => query.slice(1));
  for (const path of [...queries, ...invalid].map((query) => `/v1/people-per-place?${query}`)) {
    for (const accept of Object.values(TYPES)) {
      const request: RequestCase = ["GET", path, 200, { accept }];
      const response = await sendFrom(open.join, request, fromOrigin(localOrigin));
      assert.deepEqual(corsHeaders(response), allowedHeaders(localOrigin), path);
      assert.ok(varyOf(response).includes("origin"), path);
    }
  }
});

test("head_of_a_page_has_the_link_to_the_next_page", async () => {
  for (const { query } of cases.filter(({ expected }) => expected.length > 4)) {
    const path = `/v1/people-per-place?limit=3${query}`;
    const { headers } = await join.get(path);
    assert.ok(headers.link, path);
    assert.deepEqual((await join.request("HEAD", path)).headers, headers, path);
  }
});

test("the_link_to_more_people_of_a_place_keeps_the_filters", async () => {
  let links = 0;
  for (const one of cases.filter((_, n) => n % 4 === 0)) {
    const list: { id: number; people: object[]; next?: string }[] = await join.records(
      `/v1/people-per-place?limit=1000&peopleLimit=1${one.query}`,
    );
    for (const [n, { id, people: shown, next }] of list.entries()) {
      const all = joined(one)[n]?.people ?? [];
      assert.deepEqual(shown, all.slice(0, 1));
      assert.equal(next !== undefined, all.length > 1);
      const single = `/v1/people-per-place/${id}?peopleLimit=1${one.people[0]}`;
      assert.deepEqual((await join.get(single)).json, list[n]);
      if (!next) continue;
      links += 1;
      const rest = (await join.records<Person>(next)).map(residentOf);
      assert.deepEqual([...shown, ...rest], all, next);
    }
  }
  assert.ok(links > 50);
});

test("the_filters_of_a_single_place_are_those_for_people", async () => {
  for (const place of places.slice(0, 12)) {
    for (const filter of peopleFilters) {
      const path = `/v1/people-per-place/${place.id}?${filter[0].slice(1)}`;
      const { json } = await join.get(path);
      assert.deepEqual(json, { ...place, people: residents(place, filter).map(residentOf) }, path);
    }
  }
  const { status, json } = await join.get("/v1/people-per-place/1?name=a");
  assert.deepEqual([status, json.type], [400, "/problems/unknown-parameter"]);
});

test("the_total_counts_the_places_that_match", async () => {
  const countOf = async (query: string) =>
    (await join.get(`/v1/people-per-place?limit=2&count=exact${query}`)).headers["x-total-count"];
  for (const [query, matches] of placeFilters) {
    assert.equal(await countOf(`${query}&sort=-name`), String(places.filter(matches).length));
  }
  // With `hasPeople`, only the places on the page are counted.
  const all = (await join.records("/v1/people-per-place?hasPeople=true")).length;
  for (const [limit, total, relation] of [
    [45, all, undefined],
    [2, 2, "at-least"],
  ]) {
    const path = `/v1/people-per-place?hasPeople=true&limit=${limit}&count=exact`;
    const { headers } = await join.get(path);
    const found = [headers["x-total-count"], headers["x-total-count-relation"]];
    assert.deepEqual(found, [String(total), relation], path);
  }
});

test("a_filter_that_the_places_service_rejects_is_a_400", async () => {
  for (const [parameter, value] of [
    ["name", ""],
    ["ids", "0"],
    ["ids", "1,x"],
  ]) {
    for (const more of ["", "&hasPeople=true"]) {
      const query = `${parameter}=${value}`;
      const expected: ApiResponse = await join.get(`/v1/places?${query}`);
      const response = await join.get(`/v1/people-per-place?${query}${more}`);
      assert.deepEqual([response.status, response.json], [400, expected.json], query);
      assert.deepEqual(response.headers, expected.headers);
    }
  }
});

test("a_filtered_page_costs_at_most_one_more_round_trip", async () => {
  const one = { places: 1, people: 1, join: 0 };
  for (const query of [
    ...["sort=-id", "sort=name", "name=b", "ids=1,4", "isAlive=true", "sort=-id&isKing=true"],
    ...["name=nothing", "hasPeople=false&limit=45"],
  ]) {
    await system.takeRoundTrips();
    await join.get(`/v1/people-per-place?${query}`);
    assert.deepEqual(await system.takeRoundTrips(), one, query);
  }
  await join.get("/v1/people-per-place?hasPeople=true&limit=45");
  assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 2, join: 0 });
});

test("few_places_with_people_are_found_in_a_limited_number_of_steps", async () => {
  const many: Place[] = Array.from({ length: 9000 }, (_, n) => ({
    id: n + 1,
    name: `n${String(n).padStart(5, "0")}`,
  }));
  const few = [40, 2500, 2501, 8999].map((placeId, n) =>
    completePerson({ id: n + 1, name: "x", isAlive: true, placeId, isKing: false }),
  );
  await using sparse = await start({ places: many, people: few, countCosts: true });
  for (const sort of ["id", "-id", "name"]) {
    const path = `/v1/people-per-place?hasPeople=true&limit=2&sort=${sort}`;
    await sparse.takeRoundTrips();
    const first = await sparse.join.get(path);
    const { places, people } = await sparse.takeRoundTrips();
    assert.ok(places <= 6 && people <= 7, `${places} and ${people} round trips`);
    assert.ok(nextLink(first));
    const ids = (await sparse.join.records<Place>(path)).map(({ id }) => id);
    const expected = [40, 2500, 2501, 8999];
    assert.deepEqual(ids, sort === "-id" ? expected.reverse() : expected, sort);
  }
});

test("has_people_selects_among_more_places_than_one_step_reads", async () => {
  const many = Array.from({ length: 150 }, (_, n) => ({ id: n + 1, name: `n${n}` }));
  const inhabited = many.filter(({ id }) => id % 5 > 0);
  const residents = inhabited.map(({ id }) =>
    completePerson({ id, name: "p", isAlive: true, placeId: id, isKing: false }),
  );
  await using large = await start({ places: many, people: residents });
  for (const hasPeople of [true, false]) {
    const path = `/v1/people-per-place?hasPeople=${hasPeople}&limit=70`;
    const found: { id: number }[] = await large.join.records(path);
    const expected = many.filter((place) => inhabited.includes(place) === hasPeople);
    assert.deepEqual(
      found.map(({ id }) => id),
      expected.map(({ id }) => id),
    );
  }
});

test("a_page_by_name_shows_a_write_though_the_gateway_expects_its_former_places", async () => {
  const few = [
    { id: 1, name: "a" },
    { id: 2, name: "b" },
    { id: 3, name: "c" },
  ];
  const person = (id: number, placeId: number) =>
    completePerson({ id, name: `p${id}`, isAlive: true, placeId, isKing: false });
  await using small = await start({ places: few, people: [person(1, 1), person(2, 2)] });
  const shown = async (query: string, headers = {}) => {
    const { json } = await small.join.get(`/v1/people-per-place?sort=name${query}`, headers);
    return json.map(({ id, people }: { id: number; people: Person[] }) => [
      id,
      people.map(({ name }) => name),
    ]);
  };
  for (const query of ["", "&limit=2"]) {
    await small.join.send("PATCH", "/v1/places/3", { name: "c" });
    await small.join.send("PATCH", "/v1/people/2", { name: "p2", placeId: 2 });
    await shown(query);
    await small.join.send("PATCH", "/v1/people/2", { name: "new" });
    const rest = query ? [] : [[3, []]];
    assert.deepEqual(await shown(query), [[1, ["p1"]], [2, ["new"]], ...rest], query);
    await small.join.send("PATCH", "/v1/people/2", { placeId: 3 });
    await small.join.send("PATCH", "/v1/places/3", { name: "_" });
    const last = query ? [] : [[2, []]];
    assert.deepEqual(await shown(query), [[3, ["new"]], [1, ["p1"]], ...last], query);
    await small.join.send("PATCH", "/v1/places/1", { name: `a${query}` });
    assert.deepEqual(await shown(query), [[3, ["new"]], [1, ["p1"]], ...last], query);
  }
});

test("a_page_of_a_thousand_places_with_long_ids_is_joined_in_order_of_name", async () => {
  const base = 2 ** 52;
  const many: Place[] = Array.from({ length: 1000 }, (_, n) => ({
    id: base - n,
    name: `n${String((n * 7) % 1000).padStart(4, "0")}`,
  }));
  const residents = many.map(({ id }, n) =>
    completePerson({ id: n + 1, name: `p${n}`, isAlive: true, placeId: id, isKing: false }),
  );
  await using long = await start({ places: many, people: residents });
  const list = await long.join.records("/v1/people-per-place?limit=1000&sort=name");
  const sorted = [...many].sort(byName);
  const personOf = new Map(residents.map((person) => [person.placeId, residentOf(person)]));
  assert.deepEqual(
    list,
    sorted.map((place) => ({ ...place, people: [personOf.get(place.id)] })),
  );
});

test("csv_never_shows_a_place_without_its_people_while_people_is_down", async () => {
  const failing: ServiceStub = () => new Response("S3CR3T", { status: 500 });
  const truncated: ServiceStub = () => new Response('1,1,"Ana",true,false\n');
  for (const stub of [failing, truncated]) {
    await using system = await start({ places, stubs: { people: stub } });
    for (const query of ["", "sort=name", "hasPeople=true"]) {
      const path = `/v1/people-per-place?${query}`;
      const { status, json } = await system.join.get(path, { accept: TYPES.csv });
      assert.deepEqual([status, json.service], [502, "people"], path);
    }
  }
});
