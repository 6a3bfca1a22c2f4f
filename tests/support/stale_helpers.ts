// Helpers for the tests that read through the gateway while a backend fails.
import assert from "node:assert/strict";
import { people, places } from "./fixtures.ts";
import { type ApiResponse, type Options, type System, start } from "./harness.ts";
import { waitUntil } from "./wait_until.ts";

/** A short deadline, so that tests of slow services are fast. */
export const gatewaySettings = { WRITES: "open", UPSTREAM_DEADLINE_MS: "250" };
export const startWithFaults = (options: Options = {}) =>
  start({ places, people, switchableFaults: true, gatewaySettings, ...options });

/** Reads for which the gateway serves stale responses. */
export const list = "/v1/people-per-place?limit=3&count=exact";
export const single = "/v1/people-per-place/3";
export const statistics = "/v1/statistics/places?limit=3";
export const reads = [list, single, statistics];
/** Asks for a problem instead of a stale or partial response. */
export const strict = { prefer: "respond-async, handling=strict" };

/** The members of `Cache-Status`, a structured field. */
export function cacheStatus({ headers }: ApiResponse): Record<string, string> {
  const [cache = "", ...parameters] = (headers["cache-status"] ?? "").split("; ");
  const named = parameters.map((parameter) =>
    parameter.includes("=") ? parameter.split("=") : [parameter, "?1"],
  );
  return { cache, ...Object.fromEntries(named) };
}

export const countSnapshots = async (system: System) =>
  Number((await system.db.join.rows("SELECT count(*) AS n FROM snapshot"))[0]?.n);

/** Makes the schedule write its snapshots. */
export const writeScheduledSnapshots = async (system: System) => {
  await system.runSchedule("join");
  assert.ok((await countSnapshots(system)) >= 3);
};

export async function waitForSnapshots(system: System, count: number): Promise<void> {
  await waitUntil(`${count} snapshots are written`, async () => {
    return (await countSnapshots(system)) === count;
  });
}
