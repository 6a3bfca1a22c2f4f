// Who may do what: at the entry point, and at the owners behind it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { type Options, SERVICE_SECRET, start, type WorkerClient } from "../support/harness.ts";
import { sendRaw } from "../support/raw_request.ts";

const hash = (token: string) => createHash("sha256").update(token).digest("hex");
const [reader, writer, admin] = [
  "a-token-that-reads",
  "a-token-that-writes",
  "a-token-of-an-admin",
];
const TOKENS = `read:${hash(reader)},write:${hash(writer)}, admin:${hash(admin)}`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const shown = { "x-service-secret": SERVICE_SECRET };
/** The mark of what the gateway forwards. */
const forwarded = "x-gateway-forwarded";
const place = { name: "Nueva" };

const writes = [
  ["POST", "/v1/places"],
  ["POST", "/places/"],
  ["PUT", "/v1/people/1"],
  ["PATCH", "/v1/people/1"],
  ["DELETE", "/v1/people/1"],
  ["POST", "/v1/people/import"],
  ["PROPFIND", "/v1/people/1"],
] as const;
const repair = "/v1/integrity/repair";

test("without_any_setting_writes_are_refused_and_reads_are_not", async () => {
  await using system = await start({ seed: true, gatewaySettings: {} });
  const { join } = system;
  for (const [method, path] of [...writes, ["POST", repair] as const]) {
    const refused = await join.send(method, path, place);
    const scope = path === repair ? "admin" : "write";
    assert.equal(refused.status, 401, `${method} ${path}`);
    assert.deepEqual([refused.json.type, refused.json.scope], ["/problems/token-required", scope]);
    assert.equal(refused.headers["www-authenticate"], `Bearer scope="${scope}"`);
    const guessed = await join.send(method, path, place, bearer("just-any-token-at-all"));
    assert.equal(guessed.json.type, "/problems/token-refused");
    assert.equal(guessed.headers["www-authenticate"], 'Bearer error="invalid_token"');
  }
  assert.equal((await join.send("POST", "/v1/places", place, bearer("short"))).status, 400);
  assert.equal((await join.get("/v1/people/1")).status, 200);
  assert.equal((await join.request("OPTIONS", "/v1/people/1")).status, 204);
  assert.equal((await join.get("/v1/places/31")).status, 404);
});

test("a_scope_holds_those_before_it_and_no_more", async () => {
  await using system = await start({ seed: true, gatewaySettings: { TOKENS, READS: "token" } });
  const { join } = system;
  const asked = [
    ["read", "GET", "/v1/people/1"],
    ["read", "HEAD", "/v1/places"],
    ["read", "GET", "/v1"],
    ["read", "GET", "/v1/integrity"],
    ["read", "GET", "/v1/people-per-place"],
    ["write", "PATCH", "/v1/people/1"],
    ["admin", "POST", `${repair}?dryRun=true`],
  ] as const;
  const held = { read: reader, write: writer, admin };
  const order = Object.keys(held);
  for (const [scope, method, path] of asked) {
    const body = method === "PATCH" ? {} : undefined;
    const ask = (headers: Record<string, string> = {}) =>
      body ? join.send(method, path, body, headers) : join.request(method, path, headers);
    const none = await ask();
    assert.equal(none.status, 401, path);
    assert.equal(none.headers["www-authenticate"], `Bearer scope="${scope}"`);
    for (const [has, token] of Object.entries(held)) {
      const given = await ask(bearer(token));
      const what = `${has}: ${method} ${path} ${given.status} ${given.text}`;
      if (order.indexOf(has) >= order.indexOf(scope)) {
        assert.equal(given.status, 200, what);
        continue;
      }
      assert.equal(given.status, 403, what);
      const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
      assert.equal(given.headers["www-authenticate"], challenge);
      const { type, title, status, scope: needed } = given.json;
      assert.deepEqual(
        { type, title, status, needed },
        {
          type: "/problems/insufficient-scope",
          title: "The token is not good for this",
          status: 403,
          needed: scope,
        },
      );
    }
  }
});

