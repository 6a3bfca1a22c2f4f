// Tests observability: request ids, traces, log lines, and the response to a panic.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../support/harness.ts";
import { startObserved } from "../support/log_lines.ts";

const { system, raw: rawLines, lines } = await startObserved();
after(() => system.dispose());
const { join } = system;

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`;

suite("request ids", () => {
  test("a_clients_request_id_is_in_the_response_the_problem_and_each_log", async () => {
    const found = await join.get("/v1/people/1", { "x-request-id": "mine-1" });
    assert.equal(found.allHeaders.get("x-request-id"), "mine-1");
    const missing = await join.get("/v1/people/999", { "x-request-id": "mine-2" });
    assert.equal(missing.allHeaders.get("x-request-id"), "mine-2");
    assert.equal(JSON.parse(missing.text).requestId, "mine-2");
    for (const id of ["mine-1", "mine-2"]) {
      const written = await lines(id, 2);
      assert.deepEqual(written.map(({ worker }) => worker).sort(), ["join", "people"]);
    }
  });

  test("a_missing_or_invalid_request_id_is_replaced_by_the_trace_id", async () => {
    const ids = new Set<string>();
    for (const requestId of [undefined, "", "a b", "x".repeat(65), "é", '"', "<b>"]) {
      const headers: Record<string, string> =
        requestId === undefined ? {} : { "x-request-id": requestId };
      const { allHeaders } = await join.get("/v1/places/1", headers);
      const id = allHeaders.get("x-request-id") ?? "";
      assert.match(id, /^[0-9a-f]{32}$/, requestId);
      ids.add(id);
    }
    assert.equal(ids.size, 7);
    const { allHeaders } = await join.get("/v1/places/1", { traceparent });
    assert.equal(allHeaders.get("x-request-id"), TRACE_ID);
  });

  test("every_kind_of_response_has_the_request_id", async () => {
    const etag = (await join.get("/v1/people/1")).etag;
    for (const [method, path, status, headers] of [
      ["GET", "/", 200, {}],
      ["GET", "/v1/people-per-place", 200, {}],
      ["HEAD", "/v1/people", 200, {}],
      ["GET", "/v1/people/1", 304, { "if-none-match": etag }],
      ["OPTIONS", "/v1/people/1", 204, {}],
      ["GET", "/v1/x", 404, {}],
      ["GET", "/ui/people/999", 404, {}],
      ["PUT", "/v1/people", 405, {}],
      ["GET", "/v1/people/export", 200, {}],
    ] as const) {
      const response = await join.request(method, path, { ...headers, "x-request-id": "every-1" });
      assert.equal(response.status, status, path);
      assert.equal(response.allHeaders.get("x-request-id"), "every-1", path);
    }
  });
});

suite("traces", () => {
  test("a_trace_spans_all_three_workers_with_a_span_each", async () => {
    const headers = { traceparent, tracestate: "a=1", "x-request-id": "trace-1" };
    await join.get("/v1/people-per-place?limit=1", headers);
    const written = await lines("trace-1", 3);
    assert.deepEqual(written.map(({ worker }) => worker).sort(), ["join", "people", "places"]);
    assert.deepEqual([...new Set(written.map(({ traceId }) => traceId))], [TRACE_ID]);
    assert.equal(new Set(written.map(({ spanId }) => spanId)).size, 3);
    assert.ok(written.every(({ spanId }) => /^[0-9a-f]{16}$/.test(spanId)));
    assert.ok(written.every(({ spanId }) => spanId !== "b7ad6b7169203331"));
  });

  test("a_valid_trace_is_propagated_with_its_state_and_an_invalid_one_is_replaced", async () => {
    const echo = (request: Request) => {
      const names = ["traceparent", "tracestate", "x-request-id"];
      const id = request.headers.get("x-request-id") ?? "";
      const ids = names.map((name) => request.headers.get(name));
      return Response.json(ids, { headers: { "x-request-id": id } });
    };
    await using echoing = await start({ stubs: { people: echo, places: echo } });
    const sent = async (headers: Record<string, string>) => {
      const { json } = await echoing.join.get("/v1/people/1", headers);
      return json as [string, string | null, string];
    };
    const [parent, state] = await sent({ traceparent, tracestate: "a=1,b=2" });
    assert.match(parent, new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
    assert.notEqual(parent, traceparent);
    assert.equal(state, "a=1,b=2");
    for (const invalid of [
      "",
      "00",
      traceparent.toUpperCase(),
      traceparent.replace(TRACE_ID, "0".repeat(32)),
      traceparent.replace("00-", "ff-"),
      `${traceparent}-1`,
    ]) {
      const [parent, dropped, id] = await sent({ traceparent: invalid, tracestate: "a=1" });
      assert.match(parent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, invalid);
      assert.ok(!parent.includes(TRACE_ID) && id === parent.slice(3, 35));
      assert.equal(dropped, null);
    }
    const [, long] = await sent({ traceparent, tracestate: `a=${"x".repeat(511)}` });
    assert.equal(long, null);
  });
});

suite("log lines", () => {
  test("a_log_line_states_the_request_its_outcome_and_its_costs", async () => {
    await join.get("/v1/people/1/history?count=1", { "x-request-id": "line-1" });
    const [first, second] = await lines("line-1", 2);
    const ofJoin = first?.worker === "join" ? first : second;
    const ofPeople = first?.worker === "join" ? second : first;
    assert.ok(ofJoin && ofPeople);
    assert.deepEqual(
      { ...ofJoin, ms: 0, traceId: "", spanId: "" },
      {
        level: "info",
        worker: "join",
        method: "GET",
        route: "/people/{*rest}",
        status: 400,
        ms: 0,
        d1: { roundTrips: 0, ms: 0, rowsRead: 0 },
        calls: ["people"],
        requestId: "line-1",
        traceId: "",
        spanId: "",
      },
    );
    assert.deepEqual([ofPeople.route, ofPeople.calls], ["/people/{id}/history", []]);
    await join.get("/v1/people/2", { "x-request-id": "line-2" });
    const read = (await lines("line-2", 2)).find(({ worker }) => worker === "people");
    assert.ok(read && read.d1.roundTrips === 1 && read.d1.rowsRead >= 1, JSON.stringify(read));
    assert.ok(read.ms >= read.d1.ms && read.d1.ms >= 0);
    await join.send(
      "POST",
      "/v1/people",
      { name: "Seen", isAlive: true, placeId: 1 },
      {
        "x-request-id": "line-3",
      },
    );
    // The place is checked once, between the pending write and the commit.
    const written = await lines("line-3", 3);
    const wrote = written.find(({ worker }) => worker === "people");
    assert.deepEqual(wrote?.calls, ["places"]);
    assert.deepEqual(written.filter(({ worker }) => worker === "places").length, 1);
    assert.ok(wrote.d1.roundTrips >= 1);
  });

  test("a_log_line_contains_nothing_of_the_request_but_its_id", async () => {
    const secret = "S3CR3TvalueS3CR3T";
    const headers = {
      "x-request-id": "secret-1",
      authorization: `Bearer ${secret}`,
      cookie: `__Host-token=${secret}`,
      "x-service-secret": secret,
      "user-agent": secret,
    };
    await join.get(`/v1/people?name=${secret}`, headers);
    await join.get(`/v1/${secret}`, headers);
    await join.send("POST", "/v1/places", { name: secret }, headers);
    await join.send("PATCH", "/v1/places/x", { [secret]: secret }, headers);
    await lines("secret-1", 6);
    assert.ok(!rawLines.join("\n").includes(secret));
  });

  test("a_failure_is_logged_once_with_its_request_id", async () => {
    const failing = () => new Response("", { status: 500 });
    const broken = await startObserved({ stubs: { people: failing } });
    try {
      const response = await broken.system.join.get("/v1/people/1", { "x-request-id": "down-1" });
      assert.equal(response.status, 502);
      const [line] = await broken.lines("down-1", 1);
      assert.deepEqual([line?.level, line?.status], ["error", 502]);
      assert.equal(
        line?.message,
        "people: status 500; people: status 500",
        "a read is tried twice",
      );
      assert.equal(broken.raw.length, 1, broken.raw.join("\n"));
    } finally {
      await broken.system.dispose();
    }
  });

  for (const [LOG, expected] of [
    ["errors", { ok: 0, failed: 1 }],
    ["0%", { ok: 0, failed: 1 }],
    ["off", { ok: 0, failed: 0 }],
    ["100%", { ok: 1, failed: 1 }],
    ["nonsense", { ok: 1, failed: 1 }],
  ] as const) {
    test(`LOG=${LOG}_selects_the_logged_requests`, async () => {
      const failing = () => new Response("", { status: 500 });
      const healthy = ({ headers }: Request) =>
        new Response("", { headers: { "x-request-id": headers.get("x-request-id") ?? "" } });
      const settings = { WRITES: "open", LOG };
      const logged = await startObserved({
        gatewaySettings: settings,
        stubs: { people: failing, places: healthy },
      });
      try {
        await logged.system.join.get("/v1/places/1", { "x-request-id": "ok-1" });
        await logged.system.join.get("/v1/people/1", { "x-request-id": "failed-1" });
        await sleep(200);
        const countLines = (id: string) => logged.raw.filter((line) => line.includes(id)).length;
        assert.deepEqual({ ok: countLines("ok-1"), failed: countLines("failed-1") }, expected);
      } finally {
        await logged.system.dispose();
      }
    });
  }
});

suite("panics", () => {
  test("a_panic_gives_a_500_and_one_log_line_and_does_not_affect_other_requests", async () => {
    const panickingSystem = await startObserved({ panickingWorker: "people" });
    const { people, join } = panickingSystem.system;
    try {
      assert.equal((await people.get("/v1/people/1")).status, 200);
      for (const id of ["panic-1", "panic-2"]) {
        const headers = { "x-panic": "1", "x-request-id": id };
        const panicked = await people.get("/v1/people/2", headers);
        assert.equal(panicked.status, 500);
        assert.deepEqual(JSON.parse(panicked.text), {
          type: "/problems/internal",
          title: "Something went wrong on our side",
          status: 500,
          detail: "The request failed. The error was logged.",
          requestId: id,
        });
        assert.equal(panicked.headers["content-type"], "application/problem+json");
        const written = await panickingSystem.lines(id, 1);
        assert.equal(written.length, 1);
        assert.match(written[0]?.message ?? "", /capacity overflow|panicked/);
        assert.deepEqual([written[0]?.level, written[0]?.status], ["error", 500]);
        const next = await people.get("/v1/people/2");
        assert.equal(next.status, 200, next.text);
      }
      // A request that runs during a panic gets a response, if only from the platform.
      const concurrent = await Promise.all([
        people.get("/v1/people/2", { "x-panic": "1" }),
        people.get("/v1/people/3"),
        people.get("/v1/people/2", { "x-panic": "1" }),
      ]);
      for (const { status, text } of concurrent) assert.ok([200, 500].includes(status), text);
      assert.equal(concurrent[0]?.status, 500);
      assert.equal((await people.get("/v1/people/3")).status, 200);
      const forwarded = await join.get("/v1/people/1", {
        "x-panic": "1",
        "x-request-id": "panic-3",
      });
      assert.deepEqual([forwarded.status, forwarded.json.service], [502, "people"]);
      assert.equal((await join.get("/v1/people/1")).status, 200);
      assert.equal((await join.send("PATCH", "/v1/people/1", { isKing: false })).status, 200);
    } finally {
      await panickingSystem.system.dispose();
    }
  });
});
