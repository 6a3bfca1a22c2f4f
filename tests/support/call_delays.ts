// A main module that wraps the worker `index.js`. It delays each call before it is sent, as the
// distance to a database or to another worker would. `GET /delayed-calls` returns the calls and
// resets the list.

/** Milliseconds per call. */
export type Delays = {
  /** A round trip to the worker's database. */
  database: number;
  /** A call of another worker. */
  services: number;
};

/** A call, in milliseconds since 1970. */
export type DelayedCall = { kind: keyof Delays; start: number; end: number };

export const callDelays = (delays: Delays): string => `
  import Built from "./index.js";
  const delays = ${JSON.stringify(delays)};
  let calls = [];
  let services;
  const delayMethod = (object, name, kind, includes = () => true) => {
    const method = object[name];
    object[name] = async function (...args) {
      if (!includes(this)) return method.apply(this, args);
      const call = { kind, start: Date.now(), end: Infinity };
      calls.push(call);
      if (delays[kind] > 0) await new Promise((resolve) => setTimeout(resolve, delays[kind]));
      try {
        return await method.apply(this, args);
      } finally {
        call.end = Date.now();
      }
    };
  };
  const startDelaying = (env) => {
    const bindings = Object.values(env);
    services = new Set(bindings.filter((binding) => binding?.constructor?.name === "Fetcher"));
    const [service] = services;
    if (service) {
      const prototype = Object.getPrototypeOf(service);
      delayMethod(prototype, "fetch", "services", (target) => services.has(target));
    }
    const session = env.DB?.withSession("first-primary");
    if (session) delayMethod(Object.getPrototypeOf(session), "_send", "database");
  };
  export default {
    fetch(request, env, context) {
      if (!services) startDelaying(env);
      if (new URL(request.url).pathname === "/delayed-calls") {
        const taken = calls;
        calls = [];
        return Response.json(taken.map((call) => ({ ...call, end: Math.min(call.end, Date.now()) })));
      }
      if (typeof Built === "function") return new Built(context, env).fetch(request);
      return Built.fetch(request, env, context);
    },
    scheduled(event, env, context) {
      if (!services) startDelaying(env);
      return Built.scheduled(event, env, context);
    },
  };
`;

/** The number of calls one after the other: calls in flight at the same time count as one. */
export function sequentialCalls(calls: DelayedCall[]): number {
  const [sorted, slack] = [calls.toSorted((a, b) => a.start - b.start), 2];
  let [count, end] = [0, Number.NEGATIVE_INFINITY];
  for (const call of sorted) {
    if (call.start >= end - slack) count += 1;
    end = Math.max(end, call.end);
  }
  return count;
}
