// A main module that wraps the worker `index.js`. It counts the costs of the worker: calls of D1,
// in the one method through which all of them pass, and calls of other services. `GET /costs`
// returns the counts and resets them.
export type Costs = { roundTrips: number; rowsRead: number; rowsWritten: number; calls: number };

export const costCounter = `
  import Built from "./index.js";
  const none = { roundTrips: 0, rowsRead: 0, rowsWritten: 0, calls: 0 };
  let costs = { ...none };
  let services;
  const replaceMethod = (object, name, wrap) => {
    const method = object[name];
    object[name] = function (...args) {
      return wrap(this, () => method.apply(this, args));
    };
  };
  const startCounting = (env) => {
    const bindings = Object.values(env);
    services = new Set(bindings.filter((binding) => binding?.constructor?.name === "Fetcher"));
    const [service] = services;
    if (service) replaceMethod(Object.getPrototypeOf(service), "fetch", (target, call) => {
      if (services.has(target)) costs.calls += 1;
      return call();
    });
    const session = env.DB?.withSession("first-primary");
    if (session) replaceMethod(Object.getPrototypeOf(session), "_send", async (_, call) => {
      costs.roundTrips += 1;
      const result = await call();
      for (const { meta } of [result].flat()) {
        costs.rowsRead += meta?.rows_read ?? 0;
        costs.rowsWritten += meta?.rows_written ?? 0;
      }
      return result;
    });
  };
  export default {
    fetch(request, env, context) {
      if (!services) startCounting(env);
      if (new URL(request.url).pathname === "/costs") {
        const counted = costs;
        costs = { ...none };
        return Response.json(counted);
      }
      if (typeof Built === "function") return new Built(context, env).fetch(request);
      return Built.fetch(request, env, context);
    },
    scheduled(event, env, context) {
      if (!services) startCounting(env);
      return Built.scheduled(event, env, context);
    },
  };
`;
