// Main modules that wrap a built worker, so that a test can make it crash, panic or fail.
import { callDelays } from "./call_delays.ts";
import { callLimiter } from "./call_limiter.ts";
import { costCounter } from "./cost_counter.ts";
import type { Name, Options } from "./harness.ts";
import { replicaSimulator } from "./replica_simulator.ts";
import { faultSwitch } from "./service_faults.ts";
import { sharedCache } from "./shared_cache.ts";

/** The wrapper that the options select, if any. */
export function wrapperFor(name: Name, options: Options): string | undefined {
  if (options.wrappers) return options.wrappers[name];
  if (name === "join" && options.sharedCache) return sharedCache;
  if (options.countCosts) return costCounter;
  if (options.delays) return callDelays(options.delays);
  if (options.crashable) return crashWrapper;
  if (options.panickingWorker === name) return panicWrapper;
  if (name !== "join" && options.switchableFaults) return faultSwitch;
  if (name !== "join" && options.withReplicas) return replicaSimulator;
  return options.plan && callLimiter(options.plan);
}

/** Stops a request after N calls of a database or a service, as a crash would. The Nth call is
 * still done. */
const crashWrapper = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const never = new Promise(() => {});
  const wrapDatabase = (d1, budget) => ({
    prepare: (sql) => wrapStatement(d1.prepare(sql), budget),
    withSession: (constraint) => wrapDatabase(d1.withSession(constraint), budget),
    getBookmark: () => d1.getBookmark(),
    batch: (statements) =>
      countedCall(budget, () => d1.batch(statements.map(({ statement }) => statement))),
  });
  const wrapStatement = (statement, budget) => ({
    statement,
    bind: (...values) => wrapStatement(statement.bind(...values), budget),
    all: () => countedCall(budget, () => statement.all()),
  });
  const countedCall = (budget, run) => {
    if (budget.isCrashed) return never;
    budget.calls -= 1;
    if (budget.calls > 0) return run();
    budget.isCrashed = true;
    const crash = () => { budget.crash(); return never; };
    return run().then(crash, crash);
  };
  // The worker recognizes a service binding by the name of its class.
  class Fetcher {
    #service;
    #budget;
    constructor(service, budget) {
      this.#service = service;
      this.#budget = budget;
    }
    fetch(...args) {
      return countedCall(this.#budget, () => this.#service.fetch(...args));
    }
  }
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const calls = Number(request.headers.get("x-crash-after") ?? "NaN");
      if (!(calls > 0)) return Built.fetch(request, this.env, this.ctx);
      const budget = { calls, isCrashed: false };
      const crashed = new Promise((resolve) => {
        budget.crash = () => resolve(new Response("crashed", { status: 599 }));
      });
      const env = {};
      for (const [name, binding] of Object.entries(this.env)) {
        if (typeof binding === "string") env[name] = binding;
        else env[name] = name === "DB" ? wrapDatabase(binding, budget) : new Fetcher(binding, budget);
      }
      return Promise.race([crashed, Built.fetch(request, env, this.ctx)]);
    }
  }
`;

/** Makes a request with the header `x-panic` panic, by a result with more rows than the memory of
 * a worker can hold. A request with `x-broken` gets a database that fails. */
const panicWrapper = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const results = new Array(2 ** 32 - 1);
  results[0] = { record: "{}" };
  const hugeResult = { success: true, meta: {}, results };
  const panicking = { bind: () => panicking, all: async () => hugeResult };
  const failing = { bind: () => failing, all: async () => { throw new Error("no database"); } };
  const statements = { "x-panic": panicking, "x-broken": failing };
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const fault = Object.keys(statements).find((name) => request.headers.has(name));
      if (!fault) return Built.fetch(request, this.env, this.ctx);
      const DB = { prepare: () => statements[fault], withSession: () => DB, getBookmark: () => null };
      return Built.fetch(request, { ...this.env, DB }, this.ctx);
    }
  }
`;
