// Tests the limits of requests, and the strictness of the parsers. It checks both sides of each
// limit.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { people, places, tag } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";

const system = await start({ places, people });
after(() => system.dispose());
const { join } = system;

const json = { "content-type": "application/json" };
const [malformed, invalid] = [
  [400, "/problems/malformed-body"],
  [422, "/problems/invalid-record"],
] as const;
const tooLarge = [413, "/problems/body-too-large"] as const;

/** A place with this name, which is given as JSON. */
const placeWithName = (name: string) => `{"name":${name}}`;
/** A person in this place, which is given as JSON. */
const personInPlace = (placeId: string) => `{"name":"P","isAlive":true,"placeId":${placeId}}`;
/** A body of this size. */
const bodyOfSize = (bytes: number) => `${placeWithName('"x"')}${" ".repeat(bytes - 12)}`;

const bodies: [what: string, path: string, body: string | Buffer, readonly [number, string]][] = [
  ["an empty body", "/v1/places", "", malformed],
  ["an array", "/v1/places", "[]", malformed],
  ["null", "/v1/places", "null", malformed],
  ["a string", "/v1/places", '"name"', malformed],
  ["two objects", "/v1/places", `${placeWithName('"a"')}${placeWithName('"b"')}`, malformed],
  ["a repeated member", "/v1/places", '{"name":"a","name":"b"}', malformed],
  ["a repeated member, once escaped", "/v1/places", '{"name":"a","n\\u0061me":"b"}', malformed],
  ["NaN", "/v1/people", personInPlace("NaN"), malformed],
  ["Infinity", "/v1/people", personInPlace("Infinity"), malformed],
  ["a number above the range of floats", "/v1/people", personInPlace("1e400"), malformed],
  ["a number with a leading zero", "/v1/people", personInPlace("01"), malformed],
  ["a number with a plus", "/v1/people", personInPlace("+1"), malformed],
  ["a hexadecimal number", "/v1/people", personInPlace("0x1"), malformed],
  ["a number above the greatest id", "/v1/people", personInPlace("9007199254740992"), invalid],
  ["a number of a hundred digits", "/v1/people", personInPlace("9".repeat(100)), invalid],
  ["a fraction", "/v1/people", personInPlace("1.5"), invalid],
  ["a negative id", "/v1/people", personInPlace("-1"), invalid],
  ["zero", "/v1/people", personInPlace("0"), invalid],
  ["a number as a string", "/v1/people", personInPlace('"1"'), invalid],
  ["a lone surrogate", "/v1/places", placeWithName('"\\ud800"'), malformed],
  ["a surrogate in the wrong order", "/v1/places", placeWithName('"\\udc00\\ud800"'), malformed],
  [
    "a byte that is not UTF-8",
    "/v1/places",
    Buffer.from([...Buffer.from('{"name":"'), 0xff, 34, 125]),
    malformed,
  ],
  ["a byte order mark", "/v1/places", `\ufeff${placeWithName('"a"')}`, malformed],
  ["a comment", "/v1/places", `/**/${placeWithName('"a"')}`, malformed],
  ["a trailing comma", "/v1/places", '{"name":"a",}', malformed],
  ["an unescaped NUL", "/v1/places", placeWithName('"a\0b"'), malformed],
  ["an escaped NUL", "/v1/places", placeWithName('"a\\u0000b"'), invalid],
  ["a control character", "/v1/places", placeWithName('"a\\u0085b"'), invalid],
  ["a name of spaces only", "/v1/places", placeWithName('" \\u00a0 "'), invalid],
  ["a name of 201 characters", "/v1/places", placeWithName(`"${"é".repeat(201)}"`), invalid],
  ["a name of 60,000 characters", "/v1/places", placeWithName(`"${"x".repeat(60_000)}"`), invalid],
  [
    "an array for a name",
    "/v1/places",
    placeWithName(`[${Array(20_000).fill(1).join()}]`),
    invalid,
  ],
  ["an object for a name", "/v1/places", placeWithName('{"a":1}'), invalid],
  ["an unknown field", "/v1/places", '{"name":"a","x":1}', invalid],
  [
    "a thousand unknown fields",
    "/v1/places",
    `{${Array.from({ length: 1000 }, (_, n) => `"f${n}":1`).join()}}`,
    invalid,
  ],
  ["__proto__", "/v1/places", '{"name":"a","__proto__":{"id":1}}', invalid],
  ["a depth of 120", "/v1/places", placeWithName("[".repeat(120) + "]".repeat(120)), invalid],
  [
    "a depth of 10,000",
    "/v1/places",
    placeWithName("[".repeat(10_000) + "]".repeat(10_000)),
    malformed,
  ],
  ["a depth of 10,000 objects", "/v1/places", '{"a":'.repeat(10_000), malformed],
  ["a body one byte above the limit", "/v1/places", bodyOfSize(64 * 1024 + 1), tooLarge],
  ["a body of a megabyte", "/v1/people", bodyOfSize(1024 * 1024), tooLarge],
];

