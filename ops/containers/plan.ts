// Converts the wrangler.toml of each worker into Miniflare options, because the image does not
// contain wrangler: `node ops/containers/plan.ts FILE`.
import { readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import {
  unstable_getMiniflareWorkerOptions as optionsOf,
  unstable_readConfig as readConfig,
} from "wrangler";
import { configs, type Name } from "../workers.ts";

const root = resolve(import.meta.dirname, "../..");

/** The options of a worker's container. Paths are relative to the root of the project. */
export type Plan = ReturnType<typeof planOf>;
export type Plans = Record<Name, Plan>;

function planOf(name: Name) {
  const config = readConfig({ config: join(root, configs[name]) });
  const { workerOptions, main } = optionsOf(config);
  const { compatibilityDate, compatibilityFlags, d1Databases, ratelimits, assets } = workerOptions;
  const folder = config.d1_databases[0]?.migrations_dir;
  if (!main || !folder) throw new Error(`${configs[name]} needs main and migrations_dir`);
  const [cron, ...others] = config.triggers.crons ?? [];
  // Miniflare has no scheduler, so serve.ts calls the worker every minute.
  if (cron !== "* * * * *" || others.length)
    throw new Error(`${configs[name]}: crons must be ["* * * * *"]`);
  const services: { binding: string; service: string }[] = config.services ?? [];
  const migrations = resolve(root, dirname(configs[name]), folder);
  const fromRoot = (path: string) => relative(root, path);
  return {
    main: fromRoot(main),
    services: Object.fromEntries(services.map(({ binding, service }) => [binding, service])),
    migrations: readdirSync(migrations)
      .filter((file) => file.endsWith(".sql"))
      .sort()
      .map((file) => fromRoot(join(migrations, file))),
    options: {
      compatibilityDate,
      compatibilityFlags,
      d1Databases,
      ratelimits,
      ...(assets && { assets: { ...assets, directory: fromRoot(assets.directory) } }),
    },
  };
}

/** The plans of the three workers. */
export function plans(): Plans {
  return { places: planOf("places"), people: planOf("people"), join: planOf("join") };
}

if (import.meta.main) {
  const [file = "ops/containers/plans.json"] = process.argv.slice(2);
  writeFileSync(file, JSON.stringify(plans()));
}
