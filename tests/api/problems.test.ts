// Every error that a request can make, word for word, and nothing of the request in it.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { start, type WorkerClient } from "../support/harness.ts";

const system = await start({ places, people });
after(() => system.dispose());

const { places: atPlaces, people: atPeople, join } = system;
const ways: [string, WorkerClient, string[]][] = [
  ["at the owner of places", atPlaces, ["/v1/places"]],
  ["at the owner of people", atPeople, ["/v1/people"]],
  ["through the join", join, ["/v1/places", "/v1/people"]],
];

const id = "a whole number from 1 to 9007199254740991";
const limit = "a whole number from 1 to 1000";
const peopleLimit = "a whole number from 1 to 10000";
const cursor = "a cursor taken from the Link header of a page in the same sort order";
const name = "1 to 200 characters, none of them a control character";
const bool = "true or false";
const ids = "1 to 1000 ids, separated by commas";

const noIds = ["0", "-1", "%2B1", "01", "1.0", "1e3", "x", "9007199254740992", "%D9%A3", "%31%20"];
const noLimits = ["0", "1001", "-1", "", "x", "1.5", "99999999999999999999"];
const noNames = ["", "a%00b", "a%0Ab", "%C2%85", "a".repeat(201)];
const noBools = ["", "yes", "TRUE", "1", "0", "null"];
const nameCursor = Buffer.from("n1:a").toString("hex");
const idCursor = Buffer.from("i1").toString("hex");
const noCursors = ["", "6", "zz", "69", "693030", "78", "ff", "6934F2", "6e313a", "0".repeat(6000)];

const page: [string, string[], string][] = [
  ["limit", noLimits, limit],
  ["after", [...noCursors, nameCursor, `${idCursor}&sort=name`], cursor],
  ["sort", ["", "age", "ID", "--id", "+id", "id,name"], "id, -id, name or -name"],
  ["count", ["", "true", "planned", "EXACT"], "exact, or left out"],
];
const values: Record<string, [string, string[], string][]> = {
  "/v1/places": [
    ...page,
    ["name", noNames, name],
    ["ids", ["", ",", "1,", "1,,2", "1;2", "0", "x", Array(1001).fill(7).join()], ids],
  ],
  "/v1/people": [
    ...page,
    ["name", noNames, name],
    ["isAlive", noBools, bool],
    ["isKing", noBools, bool],
    ["placeId", ["", ...noIds], id],
    ["ids", ["", ",", "1,", "1,,2", "1;2", "0", "x", Array(1001).fill(7).join()], ids],
  ],
  "/v1/people/by-place": [
    ["limit", noLimits, limit],
    ["after", [...noCursors, nameCursor], cursor],
    ["placeId", ["", ...noIds], id],
    ["peopleLimit", ["", "0", "10001", "x", "70000"], peopleLimit],
  ],
  "/v1/people-per-place": [
    ["limit", noLimits, limit],
    ["after", [...noCursors, nameCursor], cursor],
    ["count", ["", "yes"], "exact, or left out"],
    ["peopleLimit", ["", "0", "10001", "x", "70000"], peopleLimit],
  ],
  "/v1/people-per-place/1": [["peopleLimit", ["", "0", "10001", "x"], peopleLimit]],
};
const known: Record<string, string[]> = {
  "/v1/places": ["limit", "after", "sort", "count", "name", "ids"],
  "/v1/people": "limit after sort count isAlive isKing placeId name ids".split(" "),
  "/v1/people/by-place": ["limit", "after", "placeId", "peopleLimit"],
  "/v1/people-per-place": ["limit", "after", "count", "peopleLimit"],
  "/v1/people-per-place/1": ["peopleLimit"],
  "/v1/places/1": [],
  "/v1/people/1": [],
};

async function is_problem(
  worker: WorkerClient,
  path: string,
  [status, slug, title]: readonly [number, string, string],
  members: object,
  { method = "GET", allow = undefined as string | undefined } = {},
): Promise<void> {
  const answer = await worker.request(method, path);
  assert.equal(answer.status, status, `${path} ${answer.text}`);
  assert.deepEqual(answer.headers, {
    "content-type": "application/problem+json",
    "x-content-type-options": "nosniff",
    ...(allow && { allow }),
  });
  const expected = { type: `/problems/${slug}`, title, status, ...members };
  assert.deepEqual(answer.json, expected, path);
  const head = ["type", "title", "status", "detail"];
  assert.deepEqual(Object.keys(answer.json).slice(0, 4), head);
  if (method !== "GET") return;
  const { status: same, headers, text } = await worker.request("HEAD", path);
  const { status: of, headers: get } = answer;
  assert.deepEqual({ status: same, headers, text }, { status: of, headers: get, text: "" }, path);
}

const invalid = [400, "invalid-parameter", "A parameter has a value that cannot be used"] as const;
const unknown = [
  400,
  "unknown-parameter",
  "The query has a parameter that this route does not know",
] as const;
const noRoute = [404, "unknown-route", "There is no such route"] as const;
const notFound = [404, "not-found", "There is no such record"] as const;
const notAllowed = [405, "method-not-allowed", "This route does not answer this method"] as const;

