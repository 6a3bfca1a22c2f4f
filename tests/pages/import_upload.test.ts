// Tests uploads: who may fill the memory of the gateway, and for how long.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SERVICE_SECRET, start, type WorkerClient } from "../support/harness.ts";
import { ACCEPT_HTML, sendFile } from "../support/page_helpers.ts";
import { bearer, tokenHash } from "../support/tokens.ts";

const token = "a-token-that-may-write";
const system = await start({
  seed: true,
  gatewaySettings: { TOKENS: `write:anna:${tokenHash(token)}` },
  backendSettings: { SERVICE_SECRET, TOKENS: `write:anna:${tokenHash(token)}` },
});
after(() => system.dispose());
const { join } = system;

const long = `name\n${"Larga\n".repeat(100_000)}`;

test("a_long_upload_without_a_cookie_gets_the_login_whatever_token_is_in_the_form", async () => {
  const allFields: Record<string, string>[] = [{}, { token }, { token: "a-token-that-is-guessed" }];
  for (const fields of allFields) {
    const response = await sendFile(join, { collection: "people", ...fields, text: long });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("set-cookie"), null);
    const page = await response.text();
    assert.ok(page.includes("Log in, then choose the file again."), page.slice(0, 2000));
    // A page that shows the file again has stored it.
    assert.ok(!page.includes("Larga"));
  }
});

test("a_short_upload_may_have_its_token_in_the_form", async () => {
  const fields = { collection: "people", dryRun: "true", text: "name\nCorta\n" };
  const accepted = await sendFile(join, { ...fields, token });
  assert.equal(accepted.status, 200);
  assert.match(accepted.headers.get("set-cookie") ?? "", /^__Host-token=/);
  assert.equal((await sendFile(join, fields)).status, 401);
});

test("a_long_upload_with_a_cookie_that_may_write_is_imported", async () => {
  const body = new FormData();
  body.append("collection", "people");
  body.append("text", long);
  const headers = { origin: join.url.origin, cookie: `__Host-token=${token}`, ...ACCEPT_HTML };
  const response = await fetch(`${join.url.origin}/ui/import`, { method: "POST", headers, body });
  assert.equal(response.status, 200);
  await response.body?.cancel();
});

function isComplete(response: string): boolean {
  const [head = "", body] = response.split(/\r\n\r\n(.*)/s);
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (body === undefined) return false;
  return length ? Buffer.byteLength(body) >= Number(length) : body.endsWith("0\r\n\r\n");
}

/** Sends the start of a body and, later, the rest. Returns the response with the seconds. */
async function stall(
  { url }: WorkerClient,
  path: string,
  headers: Record<string, string>,
  sendRest = async (_: Socket) => {},
) {
  const started = performance.now();
  const socket = connect(Number(url.port), url.hostname).on("error", () => {});
  const fields = { host: url.host, "content-length": "1000", ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n{"name":`);
  sendRest(socket);
  let response = "";
  // The body can arrive after the headers.
  for await (const data of socket) {
    response += data;
    if (isComplete(response)) break;
  }
  return { response, seconds: (performance.now() - started) / 1000 };
}

suite("a stalled upload", { concurrency: true }, () => {
  const json = { "content-type": "application/json", ...bearer(token) };
  const timesOut = async (worker: WorkerClient, path: string) => {
    const { response, seconds } = await stall(worker, path, json);
    assert.match(response, /^HTTP\/1.1 408 .*\/problems\/body-timed-out/s);
    assert.match(response, /^content-type: application\/problem\+json/im);
    assert.match(response, /"detail":"The body did not arrive within 30 seconds/);
    assert.doesNotMatch(response, /"outcome"/);
    assert.ok(seconds > 29 && seconds < 60, `${seconds} s`);
  };

  test("the_body_of_a_record_times_out_after_30_seconds", async () => {
    await timesOut(system.people, "/v1/people");
  });

  test("a_slow_sender_gets_408_from_the_gateway_and_not_the_timeout_of_a_backend", async () => {
    await Promise.all([timesOut(join, "/v1/people"), timesOut(join, "/v1/places/1/restore")]);
  });

  test("a_record_that_takes_longer_than_a_call_of_the_backend_is_written", async () => {
    const rest = `"${"x".repeat(100)}"}`;
    const headers = { ...json, "content-length": String(8 + rest.length) };
    const { response, seconds } = await stall(join, "/v1/places", headers, async (socket) => {
      for (const part of rest.match(/.{1,15}/g) ?? []) {
        await sleep(1000);
        socket.write(part);
      }
    });
    assert.match(response, /^HTTP\/1.1 201 /);
    assert.ok(seconds > 6, `${seconds} s`);
  });

  test("a_form_without_a_cookie_times_out_after_30_seconds", async () => {
    const type = "application/x-www-form-urlencoded";
    const headers = { "content-type": type, origin: join.url.origin };
    const { response, seconds } = await stall(join, "/ui/places/new", headers);
    assert.match(response, /^HTTP\/1.1 408 .*<h1>Too slow<\/h1>/s);
    assert.ok(seconds > 29 && seconds < 60, `${seconds} s`);
  });
});

test("uploads_that_would_fill_the_memory_of_the_gateway_are_rejected", async () => {
  const mib = 1024 * 1024;
  const own = { origin: join.url.origin, cookie: `__Host-token=${token}`, ...ACCEPT_HTML };
  /** Uploads a file with this number of lines of two bytes. */
  const upload = (lines: number) => {
    const body = new FormData();
    body.append("collection", "people");
    body.append("dryRun", "true");
    body.append("text", "name,isAlive\n".padEnd(lines, "\n"));
    return fetch(`${join.url.origin}/ui/import`, { method: "POST", headers: own, body });
  };
  // One upload of 8 MiB is in progress. The gateway has each file in memory three times.
  const slow = connect(Number(join.url.port), join.url.hostname).on("error", () => {});
  const headers = { host: join.url.host, ...own, "content-length": String(8 * mib) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  slow.write(
    `POST /ui/import HTTP/1.1\r\n${lines.join("")}content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\n`,
  );
  await sleep(200);
  const rejected = await upload(2 * mib);
  assert.equal(rejected.status, 429);
  assert.ok(Number(rejected.headers.get("retry-after")) > 0);
  assert.match(await rejected.text(), /too many requests at once/);
  const small = await upload(mib / 2);
  assert.equal(small.status, 200);
  await small.text();
  slow.destroy();
});

test("each_container_has_a_memory_limit", () => {
  assert.match(
    readFileSync("compose.yaml", "utf8"),
    /^x-service: &service\n(?: .*\n)* {2}mem_limit: 1g$/m,
  );
});
