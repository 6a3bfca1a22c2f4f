// CORS: whom the setting ALLOWED_ORIGINS of the entry point lets read what, and nobody by default.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, suite, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { type Options, start, type WorkerClient } from "../support/harness.ts";

const friend = "https://map.example";
const local = "http://localhost:5173";
const list = ` ${friend} ,${local}, null, *`;
const open = (setting?: string, more: Options = {}) =>
  start({
    ...{ places, people, ...more },
    gatewaySettings: { WRITES: "open", ...(setting && { ALLOWED_ORIGINS: setting }) },
  });

const [closed, listed, star] = await Promise.all([open(), open(list), open("*")]);
// Written once, and only answered again from here on: what is below changes nothing.
for (const { join } of [closed, listed, star]) {
  const made = await join.send("POST", "/v1/people", { name: "A" }, { "idempotency-key": "k" });
  assert.equal(made.status, 201);
}
after(() => Promise.all([closed, listed, star].map((system) => system.dispose())));

const exposed = [
  ...["Accept-Patch", "Accept-Post", "Age", "Allow", "Cache-Status", "Content-Disposition"],
  ...["ETag", "Idempotency-Replayed", "Link", "Location", "Preference-Applied"],
  ...["RateLimit", "RateLimit-Policy", "Retry-After"],
  ...["Server-Timing", "WWW-Authenticate", "X-Change-Counter", "X-D1-Bookmark", "X-Request-Id"],
  ...["X-Total-Count", "X-Total-Dead", "X-Total-Living", "X-Total-Nowhere"],
].join(", ");
const sendable = [
  ...["Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"],
  ...["Prefer", "X-D1-Bookmark", "X-Request-Id", "traceparent"],
].join(", ");

type Headers = Record<string, string>;
type Case = [method: string, path: string, status: number, headers?: Headers, body?: string];

const json = { "content-type": "application/json" };
/** Answers of every kind, the join's own and its owners'. */
const cases: Case[] = [
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
  ["GET", "/v1/people/1", 304, { "if-none-match": '"1"' }],
  ["GET", "/v1/people-per-place/2", 304, { "if-none-match": 'W/"1j1.18"' }],
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
  ["PATCH", "/v1/people/1", 412, { ...json, "if-match": '"7"' }, "{}"],
  ["POST", "/v1/people", 415, { "content-type": "text/plain" }, "x"],
  ["POST", "/v1/people", 422, json, "{}"],
  ["PATCH", "/v1/people/1", 200, json, "{}"],
  ["POST", "/v1/people", 201, { ...json, "idempotency-key": "k" }, '{"name":"A"}'],
];

type Given = { status: number; headers: Headers; raw: string[]; text: string };

/** Asks with the very headers given, which `fetch` would not. */
function ask(worker: WorkerClient, [method, path, , headers, body]: Case, more: Headers = {}) {
  return new Promise<Given>((resolve, reject) => {
    // A connection of its own: the worker closes one whose body it has not read.
    const options = { method, headers: { ...headers, ...more }, agent: false };
    const sent = request(`${worker.url.origin}${path}`, options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      answer.on("end", () => {
        const raw = answer.rawHeaders.filter((_, n) => n % 2 === 0);
        const status = answer.statusCode ?? 0;
        resolve({ status, headers: answer.headers as Headers, raw, text });
      });
    });
    sent.on("error", reject).end(body);
  });
}

/** What of an answer is about other origins. */
const ofCors = ({ headers }: Given): Headers => {
  const names = Object.keys(headers).filter((name) => name.startsWith("access-control-"));
  return Object.fromEntries(names.map((name) => [name, headers[name] ?? ""]));
};
/** A problem without what its request is called. */
const nameless = (text: string) => text.replace(/"requestId":"[0-9a-f]{32}"/, "");
const varies = ({ headers }: Given) => (headers.vary ?? "").split(", ").filter(Boolean);
const from = (origin: string) => ({ origin });
const asking = (method: string) => ({ "access-control-request-method": method });
const letIn = (origin: string) => ({
  "access-control-allow-origin": origin,
  "access-control-expose-headers": exposed,
});

suite("without the setting", () => {
  test("no_answer_speaks_of_other_origins", async () => {
    for (const one of cases) {
      for (const origin of [friend, "null", "*"]) {
        const what = `${one[0]} ${one[1]} ${one[2]}`;
        const given = await ask(closed.join, one, from(origin));
        assert.equal(given.status, one[2], `${what}: ${given.text}`);
        assert.deepEqual([ofCors(given), varies(given).includes("origin")], [{}, false], what);
      }
    }
    for (const path of ["/v1/people", "/v1/people-per-place"]) {
      const given = await ask(closed.join, ["OPTIONS", path, 204], {
        ...from(friend),
        ...asking("GET"),
      });
      assert.deepEqual([given.status, ofCors(given)], [204, {}]);
    }
  });

  test("an_empty_setting_is_none", async () => {
    await using empty = await open(" ");
    const given = await ask(empty.join, ["GET", "/v1/people", 200], from(friend));
    assert.deepEqual([ofCors(given), varies(given)], [{}, ["accept"]]);
  });
});

