// Tests the statistics of places: counts, orders, media types, and the state as of an earlier time.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, type Place, people, places } from "../support/fixtures.ts";
import {
  type ApiResponse,
  jsonArray,
  ndjson,
  nextLink,
  type System,
  start,
} from "../support/harness.ts";
import { fold } from "../support/list_world.ts";

const path = "/v1/statistics/places";
const keys = ["id", "name", "living", "dead", "total", "share"] as const;
const sorts = keys.flatMap((key) => [key, `-${key}`]);

type Row = {
  id: number | null;
  name: string | null;
  total: number;
  living: number;
  dead: number;
  share: number;
  king: { id: number; name: string } | null;
};

/** The statistics, computed naively. */
function computeStatistics(places: Place[], people: Person[]): Row[] {
  const everyone = people.filter(({ isAlive }) => isAlive).length;
  const row = (place: Place | null): Row => {
    const residents = people.filter(({ placeId }) => placeId === (place?.id ?? null));
    const living = residents.filter(({ isAlive }) => isAlive).length;
    const king = residents.find(({ isKing }) => isKing);
    return {
      id: place?.id ?? null,
      name: place?.name ?? null,
      total: residents.length,
      living,
      dead: residents.length - living,
      share: everyone ? Math.round((living / everyone) * 1e6) / 1e6 : 0,
      king: king ? { id: king.id, name: king.name } : null,
    };
  };
  return [...places.map(row), row(null)];
}

/** Sorts rows. The row of the people without a place stays last. */
function sortRows(rows: Row[], sort: string): Row[] {
  const key = sort.replace("-", "") as (typeof keys)[number];
  const compareNames = (a: string, b: string) => Number(a > b) - Number(a < b);
  const compare = (a: Row, b: Row) =>
    (key === "name"
      ? compareNames(fold(a.name ?? ""), fold(b.name ?? "")) ||
        compareNames(a.name ?? "", b.name ?? "")
      : Number(a[key]) - Number(b[key])) || Number(a.id) - Number(b.id);
  const rest = rows.slice(0, -1).sort(compare);
  return [...(sort.startsWith("-") ? rest.reverse() : rest), ...rows.slice(-1)];
}

const system = await start({ places, people, countCosts: true });
const seeded = await start({ seed: true });
after(() => Promise.all([system.dispose(), seeded.dispose()]));
const { join } = system;
const expectedRows = computeStatistics(places, people);
const rowsOf = (pages: ApiResponse[]): Row[] => pages.flatMap((page) => page.json);

test("each_place_has_its_counts_and_the_people_without_a_place_come_last", async () => {
  const { status, headers, text } = await join.get(path);
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers.link, undefined);
  assert.equal(text, jsonArray(expectedRows));
  const lines = await join.get(path, { accept: "application/x-ndjson" });
  assert.equal(lines.text, ndjson(expectedRows));
  assert.equal((await join.get(`${path}?format=ndjson`)).text, lines.text);
});

test("the_statistics_of_the_seed_add_up", async () => {
  const rows = rowsOf(await seeded.join.pages(`${path}?limit=7`));
  const everyone = async (filter: string) =>
    Number(
      (await seeded.join.get(`/v1/people?limit=1&count=exact${filter}`)).headers["x-total-count"],
    );
  const sum = (name: "total" | "living" | "dead" | "share") =>
    rows.reduce((total, row) => total + row[name], 0);
  assert.equal(sum("total"), await everyone(""));
  assert.equal(sum("living"), await everyone("&isAlive=true"));
  assert.equal(sum("dead"), await everyone("&isAlive=false"));
  assert.ok(Math.abs(sum("share") - 1) < 1e-4, `${sum("share")}`);
  assert.ok(rows.some(({ total, king, share }) => total === 0 && king === null && share === 0));
  assert.deepEqual(rows.at(-1), {
    ...{ id: null, name: null, total: 7, living: 0, dead: 7, share: 0, king: null },
  });
  assert.deepEqual(rows[0]?.king, { id: 10, name: "Cercei Lamister" });
});

test("the_pages_of_every_order_contain_all_rows_once", async () => {
  for (const sort of sorts) {
    for (const limit of [1, 3, 7, 100]) {
      const pages = await join.pages(`${path}?sort=${sort}&limit=${limit}`);
      assert.deepEqual(rowsOf(pages), sortRows(expectedRows, sort), `${sort} by ${limit}`);
      // The row of the people without a place does not count towards the limit.
      for (const page of pages.slice(0, -1)) assert.ok(page.json.length <= limit);
    }
  }
});

test("least_selects_places_with_at_least_that_many_living", async () => {
  for (const sort of sorts) {
    for (const least of [1, 2, 3, 9]) {
      const rows = rowsOf(await join.pages(`${path}?sort=${sort}&least=${least}&limit=2`));
      const enough = sortRows(expectedRows, sort).filter(
        ({ id, living }) => !id || living >= least,
      );
      assert.deepEqual(rows, enough, `${sort} from ${least}`);
    }
  }
});

