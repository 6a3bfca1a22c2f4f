// Tests CORS: the gateway's setting ALLOWED_ORIGINS decides which origins may read responses.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import {
  allowedHeaders,
  allowedOrigin,
  corsHeaders,
  EXPOSED_HEADERS,
  fromOrigin,
  localOrigin,
  originList,
  type RequestCase,
  requestMethod,
  sendFrom,
  startWithOrigins,
  varyOf,
  withoutRequestId,
  withToken,
} from "../support/cors_helpers.ts";
import { EPOCH, makePeople, people, places, tag } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";

const [withoutSetting, withList, withStar] = await Promise.all([
  startWithOrigins(),
  startWithOrigins(originList),
  startWithOrigins("*"),
]);
// The idempotency key makes later identical requests replay this write, so no test changes data.
for (const { join } of [withoutSetting, withList, withStar]) {
  const headers = { ...withToken, "idempotency-key": "k" };
  const created = await join.send("POST", "/v1/people", { name: "A" }, headers);
  assert.equal(created.status, 201);
}
after(() => Promise.all([withoutSetting, withList, withStar].map((system) => system.dispose())));

const json = { "content-type": "application/json" };
/** Requests for every kind of response, of the gateway itself and of its backends. */
const cases: RequestCase[] = [
  ["GET", "/v1", 200],
  ["GET", "/v1/places?limit=2&count=exact", 200],
  ["GET", "/v1/people/1", 200],
  ["GET", "/v1/people-per-place", 200],
  ["GET", "/v1/people/export", 200],
  ["GET", "/v1/statistics/places", 200, { accept: "text/csv" }],
  ["GET", "/v1/people/population", 200],
  ["GET", "/v1/changes", 200],
  ["HEAD", "/v1/people", 200],
  ["HEAD", "/v1/people-per-place", 200],
  ["OPTIONS", "/v1/people-per-place", 204],
  ["OPTIONS", "/v1/people/1", 204],
  ["GET", "/v1/people/1", 304, { "if-none-match": tag(1) }],
  ["GET", "/v1/people-per-place/2", 304, { "if-none-match": `W/"1j1.${EPOCH}-18.${EPOCH}"` }],
  ["GET", "/v1/x", 404],
  ["GET", "/v1/people/999", 404],
  ["GET", "/v1/people-per-place/999", 404],
  ["GET", "/v1/people?limit=0", 400],
  ["GET", "/v1/changes?limit=0", 400],
  ["DELETE", "/v1/people-per-place", 405],
  ["DELETE", "/v1/people", 405],
  ["GET", "/v1/people", 406, { accept: "text/html" }],
  ["GET", "/v1/people-per-place", 406, { accept: "text/html" }],
  ["DELETE", "/v1/places/1", 409],
  ["PATCH", "/v1/people/1", 412, { ...json, "if-match": tag(7) }, "{}"],
  ["POST", "/v1/people", 415, { "content-type": "text/plain" }, "x"],
  ["POST", "/v1/people", 422, json, "{}"],
  ["PATCH", "/v1/people/1", 200, json, "{}"],
  ["POST", "/v1/people", 201, { ...json, "idempotency-key": "k" }, '{"name":"A"}'],
];

suite("CORS without the setting", () => {
  test("no_response_has_cors_headers_without_allowed_origins", async () => {
    for (const requestCase of cases) {
      for (const origin of [allowedOrigin, "null", "*"]) {
        const message = `${requestCase[0]} ${requestCase[1]} ${requestCase[2]}`;
        const response = await sendFrom(withoutSetting.join, requestCase, fromOrigin(origin));
        assert.equal(response.status, requestCase[2], `${message}: ${response.text}`);
        assert.deepEqual(
          [corsHeaders(response), varyOf(response).includes("origin")],
          [{}, false],
          message,
        );
      }
    }
    for (const path of ["/v1/people", "/v1/people-per-place"]) {
      const response = await sendFrom(withoutSetting.join, ["OPTIONS", path, 204], {
        ...fromOrigin(allowedOrigin),
        ...requestMethod("GET"),
      });
      assert.deepEqual([response.status, corsHeaders(response)], [204, {}]);
    }
  });

  test("an_empty_list_of_origins_allows_none", async () => {
    await using empty = await startWithOrigins(" ");
    const response = await sendFrom(
      empty.join,
      ["GET", "/v1/people", 200],
      fromOrigin(allowedOrigin),
    );
    assert.deepEqual([corsHeaders(response), varyOf(response)], [{}, ["accept"]]);
  });
});

