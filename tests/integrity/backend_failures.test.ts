// If a backend fails or is slow, a strict request gets a problem before the deadline. The problem
// names the backend.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { makePlaces, people, places } from "../support/fixtures.ts";
import { type ServiceStub, start } from "../support/harness.ts";
import {
  errorFaults,
  malformedFaults,
  malformedGroupFaults,
  timeoutFaults,
} from "../support/service_faults.ts";

const lists = ["/v1/people-per-place", "/v1/people-per-place?limit=2"];
const single = "/v1/people-per-place/1";
/** Asks for a problem instead of a stale or partial response (see stale_responses.test.ts). */
const strict = { prefer: "handling=strict" };

for (const service of ["places", "people"] as const) {
  const filled = { places, people };
  const serviceFailed = {
    type: "/problems/service-failed",
    title: "A backend service failed",
    status: 502,
    detail: `The service \`${service}\` failed.`,
    service,
  };
  const assertProblemNamesService = async (
    standIn: ServiceStub,
    paths: string[],
    body: typeof serviceFailed = serviceFailed,
  ) => {
    const settings = { WRITES: "open", UPSTREAM_DEADLINE_MS: "300" };
    await using system = await start({
      ...filled,
      gatewaySettings: settings,
      stubs: { [service]: standIn },
    });
    const responses = await Promise.all(
      paths.map(async (path) => [path, await system.join.get(path, strict)] as const),
    );
    for (const [path, { status, headers, text, json }] of responses) {
      assert.equal(status, body.status, `${path}: ${text}`);
      assert.deepEqual(json, body, path);
      const { "preference-applied": applied, ...otherHeaders } = headers;
      assert.deepEqual(otherHeaders, {
        "content-type": "application/problem+json",
        "x-content-type-options": "nosniff",
        ...(otherHeaders.vary && { vary: "accept" }),
      });
      assert.equal(applied, forwardedPaths.includes(path) ? undefined : "handling=strict");
    }
  };
  const forwardedPaths = [`/v1/${service}`, `/v1/${service}/1`, `/${service}/`];

  suite(`a failed backend: ${service}`, () => {
    for (const [failure, standIn] of Object.entries(errorFaults)) {
      test(`${service}_that_${failure}_gives_a_502_that_names_it`, async () => {
        await assertProblemNamesService(standIn, [...lists, single, ...forwardedPaths]);
      });
    }

    const groups = service === "people" ? malformedGroupFaults : {};
    for (const [failure, standIn] of Object.entries({ ...malformedFaults, ...groups })) {
      test(`${service}_that_${failure}_gives_a_502_that_names_it`, async () => {
        // A 404 from places is a valid response to the request for a single place.
        const isValidResponse = service === "places" && failure === "responds_404";
        await assertProblemNamesService(standIn, isValidResponse ? lists : [...lists, single]);
      });
    }

    const serviceTimedOut = {
      ...serviceFailed,
      type: "/problems/service-timed-out",
      title: "A backend service did not respond in time",
      status: 504,
      detail: `The service \`${service}\` did not respond within 300 ms.`,
    };
    for (const [failure, standIn] of Object.entries(timeoutFaults)) {
      test(`${service}_that_${failure}_gives_a_504_that_names_it_after_the_deadline`, async () => {
        // A forwarded response that stalls in its body has already sent its status.
        const neverResponds = failure === "never_responds";
        await assertProblemNamesService(
          standIn,
          [...lists, single, ...(neverResponds ? forwardedPaths : [])],
          serviceTimedOut,
        );
      });
    }

    test("the_default_deadline_is_three_seconds", async () => {
      const replace = { [service]: timeoutFaults.never_responds as ServiceStub };
      await using system = await start({ ...filled, stubs: replace });
      const began = performance.now();
      const { json } = await system.join.get(single, strict);
      const seconds = (performance.now() - began) / 1000;
      assert.equal(json.detail, `The service \`${service}\` did not respond within 3000 ms.`);
      assert.ok(seconds > 2.9 && seconds < 8, `${seconds} s`);
    });

    test("routes_that_do_not_need_the_failed_service_still_work", async () => {
      await using system = await start({
        ...filled,
        stubs: { [service]: errorFaults.throws as ServiceStub },
      });
      const other = service === "places" ? "people" : "places";
      assert.equal((await system.join.get(`/v1/${other}/1`)).status, 200);
      assert.equal((await system.join.get("/v1")).status, 200);
      const statuses = async (writes: [string, string, object?][]) =>
        Promise.all(
          writes.map(async ([method, path, body = {}]) => {
            const { status } = await system.join.send(method, path, body);
            return `${method} ${path} ${status}`;
          }),
        );
      if (service === "people") {
        const writes = await statuses([
          ["POST", "/v1/places", { name: "Nueva" }],
          ["PATCH", "/v1/places/1", { name: "Otra" }],
          ["DELETE", "/v1/places/2"],
        ]);
        assert.deepEqual(writes, [
          "POST /v1/places 201",
          "PATCH /v1/places/1 200",
          "DELETE /v1/places/2 502",
        ]);
      } else {
        const writes = await statuses([
          ["PATCH", "/v1/people/1", { name: "Otra" }],
          ["DELETE", "/v1/people/2"],
          ["POST", "/v1/people", { name: "Nueva", isAlive: true, placeId: 1 }],
        ]);
        assert.deepEqual(writes, [
          "PATCH /v1/people/1 200",
          "DELETE /v1/people/2 204",
          "POST /v1/people 502",
        ]);
      }
    });
  });
}

