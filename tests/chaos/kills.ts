// SIGKILL in the middle of writes, again and again, over the same databases: what was
// acknowledged is there, nothing is there twice, and no rule is broken.
import { setTimeout as sleep } from "node:timers/promises";
import { repaired } from "../support/assert_integrity.ts";
import type { Worker } from "../support/harness.ts";
import { Random } from "../support/random.ts";
import { look } from "./check_answer.ts";
import { Client } from "./client.ts";
import { Ledger, STANDING } from "./ledger.ts";
import { Mortal } from "./system_process.ts";

export type Kills = Ledger["counts"] & { kills: number; people: number; repaired: number };

export type Plan = {
  kills: number;
  clients: number;
  /** How long it lives at most between two of them, in milliseconds. */
  life: number;
  seed: number;
};

/** Kills it so often. Throws where anything acknowledged is lost, or a rule is broken. */
export async function kills(plan: Plan, say = (_: string) => {}): Promise<Kills> {
  const random = new Random(plan.seed);
  const ledger = new Ledger();
  const clients = crowd(plan, ledger);
  let [people, count] = [0, 0];
  await using system = new Mortal();
  await system.start();
  await standing(system.entry);
  for (let n = 1; n <= plan.kills; n += 1) {
    const { entry } = system;
    const work = clients.map(async (client) => {
      while (await client.step(entry));
    });
    await sleep(plan.life * (0.3 + 0.7 * random.next()));
    await system.kill();
    await Promise.all(work);
    await system.start();
    count += await repaired(system.entry);
    people = await calm(system.entry, clients, ledger, `behind kill ${n}`);
    say(`kill ${n} of ${plan.kills}: ${ledger.counts.acknowledged} writes, ${people} people`);
  }
  return { ...ledger.counts, kills: plan.kills, people, repaired: count };
}

/** Clients, each with a chance of its own. */
export function crowd({ clients, seed }: { clients: number; seed: number }, ledger: Ledger) {
  return Array.from({ length: clients }, (_, n) => {
    return new Client(`c${n}`, ledger, new Random(seed * 1000 + n));
  });
}

/** Makes the places that are never deleted. */
export async function standing(entry: Worker): Promise<void> {
  for (let n = 1; n <= STANDING; n += 1) {
    const { status, text } = await entry.send("PUT", `/v1/places/${n}`, { name: `Standing ${n}` });
    if (status !== 201) throw new Error(`a place could not be made: ${text}`);
  }
}

/** When all is well again: each client finds out what it does not know, and all is as the ledger
 * has it. How many people there are. */
export async function calm(
  entry: Worker,
  clients: Client[],
  ledger: Ledger,
  when: string,
): Promise<number> {
  await Promise.all(clients.map((client) => client.settle(entry)));
  const { people, places, wrong } = await look(entry);
  for (const [id, state] of ledger.places) {
    if (state === "unknown") ledger.places.set(id, places.has(id) ? "there" : "gone");
  }
  wrong.push(...ledger.check(people, places));
  if (wrong.length > 0) throw new Error(`${when}: ${wrong.slice(0, 5).join("; ")}`);
  return people.length;
}
