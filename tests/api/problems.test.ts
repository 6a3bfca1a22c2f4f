// Checks the exact problem document of each invalid request. It never repeats parts of the request.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { start, type WorkerClient } from "../support/harness.ts";

const system = await start({ places, people });
after(() => system.dispose());

const { places: atPlaces, people: atPeople, join } = system;
const entrances: [string, WorkerClient, string[]][] = [
  ["from the backend places", atPlaces, ["/v1/places"]],
  ["from the backend people", atPeople, ["/v1/people"]],
  ["through the gateway", join, ["/v1/places", "/v1/people"]],
];

const id = "a whole number from 1 to 9007199254740991";
const limit = "a whole number from 1 to 1000";
const peopleLimit = "a whole number from 1 to 10000";
const cursor = "a cursor taken from the Link header of a page in the same sort order";
const name = "1 to 200 characters without control or zero-width characters";
const bool = "true or false";
const ids = "1 to 1000 ids, separated by commas";
const placeIds = "none, or 1 to 1000 ids, separated by commas";
const words = "1 to 10 words with letters, digits or symbols, of at most 200 characters";

const invalidIds = [
  "0",
  "-1",
  "%2B1",
  "01",
  "1.0",
  "1e3",
  "x",
  "9007199254740992",
  "%D9%A3",
  "%31%20",
];
const invalidLimits = ["0", "1001", "-1", "", "x", "1.5", "99999999999999999999"];
const invalidNames = ["", "a%00b", "a%0Ab", "%C2%85", "a".repeat(201)];
const invalidWords = ["", "-", "a%0Ab", "%E2%80%8D", "a".repeat(201), "a+b+c+d+e+f+g+h+i+j+k"];
const invalidBools = ["", "yes", "TRUE", "1", "0", "null"];
const nameCursor = Buffer.from("n1:a\u0001A").toString("hex");
const idCursor = Buffer.from("i1").toString("hex");
const invalidCursors = [
  "",
  "6",
  "zz",
  "69",
  "693030",
  "78",
  "ff",
  "6934F2",
  "6e313a",
  // A cursor of before 0.3.0: without the name.
  "6e313a61",
  "0".repeat(7000),
];

const pageParameters: [string, string[], string][] = [
  ["limit", invalidLimits, limit],
  ["after", [...invalidCursors, nameCursor, `${idCursor}&sort=name`], cursor],
  ["sort", ["", "age", "ID", "--id", "+id", "id,name"], "id, -id, name or -name"],
  ["count", ["", "true", "planned", "EXACT"], "exact, or absent"],
];
const invalidValues: Record<string, [string, string[], string][]> = {
  "/v1/places": [
    ...pageParameters,
    ["q", invalidWords, words],
    ["name", invalidNames, name],
    ["ids", ["", ",", "1,", "1,,2", "1;2", "0", "x", Array(1001).fill(7).join()], ids],
  ],
  "/v1/people": [
    ...pageParameters,
    ["q", invalidWords, words],
    ["name", invalidNames, name],
    ["isAlive", invalidBools, bool],
    ["isKing", invalidBools, bool],
    ["placeId", ["", "1,", "1,none", "None", ...invalidIds], placeIds],
    ["ids", ["", ",", "1,", "1,,2", "1;2", "0", "x", Array(1001).fill(7).join()], ids],
  ],
  "/v1/people/by-place": [
    ["limit", invalidLimits, limit],
    ["after", [...invalidCursors, nameCursor], cursor],
    ["placeId", ["", ...invalidIds, "1,", Array(1001).fill(7).join()], ids],
    ["sort", ["", "name", "ID"], "id or -id"],
    ["isAlive", invalidBools, bool],
    ["isKing", invalidBools, bool],
    ["peopleLimit", ["", "0", "10001", "x", "70000"], peopleLimit],
  ],
  "/v1/people-per-place": [
    ["limit", invalidLimits, limit],
    ["after", [...invalidCursors, nameCursor], cursor],
    ["count", ["", "yes"], "exact, or absent"],
    ["sort", ["", "age", "ID"], "id, -id, name or -name"],
    ["name", invalidNames, name],
    ["ids", ["", ",", "1,", "0", "x", Array(1001).fill(7).join()], ids],
    ["hasPeople", invalidBools, bool],
    ["isAlive", invalidBools, bool],
    ["isKing", invalidBools, bool],
    ["peopleLimit", ["", "0", "10001", "x", "70000"], peopleLimit],
  ],
  "/v1/people-per-place/1": [
    ["isAlive", invalidBools, bool],
    ["isKing", invalidBools, bool],
    ["peopleLimit", ["", "0", "10001", "x"], peopleLimit],
  ],
};
const knownParameters: Record<string, string[]> = {
  "/v1/places": ["limit", "after", "sort", "count", "q", "name", "ids"],
  "/v1/people": "limit after sort count isAlive isKing placeId q name ids".split(" "),
  "/v1/people/by-place": "limit after sort placeId isAlive isKing peopleLimit".split(" "),
  "/v1/people-per-place":
    "limit after sort count q name ids hasPeople format isAlive isKing peopleLimit".split(" "),
  "/v1/people-per-place/1": ["isAlive", "isKing", "peopleLimit"],
  "/v1/places/1": [],
  "/v1/people/1": [],
};

