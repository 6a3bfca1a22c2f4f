// Decides whether a restore may replace the tables of a database: all of them must be of this project,
// and must have no rows.
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Failed } from "../deploy/wrangler.ts";
import type { Name } from "../workers.ts";
import { identifier, LEFT_OUT, type Schema, TABLES } from "./dump.ts";
import { migrationsOf } from "./manifest.ts";
import { sqlChunks } from "./sql_file.ts";
import type { Store } from "./stores.ts";

/** Tables that may have rows in an empty database. Scheduled runs fill the last one and those that a
 * backup leaves out. */
const MAY_HAVE_ROWS = ["d1_migrations", ...LEFT_OUT, "erasure"];

/** The tables that statements create, each with whether it has no rows. */
function createdTables(statements: Iterable<string>): Map<string, boolean> {
  const database = new DatabaseSync(":memory:");
  try {
    for (const text of statements) database.exec(text);
    const isEmpty = ({ name, type }: Schema) =>
      type === "table" && !database.prepare(`SELECT 1 FROM ${identifier(name)}`).get();
    const tables = database.prepare(TABLES).all() as Schema[];
    return new Map(tables.map((table) => [table.name, isEmpty(table)]));
  } finally {
    database.close();
  }
}

/** The statements of a dump without its rows. */
function* withoutRows(dump: string): Generator<string> {
  for (const chunk of sqlChunks(dump)) {
    const lines = chunk.split("\n").filter((line) => !line.startsWith('INSERT INTO "'));
    yield lines.join("\n");
  }
}

/** The tables of a database that a restore may replace, or nothing if they have rows. Throws if neither
 * the backup nor the migrations of this version create one of them. */
export async function replaceableTables(
  store: Store,
  name: Name,
  dump: string,
): Promise<Schema[] | undefined> {
  const existing = (await store.query(name, TABLES)) as Schema[];
  const migrations = migrationsOf(name).map((file) =>
    readFileSync(`d1-migrations/${name}/${file}`, "utf8"),
  );
  const migrated = createdTables(migrations);
  const known = new Set([...createdTables(withoutRows(dump)).keys(), ...migrated.keys()]);
  const foreign = existing.map(({ name }) => name).filter((table) => !known.has(table));
  if (foreign.length > 0) {
    const list = foreign.join(", ");
    throw new Failed(
      `the database ${name} has tables that are neither in the backup nor of this version (${list}): restore into a new one`,
    );
  }
  // A new database has the rows that its migrations insert.
  const isEmptyIfNew = ({ name, type }: Schema) =>
    type === "table" && !MAY_HAVE_ROWS.includes(name) && migrated.get(name) !== false;
  const filled = existing
    .filter(isEmptyIfNew)
    .map(({ name }) => `EXISTS (SELECT 1 FROM ${identifier(name)})`);
  if (filled.length === 0) return existing;
  const [row] = await store.query(name, `SELECT ${filled.join(" OR ")} AS filled`);
  return row?.filled ? undefined : existing;
}
