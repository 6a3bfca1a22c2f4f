// The state of a Cloudflare account: databases, workers with their versions, and uploaded files. It
// rejects what the platform rejects, with the platform's codes.
import { randomUUID } from "node:crypto";

/** An error of the API. Wrangler recognizes some by their code. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type Database = { uuid: string; name: string; location: string | undefined };

// biome-ignore lint/suspicious/noExplicitAny: JSON that wrangler sends
export type Json = Record<string, any>;

export type Binding = Json & { type: string; name: string };

export type Module = { name: string; type: string; content: Buffer };

/** An uploaded file of the assets: its hash, and its content with its type. */
export type Asset = { content: Buffer; type: string };

export type Version = {
  id: string;
  number: number;
  modules: Module[];
  bindings: Binding[];
  /** The rest of what was uploaded with the modules. */
  metadata: Json;
  /** The hash of each path. */
  assets: Record<string, string>;
  /** The platform counts each version's settings as part of it. */
  createdOn: string;
};

export type Worker = {
  name: string;
  versions: Version[];
  /** The ids of the versions that were deployed, the current one last. */
  deployed: string[];
  crons: string[];
  subdomain: { enabled: boolean; previews_enabled: boolean };
  settings: Json;
};

/** The contents of an upload: the form of `wrangler deploy`. */
export type Upload = { metadata: Json; modules: Module[] };

export class Account {
  readonly databases = new Map<string, Database>();
  readonly workers = new Map<string, Worker>();
  readonly assets = new Map<string, Asset>();
  /** The manifests of uploads that have begun, by their token. */
  readonly manifests = new Map<string, Record<string, string>>();

  createDatabase(name: string, location: string | undefined): Database {
    if ([...this.databases.values()].some((database) => database.name === name)) {
      throw new ApiError(400, 7502, `A database with the name ${name} exists`);
    }
    const database = { uuid: randomUUID(), name, location };
    this.databases.set(database.uuid, database);
    return database;
  }

  database(idOrName: string): Database {
    const all = [...this.databases.values()];
    const found = all.find(({ uuid, name }) => uuid === idOrName || name === idOrName);
    if (!found) throw new ApiError(404, 7404, `The database ${idOrName} could not be found`);
    return found;
  }

  worker(name: string): Worker {
    const worker = this.workers.get(name);
    if (!worker) throw new ApiError(404, 10007, "This Worker does not exist on your account.");
    return worker;
  }

  /** The version that runs. */
  active({ name, versions, deployed }: Worker): Version {
    const version = versions.find(({ id }) => id === deployed.at(-1));
    if (!version) throw new ApiError(404, 10222, `${name} has no deployment`);
    return version;
  }

  /** Stores a new version of a worker, which is not deployed yet. */
  upload(name: string, { metadata, modules }: Upload): Version {
    const worker: Worker = this.workers.get(name) ?? {
      name,
      versions: [],
      deployed: [],
      crons: [],
      subdomain: { enabled: false, previews_enabled: false },
      settings: {},
    };
    const previous = worker.versions.at(-1);
    // An upload that names no kinds of bindings to keep keeps the secrets: they persist across
    // deployments (https://developers.cloudflare.com/workers/configuration/secrets/).
    const {
      bindings: sent = [],
      keep_bindings: kept = ["secret_text"],
      assets,
      ...rest
    } = metadata;
    const bindings: Binding[] = sent.map((binding: Binding) => {
      if (binding.type !== "inherit") return binding;
      const inherited = previous?.bindings.find(({ name }) => name === binding.name);
      if (inherited) return inherited;
      throw new ApiError(400, 10057, `there is no binding ${binding.name} to inherit`);
    });
    for (const binding of previous?.bindings ?? []) {
      const isSent = bindings.some(({ name }) => name === binding.name);
      if (kept.includes(binding.type) && !isSent) bindings.push(binding);
    }
    for (const { type, service, id, database_id: databaseId } of bindings) {
      if (type === "service" && !this.workers.has(service)) {
        throw new ApiError(400, 10143, `Could not resolve service binding '${service}'`);
      }
      if (type === "d1" && !this.databases.has(id ?? databaseId)) {
        throw new ApiError(400, 10181, `The database ${id ?? databaseId} does not exist`);
      }
    }
    if (!modules.some((module) => module.name === metadata.main_module)) {
      throw new ApiError(400, 10021, `No such module "${metadata.main_module}"`);
    }
    const version: Version = {
      id: randomUUID(),
      number: worker.versions.length + 1,
      modules,
      bindings,
      metadata: { ...rest, assets: assets?.config },
      assets: assets ? (this.manifests.get(assets.jwt) ?? {}) : {},
      createdOn: new Date().toISOString(),
    };
    worker.versions.push(version);
    this.workers.set(name, worker);
    return version;
  }

  deploy(worker: Worker, versionId: string): void {
    if (!worker.versions.some(({ id }) => id === versionId)) {
      throw new ApiError(404, 10223, `${worker.name} has no version ${versionId}`);
    }
    worker.deployed.push(versionId);
  }
}
