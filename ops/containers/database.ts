// Migrates a worker's database before the worker starts, as `wrangler d1 migrations apply` does.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Miniflare } from "miniflare";
import { faultQuery, rejectFault } from "../schema.ts";
import { sections } from "../seed.ts";
import { filledQuery, type Name } from "../workers.ts";
import type { Plan } from "./plan.ts";

type D1 = Awaited<ReturnType<Miniflare["getD1Database"]>>;

// The table in which wrangler records migrations.
const MIGRATIONS_TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Rejects a database that an older version or another project made. */
async function checkSchema(database: D1, name: Name): Promise<void> {
  rejectFault(await database.prepare(faultQuery(name)).first(), name, {
    older: "remove its volume (docker compose down --volumes)",
    foreign: "use another volume",
  });
}

/** Applies each missing migration, and records it in the same transaction. */
async function migrate(database: D1, files: string[]): Promise<string[]> {
  await database.prepare(MIGRATIONS_TABLE).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map((row: Record<string, unknown>) => row.name));
  const missing = files.filter((file) => !applied.has(basename(file)));
  for (const file of missing) {
    const record = `INSERT INTO d1_migrations (name) VALUES ('${basename(file)}')`;
    await database.prepare(`${readFileSync(file, "utf8")}\n${record}`).run();
  }
  return missing;
}

async function seed(database: D1, name: Name): Promise<boolean> {
  const rows = sections(readFileSync("seed.sql", "utf8")).get(name);
  const found = await database.prepare(filledQuery(name)).first<{ filled: number }>();
  if (found?.filled || !rows) return false;
  await database.prepare(rows).run();
  return true;
}

/** Migrates the database in a folder. If `isSeeded`, fills one that never had records with seed.sql. */
export async function prepare(
  name: Name,
  { options, migrations }: Plan,
  folder: string,
  isSeeded: boolean,
  say: (line: string) => void = () => {},
): Promise<void> {
  const { compatibilityDate, d1Databases } = options;
  const script = "export default {};";
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    cf: false,
    d1Persist: folder,
    workers: [{ name, modules: true, script, compatibilityDate, d1Databases }],
  });
  try {
    const database = await miniflare.getD1Database("DB");
    await checkSchema(database, name);
    for (const file of await migrate(database, migrations)) say(`» applied ${file}`);
    if (isSeeded && (await seed(database, name))) say(`» seeded the database ${name}`);
  } finally {
    await miniflare.dispose();
  }
}
