// Takes a consistent backup of the three databases.
//
// No transaction spans two databases, but each dump is a consistent snapshot of its own database. If
// places does not change between the two dumps, they fit together. So the state of places is read
// before and after both dumps, and the dumps are repeated if a place or a deletion in progress has
// changed. People may be written at any time.
import { setTimeout as sleep } from "node:timers/promises";
import { Failed } from "../deploy/wrangler.ts";
import { withoutSnapshots } from "./dump.ts";
import { type Dumps, described, Unusable } from "./manifest.ts";
import type { Store } from "./stores.ts";

const PLACES_STATE = `SELECT
  (SELECT max(seq) FROM place_change) AS counter,
  (SELECT seq FROM sqlite_sequence WHERE name = 'tombstone') AS tokens,
  (SELECT count(*) FROM tombstone) AS deleting`;

async function placesState(store: Store): Promise<string> {
  return JSON.stringify(await store.query("places", PLACES_STATE));
}

/** Dumps the three databases so that places and people are consistent. */
export async function backup(store: Store, maxAttempts = 20): Promise<Dumps> {
  let reason = "";
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    await sleep(Math.min(100 * attempt, 2000));
    const before = await placesState(store);
    const places = await store.dump("places");
    const people = await store.dump("people");
    const after = await placesState(store);
    reason = "places changed during the backup";
    if (before !== after) continue;
    const dumps = { places, people, join: withoutSnapshots(await store.dump("join")) };
    try {
      described(dumps);
      return dumps;
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      reason = error.message;
    }
  }
  throw new Failed(`${reason}, ${maxAttempts} times in a row: try again when fewer places change`);
}
