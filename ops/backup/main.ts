// `make backup`, `make restore FROM=…` and `make epoch` for the local databases, or with REMOTE=1 for
// those of an environment (ENV=staging).
import { environmentOf, expectedName } from "../deploy/config.ts";
import { Failed } from "../deploy/wrangler.ts";
import { newEpoch, withEpoch } from "../schema.ts";
import { names } from "../workers.ts";
import { backup } from "./backup.ts";
import { missingMigrations, read, Unusable, write } from "./manifest.ts";
import { restore } from "./restore.ts";
import { Local, Remote, type Store } from "./stores.ts";

const { env } = process;

async function store(): Promise<Store> {
  if (!env.REMOTE) return new Local(env.STATE || ".wrangler/state/v3/d1");
  const environment = environmentOf(env.ENV);
  if (!environment) throw new Failed(expectedName);
  return Remote.open(environment);
}

async function main(): Promise<void> {
  if (process.argv[2] === "restore") {
    if (!env.FROM)
      throw new Failed("set FROM to the folder of a backup: FROM=backups/2026-01-31T12-00-00Z");
    const { manifest, dumps } = read(env.FROM);
    await restore(await store(), manifest, dumps);
    const newer = missingMigrations(manifest);
    if (newer.length > 0)
      console.log(`» the backup has an older schema: apply ${newer.join(", ")}`);
    console.log("» restart the workers, because they still have cached responses");
    return;
  }
  if (process.argv[2] === "epoch") {
    const databases = await store();
    for (const name of withEpoch) await databases.load(name, `${newEpoch};\n`);
    await databases.load("join", "DELETE FROM snapshot;\n");
    console.log(
      "» places and people have new epochs: entity tags and cursors from before are invalid",
    );
    return;
  }
  const origin = await store();
  const dumps = await backup(origin);
  const now = new Date().toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
  const folder = env.TO || `backups/${now}`;
  const { databases } = write(folder, origin.source, dumps);
  for (const name of names) {
    const { counter, bytes, tables } = databases[name];
    const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
    console.log(`» ${name}: ${rows} rows, ${Math.ceil(bytes / 1024)} KiB, change ${counter}`);
  }
  console.log(`» saved the backup in ${folder}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Failed || error instanceof Unusable)) throw error;
  console.error(`» failed: ${error.message}`);
  process.exitCode = 1;
}
