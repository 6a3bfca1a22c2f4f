// Writes the wrangler configuration of a deployment: a copy of each worker's wrangler.toml with the
// names and the database ids of an environment. Git ignores these files.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { experimental_readRawConfig as readRawConfig } from "wrangler";
import { limiterOf } from "../rate_limit.ts";
import { configs, type Name, names } from "../workers.ts";
import { expectedLocation, locationOf, regions } from "./locations.ts";
import type { Services } from "./plan.ts";

/** The name of a deployment: `production`, `staging`, or that of an independent registry. */
export type Environment = string;

/** The environment is a suffix of the names of workers and databases. */
const validName = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** The environment of the setting `ENV`, if its name is valid. */
export function environmentOf(name: string | undefined): Environment | undefined {
  const environment = name || "production";
  return validName.test(environment) ? environment : undefined;
}

/** The message for an invalid name. */
export const expectedName =
  "ENV is a name of lower-case letters, digits and hyphens, as in staging";

/** The folder of the written configurations. */
const folder = process.env.DEPLOY_FOLDER || ".deploy";

/** The name of a worker and its database in an environment. */
export function deployedName(name: string, environment: Environment): string {
  return environment === "production" ? name : `${name}-${environment}`;
}

// biome-ignore lint/suspicious/noExplicitAny: the content of a TOML file
type Raw = Record<string, any>;

function read(name: Name): Raw {
  return readRawConfig({ config: configs[name] }).rawConfig as Raw;
}

/** The service bindings of each worker. */
export function services(): Services {
  const bound = (name: Name) => read(name).services.map(({ service }: Raw) => service);
  return { places: bound("places"), people: bound("people"), join: bound("join") };
}

/** Whether the gateway lets everybody read. */
export function readsAreOpen(): boolean {
  return ["", "open"].includes(read("join").vars?.READS ?? "");
}

/** The path of a worker's written configuration. */
export function configOf(name: Name, environment: Environment): string {
  return `${folder}/${environment}/${name}.json`;
}

/** Writes a worker's configuration and returns its path. `without` are services that do not exist
 * yet, to which it is not bound. */
export function configure(
  name: Name,
  environment: Environment,
  ids: ReadonlyMap<Name, string>,
  without: readonly Name[] = [],
): string {
  const file = configOf(name, environment);
  const relativePath = (path: string) =>
    relative(resolve(dirname(file)), resolve(dirname(configs[name]), path)).replaceAll("\\", "/");
  const { build: _build, dev: _dev, ...raw } = read(name);
  const bound = raw.services.filter(({ service }: Raw) => !without.includes(service));
  const config: Raw = {
    ...raw,
    name: deployedName(name, environment),
    main: relativePath(raw.main),
    services: bound.map((binding: Raw) => ({
      ...binding,
      service: deployedName(binding.service, environment),
    })),
    d1_databases: raw.d1_databases.map((database: Raw) => ({
      ...database,
      database_name: deployedName(name, environment),
      database_id: ids.get(name),
      migrations_dir: relativePath(database.migrations_dir),
    })),
  };
  if (raw.placement) config.placement = placement();
  if (raw.assets) config.assets = { ...raw.assets, directory: relativePath(raw.assets.directory) };
  // Workers with the same namespace share a limiter, so each environment has its own namespaces.
  const offset = namespaceOffset(environment);
  const simple = limiterOf(raw.vars?.RATE_LIMIT);
  config.ratelimits = (raw.ratelimits ?? []).map((limiter: Raw) => ({
    ...limiter,
    ...(simple && { simple }),
    namespace_id: String(Number(limiter.namespace_id) + offset),
  }));
  // Without its services, a scheduled run would fail.
  if (without.length > 0) config.triggers = { crons: [] };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  return file;
}

/** Near the databases, or where each request arrives. */
function placement(): Raw {
  if (process.env.PLACEMENT === "off") return { mode: "off" };
  const location = locationOf(process.env.LOCATION);
  if (!location) throw new Error(expectedLocation);
  return { region: regions[location] };
}

function namespaceOffset(environment: Environment): number {
  if (environment === "production") return 0;
  if (environment === "staging") return 1000;
  return (
    10_000 + (createHash("sha256").update(environment).digest().readUInt32BE() % 1_000_000_000)
  );
}

/** The database ids of the wrangler.toml files, which are valid only locally. */
export const placeholders: ReadonlyMap<Name, string> = new Map(
  names.map((name) => [name, read(name).d1_databases[0].database_id]),
);
