// Fills each local database that never had records with its section of seed.sql.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { configs, filledQuery, mainTable, type Name } from "./workers.ts";

const state = process.env.STATE_ROOT || ".wrangler/state";

/** The sections of a seed file. Each begins with a line `-- database: NAME`. */
export function sections(text: string): Map<Name, string> {
  const [, ...parts] = text.split(/^-- database: *(\S+) *$/m);
  const found = new Map<Name, string>();
  for (let i = 0; i < parts.length; i += 2) {
    const name = parts[i] as Name;
    if (!(name in mainTable)) throw new Error(`seed.sql: there is no database "${name}"`);
    if (found.has(name)) throw new Error(`seed.sql: "${name}" has two sections`);
    found.set(name, (parts[i + 1] ?? "").trim());
  }
  return found;
}

async function execute(database: Name, ...args: string[]): Promise<string> {
  const where = ["-c", configs[database], "--local", "--persist-to", state];
  const { stdout } = await promisify(execFile)(
    "wrangler",
    ["d1", "execute", database, ...where, "--json", ...args],
    { env: { ...process.env, CI: "1" } },
  );
  return stdout;
}

async function seed(database: Name, sql: string): Promise<void> {
  const [result] = JSON.parse(await execute(database, "--command", filledQuery(database)));
  if (result.results[0].filled)
    return console.log(`» the database ${database} has or had records: skipped`);
  const file = `.wrangler/seed-${database}.sql`;
  mkdirSync(".wrangler", { recursive: true });
  writeFileSync(file, sql);
  await execute(database, "--file", file);
  console.log(`» seeded the database ${database}`);
}

if (import.meta.main) {
  const all = [...sections(readFileSync("seed.sql", "utf8"))];
  await Promise.all(all.map(([database, sql]) => seed(database, sql)));
}
