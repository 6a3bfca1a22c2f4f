// Tests what the TypeScript client (clients/typescript) does when the network, a proxy or a service fails.
// Stand-ins take their places.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { body, connect, ProblemError } from "../../clients/typescript/src/index.ts";

const base = "http://registry.test";
const operation = `/v1/operations/${"a".repeat(32)}`;

type Reply = (request: Request) => Response;

/** A network that returns these responses, the last one again and again. `times` are those of the requests. */
function network(...replies: Reply[]) {
  const sent: Request[] = [];
  const times: number[] = [];
  const fetch = async (request: Request) => {
    sent.push(request);
    times.push(performance.now());
    const reply = replies[sent.length - 1] ?? replies.at(-1);
    assert.ok(reply);
    return reply(request);
  };
  return { sent, times, fetch };
}

const problem =
  (status: number, kind: string, members: object = {}, headers: Record<string, string> = {}) =>
  () =>
    new Response(
      JSON.stringify({ type: `/problems/${kind}`, title: kind, detail: "", status, ...members }),
      { status, headers: { "content-type": "application/problem+json", ...headers } },
    );

const place = (id = 1) => Response.json({ id, name: "x" }, { headers: { etag: '"1.a"' } });

const accepted = (location = operation) =>
  new Response(null, { status: 202, headers: { location } });

/** Starts a server on loopback, and stops it after the test. */
async function serve(
  t: TestContext,
  respond: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const server = createServer(respond);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** The error of a call. */
async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => assert.fail("there is no error"),
    (error) => error,
  );
}

suite("waits for a retry", () => {
  const requestTimes = async (retryAfter: () => string) => {
    const unavailable = () =>
      new Response("", { status: 503, headers: { "retry-after": retryAfter() } });
    const { fetch, times } = network(unavailable, () => place());
    await connect(base, { fetch }).api.GET("/v1/places/{id}", { params: { path: { id: 1 } } });
    return times;
  };

  test("a_retry_waits_until_the_date_in_retry_after", async () => {
    const date = () => new Date(Date.now() + 2000).toUTCString();
    const [first = 0, second = 0] = await requestTimes(date);
    // The date has no fraction of a second.
    assert.ok(second - first > 900 && second - first < 3000, `${second - first} ms`);
  });

  for (const [name, value] of [
    ["past", "Sun, 06 Nov 1994 08:49:37 GMT"],
    ["zero", "0"],
    ["negative", "-5"],
    ["invalid", "soon"],
    ["repeated", "1, 1"],
  ] as const) {
    test(`a_retry_after_that_is_${name}_does_not_shorten_the_wait`, async () => {
      const [first = 0, second = 0] = await requestTimes(() => value);
      assert.ok(second - first > 90, `${second - first} ms`);
    });
  }

  for (const value of ["61", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]) {
    test(`an_error_with_the_retry_after_${value}_is_thrown_at_once`, async () => {
      const headers = { "retry-after": value };
      const { fetch, sent } = network(problem(429, "too-many-requests", {}, headers));
      const error = await errorOf(connect(base, { fetch }).api.GET("/v1"));
      assert.ok(error instanceof ProblemError && error.is("too-many-requests"));
      assert.equal(error.response.headers.get("retry-after"), value);
      assert.equal(sent.length, 1);
    });
  }
});

