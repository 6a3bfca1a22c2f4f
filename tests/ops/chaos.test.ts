// Runs each part of the chaos suite for a short time, and proves that its checks find errors.
// `make chaos` is the full run (docs/reliability.md).
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { classifyResponse } from "../chaos/classify_response.ts";
import { ChaosClient } from "../chaos/client.ts";
import { runStatements } from "../chaos/database_failures.ts";
import { runKills } from "../chaos/kills.ts";
import { Ledger, PersonEntry } from "../chaos/ledger.ts";
import { runServices } from "../chaos/service_failures.ts";
import { slope } from "../chaos/soak.ts";
import type { ApiResponse, WorkerClient } from "../support/harness.ts";
import { Random } from "../support/random.ts";

const seed = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 1_000_000));

test(`responses_stay_correct_while_backends_fail_at_random: SEED=${seed}`, async () => {
  const result = await runServices({ rounds: 1, seconds: 5, clients: 8, seed });
  const { reads, faults } = result;
  assert.ok(result.acknowledged > 0 && result.unknown > 0, JSON.stringify(result));
  assert.ok(reads.fresh > 0 && reads.stale + reads.partial > 0, JSON.stringify(reads));
  const kinds = Object.values(faults).filter((count) => count > 0);
  assert.ok(kinds.length > 5, JSON.stringify(faults));
});

test("a_write_is_never_half_done_when_any_of_its_database_calls_fails", async () => {
  const names = ["create a person", "rename a place", "a batch of operations on people"];
  const { failures, outcomes } = await runStatements(() => {}, names);
  for (const name of names) assert.ok((failures[name] ?? 0) >= 4, `${name}: ${failures[name]}`);
  // A write responds after its last call, so a failed call is never reported as done.
  assert.ok(outcomes.rejected > 0 && outcomes.unknown > 0, JSON.stringify(outcomes));
  assert.equal(outcomes.done, 0, JSON.stringify(outcomes));
});

test(`acknowledged_writes_survive_a_kill: SEED=${seed}`, async () => {
  const result = await runKills({ kills: 2, clients: 8, maxUptime: 1_500, seed });
  assert.ok(result.acknowledged > 0 && result.unknown > 0, JSON.stringify(result));
});

suite("the checks of the chaos suite", () => {
  const ledgerWithOnePerson = () => {
    const ledger = new Ledger();
    const entry = new PersonEntry("c1-1", 1);
    ledger.entries.set(entry.handle, entry);
    entry.id = 7;
    const creation = entry.begin(() => ({ change: 0, placeId: 1 }));
    entry.end(creation, true);
    return { ledger, entry };
  };
  const places = new Set([1, 2]);
  const person = (change: number, placeId = 1, id = 7) => ({
    id,
    name: `c1-1 r${change}`,
    placeId,
  });

  test("the_ledger_finds_lost_repeated_and_rejected_but_done_writes", () => {
    const { ledger, entry } = ledgerWithOnePerson();
    assert.deepEqual(ledger.check([person(0)], places), []);
    assert.match(ledger.check([], places).join(), /lost/);
    assert.match(ledger.check([person(0), person(0, 1, 8)], places).join(), /twice/);
    assert.match(ledger.check([person(0, 2)], places).join(), /"placeId":2/);
    const rejected = entry.begin((state) => state && { ...state, change: 1 });
    entry.end(rejected, false);
    assert.match(ledger.check([person(1)], places).join(), /r1/);
    entry.begin(() => undefined);
    assert.deepEqual(ledger.check([], places), [], "a deletion in flight may be done");
    assert.deepEqual(ledger.check([person(0)], places), [], "a deletion in flight may not be done");
    ledger.places.set(2, "deleted");
    assert.match(ledger.check([person(0)], places).join(), /place 2/);
  });

  test("a_client_finds_a_batch_that_is_half_done", async () => {
    for (const isUpdated of [true, false]) {
      const { ledger, entry } = ledgerWithOnePerson();
      const client = new ChaosClient("c2", ledger, new Random(1));
      client.writable = [entry];
      let name = "c1-1 r0";
      let isLost = true;
      const gateway = {
        send: async (_method: string, _path: string, operations: { body: { name: string } }[]) => {
          if (isUpdated) name = operations[0]?.body.name ?? "";
          if (isLost) throw new Error("the connection is lost");
          const results = operations.map(() => ({ status: 409 }));
          const json = { type: "/problems/batch-refused", results };
          const headers = { "content-type": "application/problem+json" };
          return { status: 422, headers, json, text: JSON.stringify(json) };
        },
        get: async (path: string) => {
          const json = path === "/v1/people/7" ? { name, placeId: 1, id: 7 } : [];
          return { status: 200, headers: {}, json, text: JSON.stringify(json) };
        },
      } as unknown as WorkerClient;
      assert.equal(await client.batch(gateway), false);
      assert.deepEqual(client.writable, []);
      isLost = false;
      const resolved = client.resolveUnknownOutcomes(gateway);
      if (isUpdated) await assert.rejects(resolved, /half done/);
      else {
        await resolved;
        assert.deepEqual(client.writable, [entry]);
        assert.deepEqual(ledger.check([person(0)], places), []);
      }
    }
  });

  test("an_undocumented_or_internal_error_is_an_invalid_response", () => {
    const parse = (text: string) => {
      try {
        return JSON.parse(text);
      } catch {
        return undefined;
      }
    };
    const classify = (status: number, text: string, type = "application/problem+json") => {
      const headers = { "content-type": type };
      const response = { status, text, headers, json: parse(text) };
      return classifyResponse("x", response as unknown as ApiResponse);
    };
    assert.throws(() => classify(500, "S3CR3T", "text/plain"), /S3CR3T/);
    assert.throws(() => classify(500, '{"type":"/problems/internal"}'), /internal/);
    assert.throws(() => classify(502, '{"type":"/problems/not-found"}'), /not-found/);
    const failed = classify(502, '{"type":"/problems/service-failed","outcome":"unknown"}');
    assert.ok(failed.kind === "problem" && failed.isUnknown);
    assert.equal(classify(200, '{"id":').kind, "none");
  });

  test("the_slope_of_growing_memory_is_its_growth_per_minute", () => {
    const samples = (growth: number) =>
      Array.from({ length: 60 }, (_, n) => ({
        minute: n / 10,
        megabytes: 100 + growth * (n / 10),
      }));
    assert.ok(Math.abs(slope(samples(3)) - 3) < 1e-9);
    assert.ok(Math.abs(slope(samples(0))) < 1e-9);
  });
});
