// The entry point of each worker. worker-build generates another entry point. It creates an object
// and proxies for every request, so that it can replace an instance that has panicked. That took 5
// % of the time of a small response. This entry point only checks a flag.
//
// @ts-expect-error: worker-build generates the file, and the Makefile copies this one next to it.
import Entrypoint from "./index.js";

type Handler = (this: { env: unknown; ctx: unknown }, event: unknown) => unknown;

/** The state that the `worker` crate keeps of the instance: whether it has panicked. */
const { __worker_init_state: state } = globalThis as unknown as {
  __worker_init_state: { criticalError: boolean };
};

/** One of the worker's handlers, as the platform calls it. */
function handler(name: "fetch" | "scheduled") {
  const handle: Handler = Entrypoint.prototype[name];
  return (event: unknown, env: unknown, ctx: unknown) => {
    // The constructor starts a new instance.
    if (state.criticalError) new Entrypoint(ctx, env);
    try {
      return handle.call({ env, ctx }, event);
    } catch (thrown) {
      state.criticalError = true;
      throw thrown;
    }
  };
}

export default { fetch: handler("fetch"), scheduled: handler("scheduled") };
