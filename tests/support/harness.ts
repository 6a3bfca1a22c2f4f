// Starts the three built workers in Miniflare, each on its own loopback port, with fresh databases.
// No other file needs to know how the system starts.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join as joinPath, resolve } from "node:path";
import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";
import {
  unstable_getMiniflareWorkerOptions as miniflareWorkerOptions,
  unstable_readConfig as readConfig,
  unstable_splitSqlQuery as splitSql,
} from "wrangler";
import { withEpoch } from "../../ops/schema.ts";
import { sections } from "../../ops/seed.ts";
import { configs, type Name, names } from "../../ops/workers.ts";
import type { DelayedCall, Delays } from "./call_delays.ts";
import type { CallCounts, Plan } from "./call_limiter.ts";
import type { Costs } from "./cost_counter.ts";
import { EPOCH, type Person, type Place } from "./fixtures.ts";
import { WorkerClient } from "./worker_client.ts";
import { wrapperFor } from "./worker_wrappers.ts";

export {
  type ApiResponse,
  jsonArray,
  ndjson,
  nextLink,
  parseNdjson,
  WorkerClient,
} from "./worker_client.ts";
export type { Name };

const root = resolve(import.meta.dirname, "../..");

/** Replaces a service. Only its source text is used, so it cannot refer to anything outside. */
export type ServiceStub = (request: Request) => Response | Promise<Response>;

export type Options = {
  /** Fills the databases from seed.sql. */
  seed?: boolean;
  places?: Place[];
  people?: Person[];
  /** Replaces services. */
  stubs?: Partial<Record<Name, ServiceStub>>;
  /** Counts what each worker's responses cost, see `System.takeCosts`. */
  countCosts?: boolean;
  /** Delays the calls of each worker, see `System.takeDelayedCalls`. It turns snapshots off, too. */
  delays?: Delays;
  /** Stops a request that has the header `x-crash-after: N` after N calls of a database or a
   * service, as a crash would. */
  crashable?: boolean;
  /** Stores the databases in this folder, so that they survive a restart. The default is memory. */
  persist?: string;
  /** Makes this worker panic on a request with the header `x-panic`, and gives a request with
   * `x-broken` a database that fails. */
  panickingWorker?: Name;
  /** Lets `System.setFault` make places and people fail and recover. */
  switchableFaults?: boolean;
  /** Opens the V8 inspector, see `System.inspector`. */
  inspector?: boolean;
  /** Main modules that wrap the built workers, which they import as `index.js`. */
  wrappers?: Partial<Record<Name, string>>;
  /** Gives places and people a read replica each, which catches up on `System.replicate`. */
  withReplicas?: boolean;
  /** Two instances of the gateway share a cache, see `shared_cache.ts`. */
  sharedCache?: boolean;
  /** Settings of the gateway. With them, the backends require the services' secret, as deployed.
   * Without them all three workers allow writes, as in development, and `countCosts` turns
   * snapshots off. */
  gatewaySettings?: Record<string, string>;
  /** Settings of the backends, instead of those defaults. */
  backendSettings?: Record<string, string>;
  /** The gateway's rate limiter, for the setting `RATE_LIMIT`. */
  rateLimit?: { limit: number; period: 10 | 60 };
  /** Limits the calls of each invocation as on this plan, see `System.takeCalls`. By default it is
   * the variable PLAN of the environment, so that any test can run on a plan. */
  plan?: Plan;
  /** Receives each log line of a worker. */
  log?: (line: string) => void;
};

type Statement = { sql: string; values?: string[] };
type Rows = Record<string, unknown>[];

/** The name of the worker that runs the statements of the tests. */
const DATABASES = "databases";

/** Miniflare's own access to a database starts a thread, and stops this process for each statement. */
const databasesModule = `export default {
  async fetch(request, env) {
    const { binding, statements } = await request.json();
    const d1 = env[binding];
    try {
      const bound = statements.map(({ sql, values = [] }) => d1.prepare(sql).bind(...values));
      const results = await d1.batch(bound);
      return Response.json(results.map(({ results }) => results));
    } catch (error) {
      return new Response(error.message, { status: 500 });
    }
  },
};`;

