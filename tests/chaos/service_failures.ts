// Makes backends fail at random under a steady load of reads and writes. Every response must be
// correct, or be stale with a correct age, or say that it is partial, or be a problem. No write may
// be lost. A rejected write must not take effect later.
import { setTimeout as sleep } from "node:timers/promises";
import { assertIntegrity, repairAll } from "../support/assert_integrity.ts";
import { type System, start } from "../support/harness.ts";
import { Random } from "../support/random.ts";
import { waitUntil } from "../support/wait_until.ts";
import { faultNames, flakyService } from "./flaky_service.ts";
import { checkConsistency, createPermanentPlaces, makeClients } from "./kills.ts";
import { Ledger } from "./ledger.ts";
import { type ReadKind, readKinds, readRandom } from "./reader.ts";

export type ServicesPlan = { rounds: number; seconds: number; clients: number; seed: number };

export type ServicesResult = Ledger["counts"] & {
  reads: Record<ReadKind, number>;
  /** How often each fault occurred. */
  faults: Record<string, number>;
};

const backends = ["places", "people"] as const;
/** The gateway's deadline for a read. The deadline for a write is twice as long. */
const DEADLINE_MS = 300;
/** Longer than any fault hangs. */
const QUIET_MS = 1_500;
/** The time without faults at the start of a round, so that snapshots exist. */
const WARM_UP_MS = 1_000;
/** The shares of requests that fail. */
const FAILURE_RATES = [0.05, 0.15, 0.4, 1];

export async function runServices(
  plan: ServicesPlan,
  log = (_: string) => {},
): Promise<ServicesResult> {
  const random = new Random(plan.seed);
  const ledger = new Ledger();
  const clients = makeClients(plan, ledger);
  const zeros = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, 0]));
  const reads = zeros(readKinds) as ServicesResult["reads"];
  const faults = zeros(faultNames);
  const gatewaySettings = { WRITES: "open", UPSTREAM_DEADLINE_MS: String(DEADLINE_MS) };
  const wrappers = { places: flakyService, people: flakyService };
  await using system = await start({ gatewaySettings, wrappers });
  await createPermanentPlaces(system.join);
  for (let round = 1; round <= plan.rounds; round += 1) {
    const end = performance.now() + plan.seconds * 1000;
    const load = clients.map(async (client) => {
      while (performance.now() < end) {
        if (client.random.chance(0.5)) await client.step(system.join);
        else reads[await readRandom(client, system.join, true)] += 1;
      }
    });
    const failures = (async () => {
      await sleep(WARM_UP_MS);
      while (performance.now() < end) {
        for (const backend of backends) {
          const rate = random.pick(FAILURE_RATES) ?? 0;
          addCounts(faults, await setFailureRate(system, backend, rate, random.below(2 ** 32)));
        }
        await sleep(300);
      }
    })();
    await Promise.all([...load, failures]);
    for (const backend of backends) addCounts(faults, await setFailureRate(system, backend, 0, 1));
    await sleep(QUIET_MS);
    await waitUntil("the gateway calls its backends again", async () => {
      const { status, headers } = await system.join.get("/v1/people-per-place?limit=1");
      return status === 200 && headers["cache-status"] === undefined;
    });
    await repairAll(system.join);
    const people = await checkConsistency(system.join, clients, ledger, `round ${round}`);
    await assertIntegrity(system);
    const readCounts = readKinds.map((kind) => `${reads[kind]} ${kind}`).join(", ");
    log(`round ${round} of ${plan.rounds}: ${ledger.counts.requests} writes, ${people} people`);
    log(`  reads: ${readCounts}`);
  }
  return { ...ledger.counts, reads, faults };
}

/** Sets the share of requests that fail. Returns the faults since the last call. */
async function setFailureRate(
  system: System,
  backend: "places" | "people",
  rate: number,
  seed: number,
) {
  return (await system[backend].request("POST", `/flaky?rate=${rate}&seed=${seed}`)).json;
}

function addCounts(sums: Record<string, number>, more: Record<string, number>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}
