// Tests open writes (WRITES=open): a page of another site must not write through a visitor's
// browser.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { start, type WorkerClient } from "../support/harness.ts";
import { sendRaw } from "../support/raw_request.ts";
import { bearer, tokenHash } from "../support/tokens.ts";

const system = await start({ places, people });
after(() => system.dispose());

type Headers = Record<string, string>;
const writes: [WorkerClient, string, string][] = [
  [system.join, "POST", "/v1/integrity/repair"],
  [system.join, "DELETE", "/v1/people/1"],
  [system.join, "POST", "/v1/people/import"],
  [system.people, "DELETE", "/v1/people/1"],
  [system.people, "POST", "/internal/repair"],
  [system.places, "POST", "/internal/repair"],
];
const foreign: Headers[] = [
  { origin: "https://evil.example" },
  { origin: "null" },
  { origin: "http://localhost:1" },
  // DNS rebinding: the page and the request have the same name, which points to this machine.
  { host: "evil.example:5003", origin: "http://evil.example:5003" },
  { host: "evil.example" },
  { host: "localhost.evil.example", "x-gateway-forwarded": "1" },
];
const send = ({ url }: WorkerClient, method: string, path: string, headers: Headers) =>
  sendRaw(url, method, path, headers);

test("a_write_from_a_page_of_another_site_is_rejected_where_writes_are_open", async () => {
  for (const [worker, method, path] of writes) {
    for (const headers of foreign) {
      const message = `${method} ${path} ${JSON.stringify(headers)}`;
      const { status, body } = await send(worker, method, path, headers);
      // An internal route does not exist for a forwarded request.
      const isHidden = path.startsWith("/internal/") && "x-gateway-forwarded" in headers;
      assert.equal(status, isHidden ? 404 : 403, `${message} ${body}`);
      assert.match(body, isHidden ? /unknown-route/ : /"type":"\/problems\/foreign-request"/);
    }
  }
  assert.equal((await system.join.get("/v1/people/1")).status, 200);
});

test("a_form_from_a_page_of_an_unknown_host_is_rejected_where_writes_are_open", async () => {
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const evil = { ...type, host: "evil.example", origin: "http://evil.example" };
  const rejected = await send(system.join, "POST", "/ui/people/1/remove", evil);
  assert.equal(rejected.status, 403);
  assert.match(rejected.body, /<h1>Form from another site<\/h1>/);
});

test("reads_are_open_to_every_origin_and_host", async () => {
  for (const headers of foreign) {
    assert.equal((await send(system.join, "GET", "/v1/people/1", headers)).status, 200);
  }
});

test("programs_and_pages_of_this_site_may_write_where_writes_are_open", async () => {
  const { port } = system.join.url;
  for (const host of ["localhost", "127.0.0.1", "[::1]", "api.localhost", "join"]) {
    const site = `${host}:${port}`;
    const allHeaders: Headers[] = [{ host: site }, { host: site, origin: `http://${site}` }];
    for (const headers of allHeaders) {
      const repaired = await send(system.join, "POST", "/v1/integrity/repair", headers);
      assert.equal(repaired.status, 200, `${host} ${repaired.body}`);
      const deleted = await send(system.join, "DELETE", "/v1/people/999", headers);
      assert.equal(deleted.status, 404, `${host} ${deleted.body}`);
    }
  }
});

test("allowed_origins_and_hosts_may_write_where_writes_are_open", async () => {
  const settings = {
    WRITES: "open",
    ALLOWED_ORIGINS: "https://map.example",
    ALLOWED_HOSTS: "registry.example, other.example",
  };
  await using allowed = await start({
    places,
    people,
    gatewaySettings: settings,
    backendSettings: settings,
  });
  for (const [headers, status] of [
    [{ origin: "https://map.example" }, 404],
    [{ host: "registry.example", origin: "http://registry.example" }, 404],
    [{ host: "other.example:5003" }, 404],
    [{ host: "registry.example", origin: "https://map.example" }, 404],
    [{ host: "third.example" }, 403],
    [{ host: "registry.example", origin: "http://other.example" }, 403],
  ] as const) {
    const { status: actual } = await send(allowed.join, "DELETE", "/v1/people/999", headers);
    assert.equal(actual, status, JSON.stringify(headers));
  }
});

test("a_token_is_enough_for_every_origin_and_host_where_writes_are_closed", async () => {
  const token = "the-token-of-a-writer";
  const TOKENS = `write:anna:${tokenHash(token)}`;
  await using closed = await start({ places, people, gatewaySettings: { TOKENS } });
  for (const headers of foreign) {
    const sent = { ...headers, ...bearer(token) };
    assert.equal((await send(closed.join, "DELETE", "/v1/people/999", sent)).status, 404);
  }
});