suite("limits of a body", () => {
  for (const [description, path, body, [status, type]] of bodies) {
    test(`an_invalid_body_gets_${status}: ${description}`, async () => {
      for (const [method, address] of [
        ["POST", path],
        ["PUT", `${path}/77`],
        ["PATCH", `${path}/1`],
      ] as const) {
        const bytes = typeof body === "string" ? body : new Uint8Array(body);
        const rejected = await join.request(method, address, json, bytes);
        assert.deepEqual([rejected.status, rejected.json.type], [status, type], method);
      }
    });
  }

  test("a_body_at_each_limit_is_accepted", async () => {
    for (const [path, body] of [
      ["/v1/places", placeWithName(`"${"é".repeat(200)}"`)],
      ["/v1/places", bodyOfSize(64 * 1024)],
      ["/v1/places", placeWithName('"\\ud83d\\udc51"')],
      ["/v1/people", personInPlace("1.0")],
      ["/v1/people", personInPlace("1e0")],
    ] as const) {
      const emptyKey = await join.request("POST", path, { ...json, "idempotency-key": "" }, body);
      assert.equal(emptyKey.status, 400, "an empty idempotency key is invalid");
      const created = await join.request("POST", path, json, body);
      assert.equal(created.status, 201, created.text);
    }
  });
});

test("a_thousand_long_ids_fit_into_the_urls_between_the_services", async () => {
  const placeIds = Array.from({ length: 1000 }, (_, n) => 2 ** 52 - n);
  await using full = await start({
    places: placeIds.map((id) => ({ id, name: `Place ${id}` })),
    people: placeIds.map((placeId, n) => {
      return { id: n + 1, name: "P", isAlive: true, placeId, isKing: false };
    }),
  });
  const page = await full.join.get("/v1/statistics/places?sort=-living&limit=1000");
  const names = page.json.map(({ name }: { name: string }) => name);
  assert.deepEqual(names.slice(0, 1000).toSorted(), placeIds.map((id) => `Place ${id}`).toSorted());
  const lines = placeIds.map((placeId) => `New,true,${placeId}`);
  const file = ["name,isAlive,placeId", ...lines].join("\n");
  const csv = { "content-type": "text/csv" };
  const imported = await full.join.request("POST", "/v1/people/import", csv, file);
  assert.equal(imported.json.created, 1000, imported.text);
});

suite("limits of a query", () => {
  const limit = 15 * 1024;
  const ids = (bytes: number) => `ids=${"1".repeat(bytes - 4)}`;

  test("a_query_of_15_KiB_is_accepted_and_one_byte_more_is_rejected", async () => {
    for (const [worker, path] of [
      [join, "/v1/people"],
      [join, "/v1/people-per-place"],
      [join, "/"],
      [system.places, "/v1/places"],
    ] as const) {
      assert.notEqual((await worker.get(`${path}?${ids(limit)}`)).status, 414, path);
      const rejected = await worker.get(`${path}?${ids(limit + 1)}`);
      assert.deepEqual(
        [rejected.status, rejected.json],
        [
          414,
          {
            type: "/problems/query-too-long",
            title: "The query is too long",
            status: 414,
            detail: `A query may have at most ${limit} bytes.`,
            limit,
          },
        ],
      );
    }
  });

  test("a_query_with_a_thousand_ids_of_fourteen_digits_is_accepted", async () => {
    const thousandIds = Array.from({ length: 1000 }, (_, n) => String(99999999999999 - n));
    const { status, text } = await join.get(`/v1/people?ids=${thousandIds}&limit=1000`);
    assert.equal(status, 200, text);
  });
});

suite("limits of a header", () => {
  const long = "x".repeat(3000);
  const cases: [string, string, string, number][] = [
    ["GET", "if-none-match", [...Array(99).fill('"1"'), tag(1)].join(), 304],
    ["GET", "if-none-match", Array(101).fill('"1"').join(), 400],
    ["GET", "if-none-match", `"${long}`, 400],
    ["PATCH", "if-match", long, 400],
    ["PATCH", "authorization", long, 200],
    ["GET", "accept", long, 200],
    ["GET", "x-request-id", long, 200],
    ["GET", "traceparent", long, 200],
    ["POST", "idempotency-key", long, 400],
  ];
  for (const [method, name, value, expected] of cases) {
    test(`a_${method}_with_${name}_of_${value.length}_characters_gets_${expected}`, async () => {
      const path = method === "POST" ? "/v1/people" : "/v1/people/1";
      const body = method === "GET" ? undefined : method === "POST" ? '{"name":"H"}' : "{}";
      const headers = { ...(body && json), [name]: value };
      const response = await join.request(method, path, headers, body);
      assert.equal(response.status, expected, response.text);
      assert.ok(!response.text.includes(long));
    });
  }
});

suite("limits of an import line", () => {
  const lines = { "content-type": "application/x-ndjson" };
  test("an_import_line_is_checked_like_a_body_and_rejected_alone", async () => {
    const invalid = [
      '{"name":"A","name":"B"}',
      '{"name":"\\ud800"}',
      `{"name":${"[".repeat(100)}${"]".repeat(100)}}`,
      `{"name":"${"x".repeat(70_000)}"}`,
      '{"name":"a\\u0000"}',
      '{"name":1e300}',
      '{"name":1e400}',
      "[]",
    ];
    const file = invalid.join("\n");
    const { status, json } = await join.request("POST", "/v1/places/import", lines, file);
    assert.equal(status, 200);
    assert.deepEqual([json.read, json.created], [invalid.length, 0]);
    assert.equal(json.refused.length, invalid.length, JSON.stringify(json));
  });

  test("an_import_line_with_invalid_json_rejects_the_file_and_is_located", async () => {
    for (const line of ['{"name":NaN}', `{"name":${"[".repeat(5000)}`, "\ufeff{}"]) {
      const file = `{"name":"A"}\n${line}`;
      const { status, json } = await join.request("POST", "/v1/places/import", lines, file);
      assert.deepEqual([status, json.type, json.line], [...malformed, 2], line.slice(0, 20));
    }
  });
});
