// The fault suite in short; `make chaos` is the whole of it (docs/reliability.md).
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { heard } from "../chaos/check_answer.ts";
import { kills } from "../chaos/kills.ts";
import { Entry, Ledger } from "../chaos/ledger.ts";
import { services } from "../chaos/services.ts";
import { slope } from "../chaos/soak.ts";
import { statements } from "../chaos/statements.ts";
import type { Answer } from "../support/harness.ts";

const seed = Number(process.env.SEED ?? 1 + Math.floor(Math.random() * 1_000_000));

test(`services_fail_at_random_and_every_answer_is_honest: SEED=${seed}`, async () => {
  const told = await services({ rounds: 1, seconds: 5, clients: 8, seed });
  const { reads, faults } = told;
  assert.ok(told.acknowledged > 0 && told.unknown > 0, JSON.stringify(told));
  assert.ok(reads.right > 0 && reads.aged + reads.half > 0, JSON.stringify(reads));
  const kinds = Object.values(faults).filter((count) => count > 0);
  assert.ok(kinds.length > 5, JSON.stringify(faults));
});

test("a_database_fails_at_each_call_of_a_write_and_nothing_is_half_written", async () => {
  const some = ["create a person", "rename a place"];
  const { failures, answers } = await statements(() => {}, some);
  for (const name of some) assert.ok((failures[name] ?? 0) >= 4, `${name}: ${failures[name]}`);
  // A write answers after its last call, so none is done whose database failed.
  assert.ok(answers.refused > 0 && answers.unknown > 0, JSON.stringify(answers));
  assert.equal(answers.done, 0, JSON.stringify(answers));
});

test(`workers_are_killed_and_lose_nothing_that_was_acknowledged: SEED=${seed}`, async () => {
  const told = await kills({ kills: 2, clients: 8, life: 1_500, seed });
  assert.ok(told.acknowledged > 0 && told.unknown > 0, JSON.stringify(told));
});

suite("what the suite would find", () => {
  const entry = () => {
    const ledger = new Ledger();
    const one = new Entry("c1-1", 1);
    ledger.entries.set(one.handle, one);
    one.id = 7;
    one.end(
      one.begin(() => ({ change: 0, placeId: 1 })),
      true,
    );
    return { ledger, one };
  };
  const places = new Set([1, 2]);
  const person = (change: number, placeId = 1, id = 7) => ({
    id,
    name: `c1-1 r${change}`,
    placeId,
  });

  test("a_write_that_is_lost_or_done_twice_or_in_secret", () => {
    const { ledger, one } = entry();
    assert.deepEqual(ledger.check([person(0)], places), []);
    assert.match(ledger.check([], places).join(), /lost/);
    assert.match(ledger.check([person(0), person(0, 1, 8)], places).join(), /twice/);
    assert.match(ledger.check([person(0, 2)], places).join(), /"placeId":2/);
    const refused = one.begin((state) => state && { ...state, change: 1 });
    one.end(refused, false);
    assert.match(ledger.check([person(1)], places).join(), /r1/);
    one.begin(() => undefined);
    assert.deepEqual(ledger.check([], places), [], "nobody knows");
    assert.deepEqual(ledger.check([person(0)], places), [], "nobody knows");
    ledger.places.set(2, "gone");
    assert.match(ledger.check([person(0)], places).join(), /place 2/);
  });

  test("an_answer_that_nobody_may_give", () => {
    const answer = (status: number, text: string, type = "application/problem+json") =>
      ({ status, text, headers: { "content-type": type }, json: tried(text) }) as unknown as Answer;
    const tried = (text: string) => {
      try {
        return JSON.parse(text);
      } catch {
        return undefined;
      }
    };
    assert.throws(() => heard("x", answer(500, "S3CR3T", "text/plain")), /S3CR3T/);
    assert.throws(() => heard("x", answer(500, '{"type":"/problems/internal"}')), /internal/);
    assert.throws(() => heard("x", answer(502, '{"type":"/problems/not-found"}')), /not-found/);
    const known = heard(
      "x",
      answer(502, '{"type":"/problems/service-failed","outcome":"unknown"}'),
    );
    assert.ok(known.kind === "problem" && known.isUnknown);
    assert.equal(heard("x", answer(200, '{"id":')).kind, "nothing");
  });

  test("a_memory_that_grows", () => {
    const line = (growth: number) =>
      Array.from({ length: 60 }, (_, n) => ({ at: n / 10, megabytes: 100 + growth * (n / 10) }));
    assert.ok(Math.abs(slope(line(3)) - 3) < 1e-9);
    assert.ok(Math.abs(slope(line(0))) < 1e-9);
  });
});