test("two_tokens_are_live_while_one_is_rotated", async () => {
  const settings = { TOKENS: `write:${hash("an-old-token-of-2025")},write:${hash(writer)}` };
  await using system = await start({ gatewaySettings: settings });
  const { join } = system;
  for (const [token, name] of [
    ["an-old-token-of-2025", "Vieja"],
    [writer, "Nueva"],
  ] as const) {
    const created = await join.send("POST", "/v1/places", { name }, bearer(token));
    assert.equal(created.status, 201, created.text);
  }
  assert.equal((await join.send("POST", "/v1/places", { name: "Otra" })).status, 401);
});

test("where_reading_is_closed_no_page_and_no_form_of_an_answer_gets_out", async () => {
  await using system = await start({ seed: true, gatewaySettings: { TOKENS, READS: "token" } });
  const { join } = system;
  const html = { accept: "text/html" };
  for (const path of ["/", "/ui/people", "/ui/people/1", "/ui/places/1/rename", "/ui/import"]) {
    const gate = await join.get(path, html);
    assert.equal(gate.status, 401, path);
    assert.match(gate.text, /name="token" type="password"/);
    assert.doesNotMatch(gate.text, /Lamister|Descaro/, path);
    const form = { "content-type": "application/x-www-form-urlencoded", origin: join.url.origin };
    const isForm = /rename|import/.test(path);
    assert.equal((await join.request("POST", path, form, "name=x")).status, isForm ? 401 : 405);
  }
  assert.equal((await join.get("/", { accept: "application/json" })).status, 401);
  const enter = (token: string) =>
    join.request(
      "POST",
      "/ui/enter",
      { "content-type": "application/x-www-form-urlencoded", origin: join.url.origin },
      `token=${token}`,
    );
  assert.equal((await enter("just-any-token-at-all")).status, 401);
  const entered = await enter(reader);
  assert.deepEqual([entered.status, entered.headers.location], [303, "/"]);
  const cookie = entered.headers["set-cookie"]?.split(";")[0] ?? "";
  const page = await join.get("/", { ...html, cookie });
  assert.equal(page.status, 200);
  assert.match(page.text, /Descaro/);
  // The cookie is for pages alone.
  assert.equal((await join.get("/v1/places", { cookie })).status, 401);
});