suite("limits of time", () => {
  const busy = problem(429, "too-many-requests", {}, { "retry-after": "60" });
  const conflict = problem(412, "precondition-failed");
  const running = () => Response.json({ status: "running", done: 1, remaining: 1 });
  const patch = () => ({ name: "y" });
  type Client = ReturnType<typeof connect>;
  for (const [name, replies, call, count] of [
    ["api", [busy], ({ api }: Client, signal: AbortSignal) => api.GET("/v1", { signal }), 1],
    [
      "all",
      [busy],
      (client: Client, signal: AbortSignal) => client.all("/v1/places", { signal }).next(),
      1,
    ],
    [
      "export",
      [busy],
      (client: Client, signal: AbortSignal) =>
        client.export("/v1/places/export", {}, { signal }).next(),
      1,
    ],
    [
      "change_that_waits_for_a_retry",
      [() => place(), busy],
      (client: Client, signal: AbortSignal) =>
        client.change("/v1/places/{id}", 1, patch, { signal }),
      2,
    ],
    [
      "deletion_that_waits_for_its_end",
      [() => accepted(), running],
      (client: Client, signal: AbortSignal) => client.deletePlace(3, { signal }),
      2,
    ],
  ] as const) {
    test(`an_abort_ends_a_wait_of_${name}`, async () => {
      const { fetch, sent } = network(...replies);
      const controller = new AbortController();
      const reason = new Error("no longer needed");
      const began = performance.now();
      setTimeout(() => controller.abort(reason), 50);
      const error = await errorOf(call(connect(base, { fetch }), controller.signal));
      assert.equal(error, reason);
      assert.ok(performance.now() - began < 1000);
      assert.equal(sent.length, count);
    });
  }

  test("an_abort_ends_a_change_that_conflicts_again_and_again", async () => {
    const controller = new AbortController();
    const { fetch, sent } = network(({ method }) => {
      if (sent.length === 4) controller.abort();
      return method === "GET" ? place() : conflict();
    });
    const { signal } = controller;
    const changed = connect(base, { fetch }).change("/v1/places/{id}", 1, patch, { signal });
    assert.equal(((await errorOf(changed)) as Error).name, "AbortError");
    assert.equal(sent.length, 4);
  });

  test("an_abort_ends_a_body_after_a_garbage_collection", async (t) => {
    const { url } = await serve(t, (_, response) => {
      response.write("{}\n");
    });
    setFlagsFromString("--expose_gc");
    const collect = runInNewContext("gc");
    const controller = new AbortController();
    const { signal } = controller;
    const stream = await body(connect(url).api.GET("/v1/changes", { parseAs: "stream", signal }));
    const reader = (stream as unknown as ReadableStream).getReader();
    await reader.read();
    for (let n = 0; n < 10; n += 1) {
      await sleep(10);
      collect();
    }
    controller.abort();
    const ended = await Promise.race([errorOf(reader.read()), sleep(1000, "still reading")]);
    assert.equal((ended as Error).name, "AbortError");
  });

  test("a_deletion_without_a_signal_waits_for_ten_minutes_at_most", async (t) => {
    const controller = new AbortController();
    const limit = t.mock.method(AbortSignal, "timeout", () => controller.signal);
    const { fetch } = network(() => accepted(), running);
    const deleted = connect(base, { fetch }).deletePlace(3);
    assert.deepEqual(
      limit.mock.calls.map((call) => call.arguments),
      [[600_000]],
    );
    const reason = new DOMException("too late", "TimeoutError");
    controller.abort(reason);
    assert.equal(await errorOf(deleted), reason);
  });

  test("a_request_without_a_response_ends_at_the_timeout", async (t) => {
    const { url } = await serve(t, () => {});
    const began = performance.now();
    const request = connect(url, { timeout: 200 }).api.GET("/v1");
    const ended = await Promise.race([errorOf(request), sleep(2000, "still waiting")]);
    assert.equal((ended as Error).name, "TimeoutError");
    assert.ok(performance.now() - began > 190);
  });

  test("the_timeout_includes_the_waits_for_retries", async () => {
    const { fetch, sent } = network(busy);
    const ended = await errorOf(connect(base, { fetch, timeout: 100 }).api.GET("/v1"));
    assert.equal((ended as Error).name, "TimeoutError");
    assert.equal(sent.length, 1);
  });

  for (const timeout of [200, Number.POSITIVE_INFINITY]) {
    test(`a_body_may_take_longer_than_the_timeout_${timeout}`, async (t) => {
      const { url } = await serve(t, async (_, response) => {
        response.write('{"id":1}\n');
        await sleep(400);
        response.end('{"complete":true}\n');
      });
      const records = connect(url, { timeout }).export("/v1/places/export");
      assert.deepEqual(await Array.fromAsync(records), [{ id: 1 }]);
    });
  }
});

