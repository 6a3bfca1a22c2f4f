// Tests `expand=place`: the gateway sends people with the place that each belongs to.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  allowedHeaders,
  corsHeaders,
  fromOrigin,
  localOrigin,
  originList,
  sendFrom,
  startWithOrigins,
  varyOf,
  withoutRequestId,
} from "../support/cors_helpers.ts";
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

const expandedPaths = ["/v1/people?expand=place", "/v1/people/2?expand=place"];

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
  const tags = async () =>
    Promise.all(expandedPaths.map(async (path) => (await own.join.get(path)).etag));
  const seen = await tags();
  for (const [path, body] of [
    ["/v1/places/3", { name: "Renamed" }],
    ["/v1/people/2", { name: "Other" }],
  ] as const) {
    assert.equal((await own.join.send("PATCH", path, body)).status, 200);
    for (const [n, tag] of (await tags()).entries()) {
      assert.ok(!seen.includes(tag), `${expandedPaths[n]} ${tag}`);
      const old = await own.join.get(expandedPaths[n] as string, {
        "if-none-match": seen[n] ?? "",
      });
      assert.equal(old.status, 200);
      seen.push(tag);
    }
  }
  assert.equal((await own.join.get(expandedPaths[1] as string)).json.place.name, "Renamed");
});

test("another_value_of_expand_is_rejected", async () => {
  for (const path of ["/v1/people", "/v1/people/2", "/v1/people/export"]) {
    for (const [query, detail] of [
      ["expand=king", "`expand` must be place."],
      ["expand=", "`expand` must be place."],
      ["expand=place&expand=place", "`expand` must be given once."],
    ]) {
      const { status, json } = await join.get(`${path}?${query}`);
      assert.deepEqual([status, json.parameter, json.detail], [400, "expand", detail], query);
      const head = await join.request("HEAD", `${path}?${query}`);
      assert.deepEqual([head.status, head.text], [400, ""], query);
    }
    const unknown = await join.get(`${path}?expand=place&x=1`);
    assert.deepEqual([unknown.status, unknown.json.parameter], [400, "x"]);
  }
  // Only the gateway knows the names of places.
  const { status, json } = await system.people.get("/v1/people?expand=place");
  assert.deepEqual([status, json.type], [400, "/problems/unknown-parameter"]);
});

test("an_expanded_request_costs_one_query_per_database", async () => {
  const once = { places: 1, people: 1, join: 0 };
  for (const path of [...expandedPaths, "/v1/people/export?expand=place"]) {
    await system.takeRoundTrips();
    const { etag } = await join.get(path);
    assert.deepEqual(await system.takeRoundTrips(), once, path);
    await join.get(path, { "if-none-match": etag || '"none"' });
    assert.deepEqual(await system.takeRoundTrips(), once, path);
  }
});

test("a_request_that_the_people_service_rejects_is_rejected_like_the_plain_one", async () => {
  for (const query of ["isAlive=1", "placeId=0", "q=", "after=x", "limit=0", "sort=age", "x=1"]) {
    for (const path of ["/v1/people", "/v1/people/export"]) {
      for (const method of ["GET", "HEAD"]) {
        const plain = await join.request(method, `${path}?${query}`);
        const response = await join.request(method, `${path}?${query}&expand=place`);
        assert.equal(plain.status, 400);
        // The gateway names `expand` among the known parameters of both.
        const compared = ({ status, headers, text }: typeof plain) => [
          ...[status, headers],
          withoutRequestId(text),
        ];
        assert.deepEqual(compared(response), compared(plain), `${method} ${path}?${query}`);
      }
    }
  }
});

test("an_allowed_origin_can_read_expanded_responses", async () => {
  await using open = await startWithOrigins(originList);
  const paths = [...expandedPaths, "/v1/people/export?expand=place"];
  for (const path of [...paths, "/v1/people?expand=king", "/v1/people/99?expand=place"]) {
    for (const method of ["GET", "HEAD"]) {
      const response = await sendFrom(open.join, [method, path, 200], fromOrigin(localOrigin));
      assert.deepEqual(corsHeaders(response), allowedHeaders(localOrigin), path);
      assert.ok(varyOf(response).includes("origin"), path);
      const other = await sendFrom(open.join, [method, path, 200], fromOrigin("https://b.example"));
      assert.deepEqual(corsHeaders(other), {}, path);
    }
  }
});

