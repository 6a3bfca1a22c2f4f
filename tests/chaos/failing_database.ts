// A main module that serves the worker behind it, and has its database fail once: at the call
// that it is told, which is counted at the one place that all of them pass.

/** `before`: the call does nothing. `behind`: it is done, and only its answer is lost. */
export const modes = ["before", "behind"] as const;
export type Mode = (typeof modes)[number];

/** `POST /fail?at=N&mode=MODE` has the Nth call from then on fail, `at=0` none; it tells whether
 * the last one that was to fail came. */
export const failing = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  let left = 0;
  let mode = "before";
  let hasFailed = false;
  let isSet = false;
  const call = async (run) => {
    if (left === 0) return run();
    left -= 1;
    if (left > 0) return run();
    hasFailed = true;
    if (mode === "behind") await run();
    throw new Error("D1_ERROR: Network connection lost.");
  };
  const set = (env) => {
    isSet = true;
    const calls = Object.getPrototypeOf(env.DB.withSession("first-primary"));
    const send = calls._send;
    calls._send = function (...given) {
      return call(() => send.apply(this, given));
    };
  };
  export default class extends WorkerEntrypoint {
    fetch(request) {
      if (!isSet) set(this.env);
      const url = new URL(request.url);
      if (url.pathname === "/fail") {
        const told = hasFailed;
        hasFailed = false;
        left = Number(url.searchParams.get("at"));
        mode = url.searchParams.get("mode");
        return Response.json(told);
      }
      return Built.fetch(request, this.env, this.ctx);
    }
  }
`;
