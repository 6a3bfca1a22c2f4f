// The model of what a month costs, against what can be reckoned by hand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { type Kind, month } from "../../bench/bill/bill.ts";
import { isolate, type Load } from "../../bench/bill/isolate.ts";

const calm: Load = { rate: 10, writes: 0, answers: 1, skew: 1, d1Ms: 8 };

suite("an isolate", () => {
  test("proves each answer by itself where requests are far apart", () => {
    const { held, proofs, made, waitedMs } = isolate({ ...calm, rate: 0.5 }, 5000);
    assert.ok(held > 0.999 && proofs > 0.98, `${held} ${proofs}`);
    assert.equal(made, 1 / 5000);
    assert.ok(waitedMs > 7.9 && waitedMs < 8.2, `${waitedMs}`);
  });

  test("asks no more often than one round trip behind the other, however many come", () => {
    const requests = 50_000;
    const rate = 10_000;
    const { proofs, waitedMs } = isolate({ ...calm, rate }, requests);
    const rounds = ((requests / rate) * 1000) / calm.d1Ms;
    assert.ok(proofs * requests < rounds * 1.1, `${proofs * requests} of ${rounds}`);
    // A round that is on its way began too early: one waits for the rest of it, and the next.
    assert.ok(waitedMs > 8 && waitedMs < 16.1, `${waitedMs}`);
  });

  test("makes anew what has changed, as often as it has", () => {
    const { made } = isolate({ ...calm, rate: 1000, writes: 1 }, 100_000);
    assert.ok(made > 0.0008 && made < 0.0012, `${made}`);
    const busy = isolate({ ...calm, rate: 10, writes: 1000 }, 5000);
    assert.ok(busy.made > 0.98, `${busy.made}`);
  });

  test("holds little of much that is seldom asked for", () => {
    const many = isolate({ ...calm, rate: 100, answers: 100_000, skew: 0 }, 5000);
    assert.ok(many.made > 0.95, `${many.made}`);
  });
});

suite("a month", () => {
  const cost = { cpuMs: 2, rowsRead: 10, rowsWritten: 0, queries: 2 };
  const write = { cpuMs: 4, rowsRead: 3, rowsWritten: 5, queries: 1 };
  const kinds: Kind[] = [
    { name: "read", share: 0.9, isWrite: false, held: cost, made: cost },
    { name: "write", share: 0.1, isWrite: true, held: write, made: write },
  ];
  const none = { included: 0, perMillion: 1 };
  const prices = {
    monthly: 5,
    requests: { included: 1e6, perMillion: 1 },
    cpuMs: none,
    rowsRead: none,
    rowsWritten: none,
    storageGb: { included: 1, perGb: 2 },
  };
  const assumed = {
    ...calm,
    writesPerSecondAtMost: 50,
    isolateBusy: 0.5,
    requestsPerLocation: 100,
    locationsAtMost: 10,
    queriesPerSecondOfADatabase: 100,
    storageGb: 3,
  };

  test("is what is used, by its price", () => {
    const { dollars, total, queries, queriesPerSecond, databases } = month(
      1000,
      kinds,
      prices,
      assumed,
      false,
    );
    const millions = (1000 * 30.4 * 24 * 3600) / 1e6;
    const near = (found: number, wanted: number) =>
      assert.ok(Math.abs(found - wanted) < 1e-6 * wanted, `${found}, not ${wanted}`);
    near(dollars.requests, millions - 1);
    near(dollars.cpu, millions * (0.9 * 2 + 0.1 * 4));
    near(dollars.rowsRead, millions * (0.9 * 10 + 0.1 * 3));
    near(dollars.rowsWritten, millions * 0.1 * 5);
    near(dollars.storage, 4);
    near(total, 5 + Object.values(dollars).reduce((sum, one) => sum + one, 0) - 5);
    near(queries, 0.9 * 2 + 0.1);
    near(queriesPerSecond, 950);
    assert.equal(databases, 10);
  });

  test("costs less where answers are held, and never less than its requests", () => {
    for (const rate of [1e3, 1e5]) {
      const [held, made] = [true, false].map((holds) => month(rate, kinds, prices, assumed, holds));
      assert.ok(held && made);
      assert.ok(held.rowsRead < made.rowsRead && held.total < made.total);
      assert.ok(held.total > held.dollars.requests);
    }
  });

  test("is written of what was measured last", () => {
    const page = readFileSync("docs/benchmarks/bill.md", "utf8");
    const { commit } = JSON.parse(readFileSync("docs/benchmarks/results.json", "utf8"));
    assert.ok(page.includes(`(commit ${commit})`), "make bill");
  });
});
