// The benchmark itself: its peers respond like the product, and its load generator counts and
// delimits responses correctly.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ask, difference } from "../../bench/check.ts";
import { AnswerReader } from "../../bench/http.ts";
import { fire, wire } from "../../bench/load.ts";
import { MIXED, mixedAddresses } from "../../bench/mixed.ts";
import { median, percentile } from "../../bench/numbers.ts";
import { report } from "../../bench/report.ts";
import type { Measure, Results } from "../../bench/results.ts";
import { type Running, runAll } from "../../bench/running.ts";
import { judged } from "../../bench/targets.ts";
import { sizes, type Workload, workloads } from "../../bench/workloads.ts";
import { zipf } from "../../bench/zipf.ts";
import { Random } from "../support/random.ts";

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

test("ranks_are_drawn_by_zipfs_law", () => {
  const draw = zipf(3, 1);
  const random = new Random(1);
  const counts = [0, 0, 0];
  for (let n = 0; n < 11_000; n += 1) {
    const rank = draw(() => random.next());
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  // 6/11, 3/11 and 2/11.
  for (const [rank, share] of [6000, 3000, 2000].entries()) {
    assert.ok(Math.abs((counts[rank] ?? 0) - share) < 200, `${counts}`);
  }
});

test("the_mixed_workload_reads_200_addresses_and_writes_5_percent", () => {
  const shots = workloads.find(({ name }) => name === MIXED)?.shots;
  assert.ok(shots);
  const all = Array.from({ length: 20_000 }, (_, n) => shots(n, "product"));
  const reads = all.filter(({ method }) => method === "GET");
  const writes = all.filter(({ method }) => method === "PATCH");
  assert.ok(Math.abs(writes.length - 1000) < 100, `${writes.length} writes`);
  assert.equal(reads.length + writes.length, all.length);
  assert.equal(new Set(writes.map(({ body }) => body)).size, writes.length, "each changes a name");
  const addresses = mixedAddresses(sizes.town);
  assert.equal(new Set(addresses).size, 200);
  assert.deepEqual(new Set(reads.map(({ path }) => path)), new Set(addresses));
  const count = (path = "") => reads.filter((read) => read.path === path).length;
  assert.ok(count(addresses[0]) > 1.7 * count(addresses[1]), "the first one is read most");
  assert.deepEqual(shots(7, "hono"), shots(7, "hono"));
});

/** Results with one measured request in each profile, and the mixed workload. */
function resultsWith(trips: { p50: number }, throughput: number): Results {
  const measure = (throughput: number): Measure => {
    const latencies = { p50: 1.5, p95: 2.5, p99: 3.5 };
    return { rounds: [], throughput, ...latencies, cpu: 1, bytes: 1000, requests: 10 };
  };
  const costs = { roundTrips: 1.25, rowsRead: 50, rowsWritten: 0.5, calls: 1 };
  const latency = { product: { ...trips, p95: 9 }, hono: { p50: 4, p95: 9 } };
  return {
    at: "2026-11-27T00:00:00Z",
    command: "make bench",
    commit: "0000000",
    machine: { processor: "x", cores: 2, memory: "1 GB", system: "Linux" },
    versions: {},
    rounds: 5,
    seconds: 0.5,
    absent: {},
    trips: {
      at: "2026-11-27T00:00:00Z",
      commit: "0000000",
      samples: 30,
      rows: [
        {
          title: "move a person",
          goals: { unplaced: 3.2, placed: 1.3 },
          before: 4.42,
          entries: { unplaced: latency, placed: latency },
        },
      ],
    },
    workloads: [
      {
        name: MIXED,
        title: "mixed",
        request: "join: GET /v1/people-per-place",
        size: sizes.town,
        tables: [1, 8].map((connections) => ({
          connections,
          entries: {
            product: measure(throughput),
            hono: measure(100),
            flask: { failure: "it responded with 500" },
          },
        })),
        costs: { product: costs },
      },
    ],
    memory: {},
    startup: {},
    targets: [],
  };
}

test("the_report_begins_with_the_round_trips_and_the_mixed_workload", () => {
  const page = report(resultsWith({ p50: 3.1 }, 200))["README.md"] ?? "";
  const heads = [...page.matchAll(/^## (.*)$/gm)].map(([, head]) => head);
  assert.deepEqual(heads.slice(0, 4), ["Round trips", "Mixed workload", "Throughput", "Targets"]);
  assert.ok(page.includes("| p50 / p95 | before | goal | this one | Hono |"));
  assert.ok(page.includes("| move a person | 4.42 | 3.2 | 3.10 / 9.00 | 4.00 / 9.00 |"));
  assert.ok(page.includes("| move a person | 1.3 | 3.10 / 9.00 | 4.00 / 9.00 |"));
  const [row] = /^\| this one \| 200 .*$/m.exec(page) ?? [];
  assert.equal(row, "| this one | 200 | 1.50 / 2.50 | 200 | 1.50 / 2.50 | 1.25 | 50.0 | 0.50 |");
  assert.ok(page.includes("- Flask: it responded with 500"));
});

test("a_target_is_missed_if_one_of_its_requests_is_slower_than_its_goal", () => {
  const of = (p50: number, throughput: number) => {
    const targets = judged(resultsWith({ p50 }, throughput));
    return Object.fromEntries(targets.map(({ title, isReached }) => [title, isReached]));
  };
  const [good, bad] = [of(1.3, 150), of(3.3, 50)];
  assert.deepEqual([good["Round trips, unplaced"], good["Round trips, placed"]], [true, true]);
  assert.deepEqual([bad["Round trips, unplaced"], bad["Round trips, placed"]], [false, false]);
  const hono = "Reads with one connection, Hono";
  assert.deepEqual([good[hono], bad[hono]], [true, false]);
});
