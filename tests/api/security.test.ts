// Tests security headers and the rate limit. It also checks that the tests which docs/security.md
// names exist.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, suite, test } from "node:test";
import { people, places, tag } from "../support/fixtures.ts";
import { type Options, start } from "../support/harness.ts";
import { bearer, tokenHash } from "../support/tokens.ts";

const tokens = ["the-token-of-one-writer", "the-token-of-another"] as const;
const TOKENS = tokens.map((token) => `write:anna:${tokenHash(token)}`).join();

const system = await start({ places, people, gatewaySettings: { TOKENS } });
after(() => system.dispose());
const { join } = system;

const API_HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
};

suite("security headers", () => {
  const etag = tag(1);
  const apiResponses: [string, string, number, Record<string, string>?][] = [
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
  const pickHeaders = (headers: Headers, names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, headers.get(name)]));

  test("every_response_has_the_security_headers", async () => {
    for (const [method, path, status, headers] of apiResponses) {
      const response = await join.request(method, path, headers);
      assert.equal(response.status, status, `${method} ${path} ${response.text}`);
      assert.deepEqual(
        pickHeaders(response.allHeaders, API_HEADERS),
        API_HEADERS,
        `${method} ${path}`,
      );
      assert.equal(
        response.allHeaders.get("strict-transport-security"),
        null,
        "HSTS is not sent over plain HTTP",
      );
    }
    for (const backend of [system.places, system.people]) {
      assert.deepEqual(
        pickHeaders((await backend.get("/healthz")).allHeaders, API_HEADERS),
        API_HEADERS,
      );
    }
  });

  test("a_page_may_load_only_resources_of_this_site", async () => {
    const page = { ...API_HEADERS, "referrer-policy": "same-origin" };
    for (const [method, path, status] of pages) {
      const response = await join.request(method, path, { accept: "text/html" });
      assert.equal(response.status, status, path);
      assert.deepEqual(pickHeaders(response.allHeaders, page), page, path);
      const policy = response.allHeaders.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/, path);
      assert.doesNotMatch(policy, /unsafe|[*]|https?:/, path);
    }
  });

  test("static_files_have_the_security_headers", async () => {
    for (const path of ["/site.css", "/site.js", "/icon.svg", "/openapi.json", "/docs/"]) {
      const response = await join.get(path);
      assert.equal(response.status, 200, path);
      assert.deepEqual(pickHeaders(response.allHeaders, API_HEADERS), API_HEADERS, path);
    }
    const docs = await join.get("/docs/");
    assert.match(docs.allHeaders.get("content-security-policy") ?? "", /default-src 'none'/);
  });

  test("hsts_is_sent_over_tls_except_on_localhost", async () => {
    const hsts = "max-age=31536000";
    for (const [origin, expected] of [
      ["https://registry.example", hsts],
      ["https://registry.example:8443", hsts],
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

  test("hsts_includes_subdomains_only_by_setting", async () => {
    for (const [setting, expected] of [
      ["on", "max-age=31536000; includeSubDomains"],
      ["off", "max-age=31536000"],
    ] as const) {
      await using secure = await start({ gatewaySettings: { HSTS_SUBDOMAINS: setting } });
      for (const path of ["/v1", "/v1/people/1", "/v1/x", "/"]) {
        const { headers } = await secure.fetchGateway(`https://registry.example${path}`);
        assert.equal(headers.get("strict-transport-security"), expected, path);
      }
      // Browsers use the latest header, so one of a file without the setting would revoke it.
      const file = await secure.join.get("/site.css");
      assert.deepEqual(
        [file.status, file.allHeaders.get("strict-transport-security")],
        [200, null],
      );
    }
  });
});

suite("the rate limit", () => {
  const from = (address: string) => ({ "cf-connecting-ip": address });
  const limit = { limit: 5, period: 60 } as const;
  const settings = { TOKENS, RATE_LIMIT: "5/60" };

  test("the_rate_limit_counts_by_address_is_stated_in_headers_and_exempts_health_checks", async () => {
    await using limited = await start({
      places,
      people,
      gatewaySettings: settings,
      rateLimit: limit,
    });
    const paths = [
      "/v1/people/1",
      "/v1/people/999",
      "/",
      "/v1/places?limit=0",
      "/v1/people-per-place",
    ];
    for (const path of paths) {
      const response = await limited.join.get(path, from("192.0.2.1"));
      assert.notEqual(response.status, 429, path);
      assert.equal(response.allHeaders.get("ratelimit-policy"), '"requests";q=5;w=60', path);
      assert.equal(response.allHeaders.get("ratelimit"), null);
    }
    for (const [method, path] of [
      ["GET", "/v1/people/1"],
      ["POST", "/v1/places"],
      ["GET", "/ui/people"],
    ] as const) {
      const rejected = await limited.join.request(method, path, from("192.0.2.1"));
      assert.equal(rejected.status, 429, path);
      assert.deepEqual(rejected.json, {
        type: "/problems/too-many-requests",
        title: "Too many requests",
        status: 429,
        detail: "A client may make at most 5 requests in 60 seconds.",
      });
      assert.equal(rejected.allHeaders.get("retry-after"), "60");
      assert.equal(rejected.allHeaders.get("ratelimit"), '"requests";r=0;t=60');
      assert.equal(rejected.allHeaders.get("ratelimit-policy"), '"requests";q=5;w=60');
    }
    assert.equal((await limited.join.get("/v1/people/1", from("192.0.2.2"))).status, 200);
    for (const path of ["/healthz", "/readyz"]) {
      assert.equal((await limited.join.get(path, from("192.0.2.1"))).status, 200);
    }
  });

  test("the_rate_limit_counts_by_token_and_invalid_tokens_by_address", async () => {
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

  test("the_rate_limit_counts_a_known_token_even_where_none_is_needed", async () => {
    await using limited = await start({
      places,
      people,
      gatewaySettings: settings,
      rateLimit: limit,
    });
    const address = from("192.0.2.20");
    const guesses: [string, Record<string, string>][] = [
      ["/v1/people/1", bearer("a-token-that-is-a-guess")],
      ["/ui/people", { cookie: "__Host-token=a-token-that-is-a-guess" }],
    ];
    for (let n = 0; n < 3; n += 1) {
      for (const [path, headers] of guesses) {
        await limited.join.get(path, { ...headers, ...address });
      }
    }
    for (const [path, headers] of guesses) {
      const rejected = await limited.join.get(path, { ...headers, ...address });
      assert.equal(rejected.status, 429, path);
    }
    const known: [string, Record<string, string>][] = [
      ["/v1/people/1", bearer(tokens[0])],
      ["/ui/people", { cookie: `__Host-token=${tokens[1]}` }],
    ];
    for (const [path, headers] of known) {
      for (let n = 0; n < 5; n += 1) {
        const response = await limited.join.get(path, { ...headers, ...address });
        assert.equal(response.status, 200, path);
      }
      const rejected = await limited.join.get(path, { ...headers, ...from("192.0.2.21") });
      assert.equal(rejected.status, 429, path);
    }
  });

  test("the_rate_limit_counts_an_ipv6_client_by_its_64_bit_network", async () => {
    await using limited = await start({
      places,
      people,
      gatewaySettings: settings,
      rateLimit: limit,
    });
    const status = async (address: string) =>
      (await limited.join.get("/v1/people/1", from(address))).status;
    for (let n = 0; n < 5; n += 1) assert.equal(await status(`2001:db8:0:7:${n}::${n}`), 200);
    assert.equal(await status("2001:db8:0:7:ffff::1"), 429);
    assert.equal(await status("2001:db8:0:8::1"), 200);
    assert.equal(await status("192.0.2.1"), 200);
  });

  test("a_request_passes_if_the_rate_limiter_fails", async () => {
    const failing = `import Built from "./index.js";
      const REQUESTS = { limit: () => { throw new Error("no limiter"); } };
      const fetch = (request, env, context) => Built.fetch(request, { ...env, REQUESTS }, context);
      export default { fetch };`;
    await using system = await start({
      gatewaySettings: settings,
      wrappers: { join: failing },
    });
    for (let n = 0; n < 7; n += 1) {
      assert.equal((await system.join.get("/v1/places", from("192.0.2.1"))).status, 200);
    }
  });

  test("the_rate_limit_needs_both_the_setting_and_the_binding", async () => {
    const incomplete: Options[] = [
      { gatewaySettings: { TOKENS }, rateLimit: limit },
      { gatewaySettings: { TOKENS, RATE_LIMIT: "" }, rateLimit: limit },
      { gatewaySettings: { TOKENS, RATE_LIMIT: "5/60" } },
    ];
    for (const options of incomplete) {
      await using unlimited = await start({ places, people, ...options });
      for (let n = 0; n < 8; n += 1) {
        assert.equal((await unlimited.join.get("/v1/people/1", from("192.0.2.1"))).status, 200);
      }
    }
  });

  test("the_deployed_rate_limit_equals_the_stated_one", () => {
    const config = readFileSync("wrangler.toml", "utf8");
    const [, requests, seconds] = /^RATE_LIMIT = "(\d+)\/(\d+)"$/m.exec(config) ?? [];
    const expected = new RegExp(`^simple = { limit = ${requests}, period = ${seconds} }$`, "m");
    assert.match(config, expected);
    assert.match(config, /^name = "REQUESTS"$/m);
  });
});

suite("docs/security.md", () => {
  const text = readFileSync("docs/security.md", "utf8");
  /** The table refers to a test as `file`: `name`. */
  const references = [...text.matchAll(/\[`([\w./-]+)`\]\([^)]*\): `([^`]+)`/g)];

  test("the_security_document_names_only_existing_tests", () => {
    assert.ok(references.length >= 20, `${references.length}`);
    for (const [, file = "", name = ""] of references) {
      const source = readFileSync(file, "utf8");
      const exists = source.includes(`"${name}"`) || source.includes(`fn ${name}(`);
      assert.ok(exists, `${file} has no test ${name}`);
    }
  });

  test("the_security_document_names_a_test_for_each_owasp_risk", () => {
    for (let n = 1; n <= 10; n += 1) {
      const row = text.split("\n").find((line) => line.startsWith(`| API${n}:2023 `)) ?? "";
      assert.match(row, /`[\w./-]+`\]\(/, `API${n}`);
    }
  });
});

test("the_repository_settings_contain_no_secret", () => {
  const configs = ["wrangler.toml", "workers/places/wrangler.toml", "workers/people/wrangler.toml"];
  const vars = configs.map((config) => config.replace("wrangler.toml", ".dev.vars"));
  for (const file of [...configs, ...vars]) {
    const settings = readFileSync(file, "utf8").replaceAll(/#.*/g, "");
    assert.doesNotMatch(settings, /TOKENS|SECRET/, file);
  }
  assert.ok(readdirSync(".").includes("deny.toml"));
});
