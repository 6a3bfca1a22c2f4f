// A main module that wraps the worker `index.js`. It limits the calls of each invocation as the
// platform does: it throws at the first call beyond the limit of a plan. A batch counts as many
// queries as it has statements. This is the strictest reading of the platform's documentation.
//
// `GET /calls` returns the largest numbers of calls of one invocation since the last `GET`, and the
// number of calls that were rejected.

export type Plan = "free" | "paid";
export type CallCounts = { subrequests: number; queries: number; rejected: number };

const limits = {
  free: { subrequests: 50, queries: 50 },
  paid: { subrequests: 10_000, queries: 1_000 },
};

export const callLimiter = (plan: Plan) => `
  import Built from "./index.js";
  const limits = ${JSON.stringify(limits[plan])};
  let most = { subrequests: 0, queries: 0, rejected: 0 };
  const count = (used, name, calls) => {
    used[name] += calls;
    if (used[name] > limits[name]) {
      most.rejected += 1;
      throw new Error(name === "queries"
        ? "Too many API requests by single worker invocation."
        : "Too many subrequests by single Worker invocation.");
    }
    most[name] = Math.max(most[name], used[name]);
  };
  // The worker recognizes a service binding by the name of its class.
  class Fetcher {
    #service;
    #used;
    constructor(service, used) {
      this.#service = service;
      this.#used = used;
    }
    async fetch(...args) {
      count(this.#used, "subrequests", 1);
      return this.#service.fetch(...args);
    }
  }
  const limitDatabase = (d1, used) => ({
    prepare: (sql) => limitStatement(d1.prepare(sql), used),
    withSession: (constraint) => limitDatabase(d1.withSession(constraint), used),
    getBookmark: () => d1.getBookmark?.() ?? null,
    batch: async (statements) => {
      count(used, "subrequests", 1);
      count(used, "queries", statements.length);
      return d1.batch(statements.map(({ statement }) => statement));
    },
  });
  const limitStatement = (statement, used) => ({
    statement,
    bind: (...values) => limitStatement(statement.bind(...values), used),
    all: async () => {
      count(used, "subrequests", 1);
      count(used, "queries", 1);
      return statement.all();
    },
  });
  const limitEnv = (env) => {
    const used = { subrequests: 0, queries: 0 };
    const limited = {};
    for (const [name, binding] of Object.entries(env)) {
      if (name === "DB") limited[name] = limitDatabase(binding, used);
      else if (binding?.constructor?.name === "Fetcher") limited[name] = new Fetcher(binding, used);
      else limited[name] = binding;
    }
    return limited;
  };
  export default {
    fetch(request, env, context) {
      if (new URL(request.url).pathname !== "/calls") return Built.fetch(request, limitEnv(env), context);
      const counted = most;
      most = { subrequests: 0, queries: 0, rejected: 0 };
      return Response.json(counted);
    },
    scheduled: (event, env, context) => Built.scheduled(event, limitEnv(env), context),
  };
`;
