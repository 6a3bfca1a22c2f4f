// If two servers could read a path differently, it matches no route. So no spelling of a path
// bypasses a check.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { type ServiceStub, start } from "../support/harness.ts";
import { pathTraversals, sendRaw, unusualPaths } from "../support/raw_request.ts";
import { tokenHash } from "../support/tokens.ts";

const services = ["places", "people"] as const;

/** Responds with the URL of each request that reaches the service. */
const echoUrl: ServiceStub = (request) => {
  const id = request.headers.get("x-request-id") ?? "";
  return new Response(`reached by ${request.url}`, { headers: { "x-request-id": id } });
};

/** Whether a URL parser leaves a request target unchanged. */
function isNormalized(target: string): boolean {
  const text = Buffer.from(target, "latin1").toString();
  const { pathname, search, hash } = new URL(`http://host${text}`);
  return hash === "" && `${pathname}${search}` === text;
}

suite("paths with several readings", async () => {
  const system = await start({ stubs: { places: echoUrl, people: echoUrl } });
  after(() => system.dispose());
  const { join } = system;

  test("a_path_with_several_readings_gets_404_from_the_gateway", async () => {
    for (const service of services) {
      const internalPath = service === "places" ? "/internal/statuses" : "/internal/integrity";
      const targets = pathTraversals(service, internalPath);
      assert.ok(targets.filter((target) => !isNormalized(target)).length > 40);
      for (const target of targets) {
        for (const method of ["GET", "HEAD", "POST", "OPTIONS", "PROPFIND"]) {
          const { status, body } = await sendRaw(join.url, method, target);
          assert.equal(status, 404, `${method} ${target}: ${body}`);
          if (method !== "HEAD") assert.match(body, /"\/problems\/unknown-route"/, target);
        }
      }
    }
  });

  test("an_unusual_path_with_one_reading_is_forwarded", async () => {
    const segments = ["1", "1/", "a/b", "a.b", "..a", "a..", "...", "%2e%2e%2e", "a%20b", "%31"];
    const unusual = segments.map((path) => `/v1/people/${path}`);
    for (const target of [...unusual, ...unusualPaths("people", "/internal/integrity")]) {
      const { status, body } = await sendRaw(join.url, "GET", target);
      assert.equal(status, 200, `${target}: ${body}`);
      assert.ok(body.endsWith(target), body);
    }
    for (const query of [
      "?",
      "?a=/../b",
      "?a=%2e%2e\\",
      "?name=O'Brien\"<>",
      "?name=\u00c3\u00b1",
    ]) {
      const { status, body } = await sendRaw(join.url, "GET", `/v1/people/changes${query}`);
      assert.equal(status, 200, `${query}: ${body}`);
    }
  });
});

test("no_path_spelling_bypasses_the_guard", async () => {
  const settings = { READS: "token", TOKENS: `read:rosa:${tokenHash("a-token-with-scope-read")}` };
  await using system = await start({ seed: true, gatewaySettings: settings });
  const { join, people, places } = system;
  assert.equal((await sendRaw(join.url, "GET", "/v1/people")).status, 401);
  for (const [worker, service] of [
    [join, "people"],
    [join, "places"],
    [people, "people"],
    [places, "places"],
  ] as const) {
    for (const path of ["/internal/integrity", "/internal/counter", `/v1/${service}/1`]) {
      // workerd resolves plain dot segments before a worker sees the path.
      const reachesWorker = (target: string) => !isNormalized(target) && !target.includes("#/..");
      for (const target of pathTraversals(service, path).filter(reachesWorker)) {
        const { status, body } = await sendRaw(worker.url, "GET", target);
        assert.equal(status, 404, `${worker === join ? "join" : service}: ${target}: ${body}`);
      }
    }
  }
});

test("a_request_target_that_is_not_a_path_reaches_no_route", async () => {
  await using system = await start({ seed: true, stubs: { people: echoUrl } });
  const { host } = system.join.url;
  for (const target of [
    `http://${host}/v1/people/1`,
    `http://${host}/v1/people/%2e%2e/internal/integrity`,
    "http://people/internal/integrity",
    "https://people/internal/integrity",
    "//people/internal/integrity",
    "people/internal/integrity",
    "\\v1\\people\\1",
    "*",
    "?",
    "#",
  ]) {
    const { status, body } = await sendRaw(system.join.url, "GET", target);
    assert.ok(status >= 400, `${target}: ${status} ${body}`);
    assert.doesNotMatch(body, /reached/, target);
  }
});

test("a_repair_calls_the_services_with_a_normalized_query", async () => {
  const people: ServiceStub = (request) => {
    const empty = { residents: [], next: null, doubleKings: [] };
    return Response.json({ ...empty, pending: [request.url] });
  };
  await using system = await start({ stubs: { people } });
  for (const [query, expected] of [
    ["", "?dryRun=false"],
    ["?dryRun=%74rue", "?dryRun=true"],
    ["?olderThan=%37&&dryRun=true", "?dryRun=true&olderThan=7"],
  ]) {
    const { status, text, json } = await system.join.request(
      "POST",
      `/v1/integrity/repair${query}`,
    );
    assert.equal(status, 200, text);
    assert.deepEqual(json.pending, [`https://people/internal/repair${expected}`]);
  }
});

test("an_encoded_unreserved_character_means_the_same_as_a_plain_one", async () => {
  await using system = await start({ seed: true });
  const { join, people } = system;
  for (const [encoded, plain] of [
    ["/v1/people/%31", "/v1/people/1"],
    ["/v1/peopl%65/1", "/v1/people/1"],
    ["/%76%31/people%2dper%2Dplace/%33", "/v1/people-per-place/3"],
    ["/v1/people/%65xport", "/v1/people/export"],
    ["/%75i/people/%31", "/ui/people/1"],
  ] as const) {
    const [first, second] = [await sendRaw(join.url, "GET", encoded), await join.get(plain)];
    assert.deepEqual([first.status, second.status], [200, 200], encoded);
  }
  assert.equal((await sendRaw(people.url, "GET", "/v1/people/%31")).status, 200);
  // The decoded path is checked, too.
  for (const target of ["/%69nternal/integrity", "/v1/people/%2e%2e/%69nternal/integrity"]) {
    assert.equal((await sendRaw(join.url, "GET", target)).status, 404, target);
  }
});
