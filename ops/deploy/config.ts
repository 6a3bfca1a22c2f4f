// The configuration that a worker is deployed with: its wrangler.toml, with the names of an
// environment and the ids of its databases. It is written where git does not look.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { experimental_readRawConfig as readRawConfig } from "wrangler";
import { configs, type Name, names } from "../workers.ts";
import type { Services } from "./plan.ts";

/** The name of a deployment: of production, of staging, or of an independent registry. */
export type Environment = string;

/** The names of workers and databases end with it. */
const usable = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** The environment that `ENV` names, if the name can be used. */
export function environmentOf(name: string | undefined): Environment | undefined {
  const environment = name || "production";
  return usable.test(environment) ? environment : undefined;
}

/** What to say of a name that cannot be used. */
export const expectedName =
  "ENV is a name of lower-case letters, digits and hyphens, as in staging";

/** Where they are written. */
const folder = process.env.DEPLOY_FOLDER || ".deploy";

/** What a worker, or a database, is called in an environment. */
export function called(name: string, environment: Environment): string {
  return environment === "production" ? name : `${name}-${environment}`;
}

// biome-ignore lint/suspicious/noExplicitAny: it is what stands in the file
type Raw = Record<string, any>;

function read(name: Name): Raw {
  return readRawConfig({ config: configs[name] }).rawConfig as Raw;
}

/** Which workers each one is bound to. */
export function services(): Services {
  const of = (name: Name) => read(name).services.map(({ service }: Raw) => service);
  return { places: of("places"), people: of("people"), join: of("join") };
}

/** Where a worker's configuration is, once it has been written. */
export function configOf(name: Name, environment: Environment): string {
  return `${folder}/${environment}/${name}.json`;
}

/** Writes a worker's configuration, and tells where it is. */
export function configure(
  name: Name,
  environment: Environment,
  ids: ReadonlyMap<Name, string>,
  without: readonly Name[] = [],
): string {
  const file = configOf(name, environment);
  const moved = (path: string) =>
    relative(resolve(dirname(file)), resolve(dirname(configs[name]), path)).replaceAll("\\", "/");
  const { build: _build, dev: _dev, ...raw } = read(name);
  const bound = raw.services.filter(({ service }: Raw) => !without.includes(service));
  const config: Raw = {
    ...raw,
    name: called(name, environment),
    main: moved(raw.main),
    services: bound.map((one: Raw) => ({ ...one, service: called(one.service, environment) })),
    d1_databases: raw.d1_databases.map((database: Raw) => ({
      ...database,
      database_name: called(name, environment),
      database_id: ids.get(name),
      migrations_dir: moved(database.migrations_dir),
    })),
  };
  if (raw.assets) config.assets = { ...raw.assets, directory: moved(raw.assets.directory) };
  // A limiter counts for all who name it: those of another environment have another number.
  const shift = shiftOf(environment);
  config.ratelimits = (raw.ratelimits ?? []).map((limiter: Raw) => ({
    ...limiter,
    namespace_id: String(Number(limiter.namespace_id) + shift),
  }));
  // What has no services yet can finish nothing: it is called by nobody, its schedule included.
  if (without.length > 0) config.triggers = { crons: [] };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
  return file;
}

function shiftOf(environment: Environment): number {
  if (environment === "production") return 0;
  if (environment === "staging") return 1000;
  return (
    10_000 + (createHash("sha256").update(environment).digest().readUInt32BE() % 1_000_000_000)
  );
}

/** Ids that stand for those which only an account has. */
export const placeholders: ReadonlyMap<Name, string> = new Map(
  names.map((name) => [name, read(name).d1_databases[0].database_id]),
);