/** A worker's own database. */
export class TestDatabase {
  readonly #url: URL;
  readonly #binding: string;

  constructor(url: URL, binding: string) {
    this.#url = url;
    this.#binding = binding;
  }

  /** Runs statements in one transaction, and returns the rows of each. */
  async #run(statements: Statement[]): Promise<Rows[]> {
    const body = JSON.stringify({ binding: this.#binding, statements });
    const response = await fetch(this.#url, { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as Rows[];
  }

  /** Runs statements in one transaction. */
  async exec(sql: string): Promise<void> {
    await this.#run(splitSql(sql).map((statement) => ({ sql: statement })));
  }

  /** Inserts rows by a statement that takes them as JSON, in chunks that D1 accepts. */
  async insert(rows: object[], sql: string): Promise<void> {
    // D1 accepts texts of 2 MB.
    const longest = Math.max(1, ...rows.map((row) => Buffer.byteLength(JSON.stringify(row))));
    const size = Math.min(10_000, Math.floor(1_900_000 / (longest + 1)));
    for (let start = 0; start < rows.length; start += size) {
      const chunk = JSON.stringify(rows.slice(start, start + size));
      await this.#run([{ sql, values: [chunk] }]);
    }
  }

  async rows(sql: string): Promise<Rows> {
    const [rows = []] = await this.#run([{ sql }]);
    return rows;
  }
}

export class System {
  readonly places: WorkerClient;
  readonly people: WorkerClient;
  readonly join: WorkerClient;
  readonly db: Record<Name, TestDatabase>;
  readonly #miniflare: Miniflare;

  constructor(
    workers: Record<Name, WorkerClient>,
    db: Record<Name, TestDatabase>,
    miniflare: Miniflare,
  ) {
    ({ places: this.places, people: this.people, join: this.join } = workers);
    this.db = db;
    this.#miniflare = miniflare;
  }

  async addPlaces(places: Place[]): Promise<void> {
    const rows = places.map((place) => ({ ...place, ...nameKeys(place.name) }));
    await this.db.places.insert(
      rows,
      `INSERT INTO place (id, name, name_key, search_key, words)
       SELECT e.value ->> 'id', e.value ->> 'name', e.value ->> 'key', e.value ->> 'searchKey',
         e.value ->> 'words'
       FROM json_each(?1) AS e`,
    );
  }

  async addPeople(people: Person[]): Promise<void> {
    const rows = people.map((person) => ({ ...person, ...nameKeys(person.name) }));
    await this.db.people.insert(
      rows,
      `INSERT INTO person (id, name, name_key, search_key, words, is_alive, is_king, place_id)
       SELECT e.value ->> 'id', e.value ->> 'name', e.value ->> 'key', e.value ->> 'searchKey',
         e.value ->> 'words', e.value ->> 'isAlive', e.value ->> 'isKing', e.value ->> 'placeId'
       FROM json_each(?1) AS e`,
    );
  }

  /** The costs of each worker since the last call. */
  async takeCosts(): Promise<Record<Name, Costs>> {
    const counts = names.map(async (name) => [name, (await this[name].get("/costs")).json]);
    return Object.fromEntries(await Promise.all(counts));
  }

  /** The database round trips of each worker since the last call of this or of `takeCosts`. */
  async takeRoundTrips(): Promise<Record<Name, number>> {
    const { places, people, join } = await this.takeCosts();
    return { places: places.roundTrips, people: people.roundTrips, join: join.roundTrips };
  }

  /** The largest numbers of calls of one invocation of each worker since the last call. */
  async takeCalls(): Promise<Record<Name, CallCounts>> {
    const counts = names.map(async (name) => [name, (await this[name].get("/calls")).json]);
    return Object.fromEntries(await Promise.all(counts));
  }

  /** The calls of each worker since the last call. */
  async takeDelayedCalls(): Promise<Record<Name, DelayedCall[]>> {
    const calls = names.map(async (name) => [name, (await this[name].get("/delayed-calls")).json]);
    return Object.fromEntries(await Promise.all(calls));
  }

  /** Fetches an address with any scheme and host from the gateway. */
  async fetchGateway(url: string, init?: RequestInit): Promise<Response> {
    const worker: unknown = await this.#miniflare.getWorker("join");
    return (worker as { fetch: typeof fetch }).fetch(url, init);
  }

  /** Switches on a fault from `service_faults.ts`, or switches it off. Returns the number of
   * requests that the service got since the last call. */
  async setFault(name: "places" | "people", fault = ""): Promise<number> {
    return Number((await this[name].request("POST", `/fault?${fault}`)).text);
  }

  /** Makes the replica of a database catch up. */
  async replicate(name: "places" | "people"): Promise<void> {
    await this[name].request("POST", "/replicate");
  }

  /** The address of the V8 inspector, which reports the memory of the isolates. */
  async inspector(): Promise<string> {
    return (await this.#miniflare.getInspectorURL()).href;
  }

  /** Triggers a worker's schedule. */
  async runSchedule(name: Name): Promise<void> {
    const worker: unknown = await this.#miniflare.getWorker(name);
    await (worker as { scheduled(event: object): Promise<unknown> }).scheduled({
      cron: "* * * * *",
    });
  }

  async dispose(): Promise<void> {
    await this.#miniflare.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** The keys of a name as the workers store them, for names in the scripts of the tests' data. */
export function nameKeys(name: string) {
  const fold = (character: string) => character.toLowerCase().toUpperCase().toLowerCase();
  const key = [...name].map((character) => (character === "ı" ? "ı" : fold(character))).join("");
  const searchKey = key
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .normalize("NFC");
  const runs = searchKey.match(/\p{Script=Han}+|[[\p{L}\p{N}]--\p{Script=Han}]+|\p{So}/gv) ?? [];
  const startsIn = (run: string) =>
    /\p{Script=Han}/u.test(run) ? [...run].map((_, n) => [...run].slice(n, n + 8).join("")) : run;
  const words = runs.flatMap(startsIn).join(" ");
  return {
    key,
    searchKey: searchKey === key ? null : searchKey,
    words: words === searchKey ? null : words,
  };
}

export async function start(given: Options = {}): Promise<System> {
  const { PLAN } = process.env;
  const options = PLAN === "free" || PLAN === "paid" ? { plan: PLAN as Plan, ...given } : given;
  const workers = names.map((name) => workerOptionsFor(name, options));
  const databases = workers.flatMap(({ name, d1Databases = {} }) =>
    Object.entries(d1Databases).map(([binding, id]) => [`${name} ${binding}`, id]),
  );
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    // Tests cause failures on purpose, so the workers' logs would only be noise.
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ message }: { message: string }) => options.log?.(message),
    handleRuntimeStdio: () => {},
    ...(options.persist && { d1Persist: options.persist }),
    ...(options.inspector && { inspectorPort: 0 }),
    workers: [
      ...workers,
      {
        name: DATABASES,
        modules: true,
        script: databasesModule,
        compatibilityDate: "2026-07-30",
        d1Databases: Object.fromEntries(databases),
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  });
  try {
    return await startedSystem(miniflare, options);
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

async function startedSystem(miniflare: Miniflare, options: Options): Promise<System> {
  await miniflare.ready;
  const databases = await miniflare.unsafeGetDirectURL(DATABASES);
  const each = async <T>(make: (name: Name) => Promise<T>): Promise<Record<Name, T>> =>
    Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await make(name)])),
    ) as Record<Name, T>;
  const seed = options.seed
    ? sections(readFileSync(joinPath(root, "seed.sql"), "utf8"))
    : new Map();
  const db = await each(async (name) => {
    const database = new TestDatabase(databases, `${name} DB`);
    // Stored databases have been migrated before.
    const tables = "SELECT 1 FROM sqlite_schema WHERE name IN ('idempotency', 'dataset')";
    if (!options.persist || (await database.rows(tables)).length === 0) {
      await database.exec(migrations(name));
      // Tests and documentation can then name entity tags.
      if (withEpoch.includes(name)) await database.exec(`UPDATE schema SET epoch = '${EPOCH}'`);
    }
    const rows = seed.get(name);
    if (rows) await database.exec(rows);
    return database;
  });
  const workers = await each(
    async (name) => new WorkerClient(await miniflare.unsafeGetDirectURL(name)),
  );
  const system = new System(workers, db, miniflare);
  if (options.places) await system.addPlaces(options.places);
  if (options.people) await system.addPeople(options.people);
  if (options.withReplicas) {
    for (const name of ["places", "people"] as const) {
      const replica = new TestDatabase(databases, `${name} REPLICA`);
      await replica.exec(migrations(name));
      // A replica copies rows from its primary, so its triggers must not fire.
      const triggers = await replica.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
      for (const { name } of triggers) await replica.exec(`DROP TRIGGER ${name};`);
      await system.replicate(name);
    }
  }
  return system;
}

function readWorkerConfig(name: Name) {
  return readConfig({ config: joinPath(root, configs[name]) });
}

export function migrations(name: Name): string {
  const config = readWorkerConfig(name);
  const folder = config.d1_databases[0]?.migrations_dir;
  if (!folder) throw new Error(`${configs[name]} has no migrations folder`);
  const path = resolve(root, dirname(configs[name]), folder);
  const files = readdirSync(path).filter((file) => file.endsWith(".sql"));
  return files
    .sort()
    .map((file) => readFileSync(joinPath(path, file), "utf8"))
    .join("\n");
}

export function workerOptionsFor(name: Name, options: Options): WorkerOptions {
  const { workerOptions, main } = miniflareWorkerOptions(readWorkerConfig(name));
  if (!main) throw new Error(`${configs[name]} has no main module`);
  const folder = dirname(main);
  const built = [
    { type: "ESModule" as const, path: main },
    { type: "CompiledWasm" as const, path: joinPath(folder, "index_bg.wasm") },
  ];
  const entryModule = (contents: string) => ({
    type: "ESModule" as const,
    path: joinPath(folder, "first.js"),
    contents,
  });
  const second = () => [
    { ...entryModule(readFileSync(main, "utf8")), path: joinPath(folder, "second/index.js") },
    {
      type: "CompiledWasm" as const,
      path: joinPath(folder, "second/index_bg.wasm"),
      contents: readFileSync(joinPath(folder, "index_bg.wasm")),
    },
  ];
  const stub = options.stubs?.[name];
  const wrapper = wrapperFor(name, options);
  const modules = stub
    ? [entryModule(`export default { fetch: ${stub} };`)]
    : [
        ...(wrapper ? [entryModule(wrapper)] : []),
        ...built,
        ...(name === "join" && options.sharedCache ? second() : []),
      ];
  const hasReplica = options.withReplicas && name !== "join";
  return {
    ...workerOptions,
    name,
    modules,
    modulesRoot: folder,
    bindings: { ...settingsFor(name, options), ...(options.plan && { PLAN: options.plan }) },
    ...(hasReplica && {
      d1Databases: { ...workerOptions.d1Databases, REPLICA: `${name}-replica` },
    }),
    ratelimits:
      name === "join" && options.rateLimit
        ? { REQUESTS: { namespace_id: "5003", simple: options.rateLimit } }
        : {},
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

/** The services' shared secret in a system with settings. */
export const SERVICE_SECRET = "the-secret-of-the-three-services";

function settingsFor(name: Name, options: Options): Record<string, string> {
  const { gatewaySettings, backendSettings, countCosts, delays } = options;
  const off = (countCosts || delays) && { SNAPSHOTS: "off" };
  if (name !== "join" && backendSettings) return backendSettings;
  if (!gatewaySettings) return { WRITES: "open", ...off };
  return name === "join" ? { SERVICE_SECRET, ...gatewaySettings } : { SERVICE_SECRET };
}