/** The parameters of a route. The gateway adds `expand` to the reads of people. */
function knownOf(worker: WorkerClient, path: string): string[] {
  const isExpandable = worker === join && /^\/v1\/people(\/1)?$/.test(path);
  return [...(knownParameters[path] ?? []), ...(isExpandable ? ["expand"] : [])];
}

async function assertProblem(
  worker: WorkerClient,
  path: string,
  [status, slug, title]: readonly [number, string, string],
  members: object,
  { method = "GET", allow = undefined as string | undefined } = {},
): Promise<void> {
  const response = await worker.request(method, path);
  assert.equal(response.status, status, `${path} ${response.text}`);
  assert.deepEqual(response.headers, {
    "content-type": "application/problem+json",
    "x-content-type-options": "nosniff",
    ...(allow && { allow }),
  });
  const expected = { type: `/problems/${slug}`, title, status, ...members };
  assert.deepEqual(response.json, expected, path);
  const firstMembers = Object.keys(response.json).slice(0, 4);
  assert.deepEqual(firstMembers, ["type", "title", "status", "detail"]);
  if (method !== "GET") return;
  const head = await worker.request("HEAD", path);
  assert.deepEqual([head.status, head.headers, head.text], [status, response.headers, ""], path);
}

const invalid = [400, "invalid-parameter", "A parameter has an invalid value"] as const;
const unknownParameter = [400, "unknown-parameter", "The query has an unknown parameter"] as const;
const unknownRoute = [404, "unknown-route", "There is no such route"] as const;
const notFound = [404, "not-found", "There is no such record"] as const;
const notAllowed = [405, "method-not-allowed", "This route does not allow this method"] as const;

