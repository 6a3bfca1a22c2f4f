// Dumps a SQLite file as SQL in one transaction, and describes the contents of a dump.
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

/** The contents of a dump: its migrations and the digest of each table. */
export type Contents = {
  /** The names of the applied migrations. */
  migrations: string[];
  /** The change sequence: the number of the last change. */
  counter: number;
  tables: Record<string, { rows: number; sha256: string }>;
};

const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

// All tables except those of SQLite, of the platform, and of search indexes.
export const TABLES = `SELECT name, sql FROM sqlite_schema
WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'
  AND name NOT LIKE '%\\_search' ESCAPE '\\' AND name NOT LIKE '%\\_search\\_%' ESCAPE '\\'
ORDER BY name = 'd1_migrations' DESC, rowid`;
// A search index is made again from its table, so a dump has no rows of it.
export const SEARCH_INDEXES = `SELECT name, sql FROM sqlite_schema
WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'`;
const OTHERS = `SELECT sql FROM sqlite_schema
WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL ORDER BY type, rowid`;

type Schema = { name: string; sql: string };

function* rowsOf(database: DatabaseSync, table: string): Generator<string> {
  // Generated columns are hidden, because they cannot be inserted.
  const columns = database.prepare(`PRAGMA table_xinfo(${identifier(table)})`).all();
  const names = columns.filter(({ hidden }) => hidden === 0).map(({ name }) => String(name));
  const values = names.map((name) => `quote(${identifier(name)})`).join(` || ',' || `);
  const list = names.map(identifier).join(",");
  const rows = database.prepare(`SELECT ${values} AS row FROM ${identifier(table)} ORDER BY 1`);
  for (const { row } of rows.iterate()) yield `(${list}) VALUES(${row})`;
}

/** The statements that create a copy of a database. Triggers come last, so that they do not log the
 * restored rows as new changes. */
export function dump(database: DatabaseSync): string {
  database.exec("BEGIN");
  try {
    const lines = ["PRAGMA defer_foreign_keys=TRUE;"];
    for (const { name, sql } of database.prepare(TABLES).all() as Schema[]) {
      lines.push(`${sql};`);
      for (const row of rowsOf(database, name))
        lines.push(`INSERT INTO ${identifier(name)} ${row};`);
    }
    if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get()) {
      lines.push("DELETE FROM sqlite_sequence;");
      for (const row of rowsOf(database, "sqlite_sequence")) {
        lines.push(`INSERT INTO sqlite_sequence ${row};`);
      }
    }
    for (const { name, sql } of database.prepare(SEARCH_INDEXES).all() as Schema[]) {
      lines.push(`${sql};`, `INSERT INTO ${name} (${name}) VALUES('rebuild');`);
    }
    for (const { sql } of database.prepare(OTHERS).all() as Schema[]) lines.push(`${sql};`);
    return `${lines.join("\n")}\n`;
  } finally {
    database.exec("ROLLBACK");
  }
}

/** Loads a dump into memory. Throws if the SQL fails or the database is corrupt. */
export function openDump(sql: string): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec("BEGIN");
  database.exec(sql);
  database.exec("COMMIT");
  const faults = [
    ...database.prepare("PRAGMA foreign_key_check").all(),
    ...database.prepare("PRAGMA integrity_check").all(),
  ].filter((row) => row.integrity_check !== "ok");
  if (faults.length > 0) throw new Error(`the database is corrupt: ${JSON.stringify(faults[0])}`);
  return database;
}

/** The snapshots of the gateway. It takes new ones from the backends. */
const SNAPSHOT_TABLES = ["snapshot_part", "snapshot"];

/** A dump without the rows of snapshots. */
export function withoutSnapshots(sql: string): string {
  const database = openDump(sql);
  try {
    const existing = new Set((database.prepare(TABLES).all() as Schema[]).map(({ name }) => name));
    for (const name of SNAPSHOT_TABLES)
      if (existing.has(name)) database.exec(`DELETE FROM ${name}`);
    return dump(database);
  } finally {
    database.close();
  }
}

/** The contents of a loaded dump, without snapshots. */
export function contents(database: DatabaseSync): Contents {
  const tables: Contents["tables"] = {};
  for (const { name } of database.prepare(TABLES).all() as Schema[]) {
    if (SNAPSHOT_TABLES.includes(name)) continue;
    const hash = createHash("sha256");
    let rows = 0;
    for (const row of rowsOf(database, name)) {
      hash.update(row).update("\n");
      rows += 1;
    }
    tables[name] = { rows, sha256: hash.digest("hex") };
  }
  const changes = Object.keys(tables).find((name) => /^(place|person)_change$/.test(name));
  const counter = changes
    ? Number(database.prepare(`SELECT max(seq) AS seq FROM ${changes}`).get()?.seq ?? 0)
    : 0;
  const migrations = database.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
  return { migrations: migrations.map(({ name }) => String(name)), counter, tables };
}

/** The reason why two dumps are not consistent, or nothing if they are. */
export function mismatch(places: DatabaseSync, people: DatabaseSync): string | undefined {
  const existing = new Set(
    places
      .prepare("SELECT id FROM place")
      .all()
      .map(({ id }) => id),
  );
  const inhabited = people.prepare("SELECT DISTINCT place_id FROM person WHERE is_alive = 1");
  for (const { place_id: place } of inhabited.iterate()) {
    if (!existing.has(place)) return `people live in the place ${place}, which does not exist`;
  }
  return undefined;
}
