// What is seen of a request from outside: its name, its trace, its line in each log, and that it
// is answered even when a worker dies of it.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { people, places } from "../support/fixtures.ts";
import { type Name, type Options, start } from "../support/harness.ts";

type Line = {
  level: string;
  worker: Name;
  method: string;
  route: string | null;
  status: number;
  ms: number;
  d1: { roundTrips: number; ms: number; rowsRead: number };
  calls: string[];
  requestId: string;
  traceId: string;
  spanId: string;
  message?: string;
};

/** A system, and the lines that its workers have written. */
async function observed(options: Options = {}) {
  const raw: string[] = [];
  const system = await start({ places, people, ...options, log: (line) => void raw.push(line) });
  /** The lines of a request, once there are so many. */
  const lines = async (id: string, count: number): Promise<Line[]> => {
    for (let waited = 0; waited < 5000; waited += 20) {
      const found = raw.filter((line) => line.includes(`"requestId":"${id}"`));
      if (found.length >= count) return found.map((line) => JSON.parse(line));
      await sleep(20);
    }
    throw new Error(`no ${count} lines of ${id} in ${raw.join("\n")}`);
  };
  return { system, raw, lines };
}

const { system, raw, lines } = await observed();
after(() => system.dispose());
const { join } = system;

const trace = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${trace}-b7ad6b7169203331-01`;

suite("the name of a request", () => {
  test("is the clients own on the answer, in a problem and in each log", async () => {
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

  test("is made where there is none that can be used, and is the id of the trace", async () => {
    const seen = new Set<string>();
    for (const given of [undefined, "", "a b", "x".repeat(65), "é", '"', "<b>"]) {
      const headers: Record<string, string> = given === undefined ? {} : { "x-request-id": given };
      const { allHeaders: all } = await join.get("/v1/places/1", headers);
      const id = all.get("x-request-id") ?? "";
      assert.match(id, /^[0-9a-f]{32}$/, given);
      seen.add(id);
    }
    assert.equal(seen.size, 7);
    const { allHeaders: all } = await join.get("/v1/places/1", { traceparent });
    assert.equal(all.get("x-request-id"), trace);
  });

  test("is on every kind of answer", async () => {
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
      const answer = await join.request(method, path, { ...headers, "x-request-id": "every-1" });
      assert.equal(answer.status, status, path);
      assert.equal(answer.allHeaders.get("x-request-id"), "every-1", path);
    }
  });
});

suite("the trace of a request", () => {
  test("goes through all three workers, each with a part of its own", async () => {
    const headers = { traceparent, tracestate: "a=1", "x-request-id": "trace-1" };
    await join.get("/v1/people-per-place?limit=1", headers);
    const written = await lines("trace-1", 3);
    assert.deepEqual(written.map(({ worker }) => worker).sort(), ["join", "people", "places"]);
    assert.deepEqual([...new Set(written.map(({ traceId }) => traceId))], [trace]);
    assert.equal(new Set(written.map(({ spanId }) => spanId)).size, 3);
    assert.ok(written.every(({ spanId }) => /^[0-9a-f]{16}$/.test(spanId)));
    assert.ok(written.every(({ spanId }) => spanId !== "b7ad6b7169203331"));
  });

  test("is handed on with its state, and begun anew where it cannot be read", async () => {
    const echo = (request: Request) => {
      const names = ["traceparent", "tracestate", "x-request-id"];
      const id = request.headers.get("x-request-id") ?? "";
      const seen = names.map((name) => request.headers.get(name));
      return Response.json(seen, { headers: { "x-request-id": id } });
    };
    await using echoing = await start({ stubs: { people: echo, places: echo } });
    const sent = async (headers: Record<string, string>) => {
      const { json } = await echoing.join.get("/v1/people/1", headers);
      return json as [string, string | null, string];
    };
    const [parent, state] = await sent({ traceparent, tracestate: "a=1,b=2" });
    assert.match(parent, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    assert.notEqual(parent, traceparent);
    assert.equal(state, "a=1,b=2");
    for (const wrong of [
      "",
      "00",
      traceparent.toUpperCase(),
      traceparent.replace(trace, "0".repeat(32)),
      traceparent.replace("00-", "ff-"),
      `${traceparent}-1`,
    ]) {
      const [begun, dropped, id] = await sent({ traceparent: wrong, tracestate: "a=1" });
      assert.match(begun, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/, wrong);
      assert.ok(!begun.includes(trace) && id === begun.slice(3, 35));
      assert.equal(dropped, null);
    }
    const [, long] = await sent({ traceparent, tracestate: `a=${"x".repeat(511)}` });
    assert.equal(long, null);
  });
});

suite("the line of a request", () => {
  test("says what was asked, what came of it, and what it cost", async () => {
    await join.get("/v1/people/1?count=1", { "x-request-id": "line-1" });
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
    assert.deepEqual([ofPeople.route, ofPeople.calls], ["/people/{id}", []]);
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
    const all = await lines("line-3", 3);
    const wrote = all.find(({ worker }) => worker === "people");
    assert.deepEqual(wrote?.calls, ["places"]);
    assert.deepEqual(all.filter(({ worker }) => worker === "places").length, 1);
    assert.ok(wrote.d1.roundTrips >= 1);
  });

  test("has nothing of the request but its name", async () => {
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
    assert.ok(!raw.join("\n").includes(secret));
  });

  test("says what failed, once, with the request that it failed", async () => {
    const down = () => new Response("", { status: 500 });
    const broken = await observed({ stubs: { people: down } });
    try {
      const answer = await broken.system.join.get("/v1/people/1", { "x-request-id": "down-1" });
      assert.equal(answer.status, 502);
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
    test(`is written as LOG=${LOG} says`, async () => {
      const down = () => new Response("", { status: 500 });
      const well = ({ headers }: Request) =>
        new Response("", { headers: { "x-request-id": headers.get("x-request-id") ?? "" } });
      const settings = { WRITES: "open", LOG };
      const some = await observed({
        gatewaySettings: settings,
        stubs: { people: down, places: well },
      });
      try {
        await some.system.join.get("/v1/places/1", { "x-request-id": "ok-1" });
        await some.system.join.get("/v1/people/1", { "x-request-id": "failed-1" });
        await sleep(200);
        const of = (id: string) => some.raw.filter((line) => line.includes(id)).length;
        assert.deepEqual({ ok: of("ok-1"), failed: of("failed-1") }, expected);
      } finally {
        await some.system.dispose();
      }
    });
  }
});

suite("a panic", () => {
  test("is a 500 that names the request, one line, and nothing to the next request", async () => {
    const dying = await observed({ panickingWorker: "people" });
    const { people, join } = dying.system;
    try {
      assert.equal((await people.get("/v1/people/1")).status, 200);
      for (const id of ["panic-1", "panic-2"]) {
        const headers = { "x-panic": "1", "x-request-id": id };
        const died = await people.get("/v1/people/2", headers);
        assert.equal(died.status, 500);
        assert.deepEqual(JSON.parse(died.text), {
          type: "/problems/internal",
          title: "Something went wrong on our side",
          status: 500,
          detail: "The request could not be answered. It has been logged.",
          requestId: id,
        });
        assert.equal(died.headers["content-type"], "application/problem+json");
        const written = await dying.lines(id, 1);
        assert.equal(written.length, 1);
        assert.match(written[0]?.message ?? "", /capacity overflow|panicked/);
        assert.deepEqual([written[0]?.level, written[0]?.status], ["error", 500]);
        const next = await people.get("/v1/people/2");
        assert.equal(next.status, 200, next.text);
      }
      // Who waits beside a request that dies is answered, if only by the platform.
      const together = await Promise.all([
        people.get("/v1/people/2", { "x-panic": "1" }),
        people.get("/v1/people/3"),
        people.get("/v1/people/2", { "x-panic": "1" }),
      ]);
      for (const { status, text } of together) assert.ok([200, 500].includes(status), text);
      assert.equal(together[0]?.status, 500);
      assert.equal((await people.get("/v1/people/3")).status, 200);
      const through = await join.get("/v1/people/1", { "x-panic": "1", "x-request-id": "panic-3" });
      assert.deepEqual([through.status, through.json.service], [502, "people"]);
      assert.equal((await join.get("/v1/people/1")).status, 200);
      assert.equal((await join.send("PATCH", "/v1/people/1", { isKing: false })).status, 200);
    } finally {
      await dying.system.dispose();
    }
  });
});

suite("health", () => {
  test("is told without a token, and asked of nobody", async () => {
    await using closed = await start({ gatewaySettings: { READS: "token" }, countCosts: true });
    for (const worker of [closed.places, closed.people, closed.join]) {
      for (const path of ["/healthz", "/v1/healthz"]) {
        const alive = await worker.get(path);
        assert.deepEqual([alive.status, alive.json], [200, { status: "alive" }]);
      }
    }
    const costs = Object.values(await closed.takeCosts());
    assert.ok(costs.every(({ roundTrips, calls }) => roundTrips === 0 && calls === 0));
    const ready = await closed.join.get("/readyz");
    const checks = { database: "ready", people: "ready", places: "ready" };
    assert.deepEqual([ready.status, ready.json], [200, { status: "ready", checks }]);
    for (const worker of [closed.places, closed.people]) {
      const { status, json } = await worker.get("/readyz");
      assert.deepEqual([status, Object.keys(json.checks).length], [200, 2]);
    }
  });

  const failures = {
    fails: () => new Response("", { status: 500 }),
    hangs: () => new Promise<Response>(() => {}),
  };
  for (const [how, down] of Object.entries(failures)) {
    test(`names the service that ${how}, in bounded time`, async () => {
      await using broken = await start({ stubs: { people: down } });
      const began = Date.now();
      const { status, json, headers } = await broken.join.get("/readyz");
      assert.ok(Date.now() - began < 4000, "bounded");
      assert.deepEqual([status, json.type], [503, "/problems/not-ready"]);
      // The owner of places needs that of people, too.
      assert.deepEqual(json.failed, ["places", "people"]);
      assert.equal(headers["retry-after"], "5");
      assert.equal((await broken.join.get("/healthz")).status, 200);
      assert.deepEqual((await broken.places.get("/readyz")).json.failed, ["people"]);
    });
  }

  test("names the database that fails", async () => {
    const dying = await observed({ panickingWorker: "people" });
    try {
      const { status, json } = await dying.system.people.get("/readyz", { "x-broken": "1" });
      assert.deepEqual([status, json.failed], [503, ["database"]]);
    } finally {
      await dying.system.dispose();
    }
  });
});