for (const [door, worker, under] of ways) {
  const routes = (table: object) =>
    Object.keys(table).filter((path) =>
      [...under, ...(worker === join ? ["/v1/people-per-place"] : [])].some(
        (start) => path === start || path.startsWith(`${start}/`),
      ),
    );

  suite(`problems, ${door}`, () => {
    test("a_value_that_cannot_be_used_is_named_with_what_it_must_be", async () => {
      for (const path of routes(values)) {
        for (const [parameter, bad, expected] of values[path] ?? []) {
          const detail = `\`${parameter}\` must be ${expected}.`;
          await Promise.all(
            bad.map((value) =>
              is_problem(worker, `${path}?${parameter}=${value}`, invalid, { detail, parameter }),
            ),
          );
        }
      }
    });

    test("a_parameter_is_given_once", async () => {
      for (const path of routes(values)) {
        for (const parameter of known[path] ?? []) {
          const detail = `\`${parameter}\` must be given once.`;
          const query = `${parameter}=1&${parameter}=1`;
          await is_problem(worker, `${path}?${query}`, invalid, { detail, parameter });
        }
      }
    });

    test("an_unknown_parameter_is_named_with_those_known", async () => {
      for (const path of routes(known)) {
        for (const parameter of ["Limit", "page", "isalive", "limit2"]) {
          const detail = `\`${parameter}\` is not a parameter of this route.`;
          const members = { detail, parameter, known: known[path] };
          await is_problem(worker, `${path}?${parameter}=1`, unknown, members);
        }
      }
    });

    test("a_strange_parameter_is_not_repeated", async () => {
      for (const path of routes(known)) {
        for (const strange of [
          "%3Cscript%3E",
          "",
          "%00",
          "a".repeat(41),
          "%F0%9F%91%91",
          "limit%5B%5D",
        ]) {
          const detail = "A parameter's name is not one of this route's.";
          await is_problem(worker, `${path}?${strange}=script`, unknown, {
            detail,
            known: known[path],
          });
        }
      }
    });

    test("an_id_has_one_spelling", async () => {
      const detail = `\`id\` must be ${id}.`;
      const paths = worker === join ? [...under, "/v1/people-per-place"] : under;
      for (const path of paths) {
        for (const segment of [...noIds, "%3Cscript%3E", "%31", "BY-PLACE"]) {
          const members = { detail, parameter: "id" };
          await is_problem(worker, `${path}/${segment}`, invalid, members);
        }
      }
    });

    test("a_record_that_does_not_exist_is_not_found", async () => {
      const paths = worker === join ? [...under, "/v1/people-per-place"] : under;
      for (const path of paths) {
        const record = path === "/v1/people" ? "person" : "place";
        for (const missing of [4, 7, 999, 9007199254740990]) {
          if (path === "/v1/people" && missing < 10) continue;
          const detail = `There is no ${record} with the id ${missing}.`;
          await is_problem(worker, `${path}/${missing}`, notFound, { detail });
        }
      }
    });

    test("an_address_of_no_route_is_not_found", async () => {
      const paths = ["/v2", "/v1/x", "/x", "/v1/%3Cscript%3E", "/v1/v1/x", "/favicon.ico"];
      paths.push("/v10/places", "/v1/Places", "/V1/places", "/v1/placesx", "/v1/people-per-places");
      for (const path of under) {
        paths.push(`${path}/1/2`, `${path}//`, `${path}//1`, `${path}/1//`, `${path.slice(3)}/1/x`);
      }
      if (worker === join) paths.push("/v1/people-per-place/1/2");
      const detail = "No route has this address. GET /v1 lists the routes.";
      for (const path of paths) await is_problem(worker, path, noRoute, { detail });
    });

    test("a_method_that_a_route_does_not_answer_is_refused_with_those_it_does", async () => {
      const paths = routes(known);
      if (worker === join) paths.push("/v1", "/");
      for (const path of paths) {
        const written = /^\/v1\/(places|people)(\/1)?$/.exec(path);
        const writes = !written ? [] : written[2] ? ["PUT", "PATCH", "DELETE"] : ["POST"];
        const allow = ["GET, HEAD", ...writes, "OPTIONS"].join(", ");
        const detail = `This route answers ${allow}.`;
        for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
          if (writes.includes(method)) continue;
          await is_problem(worker, path, notAllowed, { detail }, { method, allow });
        }
      }
    });
  });
}

test("another_services_routes_are_not_at_an_owner", async () => {
  const detail = "No route has this address. GET /v1 lists the routes.";
  await is_problem(atPlaces, "/v1/people", noRoute, { detail });
  await is_problem(atPlaces, "/v1/people-per-place", noRoute, { detail });
  await is_problem(atPeople, "/v1/places", noRoute, { detail });
  await is_problem(atPeople, "/v1/people-per-place", noRoute, { detail });
});

test("a_query_that_is_no_encoding_at_all_is_still_answered_with_a_problem", async () => {
  for (const query of ["limit=%", "limit=%FF", "%FF=1", "limit=%ZZ", "&&limit=x&&", "after=%"]) {
    const { status, json, text } = await join.get(`/v1/people?${query}`);
    assert.equal(status, 400, text);
    assert.equal(json.status, 400);
  }
});

test("nothing_of_a_request_is_repeated_but_a_plain_parameter", async () => {
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
