// What every answer says to a browser, how often a client may ask, and what docs/security.md
// promises.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { after, suite, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { type Options, start } from "../support/harness.ts";

const hash = (token: string) => createHash("sha256").update(token).digest("hex");
const tokens = ["the-token-of-one-writer", "the-token-of-another"] as const;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const TOKENS = tokens.map((token) => `write:${hash(token)}`).join();

const system = await start({ places, people, gatewaySettings: { TOKENS } });
after(() => system.dispose());
const { join } = system;

const api = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
};

suite("the headers of every answer", () => {
  const etag = '"1"';
  const answers: [string, string, number, Record<string, string>?][] = [
    ["GET", "/v1", 200],
    ["GET", "/v1/people-per-place", 200],
    ["GET", "/v1/people", 200],
    ["GET", "/v1/people/1", 200],
    ["GET", "/v1/people/1", 304, { "if-none-match": etag }],
    ["HEAD", "/v1/places", 200],
    ["OPTIONS", "/v1/places", 204],
    ["GET", "/v1/people/export", 200],
    ["GET", "/v1/places?limit=0", 400],
    ["POST", "/v1/places", 401],
    ["GET", "/v1/x", 404],
    ["DELETE", "/v1", 405],
    ["GET", "/v1/places", 406, { accept: "image/png" }],
    ["POST", "/v1/places", 415, bearer(tokens[0])],
    ["GET", "/healthz", 200],
    ["GET", "/readyz", 200],
  ];
  const pages: [string, string, number][] = [
    ["GET", "/", 200],
    ["GET", "/ui/people", 200],
    ["GET", "/ui/people/999", 404],
    ["POST", "/ui/forget", 403],
    ["GET", "/ui/nothing", 404],
  ];
  const said = (headers: Headers, names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, headers.get(name)]));

  test("are there, whatever the answer", async () => {
    for (const [method, path, status, headers] of answers) {
      const given = await join.request(method, path, headers);
      assert.equal(given.status, status, `${method} ${path} ${given.text}`);
      assert.deepEqual(said(given.allHeaders, api), api, `${method} ${path}`);
      assert.equal(given.allHeaders.get("strict-transport-security"), null, "not by plain HTTP");
    }
    for (const owner of [system.places, system.people]) {
      assert.deepEqual(said((await owner.get("/healthz")).allHeaders, api), api);
    }
  });

  test("let a page run nothing but what is from here", async () => {
    const page = { ...api, "referrer-policy": "same-origin" };
    for (const [method, path, status] of pages) {
      const given = await join.request(method, path, { accept: "text/html" });
      assert.equal(given.status, status, path);
      assert.deepEqual(said(given.allHeaders, page), page, path);
      const policy = given.allHeaders.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/, path);
      assert.doesNotMatch(policy, /unsafe|[*]|https?:/, path);
    }
  });

  test("are those of the files, too", async () => {
    for (const path of ["/site.css", "/site.js", "/icon.svg", "/openapi.json", "/docs/"]) {
      const given = await join.get(path);
      assert.equal(given.status, 200, path);
      assert.deepEqual(said(given.allHeaders, api), api, path);
    }
    const docs = await join.get("/docs/");
    assert.match(docs.allHeaders.get("content-security-policy") ?? "", /default-src 'none'/);
  });

  test("keep a browser to TLS, but not on the machine itself", async () => {
    const strict = "max-age=31536000; includeSubDomains";
    for (const [origin, expected] of [
      ["https://registry.example", strict],
      ["https://registry.example:8443", strict],
      ["http://registry.example", null],
      ["https://localhost:5003", null],
      ["https://127.0.0.1:5003", null],
      ["https://[::1]:5003", null],
    ]) {
      for (const path of ["/v1", "/v1/people/1", "/v1/x", "/"]) {
        const { headers } = await system.fetchGateway(`${origin}${path}`);
        assert.equal(headers.get("strict-transport-security"), expected, `${origin}${path}`);
      }
    }
  });
});

