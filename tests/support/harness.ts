// The one place that knows how the system starts: the three built workers, each on a
// loopback port of its own, with fresh databases in memory.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join as joined, resolve } from "node:path";
import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";
import {
  unstable_getMiniflareWorkerOptions as optionsOf,
  unstable_readConfig as readConfig,
  unstable_splitSqlQuery as splitSql,
} from "wrangler";
import { sections } from "../../ops/seed.ts";
import { configs, type Name, names } from "../../ops/workers.ts";
import type { Costs } from "./cost_counter.ts";
import type { Person, Place } from "./fixtures.ts";
import { Worker } from "./worker_client.ts";
import { wrapperOf } from "./worker_wrappers.ts";

export { type Answer, always, array, nextOf, Worker } from "./worker_client.ts";
export type { Name };

const root = resolve(import.meta.dirname, "../..");

/** Takes a service's place. Its text alone is used, so it can reach nothing around it. */
export type StandIn = (request: Request) => Response | Promise<Response>;

export type Options = {
  /** Fills the databases with seed.sql. */
  seed?: boolean;
  places?: Place[];
  people?: Person[];
  replace?: Partial<Record<Name, StandIn>>;
  /** Counts what each worker's answers cost, see `System.costs`. */
  counting?: boolean;
  /** Lets a request with the header `x-crash-after: N` die behind its Nth call of a database
   * or a service, which has been done: what it would do next never happens. */
  crashing?: boolean;
  /** The folder that the databases are kept in, over restarts; without it they are in memory. */
  persist?: string;
  /** Gives this worker's requests with the header `x-panic` a database whose answers no worker
   * survives, and those with `x-broken` one that fails. */
  panicking?: Name;
  /** Lets `System.fail` have places and people fail, and be well again. */
  switching?: boolean;
  /** Opens the inspector, see `System.inspector`. */
  inspected?: boolean;
  /** Main modules that serve the workers behind them, `index.js`. */
  fronts?: Partial<Record<Name, string>>;
  /** Gives places and people a replica each, which catches up when `System.replicate` says so. */
  replicated?: boolean;
  /** The settings of the entry point; without them all three workers are open, as in
   * development, and no answers are written down where calls are counted. With them the owners
   * let in whom they share a secret with, as deployed. */
  settings?: Record<string, string>;
  /** The settings of the owners, in place of those. */
  owners?: Record<string, string>;
  /** Counts the requests of a client at the entry point, for the setting `RATE_LIMIT`. */
  limit?: { limit: number; period: 10 | 60 };
  /** Gets each line that a worker writes. */
  log?: (line: string) => void;
};

type D1 = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** A worker's own database. */
export class Database {
  readonly #d1: D1;

  constructor(d1: D1) {
    this.#d1 = d1;
  }

  /** Runs statements, all or none. */
  async exec(sql: string): Promise<void> {
    const statements = splitSql(sql).map((statement) => this.#d1.prepare(statement));
    await this.#d1.batch(statements);
  }

  async insert(rows: object[], sql: string): Promise<void> {
    await this.#d1.prepare(sql).bind(JSON.stringify(rows)).run();
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.#d1.prepare(sql).all()).results;
  }
}

export class System {
  readonly places: Worker;
  readonly people: Worker;
  readonly join: Worker;
  readonly db: Record<Name, Database>;
  readonly #miniflare: Miniflare;

  constructor(workers: Record<Name, Worker>, db: Record<Name, Database>, miniflare: Miniflare) {
    ({ places: this.places, people: this.people, join: this.join } = workers);
    this.db = db;
    this.#miniflare = miniflare;
  }

  async addPlaces(places: Place[]): Promise<void> {
    const rows = places.map((place) => ({ ...place, key: nameKey(place.name) }));
    await this.db.places.insert(
      rows,
      "INSERT INTO place (id, name, name_key) SELECT e.value ->> 'id', e.value ->> 'name', e.value ->> 'key' FROM json_each(?1) AS e",
    );
  }

  async addPeople(people: Person[]): Promise<void> {
    const rows = people.map((person) => ({ ...person, key: nameKey(person.name) }));
    await this.db.people.insert(
      rows,
      `INSERT INTO person (id, name, name_key, is_alive, is_king, place_id)
       SELECT e.value ->> 'id', e.value ->> 'name', e.value ->> 'key', e.value ->> 'isAlive',
         e.value ->> 'isKing', e.value ->> 'placeId'
       FROM json_each(?1) AS e`,
    );
  }

  /** What the answers of each worker have cost since this was last asked. */
  async costs(): Promise<Record<Name, Costs>> {
    const counts = names.map(async (name) => [name, (await this[name].get("/costs")).json]);
    return Object.fromEntries(await Promise.all(counts));
  }

  /** How often each worker has asked its database since this, or `costs`, was last asked. */
  async statements(): Promise<Record<Name, number>> {
    const counts = Object.entries(await this.costs());
    return Object.fromEntries(counts.map(([name, { roundTrips }]) => [name, roundTrips])) as Record<
      Name,
      number
    >;
  }

