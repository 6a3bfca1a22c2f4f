// A main module that wraps a worker. It makes the worker's database fail once, at a chosen call.

/** `before`: the call has no effect. `after`: the call takes effect and its result is lost. */
export const failureModes = ["before", "after"] as const;
export type FailureMode = (typeof failureModes)[number];

/** `POST /fail?at=N&mode=MODE` makes the Nth call from then on fail, and `at=0` none. It returns
 * whether a call has failed since the last `POST`. */
export const failingDatabase = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  let callsUntilFailure = 0;
  let mode = "before";
  let hasFailed = false;
  let isInstalled = false;
  const callOrFail = async (call) => {
    if (callsUntilFailure === 0) return call();
    callsUntilFailure -= 1;
    if (callsUntilFailure > 0) return call();
    hasFailed = true;
    if (mode === "after") await call();
    throw new Error("D1_ERROR: Network connection lost.");
  };
  // All calls of D1 pass through this one method.
  const install = (env) => {
    isInstalled = true;
    const session = Object.getPrototypeOf(env.DB.withSession("first-primary"));
    const send = session._send;
    session._send = function (...args) {
      return callOrFail(() => send.apply(this, args));
    };
  };
  export default class extends WorkerEntrypoint {
    fetch(request) {
      if (!isInstalled) install(this.env);
      const url = new URL(request.url);
      if (url.pathname === "/fail") {
        const failed = hasFailed;
        hasFailed = false;
        callsUntilFailure = Number(url.searchParams.get("at"));
        mode = url.searchParams.get("mode");
        return Response.json(failed);
      }
      return Built.fetch(request, this.env, this.ctx);
    }
  }
`;
