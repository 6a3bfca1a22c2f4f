// Compares the costs of the cost model with results computed by hand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { type Cost, type Demand, month, type Requests, sumOf } from "../../bench/bill/bill.ts";
import { isolate, type Load } from "../../bench/bill/isolate.ts";

const addresses = (count: number) => Array.from({ length: count }, () => 0);
const quietLoad: Load = {
  rate: 10,
  writes: 0,
  ownWrites: 0,
  addresses: addresses(1),
  skew: 1,
  freshMs: 0,
  d1Ms: 8,
};

suite("the model of an isolate", () => {
  test("an_isolate_checks_each_response_when_requests_are_rare", () => {
    const outcome = isolate({ ...quietLoad, rate: 0.5 }, 5000);
    const { held, checks, made, waitedMs, trips } = outcome;
    assert.ok(held > 0.999 && checks > 0.98, `${held} ${checks}`);
    assert.equal(made, 1 / 5000);
    assert.ok(waitedMs > 7.9 && waitedMs < 8.2, `${waitedMs}`);
    assert.equal(trips, 1);
  });

  test("an_isolate_runs_at_most_one_check_at_a_time", () => {
    const requests = 50_000;
    const rate = 10_000;
    const { checks, waitedMs } = isolate({ ...quietLoad, rate }, requests);
    const rounds = ((requests / rate) * 1000) / quietLoad.d1Ms;
    assert.ok(checks * requests < rounds * 1.1, `${checks * requests} of ${rounds}`);
    // A request cannot use the running check, so it waits for that one and the next.
    assert.ok(waitedMs > 8 && waitedMs < 16.1, `${waitedMs}`);
  });

  test("an_isolate_makes_a_response_again_after_each_change", () => {
    const { made } = isolate({ ...quietLoad, rate: 1000, writes: 1 }, 100_000);
    assert.ok(made > 0.0008 && made < 0.0012, `${made}`);
    const busy = isolate({ ...quietLoad, writes: 1000 }, 5000);
    assert.ok(busy.made > 0.98, `${busy.made}`);
  });

  test("a_changed_page_takes_one_round_trip_unless_its_check_is_shared", () => {
    const alone = isolate({ ...quietLoad, rate: 1, writes: 100 }, 5000);
    assert.ok(alone.trips < 1.02 && alone.checks < 0.03, `${alone.trips} ${alone.checks}`);
    const together = isolate({ ...quietLoad, rate: 1000, writes: 10_000 }, 50_000);
    assert.ok(together.trips > 1.8, `${together.trips}`);
  });

  test("an_isolate_caches_few_of_many_rarely_requested_responses", () => {
    const rare = isolate({ ...quietLoad, rate: 100, addresses: addresses(100_000), skew: 0 }, 5000);
    assert.ok(rare.made > 0.95, `${rare.made}`);
  });

  test("a_fresh_response_needs_no_round_trip", () => {
    // One request per second on average, and a response is fresh for a second: with an average of one
    // more request before the next check, half of them are fresh.
    const outcome = isolate({ ...quietLoad, rate: 1, freshMs: 1000 }, 50_000);
    assert.ok(Math.abs(outcome.fresh - 0.5) < 0.01, `${outcome.fresh}`);
    assert.ok(Math.abs(outcome.fresh + outcome.held + outcome.made - 1) < 1e-9);
    assert.ok(Math.abs(outcome.trips - 0.5) < 0.02, `${outcome.trips}`);
    // Writes elsewhere do not matter within the bound.
    const written = isolate({ ...quietLoad, rate: 1, freshMs: 1000, writes: 100 }, 50_000);
    assert.ok(Math.abs(written.fresh - 0.5) < 0.01, `${written.fresh}`);
  });

  test("no_response_is_fresh_after_a_write_through_the_same_isolate", () => {
    const writes = { writes: 100, ownWrites: 100 };
    const { fresh } = isolate({ ...quietLoad, rate: 1, freshMs: 1000, ...writes }, 20_000);
    assert.ok(fresh < 0.02, `${fresh}`);
  });

  test("the_answers_are_counted_by_the_kind_of_the_address", () => {
    // By Zipf's law, two thirds of the requests are for the first of two addresses.
    const { kinds } = isolate({ ...quietLoad, rate: 0.1, writes: 10, addresses: [1, 0] }, 30_000);
    const [second, first] = kinds.map(({ made }) => made);
    assert.ok(Math.abs((first ?? 0) - 2 / 3) < 0.01, `${first}`);
    assert.ok(Math.abs((second ?? 0) - 1 / 3) < 0.01, `${second}`);
  });
});