suite("CORS with a list of origins", () => {
  test("a_listed_origin_may_read_every_response_and_each_varies_by_origin", async () => {
    for (const origin of [allowedOrigin, localOrigin]) {
      for (const requestCase of cases) {
        const response = await sendFrom(withList.join, requestCase, fromOrigin(origin));
        const message = `${requestCase[0]} ${requestCase[1]} ${requestCase[2]} ${response.status}`;
        assert.equal(response.status, requestCase[2], message);
        assert.deepEqual(corsHeaders(response), allowedHeaders(origin), message);
        assert.deepEqual(
          varyOf(response).filter((name) => name === "origin"),
          ["origin"],
          message,
        );
        const lower = response.raw.map((name) => name.toLowerCase());
        assert.equal(new Set(lower).size, lower.length, `${message}: no header is repeated`);
      }
    }
  });

  test("an_unlisted_origin_gets_the_same_responses_without_cors_headers", async () => {
    const otherOrigins = [
      ...["https://evil.example", "null", "*", "", "https://map.example.", `${allowedOrigin}/`],
      ...[`${allowedOrigin}.evil.example`, "https://evilmap.example", "https://MAP.example"],
      ...[
        "http://map.example",
        `${allowedOrigin}:443`,
        `${allowedOrigin}, ${localOrigin}`,
        `${allowedOrigin},${localOrigin}`,
      ],
      ...["map.example", "//map.example", "http://localhost", "http://localhost:51730"],
      ...["https://map.example@evil.example", "https://evil.example#https://map.example"],
      ...[
        "javascript://map.example",
        `${allowedOrigin}%00`,
        `${allowedOrigin} evil`,
        "x".repeat(5000),
      ],
    ];
    for (const origin of otherOrigins) {
      for (const requestCase of cases) {
        const [response, plain] = [
          await sendFrom(withList.join, requestCase, fromOrigin(origin)),
          await sendFrom(withList.join, requestCase),
        ];
        const message = `${origin.slice(0, 50)} ${requestCase[0]} ${requestCase[1]}`;
        assert.deepEqual([response.status, corsHeaders(response)], [requestCase[2], {}], message);
        assert.deepEqual(varyOf(response), varyOf(plain), message);
        assert.ok(varyOf(response).includes("origin"), message);
        assert.equal(withoutRequestId(response.text), withoutRequestId(plain.text), message);
      }
    }
  });
});

suite("CORS with a star", () => {
  test("any_origin_may_read_without_credentials_when_a_star_is_set", async () => {
    for (const requestCase of cases) {
      for (const headers of [
        fromOrigin(allowedOrigin),
        fromOrigin("null"),
        {},
        { ...fromOrigin(allowedOrigin), cookie: "a=b" },
      ]) {
        const response = await sendFrom(withStar.join, requestCase, headers);
        assert.deepEqual(
          corsHeaders(response),
          allowedHeaders("*"),
          `${requestCase[0]} ${requestCase[1]}`,
        );
        assert.ok(!varyOf(response).includes("origin"));
      }
    }
  });
});

test("the_cors_headers_of_a_backend_are_replaced", async () => {
  const permissive = (request: Request) => {
    const id = { "x-request-id": request.headers.get("x-request-id") ?? "" };
    const backendCors = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "x-a",
    };
    return new Response("{}", { headers: { ...id, ...backendCors, vary: "accept", "x-b": "1" } });
  };
  await using both = await startWithOrigins(originList, { stubs: { people: permissive } });
  const response = await sendFrom(
    both.join,
    ["GET", "/v1/people/1", 200],
    fromOrigin(allowedOrigin),
  );
  assert.deepEqual(corsHeaders(response), allowedHeaders(allowedOrigin));
  assert.deepEqual([varyOf(response), response.headers["x-b"]], [["accept", "origin"], "1"]);
});

