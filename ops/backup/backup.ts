// Takes a backup of both registers as of one moment.
//
// No transaction spans two databases, but each dump is a consistent snapshot of its own database. If
// places does not change between the two dumps, they fit together. So the state of places is read
// before and after both dumps, and the dumps are repeated if a place or a deletion in progress has
// changed. People may be written at any time.
import { setTimeout as sleep } from "node:timers/promises";
import { Failed } from "../deploy/wrangler.ts";
import { lasting } from "./dump.ts";
import { type Dumps, described, Unusable } from "./manifest.ts";
import type { Store } from "./stores.ts";

const PLACES_STATE = `SELECT
  (SELECT max(seq) FROM place_change) AS counter,
  (SELECT seq FROM sqlite_sequence WHERE name = 'tombstone') AS tokens,
  (SELECT count(*) FROM tombstone) AS deleting`;

async function placesState(store: Store): Promise<string> {
  return JSON.stringify(await store.query("places", PLACES_STATE));
}

/** The three dumps, of registers that fit together. */
export async function backup(store: Store, tries = 20): Promise<Dumps> {
  let why = "";
  for (let tried = 0; tried < tries; tried += 1) {
    await sleep(Math.min(100 * tried, 2000));
    const before = await placesState(store);
    const places = await store.dump("places");
    const people = await store.dump("people");
    const after = await placesState(store);
    why = "the register of places changed during the backup";
    if (before !== after) continue;
    const dumps = { places, people, join: lasting(await store.dump("join")) };
    try {
      described(dumps);
      return dumps;
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      why = error.message;
    }
  }
  throw new Failed(`no moment was found at which the registers fit together: ${why}`);
}