test("a_csv_table_has_a_header_quotes_names_and_escapes_formulas", async () => {
  const namedPlaces = [
    { id: 1, name: 'Torre "Alta", 2' },
    { id: 2, name: "=1+1" },
    { id: 3, name: "'@x" },
  ];
  const king = { id: 4, name: "-Ann, \"of\" 'x'", isAlive: true, placeId: 2, isKing: true };
  const dead = { id: 5, name: "D", isAlive: false, placeId: null, isKing: false };
  await using oddNames = await start({ places: namedPlaces, people: [king, dead] });
  const table = [
    "id,name,total,living,dead,share,kingId,kingName",
    '1,"Torre ""Alta"", 2",0,0,0,0,,',
    '2,\'=1+1,1,1,0,1,4,"\'-Ann, ""of"" \'x\'"',
    "3,''@x,0,0,0,0,,",
    ",,1,0,1,0,,",
    "",
  ].join("\r\n");
  for (const response of [
    await oddNames.join.get(path, { accept: "text/csv" }),
    await oddNames.join.get(`${path}?format=csv`),
  ]) {
    const type = "text/csv; charset=utf-8; header=present";
    assert.equal(response.headers["content-type"], type);
    assert.equal(response.text, table);
  }
});

test("a_304_of_the_statistics_costs_one_query_per_database", async () => {
  for (const query of ["", "?sort=-living&limit=3", "?format=csv", "?least=2"]) {
    const { etag } = await join.get(`${path}${query}`);
    assert.match(etag, /^W\//);
    await system.takeRoundTrips();
    const second = await join.get(`${path}${query}`, { "if-none-match": etag });
    assert.deepEqual([second.status, second.text, second.etag], [304, "", etag]);
    assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 }, query);
  }
  const [json, csv] = [await join.get(path), await join.get(`${path}?format=csv`)];
  assert.notEqual(json.etag, csv.etag);
});

test("a_page_of_few_places_costs_one_query_per_database_and_one_for_the_matches_of_a_search", async () => {
  // These pages were not read before. A cached page would cost less.
  const placesRoundTrips = {
    ...{ "?limit=77": 1, "?least=2&limit=75": 1, "?sort=name&limit=76": 1, "?q=a&limit=75": 1 },
    ...{ "?sort=-living&limit=2": 1, "?sort=-living&limit=78": 1, "?sort=living&limit=78": 1 },
    ...{ "?sort=-dead&limit=74": 2, "?q=a&sort=-total&limit=74": 2 },
  };
  for (const [query, places] of Object.entries(placesRoundTrips)) {
    await system.takeRoundTrips();
    await join.get(`${path}${query}`);
    assert.deepEqual(await system.takeRoundTrips(), { places, people: 1, join: 0 }, query);
  }
});

test("the_pages_of_more_places_than_one_step_reads_contain_all_rows_once", async () => {
  const many = Array.from({ length: 130 }, (_, n) => ({ id: n + 1, name: `n${(n * 37) % 130}` }));
  // Twelve places have nobody, and others only have dead people.
  const residents = many.slice(12).flatMap(({ id }) =>
    Array.from({ length: 1 + (id % 3) }, (_, n) => ({
      ...{ id: id * 3 + n, name: `p${n}`, placeId: id },
      ...{ isAlive: id % 5 > 0, isKing: false },
    })),
  );
  const rows = computeStatistics(many, residents);
  await using large = await start({ places: many, people: residents });
  for (const sort of sorts) {
    for (const least of [0, 2]) {
      const filter = least ? `&least=${least}` : "";
      const pages = await large.join.pages(`${path}?sort=${sort}&limit=60${filter}`);
      const expected = sortRows(rows, sort).filter(({ id, living }) => !id || living >= least);
      assert.deepEqual(rowsOf(pages), expected, `${sort} from ${least}`);
    }
    // More places than one step reads match the first search, and fewer the second.
    for (const search of ["n", "n1"]) {
      const pages = await large.join.pages(`${path}?sort=${sort}&q=${search}&limit=25`);
      const expected = sortRows(rows, sort).filter(({ name }) => name?.startsWith(search));
      assert.deepEqual(rowsOf(pages), expected, `${sort} of ${search}`);
    }
  }
});

test("an_empty_database_has_only_the_row_of_people_without_a_place", async () => {
  await using empty = await start();
  const nobody = computeStatistics([], []);
  for (const sort of ["id", "living", "-total"]) {
    assert.deepEqual((await empty.join.get(`${path}?sort=${sort}`)).json, nobody);
  }
});

/** A time after all writes so far and before all later ones. */
async function timeAfterAllWrites(system: System): Promise<string> {
  const { json } = await system.join.get("/v1/changes?limit=1000");
  const { at } = json.at(-1);
  // The next write gets a later timestamp once the clock shows the next millisecond.
  while (Date.now() <= Date.parse(at)) await new Promise((next) => setImmediate(next));
  return at;
}

