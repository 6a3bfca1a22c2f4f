// Takes a backup of both registers as of one moment.
//
// No transaction spans two databases, but each dump is one moment of its own database. While the
// register of places stands still, every moment of the register of people fits it: so places are
// looked at before and after both dumps, and it is tried again if anything there has moved, be it
// a place or a deletion on its way. People may be written all the while.
import { setTimeout as sleep } from "node:timers/promises";
import { Failed } from "../deploy/wrangler.ts";
import { lasting } from "./dump.ts";
import { type Dumps, described, Unusable } from "./manifest.ts";
import type { Store } from "./stores.ts";

const STANDING = `SELECT
  (SELECT max(seq) FROM place_change) AS counter,
  (SELECT seq FROM sqlite_sequence WHERE name = 'tombstone') AS tokens,
  (SELECT count(*) FROM tombstone) AS deleting`;

async function standing(store: Store): Promise<string> {
  return JSON.stringify(await store.query("places", STANDING));
}

/** The three dumps, of registers that fit together. */
export async function backup(store: Store, tries = 20): Promise<Dumps> {
  let why = "";
  for (let tried = 0; tried < tries; tried += 1) {
    await sleep(Math.min(100 * tried, 2000));
    const before = await standing(store);
    const places = await store.dump("places");
    const people = await store.dump("people");
    const after = await standing(store);
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