/** An export with the name of the place, made from the plain export and the places. */
function expandExport(plain: string, isCsv: boolean): string {
  const names = new Map(allPlaces.map((place) => [place.id, place]));
  const lines = plain.trimEnd().split("\n");
  const expandedLines = lines.slice(0, -1).map((line, n) => {
    if (!isCsv) {
      const person = JSON.parse(line);
      return `${JSON.stringify({ ...person, place: names.get(person.placeId) ?? null })}\n`;
    }
    if (n === 0) return `${line.trimEnd()},placeName\r\n`;
    const id = Number(/^\d+/.exec(line)?.[0]);
    const place = expanded.find((person) => person.id === id)?.place;
    return `${line.trimEnd()},${place ? csvName(place.name) : ""}\r\n`;
  });
  return `${expandedLines.join("")}${lines.at(-1)}${isCsv ? "\r" : ""}\n`;
}

test("an_expanded_export_has_the_place_of_each_person", async () => {
  for (const query of ["", "&isKing=true", "&placeId=3,30", "&name=nobody"]) {
    for (const format of ["csv", "ndjson"]) {
      const path = `/v1/people/export?format=${format}${query}`;
      const plain = await join.get(path);
      const { text, headers } = await join.get(`${path}&expand=place`);
      assert.equal(text, expandExport(plain.text, format === "csv"), path);
      assert.deepEqual(headers, plain.headers);
      const head = await join.request("HEAD", `${path}&expand=place`);
      assert.deepEqual([head.status, head.headers, head.text], [200, headers, ""]);
    }
  }
  const accepted = await join.get("/v1/people/export?expand=place", { accept: TYPES.ndjson });
  assert.equal(accepted.headers["content-type"], TYPES.ndjson);
  const { status } = await join.get("/v1/people/export?expand=place", { accept: TYPES.json });
  assert.equal(status, 406);
});

test("an_expanded_export_that_may_make_no_more_calls_continues_with_the_rest", async () => {
  await using limited = await start({ plan: "free" });
  const count = 60_000;
  const ids = `WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT ${count})`;
  await limited.db.places.exec(
    `${ids} INSERT INTO place (id, name, name_key) SELECT id, 'p' || id, 'p' || id FROM n;`,
  );
  await limited.db.people.exec(
    `${ids} INSERT INTO person (id, name, name_key, is_alive, place_id)
     SELECT id, 'x', 'x', 1, ${count} + 1 - id FROM n;`,
  );
  for (const format of ["csv", "ndjson"]) {
    let next: string | undefined = `/v1/people/export?format=${format}&expand=place`;
    let [id, requests] = [0, 0];
    while (next) {
      requests += 1;
      const { text }: { text: string } = await limited.join.get(next);
      const lines = text.trimEnd().split("\n");
      next = /"(?:next":"|#incomplete: )([^"]+)"/.exec(lines.pop() ?? "")?.[1];
      if (format === "csv" && id === 0) lines.shift();
      for (const line of lines) {
        id += 1;
        const place = count + 1 - id;
        const expected =
          format === "csv"
            ? `${id},"x",true,${place},false,"p${place}"\r`
            : `{"id":${id},"name":"x","isAlive":true,"placeId":${place},"isKing":false,` +
              `"place":{"id":${place},"name":"p${place}"}}`;
        assert.equal(line, expected);
      }
    }
    assert.equal(id, count);
    assert.ok(requests > 1 && requests < 5, `${requests} requests`);
  }
});

test("an_expanded_export_that_breaks_off_is_no_complete_file", async () => {
  const rows = '1,"Ana",true,1,false\r\n'.repeat(10);
  for (const [body, message] of [
    [`id,name,isAlive,placeId,isKing\r\n${rows}`, "without its last line"],
    [`${rows}2,"Bo`, "within a record"],
    [`${rows}#complete\r\n${rows}`, "after its last line"],
  ]) {
    await using broken = await start({
      places,
      stubs: { people: () => new Response(body) },
    });
    const { status, text } = await broken.join.get("/v1/people/export?expand=place");
    assert.ok(status === 502 || !text.endsWith("#complete\r\n"), `${message}: ${text}`);
  }
});

test("an_expanded_request_fails_while_a_service_is_down", async () => {
  const failing: ServiceStub = () => new Response("S3CR3T", { status: 500 });
  for (const service of ["places", "people"] as const) {
    await using down = await start({ places, people, stubs: { [service]: failing } });
    for (const path of [...expandedPaths, "/v1/people/export?expand=place"]) {
      for (const method of ["GET", "HEAD"]) {
        const { status, text } = await down.join.request(method, path);
        // HEAD of an export needs no names.
        const isWhole = method === "GET" || service === "people" || !path.includes("export");
        assert.equal(status, isWhole ? 502 : 200, path);
        if (method === "GET") assert.equal(JSON.parse(text).service, service);
      }
    }
  }
});
