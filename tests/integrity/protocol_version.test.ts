// The three workers are deployed one after another, so for some seconds they may have different
// versions. A worker copies the responses of another worker without parsing them, so it must never
// misread one.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { start } from "../support/harness.ts";
import { waitUntil } from "../support/wait_until.ts";

const FORMAT = "tests/integrity/protocol_format.json";
const source = readFileSync("crates/edge/src/service_client/mod.rs", "utf8");
const version = /PROTOCOL_VERSION: &str = "(\w+)"/.exec(source)?.[1];

/** Records each request of another worker and its response. `GET /recorded` returns them. */
const recorder = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const calls = [];
  const HEADERS = /^(x-(?!request-id)|if-|prefer$|accept$|etag$|content-type$|link$|allow$)/;
  const shown = (headers) => [...headers.keys()].filter((name) => HEADERS.test(name)).sort();
  export default class extends WorkerEntrypoint {
    async fetch(request) {
      const url = new URL(request.url);
      if (url.pathname === "/recorded") return Response.json(calls.splice(0));
      const version = request.headers.get("x-protocol-version");
      const body = await request.clone().text();
      const response = await Built.fetch(request, this.env, this.ctx);
      if (version === null) return response;
      calls.push({
        request: request.method + " " + url.pathname + url.search,
        headers: shown(request.headers),
        ...(body && { body }),
        status: response.status,
        responseHeaders: shown(response.headers),
        responseBody: await response.clone().text(),
      });
      return response;
    }
  }
`;

/** Gives a request another version, as if its caller were older, while that is switched on. */
const olderCallers = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  let older = "";
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const url = new URL(request.url);
      if (url.pathname === "/older") {
        older = decodeURIComponent(url.search.slice(1));
        return new Response("");
      }
      const sent = request.headers.get("x-protocol-version");
      if (!older || sent === null || !url.pathname.startsWith(older)) {
        return Built.fetch(request, this.env, this.ctx);
      }
      const headers = new Headers(request.headers);
      headers.set("x-protocol-version", "0");
      return Built.fetch(new Request(request, { headers }), this.env, this.ctx);
    }
  }
`;

/** Replaces what differs in every run. */
function stable(calls: unknown): unknown {
  const text = JSON.stringify(calls)
    .replaceAll(/\b[0-9a-f]{16,32}\b/g, "ID")
    .replaceAll(/\b1[0-9]{12}\b/g, "TIME")
    .replaceAll(/20\d\d-\d\d-\d\dT[\d:.]+Z/g, "TIME");
  return JSON.parse(text);
}

test("a_change_of_the_format_between_the_services_needs_a_new_protocol_version", async () => {
  const places = ["Una", "Dos"].map((name, index) => ({ id: index + 1, name }));
  const people = [
    { id: 1, name: "Ana", isAlive: true, isKing: true, placeId: 1 },
    { id: 2, name: "Blas", isAlive: false, isKing: false, placeId: null },
  ];
  const wrappers = { places: recorder, people: recorder };
  await using system = await start({ places, people, wrappers });
  const { join } = system;
  const recorded: Record<string, unknown> = {};
  const record = async (title: string, send: () => Promise<{ status: number }>, status = 200) => {
    assert.equal((await send()).status, status, title);
    const [ofPlaces, ofPeople] = await Promise.all(
      (["places", "people"] as const).map(
        async (name) => (await system[name].get("/recorded")).json,
      ),
    );
    // Requests of one worker may run in parallel, and arrive in any order.
    const sorted = [...ofPlaces, ...ofPeople].map((call) => JSON.stringify(call)).sort();
    recorded[title] = stable(sorted.map((call) => JSON.parse(call)));
  };
  const reads = ["/v1/people-per-place", "/v1/people-per-place/1", "/v1/statistics/places"];
  for (const path of [
    ...reads,
    "/v1/changes",
    "/v1/integrity",
    "/v1/places/1",
    "/v1/people?limit=1",
    "/v1/statistics/places?q=u&sort=-living",
  ])
    await record(`GET ${path}`, () => join.get(path));
  const csvList = () =>
    join.get("/v1/people-per-place?sort=name&isAlive=true", { accept: "text/csv" });
  await record("GET /v1/people-per-place as CSV, in order of name", csvList);
  for (const path of ["/v1/people-per-place?hasPeople=true&q=u", "/v1/people?expand=place"])
    await record(`GET ${path}`, () => join.get(path));
  const person = { name: "Carla", isAlive: true, placeId: 2 };
  await record("POST /v1/people", () => join.send("POST", "/v1/people", person), 201);
  const csv = { "content-type": "text/csv" };
  const file = "name,isAlive,placeId\nDaniel,true,2\n";
  await record("POST /v1/people/import", () =>
    join.request("POST", "/v1/people/import", csv, file),
  );
  const byName = "name,isAlive,place\nEva,true,Una\nFlora,true,Tres\n";
  await record("POST /v1/people/import with names of places", () =>
    join.request("POST", "/v1/people/import?createPlaces=true", csv, byName),
  );
  const batch = [{ op: "update", id: 2, body: { placeId: 3 } }];
  await record("POST /v1/people/batch", () => join.send("POST", "/v1/people/batch", batch));
  const removals = [2, 3].map((id) => ({ op: "delete", id }));
  await record("POST /v1/places/batch", () => join.send("POST", "/v1/places/batch", removals), 422);
  const deletion = "/v1/places/2?reassignTo=1";
  await record(`DELETE ${deletion}`, () => join.request("DELETE", deletion), 204);
  await record("POST /v1/integrity/repair", () => join.request("POST", "/v1/integrity/repair"));

  const found = { version, calls: recorded };
  if (process.env.UPDATE) writeFileSync(FORMAT, JSON.stringify(found));
  const expected = JSON.parse(readFileSync(FORMAT, "utf8"));
  const change = "the format between the services has changed";
  const advice =
    "raise PROTOCOL_VERSION if the last release has this version, then run this test with";
  assert.deepEqual(found, expected, `${change}: ${advice} UPDATE=1, and make fmt`);
});

