// Tests the benchmark itself. Its peers respond like the product. Its load generator counts
// responses and finds their ends correctly.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ask, difference } from "../../bench/check.ts";
import { AnswerReader } from "../../bench/http.ts";
import { fire, wire } from "../../bench/load.ts";
import { median, percentile } from "../../bench/numbers.ts";
import { type Running, runAll } from "../../bench/running.ts";
import { sizes, type Workload, workloads } from "../../bench/workloads.ts";

/** The peers that need no other tools than the product. */
const peers = ["hono", "monolith"] as const;

async function responseText(running: Running, workload: Workload): Promise<string> {
  const { text, failure } = await ask(running, workload);
  assert.equal(failure, undefined, `${running.name}: ${workload.name}`);
  return text;
}

test("the_benchmark_peers_respond_like_the_product", async () => {
  const all = await runAll(["product", ...peers], sizes.town);
  try {
    const [product, ...others] = all;
    assert.ok(product);
    for (const workload of workloads.filter(({ size }) => size === "town")) {
      const expected = await responseText(product, workload);
      for (const other of others) {
        const mismatch = difference(workload, expected, await responseText(other, workload));
        assert.equal(mismatch, undefined, `${other.name}: ${workload.name}`);
      }
    }
    const [list] = workloads.filter(({ name }) => name === "people");
    assert.ok(list);
    assert.match(difference(list, "[1]", "[2]") ?? "", /differs/);
  } finally {
    await Promise.all(all.map((running) => running.stop()));
  }
});

test("the_response_reader_finds_the_end_of_a_response_in_any_chunks", () => {
  const responses = [
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5],
    ["HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, 0],
    ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 404, 0],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
      200,
      15,
    ],
  ] as const;
  const reader = new AnswerReader();
  for (const [text, status, size] of responses) {
    for (let piece = 1; piece <= text.length; piece += 1) {
      reader.reset();
      for (let at = 0; at < text.length; at += piece) {
        assert.equal(reader.isWhole, false, `${text} is not complete yet`);
        reader.push(Buffer.from(text.slice(at, at + piece)));
      }
      assert.deepEqual([reader.isWhole, reader.status, reader.size], [true, status, size]);
    }
  }
});

test("the_load_generator_counts_requests_and_reports_failures", async () => {
  let requestCount = 0;
  const server = createServer((request, response) => {
    requestCount += 1;
    response.statusCode = request.url === "/bad" ? 500 : 200;
    if (request.url === "/close") response.setHeader("connection", "close");
    response.end("x".repeat(1000));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const load = (path: string, requests: number) =>
    fire({
      url,
      connections: 4,
      shots: [wire(url, { method: "GET", path })],
      status: 200,
      seconds: 10,
      requests,
      timeout: 5,
    });
  try {
    for (const path of ["/", "/close"]) {
      requestCount = 0;
      const { requests, bytes, failure, latencies } = await load(path, 50);
      assert.deepEqual([requests, bytes, failure, requestCount], [50, 50_000, "", 50], path);
      assert.equal(latencies.length, 50);
    }
    assert.equal((await load("/bad", 50)).failure, "a response had the status 500");
    server.close();
    server.closeAllConnections();
    assert.match((await load("/", 50)).failure, /ECONNREFUSED/);
  } finally {
    server.close();
  }
});

test("medians_and_percentiles_are_computed_from_the_values", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
  assert.deepEqual(
    [0.5, 0.95, 0.99].map((part) => percentile(hundred, part)),
    [50, 95, 99],
  );
});
