// The same load for minutes: the memory of workerd comes to rest.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { calm, crowd, standing } from "./kills.ts";
import { Ledger } from "./ledger.ts";
import { Mortal } from "./mortal.ts";
import { readOnce } from "./reader.ts";

export type Plan = { minutes: number; rate: number; clients: number; seed: number };

export type Soak = {
  minutes: number;
  requests: number;
  /** What workerd holds, in MB: when the second half begins, at its end, and at the most. */
  memory: { half: number; end: number; most: number };
  /** How it grows over the second half, in MB a minute. */
  slope: number;
};

/** The most that it may grow by in the second half, in MB a minute, and as a share of what it is. */
export const BOUND = { megabytes: 1, share: 0.005 };

export async function soak(plan: Plan, say = (_: string) => {}): Promise<Soak> {
  const ledger = new Ledger();
  const clients = crowd(plan, ledger);
  await using system = new Mortal();
  await system.start();
  const { entry, pid } = system;
  await standing(entry);
  const begin = performance.now();
  const end = begin + plan.minutes * 60_000;
  let requests = 0;
  const load = clients.map(async (client, n) => {
    // A time for each request, so that a slow one is made up for.
    const pause = (1000 * plan.clients) / plan.rate;
    for (let due = begin + (pause * n) / plan.clients; due < end; due += pause) {
      await sleep(Math.max(0, due - performance.now()));
      requests += 1;
      if (client.random.is(0.2)) await client.step(entry);
      else {
        const kind = await readOnce(client, entry);
        if (kind !== "right") throw new Error(`all is well, and a read is ${kind}`);
      }
    }
  });
  const samples: { at: number; megabytes: number }[] = [];
  const watch = (async () => {
    let told = begin;
    while (performance.now() < end) {
      const at = (performance.now() - begin) / 60_000;
      samples.push({ at, megabytes: resident(pid) });
      if (performance.now() - told > 15_000) {
        told = performance.now();
        say(`${at.toFixed(2)} minutes: ${requests} requests, ${resident(pid).toFixed(0)} MB`);
      }
      await sleep(500);
    }
  })();
  await Promise.all([...load, watch]);
  await calm(entry, clients, ledger, "behind the soak");
  const second = samples.filter(({ at }) => at >= plan.minutes / 2);
  const memory = {
    half: second[0]?.megabytes ?? 0,
    end: second.at(-1)?.megabytes ?? 0,
    most: Math.max(...samples.map(({ megabytes }) => megabytes)),
  };
  return { minutes: plan.minutes, requests, memory, slope: slope(second) };
}

/** Throws where the memory does not come to rest. */
export function mustBeFlat({ slope, memory }: Soak): void {
  const bound = Math.max(BOUND.megabytes, BOUND.share * memory.half);
  if (slope > bound) throw new Error(`workerd grows by ${slope.toFixed(2)} MB a minute`);
}

/** By least squares. */
export function slope(samples: { at: number; megabytes: number }[]): number {
  const mean = (of: number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const [at, megabytes] = [samples.map(({ at }) => at), samples.map((one) => one.megabytes)];
  const [middle, level] = [mean(at), mean(megabytes)];
  const along = at.reduce((sum, one, n) => sum + (one - middle) * ((megabytes[n] ?? 0) - level), 0);
  return along / at.reduce((sum, one) => sum + (one - middle) ** 2, 0);
}

/** What the workerd below a process holds in memory. */
function resident(parent: number): number {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const of = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
      if (of("Name") === "workerd" && of("PPid") === String(parent)) {
        return Number(of("VmRSS")) / 1024;
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error("there is no workerd");
}
