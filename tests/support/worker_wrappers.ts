// The main modules that a worker gets in front of its own, so that it meets what a test is about.
import { counting } from "./cost_counter.ts";
import type { Name, Options } from "./harness.ts";
import { replicas } from "./replica_simulator.ts";
import { switching } from "./service_faults.ts";

/** The one that the options ask for, if any. */
export function wrapperOf(name: Name, options: Options): string | undefined {
  if (options.fronts) return options.fronts[name];
  if (options.counting) return counting;
  if (options.crashing) return crashing;
  if (options.panicking === name) return panicking;
  if (name === "join") return undefined;
  if (options.switching) return switching;
  return options.replicated ? replicas : undefined;
}

/** A main module that serves the worker behind it, until the request is to die. */
const crashing = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const never = new Promise(() => {});
  const database = (d1, left) => ({
    prepare: (sql) => statement(d1.prepare(sql), left),
    withSession: (from) => database(d1.withSession(from), left),
    getBookmark: () => d1.getBookmark(),
    batch: (all) => call(left, () => d1.batch(all.map(({ plain }) => plain))),
  });
  const statement = (plain, left) => ({
    plain,
    bind: (...values) => statement(plain.bind(...values), left),
    all: () => call(left, () => plain.all()),
  });
  const call = (left, run) => {
    if (left.dead) return never;
    left.calls -= 1;
    if (left.calls > 0) return run();
    left.dead = true;
    return run().then(() => { left.died(); return never; }, () => { left.died(); return never; });
  };
  // The name is what the worker knows a service by.
  class Fetcher {
    #service;
    #left;
    constructor(service, left) {
      this.#service = service;
      this.#left = left;
    }
    fetch(...given) {
      return call(this.#left, () => this.#service.fetch(...given));
    }
  }
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const calls = Number(request.headers.get("x-crash-after") ?? "NaN");
      if (!(calls > 0)) return Built.fetch(request, this.env, this.ctx);
      const left = { calls, dead: false };
      const dead = new Promise((resolve) => { left.died = () => resolve(new Response("crashed", { status: 599 })); });
      const env = {};
      for (const [name, binding] of Object.entries(this.env)) {
        const isSetting = typeof binding === "string";
        env[name] = isSetting ? binding : name === "DB" ? database(binding, left) : new Fetcher(binding, left);
      }
      return Promise.race([dead, Built.fetch(request, env, this.ctx)]);
    }
  }
`;

/** A main module that serves the worker behind it, but has it panic: it is given as many rows as
 * no memory of a worker can hold. */
const panicking = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const results = new Array(2 ** 32 - 1);
  results[0] = { record: "{}" };
  const all = { success: true, meta: {}, results };
  const deadly = { bind: () => deadly, all: async () => all };
  const broken = { bind: () => broken, all: async () => { throw new Error("no database"); } };
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const faults = { "x-panic": deadly, "x-broken": broken };
      const fault = Object.keys(faults).find((name) => request.headers.has(name));
      if (!fault) return Built.fetch(request, this.env, this.ctx);
      const DB = { prepare: () => faults[fault], withSession: () => DB, getBookmark: () => null };
      return Built.fetch(request, { ...this.env, DB }, this.ctx);
    }
  }
`;
