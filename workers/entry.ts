// The entry point of each worker. worker-build generates another entry point. It creates an object
// and proxies for every request, so that it can replace an instance that has panicked. That took 5
// % of the time of a small response. This entry point only checks a flag.
//
// @ts-expect-error: worker-build generates the file, and the Makefile copies this one next to it.
import Entrypoint from "./index.js";

// The executor of the wasm instance queues a microtask for each of its steps. The platform's own
// function makes an object for each call. That took 5 % of the time of a small response.
const resolved = Promise.resolve();
globalThis.queueMicrotask = (task) => {
  resolved.then(task);
};

/** The variables and bindings of a worker. */
export type Env = Record<string, unknown>;

/** What the platform gives a worker together with a request. */
export type Context = {
  waitUntil(promise: Promise<unknown>): void;
  /** The other entrypoints of the worker. */
  exports?: Record<string, { fetch: typeof fetch }>;
  /** The cache in front of this entrypoint, if the platform has one. */
  cache?: { purge(options: { tags: string[] }): Promise<unknown> };
};

type Handler<Event, Result> = (event: Event, env: Env, ctx: Context) => Result;

/** The state that the `worker` crate keeps of the instance: whether it has panicked. */
const { __worker_init_state: state } = globalThis as unknown as {
  __worker_init_state: { criticalError: boolean };
};

/** One of the worker's handlers, as the platform calls it. */
export function handler<Event, Result>(name: string): Handler<Event, Result> {
  const handle = Entrypoint.prototype[name];
  return (event, env, ctx) => {
    // The constructor starts a new instance.
    if (state.criticalError) new Entrypoint(ctx, env);
    try {
      return handle.call({ env, ctx }, event, env, ctx);
    } catch (thrown) {
      state.criticalError = true;
      throw thrown;
    }
  };
}

export default {
  fetch: handler<Request, Promise<Response>>("fetch"),
  scheduled: handler<unknown, Promise<void>>("scheduled"),
};