for (const [source, worker, collections] of entrances) {
  const routesOf = (table: object) =>
    Object.keys(table).filter((path) =>
      [...collections, ...(worker === join ? ["/v1/people-per-place"] : [])].some(
        (start) => path === start || path.startsWith(`${start}/`),
      ),
    );

  suite(`problems, ${source}`, () => {
    test("an_invalid_parameter_value_is_named_with_the_allowed_values", async () => {
      for (const path of routesOf(invalidValues)) {
        for (const [parameter, values, expected] of invalidValues[path] ?? []) {
          const detail = `\`${parameter}\` must be ${expected}.`;
          await Promise.all(
            values.map((value) =>
              assertProblem(worker, `${path}?${parameter}=${value}`, invalid, {
                detail,
                parameter,
              }),
            ),
          );
        }
      }
    });

    test("a_repeated_parameter_is_rejected", async () => {
      for (const path of routesOf(invalidValues)) {
        for (const parameter of knownOf(worker, path)) {
          const detail = `\`${parameter}\` must be given once.`;
          const query = `${parameter}=1&${parameter}=1`;
          await assertProblem(worker, `${path}?${query}`, invalid, { detail, parameter });
        }
      }
    });

    test("an_unknown_parameter_is_named_with_the_known_ones", async () => {
      for (const path of routesOf(knownParameters)) {
        for (const parameter of ["Limit", "page", "isalive", "limit2"]) {
          const detail = `\`${parameter}\` is not a parameter of this route.`;
          const members = { detail, parameter, known: knownOf(worker, path) };
          await assertProblem(worker, `${path}?${parameter}=1`, unknownParameter, members);
        }
      }
    });

    test("an_unusual_parameter_name_is_not_echoed", async () => {
      for (const path of routesOf(knownParameters)) {
        for (const unusual of [
          "%3Cscript%3E",
          "",
          "%00",
          "a".repeat(41),
          "%F0%9F%91%91",
          "limit%5B%5D",
        ]) {
          const detail = "The query has a parameter that this route does not have.";
          await assertProblem(worker, `${path}?${unusual}=script`, unknownParameter, {
            detail,
            known: knownOf(worker, path),
          });
        }
      }
    });

    test("a_path_with_another_text_than_an_id_gets_404", async () => {
      const detail = `There is no route at this path. An id is ${id}.`;
      const paths = worker === join ? [...collections, "/v1/people-per-place"] : collections;
      for (const path of paths) {
        for (const segment of [...invalidIds, "%3Cscript%3E", "count", "BY-PLACE"]) {
          await assertProblem(worker, `${path}/${segment}`, unknownRoute, { detail });
        }
      }
    });

    test("a_missing_record_gets_404", async () => {
      const paths = worker === join ? [...collections, "/v1/people-per-place"] : collections;
      for (const path of paths) {
        const record = path === "/v1/people" ? "person" : "place";
        for (const missing of [4, 7, 999, 9007199254740990]) {
          if (path === "/v1/people" && missing < 10) continue;
          const detail = `There is no ${record} with the id ${missing}.`;
          await assertProblem(worker, `${path}/${missing}`, notFound, { detail });
        }
      }
    });

    test("an_unknown_path_gets_404", async () => {
      const paths = ["/v2", "/v1/x", "/x", "/v1/%3Cscript%3E", "/v1/v1/x", "/favicon.ico"];
      paths.push("/v10/places", "/v1/Places", "/V1/places", "/v1/placesx", "/v1/people-per-places");
      for (const path of collections) {
        paths.push(`${path}/1/2`, `${path}//`, `${path}//1`, `${path}/1//`, `${path.slice(3)}/1/x`);
      }
      if (worker === join) paths.push("/v1/people-per-place/1/2");
      const detail = "There is no route at this path. GET /v1 lists the routes.";
      for (const path of paths) await assertProblem(worker, path, unknownRoute, { detail });
    });

    test("an_unsupported_method_gets_a_405_that_lists_the_supported_ones", async () => {
      const paths = routesOf(knownParameters);
      if (worker === join) paths.push("/v1", "/");
      for (const path of paths) {
        const match = /^\/v1\/(places|people)(\/1)?$/.exec(path);
        const writes = !match ? [] : match[2] ? ["PUT", "PATCH", "DELETE"] : ["POST"];
        const allow = ["GET, HEAD", ...writes, "OPTIONS"].join(", ");
        const detail = `This route allows ${allow}.`;
        for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
          if (writes.includes(method)) continue;
          await assertProblem(worker, path, notAllowed, { detail }, { method, allow });
        }
      }
    });
  });
}

test("a_backend_has_no_routes_of_other_services", async () => {
  const detail = "There is no route at this path. GET /v1 lists the routes.";
  await assertProblem(atPlaces, "/v1/people", unknownRoute, { detail });
  await assertProblem(atPlaces, "/v1/people-per-place", unknownRoute, { detail });
  await assertProblem(atPeople, "/v1/places", unknownRoute, { detail });
  await assertProblem(atPeople, "/v1/people-per-place", unknownRoute, { detail });
});

test("a_query_with_an_invalid_encoding_gets_a_problem", async () => {
  for (const query of ["limit=%", "limit=%FF", "%FF=1", "limit=%ZZ", "&&limit=x&&", "after=%"]) {
    const { status, json, text } = await join.get(`/v1/people?${query}`);
    assert.equal(status, 400, text);
    assert.equal(json.status, 400);
  }
});

test("a_problem_echoes_nothing_but_a_plain_parameter_name", async () => {
  const secret = "S3CR3TvalueS3CR3T";
  const paths = ["limit", "after", "sort", "count", "isAlive", "placeId", "ids", "isKing"];
  for (const path of [
    ...paths.map((parameter) => `/v1/people?${parameter}=${secret}`),
    `/v1/${secret}`,
    `/v1/people/${secret}`,
    `/v1/people-per-place/${secret}`,
    `/v1/places?%3C${secret}%3E=1`,
  ]) {
    const { headers, text } = await join.get(path, { accept: secret, cookie: secret });
    assert.ok(!text.includes(secret), text);
    assert.ok(!JSON.stringify(headers).includes(secret));
  }
});