test("a_streamed_page_whose_backend_fails_ends_with_an_error_line", async () => {
  const abortingStub: ServiceStub = () => {
    let placeId = 0;
    const pull = (controller: ReadableStreamDefaultController) => {
      placeId += 1;
      if (placeId > 500) return controller.error(new Error("S3CR3T"));
      const group = { placeId, people: [{ id: placeId, name: "x".repeat(1000) }] };
      const before = placeId === 1 ? "[" : ",\n";
      controller.enqueue(new TextEncoder().encode(before + JSON.stringify(group)));
    };
    return new Response(new ReadableStream({ pull }));
  };
  for (const accept of ["application/json", "application/x-ndjson"]) {
    await using system = await start({ places: makePlaces(1000), stubs: { people: abortingStub } });
    // workerd ends even an aborted stream normally, so the body itself must show the error.
    const { status, text } = await system.join.get("/v1/people-per-place?limit=1000", { accept });
    assert.equal(status, 200);
    assert.ok(text.length > 256 * 1024);
    const last = text.slice(text.lastIndexOf("\n") + 1);
    assert.throws(() => JSON.parse(last), "the last line is not valid JSON");
    assert.match(last, /"\/problems\/service-failed".*`people`/);
    assert.ok(!text.includes('"id":501'), "no place is shown without its people");
  }
});

test("a_worker_without_its_tables_responds_500_without_details", async () => {
  await using system = await start();
  await system.db.places.exec("DROP TABLE place");
  for (const path of ["/v1/places", "/v1/places/1"]) {
    const { status, json } = await system.places.get(path);
    assert.equal(status, 500);
    assert.deepEqual(json, {
      type: "/problems/internal",
      title: "Something went wrong on our side",
      status: 500,
      detail: "The request failed. The error was logged.",
    });
  }
});

test("a_forwarded_request_and_its_response_are_unchanged", async () => {
  const echo: ServiceStub = async (request) =>
    new Response(
      JSON.stringify([
        request.method,
        new URL(request.url).pathname + new URL(request.url).search,
        request.headers.get("accept"),
        request.headers.get("x-mine"),
        await request.text(),
      ]),
      {
        status: 418,
        headers: {
          "x-theirs": "2",
          "content-type": "text/x-echo",
          "x-request-id": request.headers.get("x-request-id") ?? "",
        },
      },
    );
  await using system = await start({ stubs: { people: echo, places: () => new Response("?") } });
  const address = `${system.join.url.origin}/v1/people/batch`;
  const chunked = { method: "POST", body: new Blob(["ñ", "o"]).stream(), duplex: "half" };
  const echoed = await (await fetch(address, chunked as RequestInit)).json();
  assert.equal(echoed[4], "ño");
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const path = "/v1/people/a/b/?q=%C3%B1&q";
    const own = { accept: "a/b", "x-mine": "1" };
    const body = /GET|OPTIONS/.test(method) ? "" : "ñ".repeat(30_000);
    const { status, headers, json } = await system.join.request(
      method,
      path,
      own,
      body || undefined,
    );
    assert.deepEqual(json, [method, path, "a/b", "1", body]);
    assert.deepEqual([status, headers], [418, { "x-theirs": "2", "content-type": "text/x-echo" }]);
    // A response without the request id does not come from one of our services.
    const unrelated = await system.join.request(method, "/v1/places/1");
    const outcome = /GET|OPTIONS/.test(method) ? undefined : "unknown";
    assert.deepEqual(
      [unrelated.status, unrelated.json.service, unrelated.json.outcome],
      [502, "places", outcome],
    );
  }
});
