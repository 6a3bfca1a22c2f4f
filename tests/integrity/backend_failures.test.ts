// A service that fails, or is slow, is named in a problem; it never hangs a reader.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { type ServiceStub, start } from "../support/harness.ts";
import {
  errorFaults,
  malformedFaults,
  malformedGroupFaults,
  timeoutFaults,
} from "../support/service_faults.ts";

const lists = ["/v1/people-per-place", "/v1/people-per-place?limit=2"];
const single = "/v1/people-per-place/1";
/** Rather a problem than half an answer: those are in reliability.test.ts. */
const strictly = { prefer: "handling=strict" };

for (const service of ["places", "people"] as const) {
  const filled = { places, people };
  const failed = {
    type: "/problems/service-failed",
    title: "A service that this answer needs failed",
    status: 502,
    detail: `The service \`${service}\` failed.`,
    service,
  };
  const is_named = async (standIn: ServiceStub, paths: string[], body: typeof failed = failed) => {
    const settings = { WRITES: "open", UPSTREAM_DEADLINE_MS: "300" };
    await using system = await start({
      ...filled,
      gatewaySettings: settings,
      stubs: { [service]: standIn },
    });
    const answers = await Promise.all(
      paths.map(async (path) => [path, await system.join.get(path, strictly)] as const),
    );
    for (const [path, { status, headers, text, json }] of answers) {
      assert.equal(status, body.status, `${path}: ${text}`);
      assert.deepEqual(json, body, path);
      const { "preference-applied": applied, ...others } = headers;
      assert.deepEqual(others, {
        "content-type": "application/problem+json",
        "x-content-type-options": "nosniff",
        ...(others.vary && { vary: "accept" }),
      });
      assert.equal(applied, forwarded.includes(path) ? undefined : "handling=strict");
    }
  };
  const forwarded = [`/v1/${service}`, `/v1/${service}/1`, `/${service}/`];

  suite(`when ${service}`, () => {
    for (const [failure, standIn] of Object.entries(errorFaults)) {
      test(`${failure}_there_is_a_502_that_names_it`, async () => {
        await is_named(standIn, [...lists, single, ...forwarded]);
      });
    }

    const groups = service === "people" ? malformedGroupFaults : {};
    for (const [failure, standIn] of Object.entries({ ...malformedFaults, ...groups })) {
      test(`${failure}_there_is_a_502_that_names_it`, async () => {
        // A place that its owner does not know is no failure.
        const isAnswer = service === "places" && failure === "responds_404";
        await is_named(standIn, isAnswer ? lists : [...lists, single]);
      });
    }

    const timedOut = {
      ...failed,
      type: "/problems/service-timed-out",
      title: "A service that this answer needs did not answer in time",
      status: 504,
      detail: `The service \`${service}\` did not answer within 300 ms.`,
    };
    for (const [failure, standIn] of Object.entries(timeoutFaults)) {
      test(`${failure}_there_is_a_504_that_names_it_after_the_deadline`, async () => {
        // What is forwarded ends in the middle where its owner does.
        const isSilent = failure === "never_responds";
        await is_named(standIn, [...lists, single, ...(isSilent ? forwarded : [])], timedOut);
      });
    }

    test("never_answers_the_deadline_is_three_seconds_unless_it_is_set", async () => {
      const replace = { [service]: timeoutFaults.never_responds as ServiceStub };
      await using system = await start({ ...filled, stubs: replace });
      const began = performance.now();
      const { json } = await system.join.get(single, strictly);
      const seconds = (performance.now() - began) / 1000;
      assert.equal(json.detail, `The service \`${service}\` did not answer within 3000 ms.`);
      assert.ok(seconds > 2.9 && seconds < 8, `${seconds} s`);
    });

    test("fails_what_does_not_need_it_goes_on", async () => {
      await using system = await start({
        ...filled,
        stubs: { [service]: errorFaults.throws as ServiceStub },
      });
      const other = service === "places" ? "people" : "places";
      assert.equal((await system.join.get(`/v1/${other}/1`)).status, 200);
      assert.equal((await system.join.get("/v1")).status, 200);
    });
  });
}

test("a_long_page_that_breaks_off_lacks_its_end", async () => {
  const breaksOff: ServiceStub = () => {
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
  const many = Array.from({ length: 1000 }, (_, n) => ({ id: n + 1, name: `Place ${n + 1}` }));
  for (const accept of ["application/json", "application/x-ndjson"]) {
    await using system = await start({ places: many, stubs: { people: breaksOff } });
    // Workerd ends even a broken stream in good order: the body itself has to tell.
    const { status, text } = await system.join.get("/v1/people-per-place?limit=1000", { accept });
    assert.equal(status, 200);
    assert.ok(text.length > 256 * 1024);
    const last = text.slice(text.lastIndexOf("\n") + 1);
    assert.throws(() => JSON.parse(last), "no reader takes the last line for a place");
    assert.match(last, /"\/problems\/service-failed".*`people`/);
    assert.ok(!text.includes('"id":501'), "no place is shown without the people it has");
  }
});

test("a_worker_without_its_tables_answers_500_and_tells_nothing", async () => {
  await using system = await start();
  await system.db.places.exec("DROP TABLE place");
  for (const path of ["/v1/places", "/v1/places/1"]) {
    const { status, json } = await system.places.get(path);
    assert.equal(status, 500);
    assert.deepEqual(json, {
      type: "/problems/internal",
      title: "Something went wrong on our side",
      status: 500,
      detail: "The request could not be answered. It has been logged.",
    });
  }
});

test("what_is_forwarded_goes_and_comes_as_it_is", async () => {
  const echo: ServiceStub = async (request) =>
    new Response(
      JSON.stringify([
        request.method,
        new URL(request.url).pathname + new URL(request.url).search,
        request.headers.get("accept"),
        request.headers.get("x-mine"),
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
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const path = "/v1/people/a/b/?q=%C3%B1&q";
    const { status, headers, json } = await system.join.request(method, path, {
      accept: "a/b",
      "x-mine": "1",
    });
    assert.deepEqual(json, [method, path, "a/b", "1"]);
    assert.deepEqual([status, headers], [418, { "x-theirs": "2", "content-type": "text/x-echo" }]);
    // An answer that does not name the request is none of ours.
    const nonsense = await system.join.request(method, "/v1/places/1");
    const outcome = /GET|OPTIONS/.test(method) ? undefined : "unknown";
    assert.deepEqual(
      [nonsense.status, nonsense.json.service, nonsense.json.outcome],
      [502, "places", outcome],
    );
  }
});