suite("with a list", () => {
  test("who_is_on_it_is_let_in_to_every_answer_and_each_varies_by_origin", async () => {
    for (const origin of [friend, local]) {
      for (const one of cases) {
        const given = await ask(listed.join, one, from(origin));
        const what = `${one[0]} ${one[1]} ${one[2]} ${given.status}`;
        assert.equal(given.status, one[2], what);
        assert.deepEqual(ofCors(given), letIn(origin), what);
        assert.deepEqual(
          varies(given).filter((name) => name === "origin"),
          ["origin"],
          what,
        );
        const lower = given.raw.map((name) => name.toLowerCase());
        assert.equal(new Set(lower).size, lower.length, `${what}: nothing is there twice`);
      }
    }
  });

  test("nobody_else_is_and_the_answer_is_the_same", async () => {
    const strangers = [
      ...["https://evil.example", "null", "*", "", "https://map.example.", `${friend}/`],
      ...[`${friend}.evil.example`, "https://evilmap.example", "https://MAP.example"],
      ...["http://map.example", `${friend}:443`, `${friend}, ${local}`, `${friend},${local}`],
      ...["map.example", "//map.example", "http://localhost", "http://localhost:51730"],
      ...["https://map.example@evil.example", "https://evil.example#https://map.example"],
      ...["javascript://map.example", `${friend}%00`, `${friend} evil`, "x".repeat(5000)],
    ];
    for (const origin of strangers) {
      for (const one of cases) {
        const [asked, plain] = [
          await ask(listed.join, one, from(origin)),
          await ask(listed.join, one),
        ];
        const what = `${origin.slice(0, 50)} ${one[0]} ${one[1]}`;
        assert.deepEqual([asked.status, ofCors(asked)], [one[2], {}], what);
        assert.deepEqual(varies(asked), varies(plain), what);
        assert.ok(varies(asked).includes("origin"), what);
        assert.equal(nameless(asked.text), nameless(plain.text), what);
      }
    }
  });
});

suite("with a star", () => {
  test("everybody_is_let_in_without_credentials_and_nothing_varies", async () => {
    for (const one of cases) {
      for (const headers of [from(friend), from("null"), {}, { ...from(friend), cookie: "a=b" }]) {
        const given = await ask(star.join, one, headers);
        assert.deepEqual(ofCors(given), letIn("*"), `${one[0]} ${one[1]}`);
        assert.ok(!varies(given).includes("origin"));
      }
    }
  });
});

suite("a preflight", () => {
  test("says_what_the_route_allows", async () => {
    for (const [path, methods] of [
      ["/v1", "GET, HEAD, OPTIONS"],
      ["/v1/people-per-place", "GET, HEAD, OPTIONS"],
      ["/v1/integrity/repair", "POST, OPTIONS"],
      ["/v1/places", "GET, HEAD, POST, OPTIONS"],
      ["/people/", "GET, HEAD, POST, OPTIONS"],
      ["/v1/people/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"],
      ["/v1/people/import", "POST, OPTIONS"],
      ["/v1/people/export", "GET, HEAD, OPTIONS"],
    ] as const) {
      for (const [system, origin, allowed] of [
        [listed, friend, friend],
        [star, "null", "*"],
      ] as const) {
        const headers = { ...from(origin), ...asking("PATCH") };
        const given = await ask(system.join, ["OPTIONS", path, 204], headers);
        assert.deepEqual([given.status, given.text], [204, ""], path);
        assert.equal(given.headers.allow, methods);
        const expected = {
          "access-control-allow-origin": allowed,
          "access-control-allow-methods": methods,
          "access-control-allow-headers": sendable,
          "access-control-max-age": "7200",
        };
        assert.deepEqual(ofCors(given), expected, path);
        assert.equal(varies(given).includes("origin"), system === listed);
      }
    }
  });

  test("of_a_stranger_is_an_options_like_any", async () => {
    const headers = { ...from("https://evil.example"), ...asking("DELETE") };
    const given = await ask(listed.join, ["OPTIONS", "/v1/people/1", 204], headers);
    assert.deepEqual([given.status, ofCors(given), varies(given)], [204, {}, ["origin"]]);
    assert.ok(given.headers.allow?.includes("DELETE"));
  });

  test("of_no_route_fails_and_one_that_is_no_options_is_none", async () => {
    const headers = { ...from(friend), ...asking("GET") };
    const missing = await ask(listed.join, ["OPTIONS", "/v1/x", 404], headers);
    assert.deepEqual([missing.status, ofCors(missing)], [404, letIn(friend)]);
    const get = await ask(listed.join, ["GET", "/v1/people/1", 200], headers);
    assert.deepEqual([get.status, ofCors(get)], [200, letIn(friend)]);
  });

  test("runs_no_statement", async () => {
    await using counted = await open("*", { countCosts: true });
    await counted.takeRoundTrips();
    const headers = { ...from(friend), ...asking("DELETE") };
    await ask(counted.join, ["OPTIONS", "/v1/people/1", 204], headers);
    assert.deepEqual(await counted.takeRoundTrips(), { places: 0, people: 0, join: 0 });
  });
});

