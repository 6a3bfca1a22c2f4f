// The way into each worker. What worker-build writes makes an object, and proxies of it and of its
// methods, for every request, so that a new instance begins behind a panic. Here that is one look:
// the rest took a twentieth of a small answer's time.
//
// @ts-expect-error: written by worker-build, beside which the Makefile puts this file.
import Entrypoint from "./index.js";

type Handler = (this: { env: unknown; ctx: unknown }, given: unknown) => unknown;

/** What the instance says of itself, in the `worker` crate: whether it has panicked. */
const { __worker_init_state: state } = globalThis as unknown as {
  __worker_init_state: { criticalError: boolean };
};

/** One of the instance's handlers, as the platform calls it. */
function handler(name: "fetch" | "scheduled") {
  const handle: Handler = Entrypoint.prototype[name];
  return (given: unknown, env: unknown, ctx: unknown) => {
    // Making an entry point begins the new instance.
    if (state.criticalError) new Entrypoint(ctx, env);
    try {
      return handle.call({ env, ctx }, given);
    } catch (thrown) {
      state.criticalError = true;
      throw thrown;
    }
  };
}

export default { fetch: handler("fetch"), scheduled: handler("scheduled") };