suite("a backend that is newer than its callers", () => {
  const olderGateway = { places: olderCallers, people: olderCallers };

  test("reads_are_stale_or_503_and_are_current_again_after_the_deployment", async () => {
    await using system = await start({ seed: true, wrappers: olderGateway });
    const { join, people, places } = system;
    const fresh = await join.get("/v1/people-per-place/1");
    await people.get("/older?/");
    const stale = await join.get("/v1/people-per-place/1");
    assert.deepEqual([stale.status, stale.text], [200, fresh.text]);
    assert.match(stale.headers["cache-status"] ?? "", /detail=people-updating$/);
    const strict = { prefer: "handling=strict" };
    for (const [path, headers] of [
      ["/v1/people-per-place/1", strict],
      ["/v1/people/1", {}],
    ] as const) {
      const { status, json, headers: sent } = await join.get(path, headers);
      assert.deepEqual([status, json.type, json.service], [503, "/problems/updating", "people"]);
      assert.equal(sent["retry-after"], "5");
    }
    assert.equal((await places.get("/v1/places/1")).status, 200, "clients are not affected");
    await people.get("/older");
    await waitUntil("the circuit breaker closes", async () => {
      const { status, headers } = await join.get("/v1/people-per-place/1", strict);
      return status === 200 && headers["cache-status"] === undefined;
    });
  });

  test("writes_get_503_and_have_no_effect", async () => {
    await using system = await start({ seed: true, wrappers: olderGateway });
    const { join, db } = system;
    const person = { name: "Ana", isAlive: true, placeId: 1 };
    const counts = async () => [
      await db.people.rows("SELECT max(seq) FROM person_change"),
      await db.people.rows("SELECT count(*) FROM pending_write"),
      await db.places.rows("SELECT max(seq) FROM place_change"),
      await db.places.rows("SELECT count(*) FROM tombstone"),
    ];
    const before = await counts();
    // The gateway is older than people, then people is older than places and the reverse.
    for (const [service, path] of [
      ["people", "/v1/people"],
      ["places", "/internal/statuses"],
    ] as const) {
      await system[service].get(`/older?${path}`);
      const { status, json, headers } = await join.send("POST", "/v1/people", person);
      assert.deepEqual([status, json.type], [503, "/problems/updating"], service);
      assert.equal(json.outcome, undefined);
      assert.equal(headers["retry-after"], "5");
      await system[service].get("/older");
    }
    await system.people.get("/older?/internal/residents");
    const { status } = await join.request("DELETE", "/v1/places/30");
    assert.equal(status, 503);
    await system.people.get("/older");
    assert.deepEqual(await counts(), before);
    assert.equal((await join.send("POST", "/v1/people", person)).status, 201);
  });
});