suite("an_owner_looks_for_itself", () => {
  const inner: Record<string, [string, string][]> = {
    places: [
      ["GET", "/internal/statuses?ids=1"],
      ["GET", "/internal/counter"],
      ["GET", "/internal/integrity"],
      ["POST", "/internal/repair?dryRun=true"],
    ],
    people: [
      ["POST", "/internal/residents/999/detach-dead"],
      ["GET", "/internal/counter"],
      ["GET", "/internal/integrity"],
      ["POST", "/internal/repair?dryRun=true"],
    ],
  };
  /** The counter is told by headers alone. */
  const done = (address: string) => (address === "/internal/counter" ? 204 : 200);
  const of = (system: { places: WorkerClient; people: WorkerClient }) =>
    [
      ["places", system.places],
      ["people", system.people],
    ] as const;

  test("without_a_setting_nothing_but_reading_gets_in", async () => {
    await using system = await start({ seed: true, backendSettings: {} });
    for (const [name, owner] of of(system)) {
      const path = `/v1/${name}`;
      for (const headers of [{}, shown, { "x-service-secret": "" }, bearer(admin)]) {
        for (const [method, address] of inner[name] ?? []) {
          assert.equal((await owner.request(method, address, headers)).status, 401, address);
        }
        assert.equal((await owner.send("POST", path, place, headers)).status, 401);
        assert.equal((await owner.request("DELETE", `${path}/1`, headers)).status, 401);
      }
      assert.equal((await owner.get(`${path}/1`)).status, 200);
    }
  });

  test("the_services_secret_lets_in_and_nothing_like_it", async () => {
    await using system = await start({ seed: true, backendSettings: { SERVICE_SECRET } });
    for (const [name, owner] of of(system)) {
      for (const [method, address] of inner[name] ?? []) {
        const given = await owner.request(method, address, shown);
        assert.equal(given.status, done(address), `${address} ${given.text}`);
        for (const guess of ["", `${SERVICE_SECRET}x`, SERVICE_SECRET.slice(1)]) {
          const refused = await owner.request(method, address, { "x-service-secret": guess });
          assert.equal(refused.status, 401, guess);
        }
      }
    }
  });

  test("a_secret_that_is_too_short_is_none", async () => {
    await using system = await start({ backendSettings: { SERVICE_SECRET: "short" } });
    const given = { "x-service-secret": "short" };
    assert.equal((await system.places.get("/internal/counter", given)).status, 401);
    assert.equal((await system.people.get("/internal/counter", given)).status, 401);
  });

  test("a_token_of_its_own_lets_in_as_far_as_its_scope_goes", async () => {
    await using system = await start({ seed: true, backendSettings: { TOKENS } });
    for (const [name, owner] of of(system)) {
      for (const [method, address] of inner[name] ?? []) {
        if (address.includes("detach-dead")) continue;
        const given = await owner.request(method, address, bearer(admin));
        assert.equal(given.status, done(address), address);
        assert.equal((await owner.request(method, address, bearer(writer))).status, 403, address);
      }
      const made = (token: string) => owner.send("PATCH", `/v1/${name}/1`, {}, bearer(token));
      assert.deepEqual([(await made(writer)).status, (await made(reader)).status], [200, 403]);
    }
  });

  test("a_clients_own_copy_of_the_secret_goes_no_further_than_the_entry_point", async () => {
    const settings = { WRITES: "open", SERVICE_SECRET: "" };
    await using system = await start({
      seed: true,
      gatewaySettings: settings,
      backendSettings: { SERVICE_SECRET },
    });
    const { join } = system;
    for (const name of ["X-Service-Secret", "x-service-secret"]) {
      const headers = { [name]: SERVICE_SECRET, ...bearer(admin) };
      const refused = await join.send("PATCH", "/v1/people/1", {}, headers);
      assert.deepEqual([refused.status, refused.json.service], [502, "people"], name);
      assert.equal(refused.headers["www-authenticate"], undefined);
    }
    assert.equal((await join.get("/v1/people/1", shown)).status, 200);
    assert.equal((await join.get("/v1/integrity", shown)).status, 502);
  });

  test("what_proves_a_client_is_kept_at_the_entry_point", async () => {
    const echo = (request: Request) => {
      const names = ["authorization", "cookie", "x-service-secret", "x-other"];
      const id = request.headers.get("x-request-id") ?? "";
      const seen = names.map((name) => request.headers.get(name));
      return Response.json(seen, { headers: { "x-request-id": id } });
    };
    await using system = await start({ gatewaySettings: { TOKENS }, stubs: { people: echo } });
    const headers = { ...bearer(writer), cookie: "a=b", "x-service-secret": "x", "x-other": "o" };
    for (const method of ["GET", "DELETE"]) {
      const seen = await system.join.request(method, "/v1/people/1", headers);
      assert.deepEqual(seen.json, [null, null, SERVICE_SECRET, "o"], method);
    }
  });

  test("a_forwarded_request_is_marked_whatever_its_client_says", async () => {
    const echo = (request: Request) => {
      const id = request.headers.get("x-request-id") ?? "";
      return Response.json([...request.headers], { headers: { "x-request-id": id } });
    };
    await using system = await start({ gatewaySettings: { TOKENS }, stubs: { people: echo } });
    const said: Record<string, string>[] = [
      {},
      { [forwarded]: "" },
      { [forwarded]: "0" },
      { connection: forwarded, [forwarded]: "0" },
      { connection: "close, X-Gateway-Forwarded,x-service-secret, , a b,x-mine", "x-mine": "1" },
      { "keep-alive": "timeout=5", "proxy-connection": "x", te: "trailers", trailer: "x-mine" },
      { connection: "upgrade", upgrade: "h2c", "proxy-authorization": "Basic eA==" },
    ];
    for (const headers of said) {
      for (const [method, token] of [
        ["GET", reader],
        ["POST", writer],
      ] as const) {
        const all = { ...headers, ...bearer(token) };
        const { status, body } = await sendRaw(system.join.url, method, "/v1/people", all);
        assert.equal(status, 200, body);
        const seen: [string, string][] = JSON.parse(body);
        const own = seen.filter(([name]) => [forwarded, "x-service-secret"].includes(name));
        assert.deepEqual(own, [
          [forwarded, "1"],
          ["x-service-secret", SERVICE_SECRET],
        ]);
        const known = ["content-length", "host", "traceparent", "x-request-id", "x-d1-bookmark"];
        const others = seen.map(([name]) => name).filter((name) => !known.includes(name));
        assert.deepEqual(
          others,
          own.map(([name]) => name),
          JSON.stringify(headers),
        );
      }
    }
  });

  test("a_forwarded_request_gets_nothing_internal", async () => {
    await using system = await start({ seed: true, backendSettings: { TOKENS, SERVICE_SECRET } });
    for (const [name, owner] of of(system)) {
      for (const [method, address] of inner[name] ?? []) {
        for (const credential of [{}, shown, bearer(admin)]) {
          for (const value of ["1", "0", ""]) {
            const headers = { ...credential, [forwarded]: value };
            for (const asked of [method, "HEAD", "OPTIONS"]) {
              const { status } = await owner.request(asked, address, headers);
              assert.equal(status, 404, `${asked} ${address}`);
            }
          }
        }
        assert.equal((await owner.request(method, address, shown)).status, done(address));
      }
      const headers = { ...shown, [forwarded]: "1" };
      assert.equal((await owner.get(`/v1/${name}/1`, headers)).status, 200);
      assert.equal((await owner.send("PATCH", `/v1/${name}/1`, {}, headers)).status, 200);
    }
  });

  test("a_path_that_becomes_internal_on_the_way_is_refused", async () => {
    // Stands for whatever normalizes, decodes or rewrites a path between the gateway and a service.
    const rewriting = `
      import Built from "./index.js";
      export default {
        fetch(request, env, ctx) {
          const path = request.headers.get("x-becomes");
          const changed = path ? new Request(new URL(path, request.url), request) : request;
          return Built.fetch(changed, env, ctx);
        },
      };`;
    const fronts = { places: rewriting, people: rewriting };
    const closed = { settings: { TOKENS }, owners: { SERVICE_SECRET } };
    const open = { settings: { WRITES: "open", SERVICE_SECRET: "" }, owners: { WRITES: "open" } };
    for (const { gatewaySettings: settings, backendSettings: owners } of [
      closed,
      open,
    ] as Options[]) {
      await using system = await start({
        seed: true,
        gatewaySettings: settings,
        backendSettings: owners,
        wrappers: fronts,
      });
      for (const [name, paths] of Object.entries(inner)) {
        for (const [method, path] of paths) {
          for (const asked of [method, "OPTIONS"]) {
            for (const becomes of [path, `/v1${path}`]) {
              const headers = { ...bearer(admin), "x-becomes": becomes };
              const { status, text } = await system.join.request(asked, `/v1/${name}/1`, headers);
              assert.equal(status, 404, `${asked} ${becomes}: ${text}`);
            }
          }
        }
        const becomes = { "x-becomes": `/v1/${name}/2` };
        assert.equal((await system.join.get(`/v1/${name}/1`, becomes)).json.id, 2);
      }
      // What the services ask for themselves goes on.
      assert.equal((await system.join.get("/v1/integrity", bearer(admin))).status, 200);
    }
  });

  test("a_client_that_uses_a_services_name_for_a_host_is_none", async () => {
    await using system = await start({ seed: true });
    for (const name of ["places", "people"]) {
      const answer = await system.fetchGateway(`https://${name}/v1/${name}/1`);
      assert.equal(answer.status, 200, await answer.text());
      assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      assert.ok(answer.headers.get("strict-transport-security"));
    }
  });

  test("no_address_leads_to_them_when_they_are_deployed", () => {
    for (const name of ["places", "people"]) {
      const config = readFileSync(`workers/${name}/wrangler.toml`, "utf8");
      assert.match(config, /^workers_dev = false$/m);
      assert.match(config, /^preview_urls = false$/m);
      assert.doesNotMatch(config, /^\s*routes?\b|custom_domain|^\[env/m);
      assert.doesNotMatch(config, /^\[vars\]|WRITES|READS/m);
    }
  });
});