suite("problem documents", () => {
  for (const mediaType of [
    "application/problem+json; charset=utf-8",
    "application/problem+json;charset=utf-8",
    "Application/Problem+JSON",
  ]) {
    test(`a_problem_of_the_media_type_${mediaType}_is_read`, async () => {
      const headers = { "content-type": mediaType };
      const { fetch } = network(problem(409, "place-has-king", {}, headers));
      const error = await errorOf(connect(base, { fetch }).api.GET("/v1"));
      assert.ok(error instanceof ProblemError && error.is("place-has-king"));
    });
  }

  test("a_conflict_of_a_media_type_with_a_parameter_repeats_a_change", async () => {
    const headers = { "content-type": "application/problem+json; charset=utf-8" };
    const replies = [() => place(), problem(412, "precondition-failed", {}, headers)];
    const { fetch, sent } = network(...replies, () => place());
    await connect(base, { fetch }).change("/v1/places/{id}", 1, () => ({ name: "y" }));
    assert.deepEqual(
      sent.map(({ method }) => method),
      ["GET", "PATCH", "GET", "PATCH"],
    );
  });

  const brokenOff = () =>
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"type":"/pro')),
      pull: (controller) => controller.error(new TypeError("terminated")),
    });
  for (const [name, content] of [
    ["is_truncated", () => '{"type":"/problems/place-has-k'],
    ["breaks_off", brokenOff],
    ["is_empty", () => ""],
    ["is_null", () => "null"],
    ["has_no_type", () => "[]"],
  ] as const) {
    test(`a_problem_that_${name}_is_thrown_with_its_status`, async () => {
      const headers = { "content-type": "application/problem+json" };
      const { fetch } = network(() => new Response(content(), { status: 409, headers }));
      const error = await errorOf(connect(base, { fetch }).api.GET("/v1"));
      assert.ok(error instanceof ProblemError, String(error));
      assert.ok(error.is("service-failed"));
      assert.deepEqual([error.problem.status, error.problem.outcome], [409, undefined]);
    });
  }

  test("the_outcome_of_a_write_is_unknown_if_a_proxy_responds_for_the_service", async () => {
    const outcome = async (method: "get" | "delete", status: number) => {
      const { fetch } = network(() => new Response("<h1>Oops</h1>", { status }));
      const { api } = connect(base, { fetch, retries: 0 });
      const error = await errorOf(
        api.request(method, "/v1/people/{id}", {
          params: { path: { id: 1 } },
        }),
      );
      return (error as ProblemError).problem.outcome;
    };
    assert.equal(await outcome("delete", 502), "unknown");
    assert.equal(await outcome("delete", 404), undefined);
    assert.equal(await outcome("get", 502), undefined);
  });
});

suite("retries of writes", () => {
  const now = { "retry-after": "0" };
  const unknown = { outcome: "unknown" };
  const patch = async (reply: Reply) => {
    const { fetch, sent } = network(reply, () => place());
    const { api } = connect(base, { fetch });
    const params = { path: { id: 1 } };
    const error = await api.PATCH("/v1/places/{id}", { params, body: { name: "y" } }).then(
      () => undefined,
      (error) => error as ProblemError,
    );
    return [sent.length, error?.problem.outcome];
  };

  test("a_write_that_had_no_effect_is_repeated_whatever_its_method", async () => {
    assert.deepEqual(await patch(problem(429, "too-many-requests", {}, now)), [2, undefined]);
    assert.deepEqual(await patch(problem(503, "updating", {}, now)), [2, undefined]);
    assert.deepEqual(await patch(problem(409, "being-written", {}, now)), [2, undefined]);
    const limited = () => new Response("slow down", { status: 429, headers: now });
    assert.deepEqual(await patch(limited), [2, undefined]);
  });

  test("a_write_of_unknown_outcome_is_not_repeated_although_there_is_retry_after", async () => {
    assert.deepEqual(await patch(problem(503, "overloaded", unknown, now)), [1, "unknown"]);
    const proxy = () => new Response("<h1>Oops</h1>", { status: 503, headers: now });
    assert.deepEqual(await patch(proxy), [1, "unknown"]);
  });

  test("a_change_is_repeated_after_the_limit_of_calls", async () => {
    const limited = problem(429, "too-many-requests", {}, now);
    const { fetch, sent } = network(
      () => place(),
      limited,
      () => place(),
    );
    await connect(base, { fetch }).change("/v1/places/{id}", 1, () => ({ name: "y" }));
    assert.equal(sent.length, 3);
  });

  test("a_creation_of_unknown_outcome_is_repeated_with_its_key", async () => {
    const { fetch, sent } = network(problem(503, "overloaded", unknown, now), () => place());
    await connect(base, { fetch }).api.POST("/v1/places", { body: { name: "x" } });
    const keys = sent.map(({ headers }) => headers.get("idempotency-key"));
    assert.equal(keys.length, 2);
    assert.equal(keys[0], keys[1]);
  });
});

for (const [name, type] of [
  ["a_page", "text/html"],
  ["a_problem", "application/problem+json"],
] as const) {
  test(`retries_after_${name}_use_one_connection`, async (t) => {
    let count = 0;
    const { server, url } = await serve(t, (_, response) => {
      count += 1;
      response.setHeader("content-type", count < 3 ? type : "application/json");
      response.statusCode = count < 3 ? 503 : 200;
      // It fits into no buffer, so the connection is free only if the client reads or cancels it.
      response.end(count < 3 ? "x".repeat(1 << 20) : "{}");
    });
    const connections = new Set();
    server.on("connection", (socket) => connections.add(socket));
    await connect(url).api.GET("/v1");
    assert.deepEqual([count, connections.size], [3, 1]);
  });
}

