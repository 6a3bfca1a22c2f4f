// Tests how `make backup REMOTE=1` repeats queries if Cloudflare's API limits or fails them.
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { D1Api } from "../../ops/backup/d1_api.ts";
import { Failed } from "../../ops/deploy/wrangler.ts";

/** Reads from an API that fails once. Returns the time between the two requests, in milliseconds. */
async function readAfter(t: TestContext, fail: (response: ServerResponse) => void) {
  const times: number[] = [];
  const server = createServer((_, response) => {
    times.push(performance.now());
    if (times.length === 1) fail(response);
    else response.end(JSON.stringify({ result: [{ results: [{ n: 1 }], meta: {} }] }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  process.env.CLOUDFLARE_API_BASE_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.CLOUDFLARE_API_TOKEN = "a-token";
  process.env.CLOUDFLARE_ACCOUNT_ID = "an-account";
  const api = await D1Api.open();
  assert.deepEqual(await api.read("a-database", "SELECT 1 AS n"), [{ n: 1 }]);
  const [first = 0, second = 0] = times;
  return second - first;
}

const limited = (retryAfter: string) => (response: ServerResponse) => {
  response.writeHead(429, { "retry-after": retryAfter }).end("slow down");
};

test("a_query_is_repeated_after_the_date_of_retry_after", async (t) => {
  const date = new Date(Date.now() + 4000).toUTCString();
  const waited = await readAfter(t, limited(date));
  assert.ok(waited > 2000, `${waited} ms`);
});

test("a_query_with_an_invalid_retry_after_is_repeated_after_a_second", async (t) => {
  const waited = await readAfter(t, limited("soon"));
  assert.ok(waited > 900, `${waited} ms`);
});

test("a_query_with_a_retry_after_of_a_day_fails_at_once", async (t) => {
  const isLimited = (error: unknown) => error instanceof Failed && /429: slow/.test(error.message);
  await assert.rejects(readAfter(t, limited("86400")), isLimited);
});

test("a_query_is_repeated_if_its_response_breaks_off", async (t) => {
  await readAfter(t, (response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("{", () => response.destroy());
  });
});
