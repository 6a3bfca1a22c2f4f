// A service that fails, or is slow, is named in a problem; it never hangs a reader.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type StandIn, start } from "./harness.ts";
import { people, places } from "./village.ts";

const throws: StandIn = () => {
  throw new Error("S3CR3T");
};
const failures: Record<string, StandIn> = {
  throws,
  answers_500: () => new Response("S3CR3T", { status: 500 }),
  answers_503: () => new Response("S3CR3T", { status: 503, headers: { "retry-after": "1" } }),
};
const unreadable: Record<string, StandIn> = {
  answers_nonsense: () => new Response("<html>S3CR3T</html>\n"),
  answers_nonsense_without_a_line_end: () => new Response("S3CR3T"),
  answers_another_shape: () => new Response('{"error":"S3CR3T"}\n'),
  breaks_off_within_a_line: () => new Response('{"id":1,"name":"S3CR3T'),
  breaks_off_by_an_error: () => {
    const first = new TextEncoder().encode('[{"id":1,"name":"S3CR3T"},\n{"id":2,');
    const pull = (controller: ReadableStreamDefaultController) =>
      controller.desiredSize === 1
        ? controller.enqueue(first)
        : controller.error(new Error("S3CR3T"));
    return new Response(new ReadableStream({ pull }, { highWaterMark: 1 }));
  },
  redirects: () => Response.redirect("https://elsewhere.invalid/S3CR3T", 302),
  does_not_know_its_own_route: () => new Response("S3CR3T", { status: 404 }),
  refuses: () => new Response("S3CR3T", { status: 400 }),
};
const unreadableGroups: Record<string, StandIn> = {
  gives_groups_out_of_order: () =>
    new Response('[{"placeId":3,"people":[]},\n{"placeId":1,"people":["S3CR3T"]}]'),
  gives_a_group_twice: () =>
    new Response('[{"placeId":1,"people":[]},\n{"placeId":1,"people":["S3CR3T"]}]'),
};
const neverAnswers: StandIn = () =>
  new Promise((resolve) => setTimeout(() => resolve(new Response("S3CR3T")), 60_000));

const stalls: StandIn = () => {
  let isFirst = true;
  const pull = async (controller: ReadableStreamDefaultController) => {
    if (!isFirst) await new Promise((resolve) => setTimeout(resolve, 60_000));
    isFirst = false;
    controller.enqueue(new TextEncoder().encode("["));
  };
  return new Response(new ReadableStream({ pull }));
};

const lists = ["/v1/people-per-place", "/v1/people-per-place?limit=2"];
const single = "/v1/people-per-place/1";

for (const service of ["places", "people"] as const) {
  const filled = { places, people };
  const failed = {
    type: "/problems/service-failed",
    title: "A service that this answer needs failed",
    status: 502,
    detail: `The service \`${service}\` failed.`,
    service,
  };
  const is_named = async (standIn: StandIn, paths: string[], body: typeof failed = failed) => {
    await using system = await start({ ...filled, replace: { [service]: standIn } });
    const answers = await Promise.all(
      paths.map(async (path) => [path, await system.join.get(path)] as const),
    );
    for (const [path, { status, headers, text, json }] of answers) {
      assert.equal(status, body.status, `${path}: ${text}`);
      assert.deepEqual(json, body, path);
      assert.deepEqual(headers, {
        "content-type": "application/problem+json",
        "x-content-type-options": "nosniff",
      });
    }
  };

  suite(`when ${service}`, () => {
    const forwarded = [`/v1/${service}`, `/v1/${service}/1`, `/${service}/`];
    for (const [failure, standIn] of Object.entries(failures)) {
      test(`${failure}_there_is_a_502_that_names_it`, async () => {
        await is_named(standIn, [...lists, single, ...forwarded]);
      });
    }

    const groups = service === "people" ? unreadableGroups : {};
    for (const [failure, standIn] of Object.entries({ ...unreadable, ...groups })) {
      test(`${failure}_there_is_a_502_that_names_it`, async () => {
        // A place that its owner does not know is no failure.
        const isAnswer = service === "places" && failure === "does_not_know_its_own_route";
        await is_named(standIn, isAnswer ? lists : [...lists, single]);
      });
    }

    test("never_answers_there_is_a_504_that_names_it_after_the_deadline", async () => {
      const began = performance.now();
      await is_named(neverAnswers, [...lists, single, ...forwarded], {
        ...failed,
        type: "/problems/service-timed-out",
        title: "A service that this answer needs did not answer in time",
        status: 504,
        detail: `The service \`${service}\` did not answer within 5000 ms.`,
      });
      const seconds = (performance.now() - began) / 1000;
      assert.ok(seconds > 5 && seconds < 15, `${seconds} s`);
    });

    test("stalls_within_its_body_there_is_a_504_that_names_it", async () => {
      const timedOut = {
        ...failed,
        type: "/problems/service-timed-out",
        title: "A service that this answer needs did not answer in time",
        status: 504,
        detail: `The service \`${service}\` did not answer within 5000 ms.`,
      };
      await is_named(stalls, [...lists, single], timedOut);
    });

    test("fails_what_does_not_need_it_goes_on", async () => {
      await using system = await start({ ...filled, replace: { [service]: throws } });
      const other = service === "places" ? "people" : "places";
      assert.equal((await system.join.get(`/v1/${other}/1`)).status, 200);
      assert.equal((await system.join.get("/v1")).status, 200);
    });
  });
}

test("a_long_page_that_breaks_off_lacks_its_end", async () => {
  const breaksOff: StandIn = () => {
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
    await using system = await start({ places: many, replace: { people: breaksOff } });
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
  const echo: StandIn = async (request) =>
    new Response(
      JSON.stringify([
        request.method,
        new URL(request.url).pathname + new URL(request.url).search,
        request.headers.get("accept"),
        request.headers.get("x-mine"),
      ]),
      { status: 418, headers: { "x-theirs": "2", "content-type": "text/x-echo" } },
    );
  await using system = await start({ replace: { people: echo } });
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const path = "/v1/people/a/b/?q=%C3%B1&q";
    const { status, headers, json } = await system.join.ask(method, path, {
      accept: "a/b",
      "x-mine": "1",
    });
    assert.deepEqual(json, [method, path, "a/b", "1"]);
    assert.deepEqual([status, headers], [418, { "x-theirs": "2", "content-type": "text/x-echo" }]);
  }
});
