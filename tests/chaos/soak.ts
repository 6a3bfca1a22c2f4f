// Runs a steady load for minutes, with clients that disconnect, and checks that the memory of the three
// workers stops growing.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Inspector } from "../../bench/memory.ts";
import { disconnectAfter } from "../support/disconnect.ts";
import { checkConsistency, createPermanentPlaces, makeClients } from "./kills.ts";
import { Ledger } from "./ledger.ts";
import { readRandom } from "./reader.ts";
import { SystemProcess } from "./system_process.ts";

export type SoakPlan = {
  minutes: number;
  requestsPerSecond: number;
  clients: number;
  seed: number;
};

/** The use of memory in MB, and its growth in the second half of the run in MB per minute. */
type MemoryUse = { half: number; end: number; peak: number; growth: number };

export type SoakResult = {
  minutes: number;
  requests: number;
  /** The heaps and the wasm memories of the three workers' isolates, after a garbage collection. */
  workers: MemoryUse;
  /** The whole workerd process, including the simulated platform. */
  process: MemoryUse;
};

/** The limit of the workers' growth in the second half of the run. */
export const MAX_GROWTH_MB_PER_MINUTE = 0.5;

type Sample = { minute: number; workers: number; process: number };

export async function runSoak(plan: SoakPlan, log = (_: string) => {}): Promise<SoakResult> {
  const ledger = new Ledger();
  const clients = makeClients(plan, ledger);
  await using system = new SystemProcess();
  await system.start();
  const { gateway, pid, inspector } = system;
  const isolates = await Promise.all(
    ["places", "people", "join"].map((name) => Inspector.open(inspector, name)),
  );
  await createPermanentPlaces(gateway);
  const began = performance.now();
  const end = began + plan.minutes * 60_000;
  // The load goes on until the last sample is taken: an idle isolate does not respond to the inspector.
  let isOver = false;
  let requests = 0;
  const load = clients.map(async (client, n) => {
    // Requests have fixed times, so that fast ones make up for a slow one.
    const interval = (1000 * plan.clients) / plan.requestsPerSecond;
    for (let due = began + (interval * n) / plan.clients; !isOver; due += interval) {
      await sleep(Math.max(0, due - performance.now()));
      requests += 1;
      if (client.random.chance(0.1)) {
        const { random } = client;
        const path = random.pick(["/v1/people-per-place", "/v1/people/export", "/v1/changes"]);
        await disconnectAfter(random.below(6), gateway.url, "GET", path ?? "/");
      } else if (client.random.chance(0.2)) await client.step(gateway);
      else {
        const kind = await readRandom(client, gateway);
        if (kind !== "fresh") throw new Error(`a read is ${kind} although no service fails`);
      }
    }
  });
  const samples: Sample[] = [];
  const sampling = (async () => {
    while (performance.now() < end) {
      await sleep(5_000);
      let workers = 0;
      for (const isolate of isolates) {
        await isolate.collect();
        workers += ((await isolate.heap()) + (await isolate.wasm())) / 2 ** 20;
      }
      const minute = (performance.now() - began) / 60_000;
      const process = residentMegabytes(pid);
      samples.push({ minute, workers, process });
      if (samples.length % 3 > 0) continue;
      log(`minute ${minute.toFixed(2)}: ${requests} requests, workers ${workers.toFixed(2)} MB`);
      log(`  process ${process.toFixed(0)} MB`);
    }
    isOver = true;
  })();
  await Promise.all([...load, sampling]);
  for (const isolate of isolates) isolate.close();
  await checkConsistency(gateway, clients, ledger, "after the soak");
  const memoryUse = (key: "workers" | "process"): MemoryUse => {
    const all = samples.map((sample) => ({ minute: sample.minute, megabytes: sample[key] }));
    const secondHalf = all.filter(({ minute }) => minute >= plan.minutes / 2);
    const peak = Math.max(...all.map(({ megabytes }) => megabytes));
    const [half = 0, end = 0] = [secondHalf[0]?.megabytes, secondHalf.at(-1)?.megabytes];
    return { half, end, peak, growth: slope(secondHalf) };
  };
  const [workers, process] = [memoryUse("workers"), memoryUse("process")];
  return { minutes: plan.minutes, requests, workers, process };
}

/** Throws if the workers' memory still grows in the second half. */
export function assertNoGrowth({ workers: { growth } }: SoakResult): void {
  if (growth <= MAX_GROWTH_MB_PER_MINUTE) return;
  throw new Error(`the workers grow by ${growth.toFixed(2)} MB per minute`);
}

/** The slope of the least-squares line through the samples. */
export function slope(samples: { minute: number; megabytes: number }[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanMinute = mean(samples.map(({ minute }) => minute));
  const meanMegabytes = mean(samples.map(({ megabytes }) => megabytes));
  let [covariance, variance] = [0, 0];
  for (const { minute, megabytes } of samples) {
    covariance += (minute - meanMinute) * (megabytes - meanMegabytes);
    variance += (minute - meanMinute) ** 2;
  }
  return covariance / variance;
}

/** The resident memory of the workerd process that has this parent. */
function residentMegabytes(parent: number): number {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
      if (field("Name") === "workerd" && field("PPid") === String(parent)) {
        return Number(field("VmRSS")) / 1024;
      }
    } catch {
      // The process exited after the folder was listed.
    }
  }
  throw new Error("there is no workerd process");
}
