// Services that fail at random, under a steady load of reads and writes: every answer is right,
// or as old as it says, or half and says so, or a problem; no write is lost, or done in secret.
import { setTimeout as sleep } from "node:timers/promises";
import { assertIntegrity, repaired } from "../support/assert_integrity.ts";
import { type System, start } from "../support/harness.ts";
import { Random } from "../support/random.ts";
import { flaky, names } from "./flaky_service.ts";
import { calm, crowd, standing } from "./kills.ts";
import { Ledger } from "./ledger.ts";
import { type Kind, kinds, readOnce } from "./reader.ts";

export type Plan = { rounds: number; seconds: number; clients: number; seed: number };

export type Services = Ledger["counts"] & {
  reads: Record<Kind, number>;
  /** How often the services failed, by how. */
  faults: Record<string, number>;
};

const owners = ["places", "people"] as const;
/** How long the entry point waits for a service that it reads; for one that writes, twice. */
const DEADLINE_MS = 300;
/** Longer than whatever hangs, hangs. */
const CALM_MS = 1_500;

/** How long a round is well to begin with. */
const WARM_MS = 1_000;

/** A share of the requests that fail; now and then all of them. */
const rates = [0.05, 0.15, 0.4, 1];

export async function services(plan: Plan, say = (_: string) => {}): Promise<Services> {
  const random = new Random(plan.seed);
  const ledger = new Ledger();
  const clients = crowd(plan, ledger);
  const count = (of: readonly string[]) => Object.fromEntries(of.map((name) => [name, 0]));
  const reads = count(kinds) as Services["reads"];
  const faults = count(names);
  const settings = { WRITES: "open", UPSTREAM_DEADLINE_MS: String(DEADLINE_MS) };
  const fronts = { places: flaky, people: flaky };
  await using system = await start({ settings, fronts });
  await standing(system.join);
  for (let round = 1; round <= plan.rounds; round += 1) {
    const until = performance.now() + plan.seconds * 1000;
    const work = clients.map(async (client) => {
      while (performance.now() < until) {
        if (client.random.is(0.5)) await client.step(system.join);
        else reads[await readOnce(client, system.join, true)] += 1;
      }
    });
    const weather = (async () => {
      // First there is something that can be given again.
      await sleep(WARM_MS);
      while (performance.now() < until) {
        for (const owner of owners) {
          const rate = random.of(rates) ?? 0;
          add(faults, await fail(system, owner, rate, random.below(2 ** 32)));
        }
        await sleep(300);
      }
    })();
    await Promise.all([...work, weather]);
    for (const owner of owners) add(faults, await fail(system, owner, 0, 1));
    await sleep(CALM_MS);
    await closed(system);
    await repaired(system.join);
    const people = await calm(system.join, clients, ledger, `round ${round}`);
    await assertIntegrity(system);
    const told = kinds.map((kind) => `${reads[kind]} ${kind}`).join(", ");
    say(`round ${round} of ${plan.rounds}: ${ledger.counts.requests} writes, ${people} people`);
    say(`  reads: ${told}`);
  }
  return { ...ledger.counts, reads, faults };
}

async function fail(system: System, owner: "places" | "people", rate: number, seed: number) {
  return (await system[owner].ask("POST", `/flaky?rate=${rate}&seed=${seed}`)).json;
}

function add(sums: Record<string, number>, more: Record<string, number>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

/** Waits until the entry point asks its services again. */
async function closed(system: System): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { status, headers } = await system.join.get("/v1/people-per-place?limit=1");
    if (status === 200 && headers["cache-status"] === undefined) return;
    await sleep(100);
  }
  throw new Error("the services are well, and are not asked");
}
