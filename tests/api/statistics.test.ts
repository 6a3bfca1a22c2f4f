// The statistics of places: every order and form, now and as of a time.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Person, type Place, people, places } from "../support/fixtures.ts";
import { type ApiResponse, jsonArray, nextLink, type System, start } from "../support/harness.ts";

const path = "/v1/statistics/places";

type Row = {
  id: number | null;
  name: string | null;
  total: number;
  living: number;
  dead: number;
  share: number;
  king: { id: number; name: string } | null;
};

/** The statistics as anyone would write them. */
function naive(places: Place[], people: Person[]): Row[] {
  const everyone = people.filter(({ isAlive }) => isAlive).length;
  const row = (place: Place | null): Row => {
    const own = people.filter(({ placeId }) => placeId === (place?.id ?? null));
    const living = own.filter(({ isAlive }) => isAlive).length;
    const king = own.find(({ isKing }) => isKing);
    return {
      id: place?.id ?? null,
      name: place?.name ?? null,
      total: own.length,
      living,
      dead: own.length - living,
      share: everyone ? Math.round((living / everyone) * 1e6) / 1e6 : 0,
      king: king ? { id: king.id, name: king.name } : null,
    };
  };
  return [...places.map(row), row(null)];
}

/** In an order, the bucket of those of no place last. */
function sorted(rows: Row[], sort: string): Row[] {
  const key = sort.replace("-", "") as "id" | "living" | "total";
  const sign = sort.startsWith("-") ? -1 : 1;
  const compare = (a: Row, b: Row) => sign * (Number(a[key]) - Number(b[key]));
  const rest = rows.slice(0, -1);
  return [...rest.sort((a, b) => compare(a, b) || Number(a.id) - Number(b.id)), ...rows.slice(-1)];
}

const system = await start({ places, people, countCosts: true });
const seeded = await start({ seed: true });
after(() => Promise.all([system.dispose(), seeded.dispose()]));
const { join } = system;
const expected = naive(places, people);
const rowsOf = (pages: ApiResponse[]): Row[] => pages.flatMap((page) => page.json);

test("each_place_has_its_numbers_and_those_of_no_place_are_the_last_record", async () => {
  const { status, headers, text } = await join.get(path);
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers.link, undefined);
  assert.equal(text, jsonArray(expected));
  const lines = await join.get(path, { accept: "application/x-ndjson" });
  assert.equal(lines.text, expected.map((row) => `${JSON.stringify(row)}\n`).join(""));
  assert.equal((await join.get(`${path}?format=ndjson`)).text, lines.text);
});