test("vary_names_a_header_once_if_the_backends_have_the_setting_too", async () => {
  const ALLOWED_ORIGINS = originList;
  await using both = await startWithOrigins(ALLOWED_ORIGINS, {
    backendSettings: { ALLOWED_ORIGINS },
  });
  for (const path of ["/v1/people", "/v1/people/1", "/v1/people-per-place", "/v1/people?limit=0"]) {
    for (const headers of [{}, fromOrigin(allowedOrigin), fromOrigin("https://evil.example")]) {
      const names = varyOf(await sendFrom(both.join, ["GET", path, 200], headers));
      assert.deepEqual([...names].sort(), [...new Set(names)].sort(), path);
      assert.ok(names.includes("origin"), path);
    }
  }
});

test("another_origin_can_read_a_401", async () => {
  const gatewaySettings = { ALLOWED_ORIGINS: originList };
  await using guarded = await start({ places, people, gatewaySettings });
  const requestCase: RequestCase = ["POST", "/v1/people", 401, json, '{"name":"A"}'];
  const response = await sendFrom(guarded.join, requestCase, fromOrigin(allowedOrigin));
  assert.deepEqual([response.status, corsHeaders(response)], [401, allowedHeaders(allowedOrigin)]);
  // A browser sends no token with a preflight.
  const headers = { ...fromOrigin(allowedOrigin), ...requestMethod("POST") };
  const preflight = await sendFrom(guarded.join, ["OPTIONS", "/v1/people", 204], headers);
  assert.equal(preflight.status, 204);
  assert.ok(preflight.headers["access-control-allow-headers"]?.includes("Authorization"));
});

test("cors_headers_change_nothing_else_in_a_response", async () => {
  const manyPeople = makePeople(12_000, 1).map((person) => ({ ...person, name: `Ñ${person.id}` }));
  await using open = await startWithOrigins("*", { people: manyPeople });
  await using closed = await startWithOrigins(undefined, { people: manyPeople });
  for (const path of [
    "/v1/people/export",
    "/v1/people?limit=1000",
    "/v1/people/1",
    "/v1/people/x",
  ]) {
    const [withCors, plain] = [
      await sendFrom(open.join, ["GET", path, 200], fromOrigin(allowedOrigin)),
      await sendFrom(closed.join, ["GET", path, 200]),
    ];
    assert.equal(withoutRequestId(withCors.text), withoutRequestId(plain.text), path);
    const { "access-control-allow-origin": _, ...rest } = withCors.headers;
    delete rest["access-control-expose-headers"];
    // An allowed origin may also embed the response.
    assert.equal(rest["cross-origin-resource-policy"], "cross-origin");
    assert.equal(plain.headers["cross-origin-resource-policy"], "same-origin");
    for (const name of ["date", "x-request-id", "cross-origin-resource-policy"]) {
      delete rest[name];
      delete plain.headers[name];
    }
    assert.deepEqual(rest, plain.headers, path);
  }
});

test("another_origin_can_read_the_problem_of_a_failed_service", async () => {
  const down = () => new Response("no", { status: 500 });
  await using broken = await startWithOrigins(originList, { stubs: { people: down } });
  for (const [path, status] of [
    ["/v1/people", 502],
    ["/v1/people-per-place", 200],
    ["/v1/statistics/places", 502],
    ["/v1/integrity", 502],
  ] as const) {
    const response = await sendFrom(broken.join, ["GET", path, status], fromOrigin(allowedOrigin));
    assert.deepEqual(
      [response.status, corsHeaders(response)],
      [status, allowedHeaders(allowedOrigin)],
      path,
    );
  }
});

test("every_response_header_is_exposed_to_other_origins", async () => {
  const free = "cache-control content-language content-length content-type expires last-modified";
  const known = new Set([
    ...free.split(" "),
    "pragma",
    ...EXPOSED_HEADERS.toLowerCase().split(", "),
  ]);
  // These belong to the protocol, to the connection, or are only for the browser.
  const ours = "vary date connection keep-alive transfer-encoding x-content-type-options";
  const browsers = "cross-origin-resource-policy permissions-policy referrer-policy";
  for (const name of `${ours} ${browsers}`.split(" ")) known.add(name);
  for (const requestCase of cases) {
    const response = await sendFrom(withStar.join, requestCase, fromOrigin(allowedOrigin));
    for (const name of Object.keys(response.headers)) {
      assert.ok(
        known.has(name) || name.startsWith("access-control-"),
        `${requestCase[1]}: ${name}`,
      );
    }
  }
});