  /** What the entry point answers to an address of whatever scheme and host. */
  async reach(url: string, init?: RequestInit): Promise<Response> {
    const worker: unknown = await this.#miniflare.getWorker("join");
    return (worker as { fetch: typeof fetch }).fetch(url, init);
  }

  /** Has a service fail in a way of `service_faults.ts`, or, without one, be well again. Tells how
   * many requests it has got since this was last called. */
  async fail(name: "places" | "people", fault = ""): Promise<number> {
    return Number((await this[name].ask("POST", `/fault?${fault}`)).text);
  }

  /** Has the replica of a register catch up. */
  async replicate(name: "places" | "people"): Promise<void> {
    await this[name].ask("POST", "/replicate");
  }

  /** Where V8 tells what the isolates hold. */
  async inspector(): Promise<string> {
    return (await this.#miniflare.getInspectorURL()).href;
  }

  /** What a worker's schedule runs. */
  async scheduled(name: Name): Promise<void> {
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

/** The key that a name is sorted and searched by: each character's lower case. */
export function nameKey(name: string): string {
  return [...name].map((character) => character.toLowerCase()).join("");
}

export async function start(options: Options = {}): Promise<System> {
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    // What the workers log of the failures that tests make is no news.
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ message }: { message: string }) => options.log?.(message),
    handleRuntimeStdio: () => {},
    ...(options.persist && { d1Persist: options.persist }),
    ...(options.inspected && { inspectorPort: 0 }),
    workers: names.map((name) => worker(name, options)),
  });
  try {
    return await filled(miniflare, options);
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

async function filled(miniflare: Miniflare, options: Options): Promise<System> {
  await miniflare.ready;
  const each = async <T>(make: (name: Name) => Promise<T>): Promise<Record<Name, T>> =>
    Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await make(name)])),
    ) as Record<Name, T>;
  const seed = options.seed ? sections(readFileSync(joined(root, "seed.sql"), "utf8")) : new Map();
  const db = await each(async (name) => {
    const database = new Database(await miniflare.getD1Database("DB", name));
    // What was kept is migrated already.
    const tables = "SELECT 1 FROM sqlite_schema WHERE name IN ('idempotency', 'dataset')";
    if (!options.persist || (await database.rows(tables)).length === 0) {
      await database.exec(migrations(name));
    }
    const rows = seed.get(name);
    if (rows) await database.exec(rows);
    return database;
  });
  const workers = await each(async (name) => new Worker(await miniflare.unsafeGetDirectURL(name)));
  const system = new System(workers, db, miniflare);
  if (options.places) await system.addPlaces(options.places);
  if (options.people) await system.addPeople(options.people);
  if (options.replicated) {
    for (const name of ["places", "people"] as const) {
      const replica = new Database(await miniflare.getD1Database("REPLICA", name));
      await replica.exec(migrations(name));
      // It takes over what its primary has done, and does nothing by itself.
      const triggers = await replica.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
      for (const { name } of triggers) await replica.exec(`DROP TRIGGER ${name};`);
      await system.replicate(name);
    }
  }
  return system;
}

function configOf(name: Name) {
  return readConfig({ config: joined(root, configs[name]) });
}

export function migrations(name: Name): string {
  const config = configOf(name);
  const folder = config.d1_databases[0]?.migrations_dir;
  if (!folder) throw new Error(`${configs[name]} names no folder of migrations`);
  const path = resolve(root, dirname(configs[name]), folder);
  const files = readdirSync(path).filter((file) => file.endsWith(".sql"));
  return files
    .sort()
    .map((file) => readFileSync(joined(path, file), "utf8"))
    .join("\n");
}

export function worker(name: Name, options: Options): WorkerOptions {
  const { workerOptions, main } = optionsOf(configOf(name));
  if (!main) throw new Error(`${configs[name]} names no main module`);
  const folder = dirname(main);
  const built = [
    { type: "ESModule" as const, path: main },
    { type: "CompiledWasm" as const, path: joined(folder, "index_bg.wasm") },
  ];
  const first = (contents: string) => ({
    type: "ESModule" as const,
    path: joined(folder, "first.js"),
    contents,
  });
  const standIn = options.replace?.[name];
  const front = wrapperOf(name, options);
  const modules = standIn
    ? [first(`export default { fetch: ${standIn} };`)]
    : [...(front ? [first(front)] : []), ...built];
  const isReplicated = options.replicated && name !== "join";
  return {
    ...workerOptions,
    name,
    modules,
    modulesRoot: folder,
    bindings: settings(name, options),
    ...(isReplicated && {
      d1Databases: { ...workerOptions.d1Databases, REPLICA: `${name}-replica` },
    }),
    ratelimits:
      name === "join" && options.limit
        ? { REQUESTS: { namespace_id: "5003", simple: options.limit } }
        : {},
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

/** What the workers of a closed system share. */
export const SERVICE_SECRET = "what-the-three-workers-share";

function settings(name: Name, { settings, owners, counting }: Options): Record<string, string> {
  if (name !== "join" && owners) return owners;
  if (!settings) return { WRITES: "open", ...(counting && { SNAPSHOTS: "off" }) };
  return name === "join" ? { SERVICE_SECRET, ...settings } : { SERVICE_SECRET };
}
