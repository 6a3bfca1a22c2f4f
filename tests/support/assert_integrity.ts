// Checks that both databases obey every rule and agree with each other.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiResponse, System, WorkerClient } from "./harness.ts";

/** No rule is broken, no write is pending, and the population table equals a fresh count. */
export async function assertIntegrity(system: System): Promise<void> {
  const report = (await retryOnServerError(() => system.join.get("/v1/integrity"))).json;
  assert.deepEqual(report, {
    consistent: true,
    complete: true,
    withoutPlace: [],
    doubleKings: [],
    deleting: [],
    pending: [],
  });
  const existing = (await system.db.places.rows("SELECT id FROM place")).map(({ id }) => id);
  const referenced = await system.db.people.rows("SELECT DISTINCT place_id AS id FROM person");
  for (const { id } of referenced) {
    assert.ok(id === null || existing.includes(id), `people refer to the missing place ${id}`);
  }
  const stored = "SELECT place_id, living, dead, king_id FROM population ORDER BY place_id";
  const counted = `SELECT coalesce(place_id, 0) AS place_id, sum(is_alive) AS living,
    sum(1 - is_alive) AS dead, max(iif(is_king, id, NULL)) AS king_id
    FROM person GROUP BY 1 ORDER BY 1`;
  assert.deepEqual(await system.db.people.rows(stored), await system.db.people.rows(counted));
}

/** Retries a request for a few seconds: on a busy machine a recovered service may time out. */
export async function retryOnServerError(
  request: () => Promise<ApiResponse>,
): Promise<ApiResponse> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const response = await request();
    if (response.status < 500) return response;
    await sleep(300);
  }
  return request();
}

/** Runs the repair until all interrupted writes are completed. Returns how many there were. */
export async function repairAll(gateway: WorkerClient): Promise<number> {
  let count = 0;
  for (let round = 0; round < 3; round += 1) {
    const path = "/v1/integrity/repair?olderThan=0";
    const { status, text, json } = await retryOnServerError(() => gateway.request("POST", path));
    assert.equal(status, 200, text);
    count += json.deletions.length + json.pending.length + json.released.length;
  }
  return count;
}
