// Runs what was uploaded to an account: the deployed versions of its workers, in workerd, with the
// account's databases.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Log, LogLevel, Miniflare, type WorkerOptions } from "miniflare";
import { unstable_splitSqlQuery as splitSql } from "wrangler";
import { type Account, ApiError, type Json, type Worker } from "./account.ts";

const MODULE_TYPES: Record<string, "ESModule" | "CompiledWasm"> = {
  "application/javascript+module": "ESModule",
  "application/wasm": "CompiledWasm",
};

/** The worker that reads and writes databases for the API. */
const API = "the-api";

export type QueryResult = { success: true; results: Json[]; meta: Json };

export class Runtime {
  readonly #account: Account;
  readonly #folder = mkdtempSync(join(tmpdir(), "cloudflare-"));
  #miniflare: Miniflare | undefined;
  /** Changes one after another. */
  #updates: Promise<void> = Promise.resolve();

  constructor(account: Account) {
    this.#account = account;
  }

  /** Runs the present state of the account. */
  update(): Promise<void> {
    this.#updates = this.#updates.catch(() => {}).then(() => this.#apply());
    return this.#updates;
  }

  async #apply(): Promise<void> {
    const { databases, workers } = this.#account;
    const options = {
      host: "127.0.0.1",
      port: 0,
      cf: false as const,
      log: new Log(LogLevel.NONE),
      handleStructuredLogs: () => {},
      handleRuntimeStdio: () => {},
      d1Persist: join(this.#folder, "d1"),
      workers: [
        {
          name: API,
          modules: true,
          script: "export default { fetch: () => new Response() };",
          compatibilityDate: "2026-07-30",
          d1Databases: Object.fromEntries([...databases.keys()].map((id) => [id, id])),
        },
        ...[...workers.values()]
          .filter(({ deployed }) => deployed.length > 0)
          .map((worker) => this.#options(worker)),
      ] as [WorkerOptions, ...WorkerOptions[]],
    };
    // A changed Miniflare would listen on its previous ports, which another program may use now.
    await this.#miniflare?.dispose();
    this.#miniflare = new Miniflare(options);
    await this.#miniflare.ready;
  }

  #options(worker: Worker): WorkerOptions {
    const version = this.#account.active(worker);
    const { main_module: main, compatibility_date: compatibilityDate } = version.metadata;
    const of = (type: string) => version.bindings.filter((binding) => binding.type === type);
    const map = (type: string, value: (binding: Json) => unknown) =>
      Object.fromEntries(of(type).map((binding) => [binding.name, value(binding)]));
    const modules = version.modules.map(({ name, type, content }) => {
      const kind = MODULE_TYPES[type];
      if (!kind) throw new ApiError(400, 10021, `a module of the type ${type}`);
      return { type: kind, path: name, contents: content };
    });
    modules.sort((a, b) => Number(b.path === main) - Number(a.path === main));
    const [assets] = of("assets");
    return {
      name: worker.name,
      modules,
      compatibilityDate,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      bindings: {
        ...map("plain_text", ({ text }) => text),
        ...map("secret_text", ({ text }) => text),
      } as Record<string, string>,
      d1Databases: map("d1", ({ id, database_id: other }) => id ?? other) as Record<string, string>,
      serviceBindings: map("service", ({ service }) => service) as Record<string, string>,
      ratelimits: map("ratelimit", ({ simple, namespace_id: namespaceId }) => ({
        simple,
        namespace_id: namespaceId,
      })) as WorkerOptions["ratelimits"],
      ...(assets && {
        assets: {
          directory: this.#assetFolder(worker.name, version.assets),
          binding: assets.name,
          routerConfig: {
            has_user_worker: true,
            ...(Array.isArray(version.metadata.assets?.run_worker_first) && {
              static_routing: staticRouting(version.metadata.assets.run_worker_first),
            }),
          },
        },
      }),
    } as WorkerOptions;
  }

  /** Writes the files of a worker into a folder. */
  #assetFolder(worker: string, files: Record<string, string>): string {
    const folder = join(this.#folder, "assets", worker);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [path, hash] of Object.entries(files)) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, this.#account.assets.get(hash)?.content ?? "");
    }
    return folder;
  }

  async #database(id: string) {
    await this.#updates;
    if (!this.#miniflare) throw new Error("the account has no database");
    return this.#miniflare.getD1Database(id, API);
  }

  /** Runs one statement, or several without parameters, as the API's `query` does. */
  async query(id: string, sql: string, params: unknown[] = []): Promise<QueryResult[]> {
    const database = await this.#database(id);
    const statements = params.length > 0 ? [sql] : splitSql(sql);
    try {
      const prepared = statements.map((text) => database.prepare(text).bind(...params));
      return (await database.batch(prepared)).map(({ results, meta }: Json) => ({
        success: true as const,
        results,
        meta,
      }));
    } catch (error) {
      throw new ApiError(400, 7500, (error as Error).message);
    }
  }

  /** Sends a request to a worker. */
  async fetch(worker: string, request: Request): Promise<Response> {
    await this.#updates;
    if (!this.#miniflare) throw new Error("the account has no worker");
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    // workerd closes a connection if it responds before a request's body has arrived, as to a
    // request without a token. The next request on that connection would fail.
    headers.set("connection", "close");
    const body = method === "GET" || method === "HEAD" ? null : await request.arrayBuffer();
    // The socket of a worker serves its files, too.
    const url = new URL(pathname + search, await this.#miniflare.unsafeGetDirectURL(worker));
    return fetch(url, { method, headers, body, redirect: "manual" });
  }

  async dispose(): Promise<void> {
    await this.#updates.catch(() => {});
    await this.#miniflare?.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The rules as the platform's router reads them. */
function staticRouting(rules: string[]) {
  return {
    user_worker: rules.filter((rule) => rule.startsWith("/")),
    asset_worker: rules.filter((rule) => rule.startsWith("!/")).map((rule) => rule.slice(1)),
  };
}
