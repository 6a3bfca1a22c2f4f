// Runs a steady load for minutes, in which some clients disconnect. The memory of the three workers
// must stop growing, and no write may stay half done.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Inspector } from "../../bench/memory.ts";
import { retryOnServerError } from "../support/assert_integrity.ts";
import { disconnectAfter } from "../support/disconnect.ts";
import type { WorkerClient } from "../support/harness.ts";
import { Random } from "../support/random.ts";
import { DisconnectingClient } from "./disconnecting_client.ts";
import { checkConsistency, createPermanentPlaces, makeClients } from "./kills.ts";
import { Ledger } from "./ledger.ts";
import { readRandom } from "./reader.ts";
import { SystemProcess } from "./system_process.ts";

export type SoakPlan = {
  minutes: number;
  requestsPerSecond: number;
  clients: number;
  /** The share of the requests during which the client disconnects. */
  disconnections: number;
  seed: number;
};

/** The use of memory in MB after the first minute (with its peak since then), at half time and at the
 * end, and its growth in the second half of the run in MB per minute. */
type MemoryUse = { first: number; half: number; end: number; peak: number; growth: number };

export type SoakResult = {
  minutes: number;
  requests: number;
  /** The requests during which the client has disconnected. */
  disconnections: number;
  /** The heaps and the wasm memories of the three workers' isolates, after a garbage collection. */
  workers: MemoryUse;
  /** The whole workerd process, including the simulated platform. */
  process: MemoryUse;
};

/** The limit of the workers' growth in the second half of the run. */
export const MAX_GROWTH_MB_PER_MINUTE = 0.5;

/** The limit of the workers' memory after the first minute, as a multiple of the memory then. */
export const MAX_GROWTH_FACTOR = 1.2;

/** The time in which a write whose client has disconnected must be done or undone. */
const MAX_PENDING_MS = 5_000;

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
  const random = new Random(plan.seed);
  const writer = new DisconnectingClient(gateway.url, random, plan.disconnections);
  const began = performance.now();
  const end = began + plan.minutes * 60_000;
  // The load goes on until the last sample is taken: an idle isolate does not respond to the inspector.
  let isOver = false;
  let [requests, abandonedReads] = [0, 0];
  const load = clients.map(async (client, n) => {
    // Requests have fixed times, so that fast ones make up for a slow one.
    const interval = (1000 * plan.clients) / plan.requestsPerSecond;
    for (let due = began + (interval * n) / plan.clients; !isOver; due += interval) {
      await sleep(Math.max(0, due - performance.now()));
      requests += 1;
      if (client.random.chance(0.2)) await client.step(writer);
      else if (client.random.chance(plan.disconnections)) {
        const paths = ["/v1/people-per-place", "/v1/people/export", "/v1/changes"];
        const path = client.random.pick(paths) ?? "/";
        await disconnectAfter(client.random.below(6), gateway.url, "GET", path);
        abandonedReads += 1;
      } else {
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
  await assertNothingPending(gateway);
  await checkConsistency(gateway, clients, ledger, "after the soak");
  const memoryUse = (key: "workers" | "process"): MemoryUse => {
    const all = samples.map((sample) => ({ minute: sample.minute, megabytes: sample[key] }));
    const later = all.filter(({ minute }) => minute >= Math.min(1, plan.minutes / 2));
    const secondHalf = all.filter(({ minute }) => minute >= plan.minutes / 2);
    const peak = Math.max(...later.map(({ megabytes }) => megabytes));
    const [first, half, end] = [later[0], secondHalf[0], secondHalf.at(-1)].map(
      (sample) => sample?.megabytes ?? 0,
    ) as [number, number, number];
    return { first, half, end, peak, growth: slope(secondHalf) };
  };
  const [workers, process] = [memoryUse("workers"), memoryUse("process")];
  const disconnections = writer.disconnections + abandonedReads;
  return { minutes: plan.minutes, requests, disconnections, workers, process };
}

/** Throws if a write is still pending some seconds after the last request. */
async function assertNothingPending(gateway: WorkerClient): Promise<void> {
  await sleep(MAX_PENDING_MS);
  const { text, json } = await retryOnServerError(() => gateway.get("/v1/integrity"));
  if (json.pending?.length === 0 && json.deleting?.length === 0) return;
  throw new Error(`writes are half done after ${MAX_PENDING_MS} ms: ${text}`);
}

/** Throws if the workers' memory grows too much after the first minute, or in the second half. */
export function assertNoGrowth({ workers: { first, peak, growth } }: SoakResult): void {
  if (peak > MAX_GROWTH_FACTOR * first) {
    throw new Error(`the workers grow from ${first.toFixed(2)} MB to ${peak.toFixed(2)} MB`);
  }
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
