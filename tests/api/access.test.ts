// Tests authorization at the gateway: tokens, scopes, and what clients may read without a token.
import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "../support/harness.ts";
import { adminToken, bearer, readToken, TOKENS, tokenHash, writeToken } from "../support/tokens.ts";

const newPlace = { name: "Nueva" };

const writeRequests = [
  ["POST", "/v1/places"],
  ["POST", "/places/"],
  ["PUT", "/v1/people/1"],
  ["PATCH", "/v1/people/1"],
  ["DELETE", "/v1/people/1"],
  ["POST", "/v1/people/import"],
  ["PROPFIND", "/v1/people/1"],
] as const;
const REPAIR = "/v1/integrity/repair";

test("writes_need_a_token_and_reads_do_not_without_any_setting", async () => {
  await using system = await start({ seed: true, gatewaySettings: {} });
  const { join } = system;
  for (const [method, path] of [...writeRequests, ["POST", REPAIR] as const]) {
    const rejected = await join.send(method, path, newPlace);
    const scope = path === REPAIR ? "admin" : "write";
    assert.equal(rejected.status, 401, `${method} ${path}`);
    assert.deepEqual(
      [rejected.json.type, rejected.json.scope],
      ["/problems/token-required", scope],
    );
    assert.equal(rejected.headers["www-authenticate"], `Bearer scope="${scope}"`);
    const guessed = await join.send(method, path, newPlace, bearer("just-any-token-at-all"));
    assert.equal(guessed.json.type, "/problems/token-refused");
    assert.equal(guessed.headers["www-authenticate"], 'Bearer error="invalid_token"');
  }
  assert.equal((await join.send("POST", "/v1/places", newPlace, bearer("short"))).status, 400);
  assert.equal((await join.get("/v1/people/1")).status, 200);
  assert.equal((await join.request("OPTIONS", "/v1/people/1")).status, 204);
  assert.equal((await join.get("/v1/places/31")).status, 404);
});

test("a_scope_includes_the_lower_scopes_and_no_higher_one", async () => {
  await using system = await start({ seed: true, gatewaySettings: { TOKENS, READS: "token" } });
  const { join } = system;
  const requests = [
    ["read", "GET", "/v1/people/1"],
    ["read", "HEAD", "/v1/places"],
    ["read", "GET", "/v1"],
    ["read", "GET", "/v1/integrity"],
    ["read", "GET", "/v1/people-per-place"],
    ["write", "PATCH", "/v1/people/1"],
    ["admin", "POST", `${REPAIR}?dryRun=true`],
  ] as const;
  const tokens = { read: readToken, write: writeToken, admin: adminToken };
  const order = Object.keys(tokens);
  for (const [scope, method, path] of requests) {
    const body = method === "PATCH" ? {} : undefined;
    const send = (headers: Record<string, string> = {}) =>
      body ? join.send(method, path, body, headers) : join.request(method, path, headers);
    const none = await send();
    assert.equal(none.status, 401, path);
    assert.equal(none.headers["www-authenticate"], `Bearer scope="${scope}"`);
    for (const [grantedScope, token] of Object.entries(tokens)) {
      const response = await send(bearer(token));
      const message = `${grantedScope}: ${method} ${path} ${response.status} ${response.text}`;
      if (order.indexOf(grantedScope) >= order.indexOf(scope)) {
        assert.equal(response.status, 200, message);
        continue;
      }
      assert.equal(response.status, 403, message);
      const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
      assert.equal(response.headers["www-authenticate"], challenge);
      const { type, title, status, scope: needed } = response.json;
      assert.deepEqual(
        { type, title, status, needed },
        {
          type: "/problems/insufficient-scope",
          title: "The token lacks the required scope",
          status: 403,
          needed: scope,
        },
      );
    }
  }
});

test("both_tokens_are_valid_during_a_rotation", async () => {
  const oldToken = "an-old-token-of-2025";
  const TOKENS = `write:anna:${tokenHash(oldToken)},write:anna:${tokenHash(writeToken)}`;
  await using system = await start({ gatewaySettings: { TOKENS } });
  const { join } = system;
  for (const [token, name] of [
    [oldToken, "Vieja"],
    [writeToken, "Nueva"],
  ] as const) {
    const created = await join.send("POST", "/v1/places", { name }, bearer(token));
    assert.equal(created.status, 201, created.text);
  }
  assert.equal((await join.send("POST", "/v1/places", { name: "Otra" })).status, 401);
});

test("no_page_and_no_list_is_readable_without_a_token_when_reads_are_closed", async () => {
  await using system = await start({ seed: true, gatewaySettings: { TOKENS, READS: "token" } });
  const { join } = system;
  const html = { accept: "text/html" };
  const form = { "content-type": "application/x-www-form-urlencoded", origin: join.url.origin };
  for (const path of ["/", "/ui/people", "/ui/people/1", "/ui/places/1/rename", "/ui/import"]) {
    const loginPage = await join.get(path, html);
    assert.equal(loginPage.status, 401, path);
    assert.match(loginPage.text, /name="token" type="password"/);
    assert.doesNotMatch(loginPage.text, /Lamister|Descaro/, path);
    const hasForm = /rename|import/.test(path);
    assert.equal((await join.request("POST", path, form, "name=x")).status, hasForm ? 401 : 405);
  }
  assert.equal((await join.get("/", { accept: "application/json" })).status, 401);
  const login = (token: string) => join.request("POST", "/ui/enter", form, `token=${token}`);
  assert.equal((await login("just-any-token-at-all")).status, 401);
  const loggedIn = await login(readToken);
  assert.deepEqual([loggedIn.status, loggedIn.headers.location], [303, "/"]);
  const cookie = loggedIn.headers["set-cookie"]?.split(";")[0] ?? "";
  const page = await join.get("/", { ...html, cookie });
  assert.equal(page.status, 200);
  assert.match(page.text, /Descaro/);
  // The cookie authorizes pages only.
  assert.equal((await join.get("/v1/places", { cookie })).status, 401);
});