suite("addresses", () => {
  const paths = async (baseUrl: string, link: (path: string) => string) => {
    const { fetch, sent } = network(({ method, url }) => {
      if (method === "DELETE") return accepted(link(operation));
      if (url.endsWith(operation)) return Response.json({ status: "done" });
      if (url.includes("/export") && !url.includes("after"))
        return new Response(`{"complete":false,"next":"${link("/v1/places/export?after=1")}"}\n`);
      if (url.includes("/export")) return new Response('{"complete":true}\n');
      if (url.endsWith("/v1/places/1")) return place();
      const next = { link: `<${link("/v1/places?after=1")}>; rel="next"` };
      return Response.json([], { headers: url.includes("after") ? {} : next });
    });
    const client = connect(baseUrl, { fetch });
    await client.api.GET("/v1/places");
    await Array.fromAsync(client.all("/v1/places"));
    await Array.fromAsync(client.export("/v1/places/export"));
    await client.deletePlace(3);
    await client.change("/v1/places/{id}", 1, () => ({ name: "y" }));
    return sent.map(({ method, url }) => `${method} ${url}`);
  };
  const expected = (prefix: string) => [
    `GET ${prefix}/v1/places`,
    `GET ${prefix}/v1/places?`,
    `GET ${prefix}/v1/places?after=1`,
    `GET ${prefix}/v1/places/export?format=ndjson`,
    `GET ${prefix}/v1/places/export?after=1`,
    `DELETE ${prefix}/v1/places/3`,
    `GET ${prefix}${operation}`,
    `GET ${prefix}/v1/places/1`,
    `PATCH ${prefix}/v1/places/1`,
  ];
  for (const [name, baseUrl, link] of [
    ["a_base_url_with_a_path", `${base}/registry`, (path: string) => path],
    ["a_base_url_with_a_slash", `${base}/registry/`, (path: string) => path],
    ["a_proxy_that_adds_its_path", `${base}/registry`, (path: string) => `/registry${path}`],
    [
      "a_service_that_does_not_know_its_address",
      `${base}/registry`,
      (path: string) => `http://internal:8080${path}`,
    ],
    ["a_path_that_is_also_one_of_the_api", `${base}/v1`, (path: string) => path],
    ["a_base_url_without_a_path", base, (path: string) => path],
  ] as const) {
    test(`all_calls_have_the_address_of_${name}`, async () => {
      assert.deepEqual(await paths(baseUrl, link), expected(baseUrl.replace(/\/$/, "")));
    });
  }

  test("a_list_has_all_pages_if_a_proxy_adds_links", async () => {
    const next = '</v1/places?after=1>; rel="next"';
    const first = (link: string) => () => Response.json([1], { headers: { link } });
    for (const link of [`${next}, </x>; rel="first"`, `</a.css>; rel=preload, ${next}`]) {
      const { fetch } = network(first(link), () => Response.json([2]));
      const items = await Array.fromAsync(connect(base, { fetch }).all("/v1/places"));
      assert.deepEqual(items, [1, 2]);
    }
  });
});

suite("deletions", () => {
  for (const [name, reply] of [
    ["a_202_without_a_location", () => new Response(null, { status: 202 })],
    ["a_page_of_a_proxy", () => new Response("<h1>Sign in</h1>")],
  ] as const) {
    test(`a_deletion_with_${name}_throws`, async () => {
      const { fetch, sent } = network(reply, () => Response.json({}));
      const deleted = errorOf(connect(base, { fetch }).deletePlace(3));
      const error = await Promise.race([deleted, sleep(1000, "still waiting")]);
      assert.match(String(error), /Error: the place 3 may not be deleted yet/);
      assert.equal(sent.length, 1);
    });
  }

  test("a_deletion_whose_status_is_unknown_throws", async () => {
    const { fetch, sent } = network(
      () => accepted(),
      () => Response.json({ status: "paused" }),
    );
    const deleted = errorOf(connect(base, { fetch }).deletePlace(3));
    const error = await Promise.race([deleted, sleep(1000, "still waiting")]);
    assert.match(String(error), /has no status of a deletion/);
    assert.equal(sent.length, 2);
  });
});
