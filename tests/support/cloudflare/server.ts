// A stand-in for Cloudflare's API on a loopback port. It has the routes that the pinned wrangler
// calls for `make deploy`, `make backup` and a rollback. It runs the workers that were uploaded,
// and serves the gateway of each environment. If wrangler calls a route that is missing here, it
// gets a 404, and the test fails.
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Account, ApiError, type Json, type Upload, type Version, type Worker } from "./account.ts";
import { Runtime } from "./runtime.ts";

export const ACCOUNT_ID = "0123456789abcdef0123456789abcdef";
export const TOKEN = "a-token-of-the-stand-in";

type Call = { path: string; query: URLSearchParams; request: Request };
type Handler = (call: Call, ...parts: string[]) => unknown;

/** A token that wrangler decodes: it has an expiry. */
function jwt(): string {
  const claims = { exp: 4_000_000_000, jti: randomUUID() };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`;
}

/** The metadata and the modules of an upload. */
async function uploadOf(request: Request): Promise<Upload> {
  const form = await request.formData();
  const metadata = JSON.parse(await textOf(form.get("metadata")));
  const modules = [];
  for (const [name, part] of form) {
    if (name === "metadata" || typeof part === "string") continue;
    const content = Buffer.from(await part.arrayBuffer());
    modules.push({ name, type: part.type, content });
  }
  return { metadata, modules };
}

const textOf = async (part: FormDataEntryValue | null) =>
  part === null || typeof part === "string" ? (part ?? "") : part.text();

const describeVersion = ({ id, number, bindings, metadata, createdOn }: Version) => ({
  id,
  number,
  metadata: { created_on: createdOn, author_email: "", source: "wrangler" },
  annotations: metadata.annotations ?? {},
  startup_time_ms: 1,
  resources: {
    bindings,
    script: { etag: id, handlers: ["fetch"] },
    script_runtime: { compatibility_date: metadata.compatibility_date },
  },
});

export class Cloudflare {
  readonly account = new Account();
  /** The requests of the API, each with its method and path. */
  readonly calls: string[] = [];
  /** The requests that no route answers. */
  readonly unknown: string[] = [];
  /** The queries of the API, with the size of their results. */
  readonly queries: { database: string; sql: string; rows: number; bytes: number }[] = [];
  /** Called before each query. */
  beforeQuery: (database: string, sql: string) => void | Promise<void> = () => {};
  readonly #runtime = new Runtime(this.account);
  readonly #uploads = new Map<string, { etag: string; sql: string }>();
  readonly #api: Server;
  readonly #gateways = new Map<string, Server>();

  private constructor() {
    this.#api = createServer((request, response) => this.#respond(request, response));
  }

  static async start(): Promise<Cloudflare> {
    const cloudflare = new Cloudflare();
    await once(cloudflare.#api.listen(0, "127.0.0.1"), "listening");
    return cloudflare;
  }

  async stop(): Promise<void> {
    for (const server of [this.#api, ...this.#gateways.values()]) {
      server.closeAllConnections();
      server.close();
    }
    await this.#runtime.dispose();
  }

  /** The settings with which wrangler uses this account. */
  get settings(): Record<string, string> {
    return {
      CLOUDFLARE_API_BASE_URL: `${urlOf(this.#api)}/client/v4`,
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT_ID,
    };
  }

  /** The public address of a worker, which is served on this machine. */
  async publish(worker: string): Promise<string> {
    const server = createServer((request, response) => {
      void toRequest(request, "http://127.0.0.1")
        .then((incoming) => this.#runtime.fetch(worker, incoming))
        .then(async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers));
          response.end(Buffer.from(await answer.arrayBuffer()));
        })
        .catch(() => response.writeHead(530).end("error code: 1042"));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    this.#gateways.set(worker, server);
    return urlOf(server);
  }

  /** Runs the present state of the account. */
  update(): Promise<void> {
    return this.#runtime.update();
  }

  /** Runs statements on a database, and returns the rows of the first one. */
  async query(name: string, sql: string): Promise<Json[]> {
    const [result] = await this.#runtime.query(this.account.database(name).uuid, sql);
    return result?.results ?? [];
  }

  async #respond(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = incoming;
    const { pathname, searchParams: query } = new URL(url, "http://localhost");
    const path = pathname.replace(`/client/v4/accounts/${ACCOUNT_ID}`, "");
    this.calls.push(`${method} ${path}`);
    const send = (status: number, body: object, headers = {}) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body));
    try {
      if (method === "PUT" && path.startsWith("/uploads/")) {
        const content = await buffer(incoming);
        const etag = createHash("md5").update(content).digest("hex");
        this.#uploads.set(path, { etag, sql: content.toString() });
        response.writeHead(200, { etag: `"${etag}"` }).end();
        return;
      }
      const request = await toRequest(incoming, "http://localhost");
      const result = await this.#route(method, path, { path, query, request });
      send(200, { success: true, errors: [], messages: [], result });
    } catch (error) {
      const { status, code, message } =
        error instanceof ApiError ? error : new ApiError(500, 10013, String(error));
      const errors = [{ code, message }];
      send(status, { success: false, errors, messages: [], result: null });
    }
  }

  async #route(method: string, path: string, call: Call): Promise<unknown> {
    // Uploads of assets have their own token.
    const { headers } = call.request;
    const isAssets = path.startsWith("/workers/assets/");
    if (!isAssets && headers.get("authorization") !== `Bearer ${TOKEN}`) {
      throw new ApiError(401, 10000, "Authentication error");
    }
    for (const [route, handler] of Object.entries(this.#routes)) {
      const [routeMethod, pattern = ""] = route.split(" ");
      const parts = new RegExp(`^${pattern.replaceAll("*", "([^/]+)")}$`).exec(path);
      if (routeMethod === method && parts) return await handler(call, ...parts.slice(1));
    }
    this.unknown.push(`${method} ${path}`);
    throw new ApiError(404, 7003, `no route for ${method} ${path}`);
  }

  readonly #routes: Record<string, Handler> = {
    "GET /d1/database": ({ query }) => {
      const [size, page] = [Number(query.get("per_page") ?? 100), Number(query.get("page") ?? 1)];
      const name = query.get("name");
      const all = [...this.account.databases.values()];
      const found = all.filter((database) => !name || database.name === name);
      return found.slice((page - 1) * size, page * size);
    },
    "POST /d1/database": async ({ request }) => {
      const { name, primary_location_hint: location } = (await request.json()) as Json;
      const database = this.account.createDatabase(name, location);
      await this.#runtime.update();
      return database;
    },
    "GET /d1/database/*": (_, id = "") => this.account.database(id),
    "POST /d1/database/*/query": async ({ request }, id = "") => {
      const { sql, params } = (await request.json()) as Json;
      const database = this.account.database(id);
      await this.beforeQuery(database.name, sql);
      const results = await this.#runtime.query(database.uuid, sql, params);
      const rows = results.flatMap(({ results }) => results);
      const bytes = JSON.stringify(rows).length;
      this.queries.push({ database: database.name, sql, rows: rows.length, bytes });
      return results;
    },
    "POST /d1/database/*/import": async ({ request }, id = "") => {
      const { action, filename } = (await request.json()) as Json;
      if (action === "init") {
        const name = `/uploads/${randomUUID()}`;
        return { upload_url: `${urlOf(this.#api)}${name}`, filename: name };
      }
      const { sql } = this.#uploads.get(filename) ?? { sql: "" };
      const results = await this.#runtime.query(this.account.database(id).uuid, sql);
      const meta = { duration: 1, rows_read: 0, rows_written: 0, size_after: 0 };
      const result = { num_queries: results.length, final_bookmark: "", meta };
      return { success: true, status: "complete", messages: [], at_bookmark: "", result };
    },
    "GET /workers/services/*": (_, name = "") => {
      const worker = this.account.workers.get(name);
      if (!worker) throw new ApiError(404, 10090, "This service does not exist");
      const script = { id: name, tag: `tag-of-${name}`, tags: [], last_deployed_from: "wrangler" };
      const environment = { environment: "production", script };
      return { id: name, default_environment: environment, environments: [environment] };
    },
    "GET /workers/scripts/*/secrets": (_, name = "") => {
      const worker = this.account.worker(name);
      const { bindings } = this.account.active(worker);
      const secrets = bindings.filter(({ type }) => type === "secret_text");
      return secrets.map(({ name, type }) => ({ name, type }));
    },
    "PUT /workers/scripts/*": async ({ request }, name = "") => {
      const version = this.account.upload(name, await uploadOf(request));
      const worker = this.account.worker(name);
      worker.settings = { ...worker.settings, observability: version.metadata.observability };
      await this.#deploy(worker, version.id);
      return { id: name, etag: version.id, deployment_id: version.id, startup_time_ms: 1 };
    },
    "POST /workers/scripts/*/versions": async ({ request }, name = "") =>
      describeVersion(this.account.upload(name, await uploadOf(request))),
    "GET /workers/scripts/*/versions": (_, name = "") => ({
      items: [...this.account.worker(name).versions].reverse().slice(0, 10).map(describeVersion),
    }),
    "GET /workers/scripts/*/versions/*": (_, name = "", id = "") => {
      const version = this.account.worker(name).versions.find((one) => one.id === id);
      if (!version) throw new ApiError(404, 10223, `no version ${id}`);
      return describeVersion(version);
    },
    "GET /workers/scripts/*/deployments": (_, name = "") => {
      const deployed = [...this.account.worker(name).deployed].reverse();
      const deployments = deployed.map((id) => ({
        id,
        source: "wrangler",
        strategy: "percentage",
        author_email: "",
        created_on: new Date().toISOString(),
        annotations: {},
        versions: [{ version_id: id, percentage: 100 }],
      }));
      return { deployments };
    },
    "POST /workers/scripts/*/deployments": async ({ request }, name = "") => {
      const { versions } = (await request.json()) as Json;
      await this.#deploy(this.account.worker(name), versions[0].version_id);
      return { id: versions[0].version_id };
    },
    "PATCH /workers/scripts/*/script-settings": async ({ request }, name = "") => {
      const worker = this.account.worker(name);
      worker.settings = { ...worker.settings, ...((await request.json()) as Json) };
      return worker.settings;
    },
    "GET /workers/scripts/*/settings": (_, name = "") => {
      const worker = this.account.worker(name);
      const { bindings, metadata } = this.account.active(worker);
      return { ...worker.settings, bindings, placement: metadata.placement };
    },
    "GET /workers/scripts/*/script-settings": (_, name = "") => this.account.worker(name).settings,
    "PUT /workers/scripts/*/schedules": async ({ request }, name = "") => {
      const schedules = (await request.json()) as Json[];
      this.account.worker(name).crons = schedules.map(({ cron }) => cron);
      return { schedules };
    },
    "GET /workers/scripts/*/schedules": (_, name = "") => ({
      schedules: this.account.worker(name).crons.map((cron) => ({ cron })),
    }),
    "GET /workers/scripts/*/subdomain": (_, name = "") => this.account.worker(name).subdomain,
    "POST /workers/scripts/*/subdomain": async ({ request }, name = "") => {
      const { enabled, previews_enabled: previews = enabled } = (await request.json()) as Json;
      const subdomain = { enabled, previews_enabled: previews };
      this.account.worker(name).subdomain = subdomain;
      return subdomain;
    },
    "GET /workers/subdomain": () => ({ subdomain: "example" }),
    "POST /workers/scripts/*/assets-upload-session": async ({ request }) => {
      const { manifest } = (await request.json()) as Json;
      const entries = Object.entries<{ hash: string }>(manifest);
      const token = jwt();
      const files = Object.fromEntries(entries.map(([path, { hash }]) => [path, hash]));
      this.account.manifests.set(token, files);
      const missing = Object.values(files).filter((hash) => !this.account.assets.has(hash));
      return { jwt: token, buckets: missing.length > 0 ? [[...new Set(missing)]] : [] };
    },
    "POST /workers/assets/upload": async ({ request }) => {
      const token = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
      if (!this.account.manifests.has(token)) throw new ApiError(401, 10000, "unknown token");
      for (const [hash, part] of await request.formData()) {
        const content = Buffer.from(await textOf(part), "base64");
        const type = typeof part === "string" ? "" : part.type;
        this.account.assets.set(hash, { content, type });
      }
      return { jwt: token };
    },
  };

  async #deploy(worker: Worker, versionId: string): Promise<void> {
    this.account.deploy(worker, versionId);
    await this.#runtime.update();
  }
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function toRequest(incoming: IncomingMessage, base: string): Promise<Request> {
  const { method = "GET", url = "/", headers } = incoming;
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || name === "transfer-encoding" || name === "connection"
      ? []
      : [[name, String(value)] as [string, string]],
  );
  const body = method === "GET" || method === "HEAD" ? undefined : await buffer(incoming);
  return new Request(new URL(url, base), { method, headers: fields, ...(body && { body }) });
}
