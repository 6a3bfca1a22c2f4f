// `make backup` and `make restore FROM=…`, of this machine's databases, or with REMOTE=1 of those
// that are deployed (ENV=staging: of that environment).
import { environmentOf, expectedName } from "../deploy/config.ts";
import { Failed } from "../deploy/wrangler.ts";
import { names } from "../workers.ts";
import { backup } from "./backup.ts";
import { missing, read, Unusable, write } from "./manifest.ts";
import { restore } from "./restore.ts";
import { Local, Remote, type Store } from "./stores.ts";

const { env } = process;

async function store(): Promise<Store> {
  if (!env.REMOTE) return new Local(env.STATE || ".wrangler/state/v3/d1");
  const environment = environmentOf(env.ENV);
  if (!environment) throw new Failed(expectedName);
  return Remote.of(environment);
}

async function main(): Promise<void> {
  if (process.argv[2] === "restore") {
    if (!env.FROM)
      throw new Failed("FROM says which backup, as in FROM=backups/2026-01-31T12-00-00Z");
    const { manifest, dumps } = read(env.FROM);
    await restore(await store(), manifest, dumps);
    const next = missing(manifest);
    if (next.length > 0)
      console.log(`» its schema is an older one: next, apply ${next.join(", ")}`);
    console.log("» what runs still holds answers of before: start it anew");
    return;
  }
  const from = await store();
  const dumps = await backup(from);
  const now = new Date().toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
  const folder = env.TO || `backups/${now}`;
  const { databases } = write(folder, from.source, dumps);
  for (const name of names) {
    const { counter, bytes, tables } = databases[name];
    const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
    console.log(`» ${name}: ${rows} rows, ${Math.ceil(bytes / 1024)} KiB, change ${counter}`);
  }
  console.log(`» ${folder}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Failed || error instanceof Unusable)) throw error;
  console.error(`» failed: ${error.message}`);
  process.exitCode = 1;
}