suite("the model of the costs", () => {
  const none: Cost = { cpuMs: 0, rowsRead: 0, rowsWritten: 0, queries: 0, calls: 0 };
  const fresh = { ...none, cpuMs: 0.5 };
  const held = { ...none, cpuMs: 2, rowsRead: 4, queries: 2, calls: 2 };
  const write = { cpuMs: 4, rowsRead: 3, rowsWritten: 5, queries: 1, calls: 1 };
  const requests: Requests = {
    kinds: [{ name: "read", fresh, held, made: { ...held, rowsRead: 10 } }],
    addresses: addresses(50),
    skew: 1,
    writeShare: 0.1,
    write,
  };
  const noIncluded = { included: 0, perMillion: 1 };
  const prices = {
    monthly: 5,
    requests: { included: 1e6, perMillion: 1 },
    cpuMs: noIncluded,
    rowsRead: noIncluded,
    rowsWritten: { included: 0, perMillion: 2 },
    logEvents: noIncluded,
    storageGb: { included: 1, perGb: 2 },
  };
  const assumed = {
    writesPerSecondAtMost: 50,
    d1Ms: 8,
    isolateBusy: 0.5,
    requestsPerLocation: 100,
    locationsAtMost: 10,
    queriesPerSecondOfADatabase: 100,
    storageGb: 3,
  };
  const logging = { share: 0.1, hasInvocationLogs: false };
  const monthOf = (demand: Demand, given = requests) =>
    month(demand, given, prices, assumed, logging);
  const assertNear = (found: number, expected: number) =>
    assert.ok(Math.abs(found - expected) < 1e-6 * expected, `${found}, not ${expected}`);

  test("a_million_requests_cost_their_amounts_at_their_prices", () => {
    // Rare requests share no check, and here a new response costs as much as a check.
    const kinds = [{ name: "read", fresh, held, made: held }];
    const { perMillionReads, perMillionWrites } = monthOf(
      { rate: 0.1, staleSeconds: 0 },
      { ...requests, kinds },
    );
    assertNear(perMillionReads.requests, 1);
    assertNear(perMillionReads.cpu, 2);
    assert.ok(Math.abs(perMillionReads.rowsRead - 4) < 0.01, `${perMillionReads.rowsRead}`);
    assert.ok(Math.abs(perMillionReads.logs - 0.3) < 0.001, `${perMillionReads.logs}`);
    assert.deepEqual(perMillionWrites, {
      requests: 1,
      cpu: 4,
      rowsRead: 3,
      rowsWritten: 10,
      logs: 0.2,
    });
  });

  test("a_month_has_the_plan_the_storage_and_what_it_does_not_include", () => {
    const { perMillionReads, perMillionWrites, total } = monthOf({ rate: 1000, staleSeconds: 0 });
    const millions = (SECONDS: number, rate: number) => (rate * SECONDS) / 1e6;
    const seconds = 30.4 * 24 * 3600;
    // 50 writes per second at most, of 100.
    const reads = millions(seconds, 950) * sumOf(perMillionReads);
    const writes = millions(seconds, 50) * sumOf(perMillionWrites);
    assertNear(total, 5 + 4 + reads + writes - 1);
  });

  test("staleness_lowers_the_cost_of_reads_but_not_below_the_price_of_the_requests", () => {
    for (const rate of [1e3, 1e5]) {
      const months = [0, 1, 10].map((staleSeconds) => monthOf({ rate, staleSeconds }));
      const costs = months.map(({ perMillionReads }) => sumOf(perMillionReads));
      const [current = 0, second = 0, ten = 0] = costs;
      assert.ok(current > second && second >= ten && ten > 1, `${costs}`);
      assert.equal(months[0]?.freshShare, 0);
      assert.ok((months[1]?.trips ?? 9) < (months[0]?.trips ?? 0));
      const [writes] = new Set(months.map(({ perMillionWrites }) => sumOf(perMillionWrites)));
      assertNear(writes ?? 0, 1 + 4 + 3 + 10 + 0.2);
    }
  });

  test("more_isolates_have_fewer_fresh_responses", () => {
    const [few, many] = [1, 16].map((isolateFactor) =>
      monthOf({ rate: 1e4, staleSeconds: 1, isolateFactor }),
    );
    assert.ok(few && many && many.isolates > 10 * few.isolates);
    assert.ok(few.freshShare > many.freshShare);
    assert.ok(sumOf(few.perMillionReads) < sumOf(many.perMillionReads));
  });

  test("invocation_logs_cost_as_much_as_logging_every_request", () => {
    const [nothing, sampled, all, both] = [
      { share: 0, hasInvocationLogs: false },
      { share: 0.1, hasInvocationLogs: false },
      { share: 1, hasInvocationLogs: false },
      { share: 1, hasInvocationLogs: true },
    ].map(
      (given) =>
        month({ rate: 1000, staleSeconds: 0 }, requests, prices, assumed, given).perMillionReads
          .logs,
    );
    assert.ok(nothing === 0 && sampled && all && both);
    assertNear(all, 10 * sampled);
    assertNear(both, 2 * all);
  });
});

test("the_documented_bill_is_of_the_last_benchmark", () => {
  const page = readFileSync("docs/benchmarks/bill.md", "utf8");
  const { commit } = JSON.parse(readFileSync("docs/benchmarks/results.json", "utf8"));
  assert.ok(page.includes(`(commit ${commit})`), "make bill");
  // Every rate has its costs for each staleness, and the goal is judged.
  const rows = page.match(/^\| \*\*1(,000)+\*\* (\| \$[\d.]+ ){4}(\| \$[\d,]+ ){3}\|$/gm) ?? [];
  assert.ok(rows.length >= 2, page.slice(0, 2000));
  assert.match(page, /a million reads cost at most \$0\.45, .* It is (reached|missed): \$/);
});