test("statistics_as_of_a_time_equal_those_read_at_that_time", async () => {
  await using living = await start({ places: places.slice(0, 3), people: people.slice(0, 6) });
  const { join } = living;
  const write = async (method: string, path: string, body?: object) => {
    const merge = { "content-type": "application/merge-patch+json" };
    const response = body
      ? await join.send(method, path, body, method === "PATCH" ? merge : {})
      : await join.request(method, path);
    assert.ok(response.status < 300, `${method} ${path}: ${response.status} ${response.text}`);
    return response.json;
  };
  const writes = [
    () => write("POST", "/v1/places", { name: "Nueva" }),
    () => write("PATCH", "/v1/people/2", { placeId: 2 }),
    () => write("PATCH", "/v1/people/5", { isKing: false }),
    () => write("PATCH", "/v1/people/1", { isKing: true }),
    () => write("PATCH", "/v1/people/1", { name: "Sensei I" }),
    () => write("PATCH", "/v1/people/3", { isAlive: false }),
    () => write("PATCH", "/v1/places/2", { name: "Menos allá" }),
    () => write("POST", "/v1/people", { name: "N", isAlive: true, placeId: 1 }),
    () => join.request("DELETE", "/v1/places/3?reassignTo=1"),
    () => join.request("DELETE", "/v1/people/4"),
  ];
  const states: { at: string; rows: Row[] }[] = [];
  for (const write of [() => undefined, ...writes]) {
    await write();
    const at = await timeAfterAllWrites(living);
    states.push({ at, rows: (await join.get(path)).json });
  }
  assert.equal(new Set(states.map(({ rows }) => JSON.stringify(rows))).size, states.length);
  for (const { at, rows } of states) {
    for (const sort of sorts) {
      const historical = rowsOf(await join.pages(`${path}?asOf=${at}&sort=${sort}&limit=2`));
      assert.deepEqual(historical, sortRows(rows, sort), `${at} by ${sort}`);
    }
    const several = rows.filter(({ id, living }) => !id || living >= 2);
    assert.deepEqual((await join.get(`${path}?asOf=${at}&least=2`)).json, several);
  }
  const before = await join.get(`${path}?asOf=1999-12-31T23:59:59.5Z`);
  assert.deepEqual(before.json, computeStatistics([], []));
});

test("an_invalid_parameter_of_the_statistics_is_named", async () => {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  for (const [query, parameter] of [
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["after=zz", "after"],
    ["after=6c332e33", "after"],
    ["sort=living&after=6933", "after"],
    ["sort=king", "sort"],
    ["sort=", "sort"],
    ["q=", "q"],
    ["q=-", "q"],
    ["sort=name&after=6933", "after"],
    ["sort=share&after=6933", "after"],
    ["least=0", "least"],
    ["least=-1", "least"],
    ["least=1.5", "least"],
    ["format=xml", "format"],
    ["asOf=yesterday", "asOf"],
    ["asOf=2026-01-32", "asOf"],
    ["asOf=2026-01-31T12:00:00%2B01:00", "asOf"],
    [`asOf=${tomorrow}`, "asOf"],
    ["limit=1&limit=1", "limit"],
    ["count=exact", "count"],
  ] as const) {
    const { status, json } = await join.get(`${path}?${query}`);
    assert.deepEqual([status, json.parameter], [400, parameter], query);
    assert.ok(json.detail.length > 0);
  }
  const { json } = await join.get(`${path}?asOf=${tomorrow}`);
  assert.match(json.detail, /`asOf` must be a time in UTC that is not in the future/);
});

test("a_cursor_belongs_to_what_the_list_is_sorted_by", async () => {
  // A share is a number of living people, divided by the same number everywhere.
  const orderOf = (key: string) => (key === "share" ? "living" : key);
  for (const key of keys) {
    const page = await join.get(`${path}?sort=${key}&limit=1`);
    const after = new URL(nextLink(page) ?? "", join.url).searchParams.get("after");
    assert.ok(after, key);
    for (const sort of sorts) {
      const { status, json } = await join.get(`${path}?sort=${sort}&after=${after}`);
      const isSame = orderOf(sort.replace("-", "")) === orderOf(key);
      assert.deepEqual(
        [status, json.parameter],
        isSame ? [200, undefined] : [400, "after"],
        `${key} in ${sort}`,
      );
    }
  }
});

test("a_failed_service_is_named_in_the_statistics_problem", async () => {
  const down = () => new Response("no", { status: 500 });
  for (const name of ["places", "people"] as const) {
    await using broken = await start({ stubs: { [name]: down } });
    for (const route of [path, `${path}?sort=total`, "/v1/changes"]) {
      const { status, json } = await broken.join.get(route);
      assert.deepEqual([status, json.service], [502, name], route);
    }
  }
});

test("the_people_service_lists_the_populations", async () => {
  const { headers, json } = await join.get("/v1/people/population?limit=2");
  assert.deepEqual([headers["x-total-living"], headers["x-total-nowhere"]], ["14", "2"]);
  assert.deepEqual(json, [
    { placeId: 1, total: 2, living: 2, dead: 0, king: { id: 5, name: "Juanito Lamister" } },
    { placeId: 3, total: 3, living: 3, dead: 0, king: null },
  ]);
  assert.ok(nextLink({ headers } as ApiResponse)?.startsWith("/v1/people/population?"));
});