suite("how often a client may ask", () => {
  const from = (address: string) => ({ "cf-connecting-ip": address });
  const limit = { limit: 5, period: 60 } as const;
  const settings = { TOKENS, RATE_LIMIT: "5/60" };

  test("is held to by the address, told on every answer, and no limit of health", async () => {
    await using limited = await start({
      places,
      people,
      gatewaySettings: settings,
      rateLimit: limit,
    });
    const asked = [
      "/v1/people/1",
      "/v1/people/999",
      "/",
      "/v1/places?limit=0",
      "/v1/people-per-place",
    ];
    for (const path of asked) {
      const given = await limited.join.get(path, from("192.0.2.1"));
      assert.notEqual(given.status, 429, path);
      assert.equal(given.allHeaders.get("ratelimit-policy"), '"requests";q=5;w=60', path);
      assert.equal(given.allHeaders.get("ratelimit"), null);
    }
    for (const [method, path] of [
      ["GET", "/v1/people/1"],
      ["POST", "/v1/places"],
      ["GET", "/ui/people"],
    ] as const) {
      const refused = await limited.join.request(method, path, from("192.0.2.1"));
      assert.equal(refused.status, 429, path);
      assert.deepEqual(refused.json, {
        type: "/problems/too-many-requests",
        title: "Too many requests",
        status: 429,
        detail: "A client may make at most 5 requests in 60 seconds.",
      });
      assert.equal(refused.allHeaders.get("retry-after"), "60");
      assert.equal(refused.allHeaders.get("ratelimit"), '"requests";r=0;t=60');
      assert.equal(refused.allHeaders.get("ratelimit-policy"), '"requests";q=5;w=60');
    }
    assert.equal((await limited.join.get("/v1/people/1", from("192.0.2.2"))).status, 200);
    for (const path of ["/healthz", "/readyz"]) {
      assert.equal((await limited.join.get(path, from("192.0.2.1"))).status, 200);
    }
  });

  test("is held to by the token of whoever has one, and guesses count to the address", async () => {
    await using limited = await start({
      places,
      people,
      gatewaySettings: settings,
      rateLimit: limit,
    });
    const write = (token: string, address: string) => {
      const headers = { ...bearer(token), ...from(address) };
      return limited.join.send("PATCH", "/v1/people/1", {}, headers);
    };
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await write(tokens[0], `192.0.2.${n}`)).status, 200);
    }
    assert.equal((await write(tokens[0], "192.0.2.9")).status, 429);
    assert.equal((await write(tokens[1], "192.0.2.9")).status, 200);
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await write(`a-token-that-is-guess-${n}`, "192.0.2.10")).status, 401);
    }
    assert.equal((await write("a-token-that-is-guess-6", "192.0.2.10")).status, 429);
  });

  test("is nothing without the setting, or without the binding", async () => {
    const without: Options[] = [
      { gatewaySettings: { TOKENS }, rateLimit: limit },
      { gatewaySettings: { TOKENS, RATE_LIMIT: "" }, rateLimit: limit },
      { gatewaySettings: { TOKENS, RATE_LIMIT: "5/60" } },
    ];
    for (const options of without) {
      await using free = await start({ places, people, ...options });
      for (let n = 0; n < 8; n += 1) {
        assert.equal((await free.join.get("/v1/people/1", from("192.0.2.1"))).status, 200);
      }
    }
  });

  test("is told as it is counted where it is deployed", () => {
    const config = readFileSync("wrangler.toml", "utf8");
    const [, requests, seconds] = /^RATE_LIMIT = "(\d+)\/(\d+)"$/m.exec(config) ?? [];
    const counted = new RegExp(`^simple = { limit = ${requests}, period = ${seconds} }$`, "m");
    assert.match(config, counted);
    assert.match(config, /^name = "REQUESTS"$/m);
  });
});

suite("docs/security.md", () => {
  const text = readFileSync("docs/security.md", "utf8");
  /** `file`: `name`, as the table has them. */
  const named = [...text.matchAll(/\[`([\w./-]+)`\]\([^)]*\): `([^`]+)`/g)];

  test("names tests that there are", () => {
    assert.ok(named.length >= 20, `${named.length}`);
    for (const [, file = "", name = ""] of named) {
      const source = readFileSync(file, "utf8");
      const isThere = source.includes(`"${name}"`) || source.includes(`fn ${name}(`);
      assert.ok(isThere, `${file} has no test ${name}`);
    }
  });

  test("names one for each of the ten", () => {
    for (let n = 1; n <= 10; n += 1) {
      const row = text.split("\n").find((line) => line.startsWith(`| API${n}:2023 `)) ?? "";
      assert.match(row, /`[\w./-]+`\]\(/, `API${n}`);
    }
  });
});

test("no secret is in the repository's settings", () => {
  const configs = ["wrangler.toml", "workers/places/wrangler.toml", "workers/people/wrangler.toml"];
  const vars = configs.map((config) => config.replace("wrangler.toml", ".dev.vars"));
  for (const file of [...configs, ...vars]) {
    const settings = readFileSync(file, "utf8").replaceAll(/#.*/g, "");
    assert.doesNotMatch(settings, /TOKENS|SECRET/, file);
  }
  assert.ok(readdirSync(".").includes("deny.toml"));
});
