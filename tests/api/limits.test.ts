// How much a request may hold, and how strictly it is read: each limit from both sides.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
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

/** The name of a new place, as JSON. */
const named = (name: string) => `{"name":${name}}`;
/** A person's place, as JSON. */
const placed = (placeId: string) => `{"name":"P","isAlive":true,"placeId":${placeId}}`;
/** A body of so many bytes. */
const sized = (bytes: number) => `${named('"x"')}${" ".repeat(bytes - 12)}`;

const bodies: [what: string, path: string, body: string | Buffer, readonly [number, string]][] = [
  ["nothing", "/v1/places", "", malformed],
  ["no object", "/v1/places", "[]", malformed],
  ["null", "/v1/places", "null", malformed],
  ["a text", "/v1/places", '"name"', malformed],
  ["two objects", "/v1/places", `${named('"a"')}${named('"b"')}`, malformed],
  ["a name twice", "/v1/places", '{"name":"a","name":"b"}', malformed],
  ["a name twice, once escaped", "/v1/places", '{"name":"a","n\\u0061me":"b"}', malformed],
  ["NaN", "/v1/people", placed("NaN"), malformed],
  ["Infinity", "/v1/people", placed("Infinity"), malformed],
  ["a number that no float holds", "/v1/people", placed("1e400"), malformed],
  ["a number with a leading zero", "/v1/people", placed("01"), malformed],
  ["a number with a plus", "/v1/people", placed("+1"), malformed],
  ["a hexadecimal number", "/v1/people", placed("0x1"), malformed],
  ["a number over the greatest id", "/v1/people", placed("9007199254740992"), invalid],
  ["a number of a hundred digits", "/v1/people", placed("9".repeat(100)), invalid],
  ["a fraction", "/v1/people", placed("1.5"), invalid],
  ["a negative id", "/v1/people", placed("-1"), invalid],
  ["zero", "/v1/people", placed("0"), invalid],
  ["a number as a text", "/v1/people", placed('"1"'), invalid],
  ["a lone surrogate", "/v1/places", named('"\\ud800"'), malformed],
  ["a surrogate in the wrong order", "/v1/places", named('"\\udc00\\ud800"'), malformed],
  [
    "a byte that is no UTF-8",
    "/v1/places",
    Buffer.from([...Buffer.from('{"name":"'), 0xff, 34, 125]),
    malformed,
  ],
  ["a byte order mark", "/v1/places", `\ufeff${named('"a"')}`, malformed],
  ["a comment", "/v1/places", `/**/${named('"a"')}`, malformed],
  ["a comma too many", "/v1/places", '{"name":"a",}', malformed],
  ["a plain NUL", "/v1/places", named('"a\0b"'), malformed],
  ["an escaped NUL", "/v1/places", named('"a\\u0000b"'), invalid],
  ["a control character", "/v1/places", named('"a\\u0085b"'), invalid],
  ["a name of nothing but space", "/v1/places", named('" \\u00a0 "'), invalid],
  ["a name of 201 characters", "/v1/places", named(`"${"é".repeat(201)}"`), invalid],
  ["a name of 60,000 characters", "/v1/places", named(`"${"x".repeat(60_000)}"`), invalid],
  ["an array for a name", "/v1/places", named(`[${Array(20_000).fill(1).join()}]`), invalid],
  ["an object for a name", "/v1/places", named('{"a":1}'), invalid],
  ["a field too many", "/v1/places", '{"name":"a","x":1}', invalid],
  [
    "a thousand fields too many",
    "/v1/places",
    `{${Array.from({ length: 1000 }, (_, n) => `"f${n}":1`).join()}}`,
    invalid,
  ],
  ["__proto__", "/v1/places", '{"name":"a","__proto__":{"id":1}}', invalid],
  ["a depth of 120", "/v1/places", named("[".repeat(120) + "]".repeat(120)), invalid],
  ["a depth of 10,000", "/v1/places", named("[".repeat(10_000) + "]".repeat(10_000)), malformed],
  ["a depth of 10,000 objects", "/v1/places", '{"a":'.repeat(10_000), malformed],
  ["one byte too many", "/v1/places", sized(64 * 1024 + 1), tooLarge],
  ["a whole megabyte", "/v1/people", sized(1024 * 1024), tooLarge],
];

