// Decides whether the copies of two databases fit together, although no transaction spans both.
//
// A backup reads people first, and places later. Each living person has a place that existed when
// people was read. So the two copies fit together if no place was deleted between the two reads.
// The change log of places shows whether one was. It is read just before people (a fence), and
// again together with places. If a place was deleted in between, these reads are repeated. No
// writer has to wait.

import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { Failed } from "../deploy/wrangler.ts";

/** The state of places before people is read. */
export type Fence = { seq: number; detaching: number[] };

export function fence(places: DatabaseSync): Fence {
  const seq = places.prepare("SELECT coalesce(max(seq), 0) AS seq FROM place_change").get()?.seq;
  // Dead people still refer to a deleted place until its tombstone is removed.
  const deleted = places.prepare("SELECT place_id FROM tombstone WHERE phase = 'deleted'").all();
  return { seq: Number(seq), detaching: deleted.map((row) => Number(row.place_id)) };
}

/** Whether no deletion of a place has ended since the fence. */
export function fits(places: DatabaseSync, { seq, detaching }: Fence): boolean {
  const deleted = places.prepare("SELECT 1 FROM place_change WHERE seq > ? AND kind = 'deleted'");
  if (deleted.get(seq)) return false;
  const still = new Set(fence(places).detaching);
  return detaching.every((place) => still.has(place));
}

const MAX_ATTEMPTS = 100;

/** Repeats a read of both databases until they fit together. */
export async function untilConsistent<T>(
  attempt: () => Promise<T | undefined>,
  maxAttempts = MAX_ATTEMPTS,
): Promise<T> {
  for (let count = 0; count < maxAttempts; count += 1) {
    const found = await attempt();
    if (found !== undefined) return found;
    await sleep(Math.random() * Math.min(20 * count, 1000));
  }
  throw new Failed(
    `a place was deleted during each of ${maxAttempts} attempts: try again when fewer are deleted`,
  );
}
