// Whether every rule holds over both registers, and what the registers keep adds up.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, System, Worker } from "./harness.ts";

/** No rule is broken, nothing is left half-done, and all that the registers keep adds up. */
export async function assertIntegrity(system: System): Promise<void> {
  const report = (await patiently(() => system.join.get("/v1/integrity"))).json;
  assert.deepEqual(report, {
    consistent: true,
    complete: true,
    withoutPlace: [],
    doubleKings: [],
    deleting: [],
    pending: [],
  });
  const there = (await system.db.places.rows("SELECT id FROM place")).map(({ id }) => id);
  const homes = await system.db.people.rows("SELECT DISTINCT place_id AS id FROM person");
  for (const { id } of homes) assert.ok(id === null || there.includes(id), `place ${id}`);
  const kept = "SELECT place_id, living, dead, king_id FROM population ORDER BY place_id";
  const counted = `SELECT coalesce(place_id, 0) AS place_id, sum(is_alive) AS living,
    sum(1 - is_alive) AS dead, max(iif(is_king, id, NULL)) AS king_id
    FROM person GROUP BY 1 ORDER BY 1`;
  assert.deepEqual(await system.db.people.rows(kept), await system.db.people.rows(counted));
}

/** Asks when all is well again, but for a machine that may be busy. */
export async function patiently(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 0; tries < 10; tries += 1) {
    const answer = await ask();
    if (answer.status < 500) return answer;
    await sleep(300);
  }
  return ask();
}

/** Has the registers finish what was left half-done; how much that was. */
export async function repaired(entry: Worker): Promise<number> {
  let count = 0;
  for (let round = 0; round < 3; round += 1) {
    const path = "/v1/integrity/repair?olderThan=0";
    const { status, text, json } = await patiently(() => entry.ask("POST", path));
    assert.equal(status, 200, text);
    count += json.deletions.length + json.pending.length + json.released.length;
  }
  return count;
}
