// Lists the contestants and starts them. Those for workerd run in Miniflare, with one socket per
// worker. Flask runs under gunicorn.
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";
import { type Name, names } from "../ops/workers.ts";
import { callDelays } from "../tests/support/call_delays.ts";
import { costCounter } from "../tests/support/cost_counter.ts";
import { workerOptionsFor as productWorker } from "../tests/support/harness.ts";
import { installFlask, startFlask } from "./flask.ts";
import { buildNaive, naiveFolder } from "./naive.ts";
import { delaysOf, type Profile } from "./profiles.ts";
import { home, type SchemaName } from "./stock.ts";

const peers = join(import.meta.dirname, "peers");

export type Options = {
  /** The folder of its databases. */
  data: string;
  /** Counts the costs of each worker's responses. `GET /costs` returns them. */
  counting?: boolean;
  /** Delays the calls as in such a deployment. */
  profile?: Profile;
  /** Starts an inspector, which measures the memory of the isolates. */
  inspected?: boolean;
};

export type Started = {
  /** The address of each service. Services in one process share an address. */
  urls: Record<Name, string>;
  inspector?: string | undefined;
  stop(): Promise<void>;
};

export type Contestant = {
  title: string;
  schema: SchemaName;
  /** Installs its dependencies. Returns a reason if the contestant cannot take part. */
  prepare(): string | undefined;
  start(options: Options): Promise<Started>;
};

type Worker = Pick<WorkerOptions, "modules" | "modulesRoot"> & Partial<WorkerOptions>;

const services = { places: ["PEOPLE"], people: ["PLACES"], join: ["PLACES", "PEOPLE"] };

/** The options of three workers with service bindings, each with its own database. */
function threeWorkers(worker: (name: Name) => Worker): WorkerOptions[] {
  return names.map((name) => ({
    ...worker(name),
    name,
    compatibilityDate: "2026-07-30",
    serviceBindings: Object.fromEntries(
      services[name].map((binding) => [binding, binding.toLowerCase()]),
    ),
    d1Databases: { DB: name },
  }));
}

function inWorkerd(title: string, schema: SchemaName, workers: () => WorkerOptions[]): Contestant {
  return {
    title,
    schema,
    prepare: () => undefined,
    start: (options) => miniflare(workers(), options),
  };
}

async function miniflare(workers: WorkerOptions[], options: Options): Promise<Started> {
  const running = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    ...(options.inspected && { inspectorPort: 0 }),
    log: new Log(LogLevel.ERROR),
    handleStructuredLogs: () => {},
    d1Persist: options.data,
    workers: workers.map((worker) => ({
      ...wrapped(worker, options),
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    })),
  });
  try {
    await running.ready;
    const url = async (name: Name) => {
      const known = workers.some((worker) => worker.name === name) ? name : "all";
      return [name, (await running.unsafeGetDirectURL(known)).href];
    };
    return {
      urls: Object.fromEntries(await Promise.all(names.map(url))),
      inspector: options.inspected ? (await running.getInspectorURL()).href : undefined,
      stop: () => running.dispose(),
    };
  } catch (error) {
    await running.dispose();
    throw error;
  }
}

/** Wraps a worker, whose main module is `index.js`, in a module that counts costs or delays calls. */
function wrapped(worker: WorkerOptions, { counting, profile }: Options): WorkerOptions {
  if (!counting && !profile) return worker;
  const {
    name = "",
    modules,
    modulesRoot,
  } = worker as {
    name?: string;
    modules: object[];
    modulesRoot: string;
  };
  const contents = profile ? callDelays(delaysOf(profile, name)) : costCounter;
  const first = { type: "ESModule", path: join(modulesRoot, "first.js"), contents };
  return { ...worker, modules: [first, ...modules] } as WorkerOptions;
}

/** A TypeScript worker, bundled as wrangler does it. */
function bundled(source: string): Worker {
  const outfile = join(home, "build", source.replace(/\.ts$/, ""), "index.js");
  buildSync({
    entryPoints: [join(peers, source)],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    minify: true,
  });
  return {
    modulesRoot: resolve(outfile, ".."),
    modules: [{ type: "ESModule", path: outfile }],
  };
}

/** A Rust worker, built by worker-build. */
function built(folder: string): Worker {
  return {
    modulesRoot: folder,
    modules: [
      { type: "ESModule", path: join(folder, "index.js") },
      { type: "CompiledWasm", path: join(folder, "index_bg.wasm") },
    ],
  };
}

/** The product with the options of its wrangler files. It logs only errors, because the peers log
 * nothing. */
const product = () =>
  names.map((name) => ({
    ...productWorker(name, {}),
    bindings: { WRITES: "open", LOG: "errors" },
    assets: undefined,
    d1Databases: { DB: name },
  }));

const all = (source: string) => () => [
  { ...bundled(source), name: "all", compatibilityDate: "2026-07-30", d1Databases: { DB: "all" } },
];

const naive: Contestant = {
  ...inWorkerd("naive Rust", "peers", () => threeWorkers((name) => built(naiveFolder(name)))),
  prepare: buildNaive,
};

const flask: Contestant = {
  title: "Flask",
  schema: "peers",
  prepare: installFlask,
  start: ({ data }) => startFlask(data),
};

export const contestants = {
  product: inWorkerd("this one", "product", product),
  hono: inWorkerd("Hono", "peers", () => threeWorkers((name) => bundled(`hono/${name}.ts`))),
  naive,
  flask,
  monolith: inWorkerd("monolith", "monolith", all("monolith/worker.ts")),
  floors: inWorkerd("floors", "floors", () => threeWorkers(() => bundled("floors/worker.ts"))),
} satisfies Record<string, Contestant>;
export type ContestantName = keyof typeof contestants;