test("the_seeds_numbers_add_up", async () => {
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

test("every_order_walks_everything_in_pages_of_any_length", async () => {
  for (const sort of ["id", "living", "-living", "total", "-total"]) {
    for (const limit of [1, 3, 7, 100]) {
      const pages = await join.pages(`${path}?sort=${sort}&limit=${limit}`);
      assert.deepEqual(rowsOf(pages), sorted(expected, sort), `${sort} by ${limit}`);
      // The bucket is beside the limit.
      for (const page of pages.slice(0, -1)) assert.ok(page.json.length <= limit);
    }
  }
});

test("only_places_with_the_least_living_are_shown", async () => {
  for (const sort of ["id", "living", "-living", "total", "-total"]) {
    for (const least of [1, 2, 3, 9]) {
      const rows = rowsOf(await join.pages(`${path}?sort=${sort}&least=${least}&limit=2`));
      const enough = sorted(expected, sort).filter(({ id, living }) => !id || living >= least);
      assert.deepEqual(rows, enough, `${sort} from ${least}`);
    }
  }
});

test("a_table_has_a_header_quotes_and_no_formulas", async () => {
  const named = [
    { id: 1, name: 'Torre "Alta", 2' },
    { id: 2, name: "=1+1" },
    { id: 3, name: "'@x" },
  ];
  const king = { id: 4, name: "-Ann, \"of\" 'x'", isAlive: true, placeId: 2, isKing: true };
  const dead = { id: 5, name: "D", isAlive: false, placeId: null, isKing: false };
  await using odd = await start({ places: named, people: [king, dead] });
  const table = [
    "id,name,total,living,dead,share,kingId,kingName",
    '1,"Torre ""Alta"", 2",0,0,0,0,,',
    '2,\'=1+1,1,1,0,1,4,"\'-Ann, ""of"" \'x\'"',
    "3,''@x,0,0,0,0,,",
    ",,1,0,1,0,,",
    "",
  ].join("\r\n");
  for (const answer of [
    await odd.join.get(path, { accept: "text/csv" }),
    await odd.join.get(`${path}?format=csv`),
  ]) {
    const type = "text/csv; charset=utf-8; header=present";
    assert.equal(answer.headers["content-type"], type);
    assert.equal(answer.text, table);
  }
});

test("a_reader_who_has_the_page_is_told_so_at_a_row_a_register", async () => {
  for (const query of ["", "?sort=-living&limit=3", "?format=csv", "?least=2"]) {
    const { etag } = await join.get(`${path}${query}`);
    assert.match(etag, /^W\//);
    await system.takeRoundTrips();
    const again = await join.get(`${path}${query}`, { "if-none-match": etag });
    assert.deepEqual([again.status, again.text, again.etag], [304, "", etag]);
    assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 }, query);
  }
  const [json, csv] = [await join.get(path), await join.get(`${path}?format=csv`)];
  assert.notEqual(json.etag, csv.etag);
});

test("a_page_by_id_is_a_statement_a_register_and_one_by_population_asks_for_names", async () => {
  // Nobody has asked for these before: what an isolate holds costs less.
  const asked = { "?limit=77": 1, "?sort=-living&limit=2": 2, "?least=2&limit=75": 2 };
  for (const [query, places] of Object.entries(asked)) {
    await system.takeRoundTrips();
    await join.get(`${path}${query}`);
    assert.deepEqual(await system.takeRoundTrips(), { places, people: 1, join: 0 }, query);
  }
});

test("without_places_there_are_those_of_no_place", async () => {
  await using empty = await start();
  const nobody = naive([], []);
  for (const sort of ["id", "living", "-total"]) {
    assert.deepEqual((await empty.join.get(`${path}?sort=${sort}`)).json, nobody);
  }
});

/** A moment behind all that was written, and before all that will be. */
async function moment(system: System): Promise<string> {
  const { json } = await system.join.get("/v1/changes?limit=1000");
  const { at } = json.at(-1);
  // What is written from the clock's next millisecond on is of another time.
  while (Date.now() <= Date.parse(at)) await new Promise((next) => setImmediate(next));
  return at;
}

test("any_time_between_writes_is_as_it_was", async () => {
  await using living = await start({ places: places.slice(0, 3), people: people.slice(0, 6) });
  const { join } = living;
  const write = async (method: string, path: string, body?: object) => {
    const merge = { "content-type": "application/merge-patch+json" };
    const answer = body
      ? await join.send(method, path, body, method === "PATCH" ? merge : {})
      : await join.request(method, path);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
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
  const sorts = ["id", "living", "-living", "total", "-total"];
  for (const write of [() => undefined, ...writes]) {
    await write();
    const at = await moment(living);
    states.push({ at, rows: (await join.get(path)).json });
  }
  assert.equal(new Set(states.map(({ rows }) => JSON.stringify(rows))).size, states.length);
  for (const { at, rows } of states) {
    for (const sort of sorts) {
      const then = rowsOf(await join.pages(`${path}?asOf=${at}&sort=${sort}&limit=2`));
      assert.deepEqual(then, sorted(rows, sort), `${at} by ${sort}`);
    }
    const several = rows.filter(({ id, living }) => !id || living >= 2);
    assert.deepEqual((await join.get(`${path}?asOf=${at}&least=2`)).json, several);
  }
  const before = await join.get(`${path}?asOf=1999-12-31T23:59:59.5Z`);
  assert.deepEqual(before.json, naive([], []));
});

test("what_cannot_be_used_is_named", async () => {
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  for (const [query, parameter] of [
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["after=zz", "after"],
    ["after=70332e33", "after"],
    ["sort=living&after=6933", "after"],
    ["sort=name", "sort"],
    ["sort=", "sort"],
    ["least=0", "least"],
    ["least=-1", "least"],
    ["least=1.5", "least"],
    ["format=xml", "format"],
    ["asOf=yesterday", "asOf"],
    ["asOf=2026-01-31", "asOf"],
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

test("a_service_that_fails_is_named", async () => {
  const down = () => new Response("no", { status: 500 });
  for (const name of ["places", "people"] as const) {
    await using broken = await start({ stubs: { [name]: down } });
    for (const route of [path, `${path}?sort=total`, "/v1/changes"]) {
      const { status, json } = await broken.join.get(route);
      assert.deepEqual([status, json.service], [502, name], route);
    }
  }
});

test("the_owner_of_people_shows_the_populations", async () => {
  const { headers, json } = await join.get("/v1/people/population?limit=2");
  assert.deepEqual([headers["x-total-living"], headers["x-total-nowhere"]], ["14", "2"]);
  assert.deepEqual(json, [
    { placeId: 1, total: 2, living: 2, dead: 0, king: { id: 5, name: "Juanito Lamister" } },
    { placeId: 3, total: 3, living: 3, dead: 0, king: null },
  ]);
  assert.ok(nextLink({ headers } as ApiResponse)?.startsWith("/v1/people/population?"));
});
