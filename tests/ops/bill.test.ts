// Compares the monthly costs of the cost model with results computed by hand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { type Kind, month } from "../../bench/bill/bill.ts";
import { isolate, type Load } from "../../bench/bill/isolate.ts";

const quietLoad: Load = { rate: 10, writes: 0, answers: 1, skew: 1, d1Ms: 8 };

suite("the model of an isolate", () => {
  test("an_isolate_revalidates_each_response_when_requests_are_rare", () => {
    const { held, proofs, made, waitedMs } = isolate({ ...quietLoad, rate: 0.5 }, 5000);
    assert.ok(held > 0.999 && proofs > 0.98, `${held} ${proofs}`);
    assert.equal(made, 1 / 5000);
    assert.ok(waitedMs > 7.9 && waitedMs < 8.2, `${waitedMs}`);
  });

  test("an_isolate_runs_at_most_one_revalidation_at_a_time", () => {
    const requests = 50_000;
    const rate = 10_000;
    const { proofs, waitedMs } = isolate({ ...quietLoad, rate }, requests);
    const rounds = ((requests / rate) * 1000) / quietLoad.d1Ms;
    assert.ok(proofs * requests < rounds * 1.1, `${proofs * requests} of ${rounds}`);
    // A request cannot use the running revalidation, so it waits for that one and the next.
    assert.ok(waitedMs > 8 && waitedMs < 16.1, `${waitedMs}`);
  });

  test("an_isolate_computes_a_response_again_after_each_change", () => {
    const { made } = isolate({ ...quietLoad, rate: 1000, writes: 1 }, 100_000);
    assert.ok(made > 0.0008 && made < 0.0012, `${made}`);
    const busy = isolate({ ...quietLoad, rate: 10, writes: 1000 }, 5000);
    assert.ok(busy.made > 0.98, `${busy.made}`);
  });

  test("an_isolate_caches_few_of_many_rarely_requested_responses", () => {
    const rare = isolate({ ...quietLoad, rate: 100, answers: 100_000, skew: 0 }, 5000);
    assert.ok(rare.made > 0.95, `${rare.made}`);
  });
});

suite("the model of a month", () => {
  const cost = { cpuMs: 2, rowsRead: 10, rowsWritten: 0, queries: 2 };
  const write = { cpuMs: 4, rowsRead: 3, rowsWritten: 5, queries: 1 };
  const kinds: Kind[] = [
    { name: "read", share: 0.9, isWrite: false, held: cost, made: cost },
    { name: "write", share: 0.1, isWrite: true, held: write, made: write },
  ];
  const noIncluded = { included: 0, perMillion: 1 };
  const prices = {
    monthly: 5,
    requests: { included: 1e6, perMillion: 1 },
    cpuMs: noIncluded,
    rowsRead: noIncluded,
    rowsWritten: noIncluded,
    logEvents: noIncluded,
    storageGb: { included: 1, perGb: 2 },
  };
  const assumed = {
    ...quietLoad,
    writesPerSecondAtMost: 50,
    isolateBusy: 0.5,
    requestsPerLocation: 100,
    locationsAtMost: 10,
    queriesPerSecondOfADatabase: 100,
    storageGb: 3,
  };

  test("a_month_costs_the_used_amounts_at_their_prices", () => {
    const { dollars, total, queries, queriesPerSecond, databases } = month(
      1000,
      kinds,
      prices,
      assumed,
      { share: 0.1, hasInvocationLogs: false },
      false,
    );
    const millions = (1000 * 30.4 * 24 * 3600) / 1e6;
    const assertNear = (found: number, expected: number) =>
      assert.ok(Math.abs(found - expected) < 1e-6 * expected, `${found}, not ${expected}`);
    assertNear(dollars.requests, millions - 1);
    assertNear(dollars.cpu, millions * (0.9 * 2 + 0.1 * 4));
    assertNear(dollars.rowsRead, millions * (0.9 * 10 + 0.1 * 3));
    assertNear(dollars.rowsWritten, millions * 0.1 * 5);
    // The gateway and 0.9 * 2 + 0.1 calls of a backend.
    assertNear(dollars.logs, millions * (1 + 1.9) * 0.1);
    assertNear(dollars.storage, 4);
    assertNear(total, 5 + Object.values(dollars).reduce((sum, price) => sum + price, 0) - 5);
    assertNear(queries, 0.9 * 2 + 0.1);
    assertNear(queriesPerSecond, 950);
    assert.equal(databases, 10);
  });

  test("invocation_logs_cost_as_much_as_logging_every_request", () => {
    const [none, sampled, all, both] = [
      { share: 0, hasInvocationLogs: false },
      { share: 0.1, hasInvocationLogs: false },
      { share: 1, hasInvocationLogs: false },
      { share: 1, hasInvocationLogs: true },
    ].map((logging) => month(1000, kinds, prices, assumed, logging).dollars.logs);
    assert.ok(none === 0 && sampled && all && both);
    assert.ok(Math.abs(all - 10 * sampled) < 1e-6 * all, `${sampled} ${all}`);
    assert.ok(Math.abs(both - 2 * all) < 1e-6 * all, `${all} ${both}`);
  });

  test("caching_lowers_the_cost_but_not_below_the_price_of_the_requests", () => {
    for (const rate of [1e3, 1e5]) {
      const [held, made] = [true, false].map((holds) =>
        month(rate, kinds, prices, assumed, { share: 1, hasInvocationLogs: false }, holds),
      );
      assert.ok(held && made);
      assert.ok(held.rowsRead < made.rowsRead && held.total < made.total);
      assert.ok(held.total > held.dollars.requests);
    }
  });

  test("the_documented_bill_is_of_the_last_benchmark", () => {
    const page = readFileSync("docs/benchmarks/bill.md", "utf8");
    const { commit } = JSON.parse(readFileSync("docs/benchmarks/results.json", "utf8"));
    assert.ok(page.includes(`(commit ${commit})`), "make bill");
  });
});