test("what_an_owner_says_to_other_origins_is_not_said_twice", async () => {
  const loose = (request: Request) => {
    const id = { "x-request-id": request.headers.get("x-request-id") ?? "" };
    const says = { "access-control-allow-origin": "*", "access-control-expose-headers": "x-a" };
    return new Response("{}", { headers: { ...id, ...says, vary: "accept", "x-b": "1" } });
  };
  await using both = await open(list, { stubs: { people: loose } });
  const given = await ask(both.join, ["GET", "/v1/people/1", 200], from(friend));
  assert.deepEqual(ofCors(given), letIn(friend));
  assert.deepEqual([varies(given), given.headers["x-b"]], [["accept", "origin"], "1"]);
});

test("who_may_not_write_is_told_so_at_another_origin_too", async () => {
  const settings = { ALLOWED_ORIGINS: list };
  await using guarded = await start({ places, people, gatewaySettings: settings });
  const one: Case = ["POST", "/v1/people", 401, json, '{"name":"A"}'];
  const given = await ask(guarded.join, one, from(friend));
  assert.deepEqual([given.status, ofCors(given)], [401, letIn(friend)]);
  // A browser sends no token with the question whether it may.
  const headers = { ...from(friend), ...asking("POST") };
  const preflight = await ask(guarded.join, ["OPTIONS", "/v1/people", 204], headers);
  assert.equal(preflight.status, 204);
  assert.ok(preflight.headers["access-control-allow-headers"]?.includes("Authorization"));
});

test("an_answer_that_has_another_origin_added_is_the_same_otherwise", async () => {
  const crowd = Array.from({ length: 12_000 }, (_, n) => {
    return { id: n + 1, name: `Ñ${n}`, isAlive: true, placeId: 1, isKing: false };
  });
  await using one = await open("*", { people: crowd });
  await using other = await open(undefined, { people: crowd });
  for (const path of [
    "/v1/people/export",
    "/v1/people?limit=1000",
    "/v1/people/1",
    "/v1/people/x",
  ]) {
    const [dressed, plain] = [
      await ask(one.join, ["GET", path, 200], from(friend)),
      await ask(other.join, ["GET", path, 200]),
    ];
    assert.equal(nameless(dressed.text), nameless(plain.text), path);
    const { "access-control-allow-origin": _, ...rest } = dressed.headers;
    delete rest["access-control-expose-headers"];
    // Nor is it kept from being embedded elsewhere, and each request has a name of its own.
    assert.equal(rest["cross-origin-resource-policy"], "cross-origin");
    assert.equal(plain.headers["cross-origin-resource-policy"], "same-origin");
    for (const name of ["date", "x-request-id", "cross-origin-resource-policy"]) {
      delete rest[name];
      delete plain.headers[name];
    }
    assert.deepEqual(rest, plain.headers, path);
  }
});

test("a_service_that_is_down_is_told_to_other_origins_too", async () => {
  const down = () => new Response("no", { status: 500 });
  await using broken = await open(list, { stubs: { people: down } });
  for (const [path, status] of [
    ["/v1/people", 502],
    ["/v1/people-per-place", 200],
    ["/v1/statistics/places", 502],
    ["/v1/integrity", 502],
  ] as const) {
    const given = await ask(broken.join, ["GET", path, status], from(friend));
    assert.deepEqual([given.status, ofCors(given)], [status, letIn(friend)], path);
  }
});

test("every_header_that_an_answer_has_may_be_read", async () => {
  const free = "cache-control content-language content-length content-type expires last-modified";
  const known = new Set([...free.split(" "), "pragma", ...exposed.toLowerCase().split(", ")]);
  // These are the protocol's, the connection's or the browser's own.
  const ours = "vary date connection keep-alive transfer-encoding x-content-type-options";
  const browsers = "cross-origin-resource-policy permissions-policy referrer-policy";
  for (const name of `${ours} ${browsers}`.split(" ")) known.add(name);
  for (const one of cases) {
    const given = await ask(star.join, one, from(friend));
    for (const name of Object.keys(given.headers)) {
      assert.ok(known.has(name) || name.startsWith("access-control-"), `${one[1]}: ${name}`);
    }
  }
});
