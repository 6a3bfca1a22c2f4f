// Writes down how each worker runs in a container, as its wrangler.toml says: the image has what
// this writes, and no wrangler. `node ops/containers/plan.ts FILE`
import { readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import {
  unstable_getMiniflareWorkerOptions as optionsOf,
  unstable_readConfig as readConfig,
} from "wrangler";
import { configs, type Name } from "../workers.ts";

const root = resolve(import.meta.dirname, "../..");

/** What the container of a worker needs to know. Paths are those from the root of the project. */
export type Plan = ReturnType<typeof planOf>;
export type Plans = Record<Name, Plan>;

function planOf(name: Name) {
  const config = readConfig({ config: join(root, configs[name]) });
  const { workerOptions, main } = optionsOf(config);
  const { compatibilityDate, compatibilityFlags, d1Databases, ratelimits, assets } = workerOptions;
  const folder = config.d1_databases[0]?.migrations_dir;
  if (!main || !folder) throw new Error(`${configs[name]} is not whole`);
  const [cron, ...others] = config.triggers.crons ?? [];
  // Miniflare runs no schedule by itself: the server calls it, each minute.
  if (cron !== "* * * * *" || others.length) throw new Error(`${configs[name]}: not each minute`);
  const services: { binding: string; service: string }[] = config.services ?? [];
  const migrations = resolve(root, dirname(configs[name]), folder);
  const inside = (path: string) => relative(root, path);
  return {
    main: inside(main),
    services: Object.fromEntries(services.map(({ binding, service }) => [binding, service])),
    migrations: readdirSync(migrations)
      .filter((file) => file.endsWith(".sql"))
      .sort()
      .map((file) => inside(join(migrations, file))),
    options: {
      compatibilityDate,
      compatibilityFlags,
      d1Databases,
      ratelimits,
      ...(assets && { assets: { ...assets, directory: inside(assets.directory) } }),
    },
  };
}

/** Of all three. */
export function plans(): Plans {
  return { places: planOf("places"), people: planOf("people"), join: planOf("join") };
}

if (import.meta.main) {
  const [file = "ops/containers/plans.json"] = process.argv.slice(2);
  writeFileSync(file, JSON.stringify(plans()));
}
