// Gives each section of seed.sql to its database, when that database is still empty.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

/** The table of each database that is never empty once it has been filled. */
export const mainTable = { places: "place", people: "person", join: "dataset" };
type Database = keyof typeof mainTable;

/** The sections of a seed file, each opened by a line `-- database: NAME`. */
export function sections(text: string): Map<Database, string> {
  const [, ...parts] = text.split(/^-- database: *(\S+) *$/m);
  const found = new Map<Database, string>();
  for (let i = 0; i < parts.length; i += 2) {
    const name = parts[i] as Database;
    if (!(name in mainTable)) throw new Error(`seed.sql: there is no database "${name}"`);
    if (found.has(name)) throw new Error(`seed.sql: "${name}" has two sections`);
    found.set(name, (parts[i + 1] ?? "").trim());
  }
  return found;
}

async function execute(database: Database, ...what: string[]): Promise<string> {
  const config = database === "join" ? "wrangler.toml" : `workers/${database}/wrangler.toml`;
  const where = ["-c", config, "--local", "--persist-to", ".wrangler/state"];
  const { stdout } = await promisify(execFile)(
    "wrangler",
    ["d1", "execute", database, ...where, "--json", ...what],
    { env: { ...process.env, CI: "1" } },
  );
  return stdout;
}

async function seed(database: Database, sql: string): Promise<void> {
  const question = `SELECT EXISTS (SELECT 1 FROM ${mainTable[database]}) AS filled`;
  const [answer] = JSON.parse(await execute(database, "--command", question));
  if (answer.results[0].filled)
    return console.log(`» the database ${database} has data: left as it is`);
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
