// A main module that serves the worker behind it, `index.js`, and counts what it costs: the
// calls of D1 at the one place that all of them pass, and those of other services.
// `GET /costs` tells, and begins anew.
export type Costs = { roundTrips: number; rowsRead: number; rowsWritten: number; calls: number };

export const counting = `
  import Built from "./index.js";
  const none = { roundTrips: 0, rowsRead: 0, rowsWritten: 0, calls: 0 };
  let costs = { ...none };
  let services;
  const replace = (object, name, make) => {
    const method = object[name];
    object[name] = function (...given) {
      return make(this, () => method.apply(this, given));
    };
  };
  const count = (env) => {
    services = new Set(Object.values(env).filter((one) => one?.constructor?.name === "Fetcher"));
    const [service] = services;
    if (service) replace(Object.getPrototypeOf(service), "fetch", (called, call) => {
      if (services.has(called)) costs.calls += 1;
      return call();
    });
    const session = env.DB?.withSession("first-primary");
    if (session) replace(Object.getPrototypeOf(session), "_send", async (_, call) => {
      costs.roundTrips += 1;
      const answer = await call();
      for (const { meta } of [answer].flat()) {
        costs.rowsRead += meta?.rows_read ?? 0;
        costs.rowsWritten += meta?.rows_written ?? 0;
      }
      return answer;
    });
  };
  export default {
    fetch(request, env, context) {
      if (!services) count(env);
      if (new URL(request.url).pathname === "/costs") {
        const counted = costs;
        costs = { ...none };
        return Response.json(counted);
      }
      if (typeof Built === "function") return new Built(context, env).fetch(request);
      return Built.fetch(request, env, context);
    },
    scheduled(event, env, context) {
      if (!services) count(env);
      return Built.scheduled(event, env, context);
    },
  };
`;
