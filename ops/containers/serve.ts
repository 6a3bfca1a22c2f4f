// The main process of a container, which runs one worker: `node ops/containers/serve.ts NAME`. Its
// settings are environment variables (docs/operations.md).
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";
import { limiterOf } from "../rate_limit.ts";
import { UnusableDatabase } from "../schema.ts";
import { checkTokens, InvalidTokens } from "../tokens.ts";
import type { Name } from "../workers.ts";
import { prepare } from "./database.ts";
import { logLine } from "./log_line.ts";
import type { Plan, Plans } from "./plan.ts";
import { relayTo } from "./relay.ts";

process.chdir(resolve(import.meta.dirname, "../.."));
const { env } = process;
// The settings of the workers. An empty setting counts as not set.
const settings = ["READS", "WRITES", "TOKENS", "SERVICE_SECRET", "RATE_LIMIT", "ALLOWED_ORIGINS"];
settings.push(
  "ALLOWED_HOSTS",
  "HSTS_SUBDOMAINS",
  "UPSTREAM_DEADLINE_MS",
  "SNAPSHOTS",
  "FRESH_SECONDS",
  "LOG",
  "PLAN",
);
const bindings = Object.fromEntries(
  settings.flatMap((name) => (env[name] ? [[name, env[name]]] : [])),
);

type Scheduled = { scheduled(event: { cron: string }): Promise<unknown> };

const MINUTE_MS = 60_000;

/** The bindings of the services that a worker calls over the network, through relays. */
async function servicesOf({ services }: Plan): Promise<WorkerOptions["serviceBindings"]> {
  const bound = Object.entries(services).map(async ([binding, service]) => {
    const setting = env[`${binding}_URL`];
    if (!setting)
      throw new Error(`set ${binding}_URL to the address of ${service}: http://${service}:8080`);
    const url = new URL(setting);
    const http = { injectRequestHeaders: [{ name: "Host", value: url.host }] };
    return [binding, { external: { address: await relayTo(url), http } }] as const;
  });
  return Object.fromEntries(await Promise.all(bound));
}

/** The limiters of a worker, with the limit that the worker announces. */
function limitersOf({ options }: Plan): WorkerOptions["ratelimits"] {
  const simple = limiterOf(env.RATE_LIMIT);
  const limiters = Object.entries<object>(options.ratelimits ?? {});
  return Object.fromEntries(
    limiters.map(([binding, limiter]) => [binding, { ...limiter, ...(simple && { simple }) }]),
  );
}

async function workerOf(name: Name, plan: Plan): Promise<WorkerOptions> {
  const folder = dirname(plan.main);
  return {
    ...plan.options,
    name,
    modulesRoot: folder,
    modules: [
      { type: "ESModule", path: plan.main },
      { type: "CompiledWasm", path: join(folder, "index_bg.wasm") },
    ],
    bindings,
    ratelimits: limitersOf(plan),
    serviceBindings: await servicesOf(plan),
    unsafeDirectSockets: [{ host: env.HOST ?? "0.0.0.0", port: Number(env.PORT) }],
  };
}

async function serve(name: Name, plan: Plan): Promise<void> {
  const data = env.DATA || "/data";
  const workers = [await workerOf(name, plan)];
  await prepare(name, plan, data, Boolean(env.SEED), console.log);
  const miniflare = new Miniflare({
    // Clients use the worker's own socket, not this one.
    host: "127.0.0.1",
    cf: false,
    log: new Log(LogLevel.WARN),
    handleStructuredLogs: ({ message }: { message: string }) => console.log(logLine(message)),
    d1Persist: data,
    workers,
  });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await miniflare.dispose();
    process.exit();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    // Replaces the handler of Miniflare, which exits with an error code.
    process.removeAllListeners(signal).on(signal, stop);
  }
  await miniflare.ready;
  const { host } = await miniflare.unsafeGetDirectURL(name);
  console.log(`» ${name} listens on ${host}`);
  const worker = (await miniflare.getWorker(name)) as unknown as Scheduled;
  setInterval(() => {
    const scheduled = worker.scheduled({ cron: "* * * * *" });
    scheduled.catch(
      (error: unknown) =>
        stopping ||
        console.error(logLine(`» the scheduled run failed and is repeated in a minute: ${error}`)),
    );
  }, MINUTE_MS);
}

const [name, plans = "ops/containers/plans.json"] = process.argv.slice(2);
const plan = (JSON.parse(readFileSync(plans, "utf8")) as Plans)[name as Name];
if (!plan) throw new Error("name a worker: serve.ts places, serve.ts people or serve.ts join");
try {
  checkTokens(env.TOKENS);
  await serve(name as Name, plan);
} catch (error) {
  if (!(error instanceof UnusableDatabase || error instanceof InvalidTokens)) throw error;
  console.error(`» ${error.message}`);
  process.exit(1);
}
