// Describes deployments by the distances between the workers and their databases.
import type { Delays } from "../tests/support/call_delays.ts";

/** The milliseconds of a long round trip. */
export const LONG = 25;
/** The milliseconds of a call within a data center. */
const SHORT = 1;

/** The distances of a deployment. */
export const profiles = {
  /** The workers run near the user, far from all databases. */
  unplaced: "the workers run near the user: each D1 call takes 25 ms, and a call of a worker 1 ms",
  /** The backends run near their databases. */
  placed:
    "the backends run near their databases: a call of the gateway takes 25 ms, and theirs take 1 ms",
} as const;
export type Profile = keyof typeof profiles;

/** The delays of a worker's calls. A single worker is always far from the user or from D1. */
export function delaysOf(profile: Profile, worker: string): Delays {
  const isNear = profile === "placed" && ["places", "people"].includes(worker);
  const services = profile === "placed" && worker === "join" ? LONG : SHORT;
  return { database: isNear ? SHORT : LONG, services };
}
