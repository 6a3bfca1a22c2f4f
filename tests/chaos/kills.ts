// Kills the system with SIGKILL in the middle of writes, again and again, over the same databases.
// The system must keep acknowledged writes, do no write twice, and break no rule.
import { setTimeout as sleep } from "node:timers/promises";
import { repairAll } from "../support/assert_integrity.ts";
import type { WorkerClient } from "../support/harness.ts";
import { Random } from "../support/random.ts";
import { readEverything } from "./classify_response.ts";
import { ChaosClient } from "./client.ts";
import { Ledger, PERMANENT_PLACES } from "./ledger.ts";
import { SystemProcess } from "./system_process.ts";

export type KillResult = Ledger["counts"] & { kills: number; people: number; repaired: number };

export type KillPlan = {
  kills: number;
  clients: number;
  /** The longest time between two kills, in milliseconds. */
  maxUptime: number;
  seed: number;
};

/** Throws if an acknowledged write is lost or a rule is broken. */
export async function runKills(plan: KillPlan, log = (_: string) => {}): Promise<KillResult> {
  const random = new Random(plan.seed);
  const ledger = new Ledger();
  const clients = makeClients(plan, ledger);
  let [people, repaired] = [0, 0];
  await using system = new SystemProcess();
  await system.start();
  await createPermanentPlaces(system.gateway);
  for (let kill = 1; kill <= plan.kills; kill += 1) {
    const { gateway } = system;
    const work = clients.map(async (client) => {
      while (await client.step(gateway));
    });
    await sleep(plan.maxUptime * (0.3 + 0.7 * random.next()));
    await system.kill();
    await Promise.all(work);
    await system.start();
    repaired += await repairAll(system.gateway);
    people = await checkConsistency(system.gateway, clients, ledger, `after kill ${kill}`);
    log(`kill ${kill} of ${plan.kills}: ${ledger.counts.acknowledged} writes, ${people} people`);
  }
  return { ...ledger.counts, kills: plan.kills, people, repaired };
}

/** Creates clients with different seeds. */
export function makeClients({ clients, seed }: { clients: number; seed: number }, ledger: Ledger) {
  return Array.from({ length: clients }, (_, n) => {
    return new ChaosClient(`c${n}`, ledger, new Random(seed * 1000 + n));
  });
}

/** Creates the places that are never deleted. */
export async function createPermanentPlaces(gateway: WorkerClient): Promise<void> {
  for (let id = 1; id <= PERMANENT_PLACES; id += 1) {
    const body = { name: `Permanent ${id}` };
    const { status, text } = await gateway.send("PUT", `/v1/places/${id}`, body);
    if (status !== 201) throw new Error(`the place ${id} could not be created: ${text}`);
  }
}

/** While all services are healthy: resolves unknown outcomes, and compares everything with the
 * ledger. Returns the number of people. */
export async function checkConsistency(
  gateway: WorkerClient,
  clients: ChaosClient[],
  ledger: Ledger,
  when: string,
): Promise<number> {
  await Promise.all(clients.map((client) => client.resolveUnknownOutcomes(gateway)));
  const { people, places, placeNames, errors } = await readEverything(gateway);
  for (const { added, deleted } of ledger.unknownBatches.splice(0)) {
    if (placeNames.has(added) !== places.has(deleted)) continue;
    errors.push(`the batch that adds ${added} and deletes ${deleted} is half done`);
  }
  for (const [id, state] of ledger.places) {
    if (state === "unknown") ledger.places.set(id, places.has(id) ? "exists" : "deleted");
  }
  errors.push(...ledger.check(people, places));
  if (errors.length > 0) throw new Error(`${when}: ${errors.slice(0, 5).join("; ")}`);
  return people.length;
}
