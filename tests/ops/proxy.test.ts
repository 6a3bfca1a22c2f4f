// Tests the reverse proxy in front of the gateway of the containers (ops/containers/Caddyfile).
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../support/harness.ts";
import { hasCaddy, NO_CADDY, type RunningProxy, startProxy } from "../support/proxy.ts";
import { sendRaw } from "../support/raw_request.ts";

/** Sends text on a connection, and returns everything that arrives until it closes or is quiet. */
async function exchange(url: URL, text: string, quietMs = 1500): Promise<string> {
  const socket = connect(Number(url.port), url.hostname);
  let received = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
  });
  socket.on("error", () => {});
  socket.write(text, "latin1");
  const closed = once(socket, "close");
  for (let before = -1; before !== received.length || received === ""; ) {
    before = received.length;
    if ((await Promise.race([closed, sleep(quietMs, "quiet")])) !== "quiet") break;
  }
  socket.destroy();
  return received;
}

const skip = (await hasCaddy()) ? false : NO_CADDY;

suite("the proxy of the containers", { skip }, () => {
  /** The gateway behind the proxy. */
  const withGateway = async (use: (proxy: RunningProxy) => Promise<void>, hasTls = false) => {
    await using system = await start({ seed: true });
    const proxy = await startProxy(Number(system.join.url.port), hasTls);
    try {
      await use(proxy);
    } finally {
      await proxy.stop();
    }
  };

  test("a_response_has_a_date_and_is_compressed_if_the_client_accepts_that", () =>
    withGateway(async ({ url }) => {
      const headers = { "accept-encoding": "gzip" };
      const { head, status } = await sendRaw(url, "GET", "/v1/people?limit=50", headers);
      assert.equal(status, 200);
      assert.match(head, /^date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/im);
      assert.match(head, /^content-encoding: gzip$/im);
      assert.doesNotMatch(head, /^server:/im);
      const plain = await sendRaw(url, "GET", "/v1/people?limit=50");
      assert.doesNotMatch(plain.head, /^content-encoding:/im);
    }));

  test("requests_that_workerd_fails_on_get_a_proper_response", () =>
    withGateway(async ({ url }) => {
      const host = `Host: ${url.host}\r\n`;
      const close = "Connection: close\r\n\r\n";
      // The form of a request to a proxy (RFC 9112, 3.2.2).
      const absolute = await exchange(
        url,
        `GET http://${url.host}/v1/places/1 HTTP/1.1\r\n${host}${close}`,
      );
      assert.match(absolute, /^HTTP\/1.1 200 [\s\S]*Descaro del Rey/);
      const options = await exchange(url, `OPTIONS * HTTP/1.1\r\n${host}${close}`);
      assert.match(options, /^HTTP\/1.1 20[04] /);
      const body = '{"name":"X"}';
      const lengths = `Content-Length: ${body.length}\r\nContent-Length: 3\r\n`;
      const post = `POST /v1/places HTTP/1.1\r\n${host}Content-Type: application/json\r\n`;
      assert.match(await exchange(url, `${post}${lengths}${close}${body}`), /^HTTP\/1.1 400 /);
      const smuggled = `Content-Length: 3\r\nTransfer-Encoding: chunked\r\n${close}0\r\n\r\nGET /internal/x HTTP/1.1\r\n\r\n`;
      const answers = await exchange(url, `${post}${smuggled}`);
      assert.equal(answers.match(/^HTTP\/1.1 /gm)?.length, 1, answers);
    }));

  test("an_upload_that_expects_it_gets_100_continue", () =>
    withGateway(async ({ url }) => {
      const head = `POST /v1/places HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\n`;
      const expecting = `${head}Content-Length: 15\r\nExpect: 100-continue\r\n\r\n`;
      const socket = connect(Number(url.port), url.hostname);
      socket.setEncoding("latin1").write(expecting);
      const [first] = await once(socket, "data");
      assert.match(first, /^HTTP\/1.1 100 Continue/);
      socket.write('{"name":"Cien"}');
      const [second] = await once(socket, "data");
      assert.match(second, /^HTTP\/1.1 201 /);
      socket.destroy();
    }));

  test("an_empty_if_match_gets_412_through_the_proxy", () =>
    withGateway(async ({ url }) => {
      for (const value of ["", ","]) {
        const { status } = await sendRaw(url, "DELETE", "/v1/people/4", { "if-match": value });
        assert.equal(status, 412, `If-Match:${value}`);
      }
    }));

  test("a_client_cannot_choose_the_address_that_the_rate_limit_counts", async () => {
    let seen: IncomingMessage["headers"] = {};
    const upstream = createServer((incoming, response) => {
      seen = incoming.headers;
      response.end();
    });
    await once(upstream.listen(0, "127.0.0.1"), "listening");
    const proxy = await startProxy((upstream.address() as AddressInfo).port);
    try {
      await sendRaw(proxy.url, "GET", "/", { "cf-connecting-ip": "192.0.2.1" });
      assert.equal(seen["cf-connecting-ip"], "127.0.0.1");
      assert.equal(seen.host, proxy.url.host);
      const { status } = await sendRaw(proxy.url, "GET", "/", { x: "y".repeat(80_000) });
      assert.equal(status, 431);
    } finally {
      await proxy.stop();
      upstream.close();
    }
  });

  test("a_body_over_the_limit_of_an_import_gets_413", () =>
    withGateway(async ({ url }) => {
      const body = "x".repeat(13_000_000);
      const headers = { "content-type": "text/csv" };
      const response = await fetch(new URL("/v1/people/import", url), {
        method: "POST",
        headers,
        body,
      }).catch((error: Error) => error);
      // The proxy may close the connection before it has read the whole body.
      if (response instanceof Response) assert.equal(response.status, 413);
    }));

  test("with_tls_browsers_must_use_it_and_a_form_of_the_site_is_accepted", () =>
    withGateway(async ({ url }) => {
      const send = (method: string, path: string, headers: Record<string, string>, body = "") =>
        new Promise<IncomingMessage>((done, failed) => {
          const options = { method, headers, rejectUnauthorized: false };
          request(new URL(path, url), options, done).on("error", failed).end(body);
        });
      const page = await send("GET", "/", { accept: "text/html" });
      assert.equal(page.statusCode, 200);
      assert.equal(page.headers["strict-transport-security"], "max-age=31536000");
      page.resume();
      const json = { "content-type": "application/json", origin: url.origin };
      const written = await send("POST", "/v1/places", json, '{"name":"Segura"}');
      assert.equal(written.statusCode, 201);
      written.resume();
      const foreign = { ...json, origin: "https://elsewhere.example" };
      assert.equal((await send("POST", "/v1/places", foreign, "{}")).statusCode, 403);
    }, true));
});
