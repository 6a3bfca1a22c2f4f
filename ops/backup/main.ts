// The commands `make backup`, `make restore FROM=…` and `make epoch`. They use the local databases,
// or with REMOTE=1 those of an environment (ENV=staging).
import { join } from "node:path";
import { environmentOf, expectedName } from "../deploy/config.ts";
import { Failed } from "../deploy/wrangler.ts";
import { newEpoch, UnusableDatabase, withEpoch } from "../schema.ts";
import { type Name, names } from "../workers.ts";
import { Local } from "./local_store.ts";
import { checkFolder, missingMigrations, read, Unusable, write, writePrivate } from "./manifest.ts";
import { Remote } from "./remote_store.ts";
import { restore } from "./restore.ts";
import { withTemporaryFolder } from "./sql_file.ts";
import type { Store } from "./stores.ts";

const { env } = process;

async function store(): Promise<Store> {
  if (!env.REMOTE) return new Local(env.STATE || ".wrangler/state/v3/d1");
  const environment = environmentOf(env.ENV);
  if (!environment) throw new Failed(expectedName);
  return Remote.open(environment);
}

async function backup(): Promise<void> {
  const now = new Date().toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
  const folder = env.TO || `backups/${now}`;
  checkFolder(folder);
  const origin = await store();
  const { databases } = await withTemporaryFolder(async (temporary) =>
    write(folder, origin.source, await origin.dump(temporary)),
  );
  for (const name of names) {
    const { counter, bytes, tables } = databases[name];
    const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
    console.log(`» ${name}: ${rows} rows, ${Math.ceil(bytes / 1024)} KiB, change ${counter}`);
  }
  console.log(`» saved the backup in ${folder}`);
}

/** Starts a new history of each database, after D1 Time Travel has changed one. */
async function startEpochs(): Promise<void> {
  const databases = await store();
  await withTemporaryFolder(async (folder) => {
    const run = async (name: Name, sql: string) => {
      const file = join(folder, `${name}.sql`);
      writePrivate(file, `${sql};\n`);
      await databases.load(name, file);
    };
    for (const name of withEpoch) await run(name, newEpoch);
    await run("join", "DELETE FROM snapshot");
  });
  console.log(
    "» places and people have new epochs: entity tags and cursors from before are invalid",
  );
}

async function main(): Promise<void> {
  if (process.argv[2] === "epoch") return startEpochs();
  if (process.argv[2] !== "restore") return backup();
  if (!env.FROM)
    throw new Failed("set FROM to the folder of a backup: FROM=backups/2026-01-31T12-00-00Z");
  const { manifest, dumps } = await read(env.FROM);
  await restore(await store(), manifest, dumps);
  const newer = missingMigrations(manifest);
  if (newer.length > 0) console.log(`» the backup has an older schema: apply ${newer.join(", ")}`);
  console.log("» restart the workers, because they still have cached responses");
}

try {
  await main();
} catch (error) {
  const isKnown = [Failed, Unusable, UnusableDatabase].some((kind) => error instanceof kind);
  if (!isKnown) throw error;
  console.error(`» failed: ${(error as Error).message}`);
  process.exitCode = 1;
}
