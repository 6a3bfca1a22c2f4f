// The same load for minutes: what the three workers hold comes to rest.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Inspector } from "../../bench/memory.ts";
import { calm, crowd, standing } from "./kills.ts";
import { Ledger } from "./ledger.ts";
import { readOnce } from "./reader.ts";
import { Mortal } from "./system_process.ts";

export type Plan = { minutes: number; rate: number; clients: number; seed: number };

/** A memory, in MB: when the second half begins, at the end, and at the most. */
type Memory = {
  half: number;
  end: number;
  most: number /** MB a minute, in the second half. */;
  slope: number;
};

export type Soak = {
  minutes: number;
  requests: number;
  /** What the isolates of the three workers hold, their wasm included, once V8 has collected what
   * nobody holds. */
  workers: Memory;
  /** The whole process of workerd, with what stands in for D1 and for the rest of the platform. */
  process: Memory;
};

/** The most that the workers may grow by in the second half, in MB a minute. */
export const BOUND = 0.5;

type Sample = { at: number; workers: number; process: number };

export async function soak(plan: Plan, say = (_: string) => {}): Promise<Soak> {
  const ledger = new Ledger();
  const clients = crowd(plan, ledger);
  await using system = new Mortal();
  await system.start();
  const { entry, pid, inspector } = system;
  const isolates = await Promise.all(
    ["places", "people", "join"].map((name) => Inspector.open(inspector, name)),
  );
  await standing(entry);
  const begin = performance.now();
  const end = begin + plan.minutes * 60_000;
  // An isolate tells what it holds only while it is asked other things, too.
  let isOver = false;
  let requests = 0;
  const load = clients.map(async (client, n) => {
    // A time for each request, so that a slow one is made up for.
    const pause = (1000 * plan.clients) / plan.rate;
    for (let due = begin + (pause * n) / plan.clients; !isOver; due += pause) {
      await sleep(Math.max(0, due - performance.now()));
      requests += 1;
      if (client.random.is(0.2)) await client.step(entry);
      else {
        const kind = await readOnce(client, entry);
        if (kind !== "right") throw new Error(`all is well, and a read is ${kind}`);
      }
    }
  });
  const samples: Sample[] = [];
  const watch = (async () => {
    while (performance.now() < end) {
      await sleep(5_000);
      let workers = 0;
      for (const isolate of isolates) {
        await isolate.collect();
        workers += ((await isolate.heap()) + (await isolate.wasm())) / 2 ** 20;
      }
      const at = (performance.now() - begin) / 60_000;
      samples.push({ at, workers, process: resident(pid) });
      const { process } = samples.at(-1) ?? { process: 0 };
      if (samples.length % 3 > 0) continue;
      say(
        `${at.toFixed(2)} minutes: ${requests} requests, ${workers.toFixed(2)} MB of the workers`,
      );
      say(`  ${process.toFixed(0)} MB of the process`);
    }
    isOver = true;
  })();
  await Promise.all([...load, watch]);
  for (const isolate of isolates) isolate.close();
  await calm(entry, clients, ledger, "behind the soak");
  const of = (what: "workers" | "process"): Memory => {
    const all = samples.map((sample) => ({ at: sample.at, megabytes: sample[what] }));
    const second = all.filter(({ at }) => at >= plan.minutes / 2);
    const most = Math.max(...all.map(({ megabytes }) => megabytes));
    const [half = 0, end = 0] = [second[0]?.megabytes, second.at(-1)?.megabytes];
    return { half, end, most, slope: slope(second) };
  };
  return { minutes: plan.minutes, requests, workers: of("workers"), process: of("process") };
}

/** Throws where what the workers hold does not come to rest. */
export function mustBeFlat({ workers: { slope } }: Soak): void {
  if (!(slope <= BOUND)) throw new Error(`the workers grow by ${slope.toFixed(2)} MB a minute`);
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