suite("a body", () => {
  for (const [what, path, body, [status, type]] of bodies) {
    test(`${what} is ${type}`, async () => {
      for (const [method, address] of [
        ["POST", path],
        ["PUT", `${path}/77`],
        ["PATCH", `${path}/1`],
      ] as const) {
        // A merge patch of more than it needs is another matter.
        const bytes = typeof body === "string" ? body : new Uint8Array(body);
        const refused = await join.request(method, address, json, bytes);
        assert.deepEqual([refused.status, refused.json.type], [status, type], method);
      }
    });
  }

  test("holds as much as the limits say", async () => {
    for (const [path, body] of [
      ["/v1/places", named(`"${"é".repeat(200)}"`)],
      ["/v1/places", sized(64 * 1024)],
      ["/v1/places", named('"\\ud83d\\udc51"')],
      ["/v1/people", placed("1.0")],
      ["/v1/people", placed("1e0")],
    ] as const) {
      const made = await join.request("POST", path, { ...json, "idempotency-key": "" }, body);
      assert.equal(made.status, 400, "an empty key is none");
      const taken = await join.request("POST", path, json, body);
      assert.equal(taken.status, 201, taken.text);
    }
  });
});

suite("a query", () => {
  const limit = 32 * 1024;
  const ids = (bytes: number) => `ids=${"1".repeat(bytes - 4)}`;

  test("of 32 KiB is read, and one byte more is refused", async () => {
    for (const [worker, path] of [
      [join, "/v1/people"],
      [join, "/v1/people-per-place"],
      [join, "/"],
      [system.places, "/v1/places"],
    ] as const) {
      assert.notEqual((await worker.get(`${path}?${ids(limit)}`)).status, 414, path);
      const refused = await worker.get(`${path}?${ids(limit + 1)}`);
      assert.deepEqual(
        [refused.status, refused.json],
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

  test("of a thousand ids fits", async () => {
    const most = Array.from({ length: 1000 }, (_, n) => String(9007199254740991 - n));
    const { status, text } = await join.get(`/v1/people?ids=${most.join("%2C")}&limit=1000`);
    assert.equal(status, 200, text);
  });
});

suite("a header", () => {
  const long = "x".repeat(3000);
  const cases: [string, string, string, number][] = [
    ["GET", "if-none-match", Array(100).fill('"1"').join(), 304],
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
    test(`${name} of ${value.length} characters on ${method} is answered with ${expected}`, async () => {
      const path = method === "POST" ? "/v1/people" : "/v1/people/1";
      const body = method === "GET" ? undefined : method === "POST" ? '{"name":"H"}' : "{}";
      const headers = { ...(body && json), [name]: value };
      const given = await join.request(method, path, headers, body);
      assert.equal(given.status, expected, given.text);
      assert.ok(!given.text.includes(long));
    });
  }
});

suite("a line of an import", () => {
  const lines = { "content-type": "application/x-ndjson" };
  test("is as strict as a body, and refused alone", async () => {
    const bad = [
      '{"name":"A","name":"B"}',
      '{"name":"\\ud800"}',
      `{"name":${"[".repeat(100)}${"]".repeat(100)}}`,
      `{"name":"${"x".repeat(70_000)}"}`,
      '{"name":"a\\u0000"}',
      '{"name":1e300}',
      '{"name":1e400}',
      "[]",
    ];
    const file = bad.join("\n");
    const { status, json } = await join.request("POST", "/v1/places/import", lines, file);
    assert.equal(status, 200);
    assert.deepEqual([json.read, json.created], [bad.length, 0]);
    assert.equal(json.refused.length, bad.length, JSON.stringify(json));
  });

  test("that is no JSON refuses the file, and says where", async () => {
    for (const line of ['{"name":NaN}', `{"name":${"[".repeat(5000)}`, "\ufeff{}"]) {
      const file = `{"name":"A"}\n${line}`;
      const { status, json } = await join.request("POST", "/v1/places/import", lines, file);
      assert.deepEqual([status, json.type, json.line], [...malformed, 2], line.slice(0, 20));
    }
  });
});
