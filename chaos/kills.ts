// SIGKILL in the middle of writes, again and again, over the same databases: what was
// acknowledged is there, nothing is there twice, and no rule is broken.
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "../tests/harness.ts";
import { Client, STANDING } from "./client.ts";
import { type Counts, Ledger } from "./ledger.ts";
import { Mortal } from "./mortal.ts";
import { Random } from "./random.ts";

export type Kills = Counts & { kills: number; people: number; repaired: number };

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
  const clients = Array.from({ length: plan.clients }, (_, n) => {
    return new Client(`c${n}`, ledger, new Random(plan.seed * 1000 + n));
  });
  let [people, repaired] = [0, 0];
  await using system = new Mortal();
  await system.start();
  for (let n = 1; n <= STANDING; n += 1) {
    const { status } = await system.entry.send("PUT", `/v1/places/${n}`, { name: `Standing ${n}` });
    if (status !== 201) throw new Error(`a place could not be made: ${status}`);
  }
  for (let n = 0; n < plan.kills; n += 1) {
    let isAlive = true;
    const { entry } = system;
    const work = clients.map(async (client) => {
      while (isAlive && (await client.step(entry))) continue;
    });
    await sleep(plan.life * (0.3 + 0.7 * random.next()));
    isAlive = false;
    await system.kill();
    await Promise.all(work);
    await system.start();
    await Promise.all(clients.map((client) => client.settle(system.entry)));
    repaired += await repair(system.entry);
    const all = await everyone(system.entry);
    const wrong = [...ledger.check(all), ...(await unsound(system.entry, all))];
    if (wrong.length > 0) throw new Error(`behind kill ${n + 1}: ${wrong.slice(0, 5).join("; ")}`);
    people = all.length;
    say(`kill ${n + 1}: ${ledger.counts.acknowledged} acknowledged, ${people} people, all there`);
  }
  return { ...ledger.counts, kills: plan.kills, people, repaired };
}

type Person = { id: number; name: string; isAlive: boolean; isKing: boolean; placeId: number | null };

async function everyone(worker: Worker): Promise<Person[]> {
  const pages = await worker.pages("/v1/people?limit=1000");
  return pages.flatMap(({ json }) => json);
}

/** Has the registers finish what was left half-done; how much that was. */
async function repair(worker: Worker): Promise<number> {
  let repaired = 0;
  for (let round = 0; round < 3; round += 1) {
    const answer = await worker.ask("POST", "/v1/integrity/repair?olderThan=0");
    if (answer.status !== 200) throw new Error(`the repair: ${answer.status} ${answer.text}`);
    const { deletions, unsettled, released } = answer.json;
    repaired += deletions.length + unsettled.length + released.length;
  }
  return repaired;
}

/** The rules, looked at from outside and as the system itself reports them. */
async function unsound(worker: Worker, all: Person[]): Promise<string[]> {
  const wrong: string[] = [];
  const report = await worker.get("/v1/integrity");
  if (report.json.isSound !== true) wrong.push(report.text);
  const pages = await worker.pages("/v1/places?limit=1000");
  const places = new Set(pages.flatMap(({ json }) => json.map(({ id }: { id: number }) => id)));
  const kings = new Set<number>();
  for (const { id, isAlive, isKing, placeId } of all) {
    if (placeId === null ? isAlive : !places.has(placeId)) wrong.push(`${id} lives nowhere`);
    if (!isKing) continue;
    if (placeId === null || kings.has(placeId)) wrong.push(`${placeId} has two kings`);
    else kings.add(placeId);
  }
  return wrong;
}
