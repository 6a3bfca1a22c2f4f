// Writes the contents of a SQLite database as SQL, row by row, and describes them for the manifest.
// No function keeps a whole database in memory.
import { createHash } from "node:crypto";
import { appendFileSync, closeSync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/** The contents of a dump: its migrations and the digest of each table. */
export type Contents = {
  /** The names of the applied migrations. */
  migrations: string[];
  /** The change sequence: the number of the last change. */
  counter: number;
  tables: Record<string, { rows: number; sha256: string }>;
};

/** The permissions of files and folders with records: only the current user may read them. */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

/** The tables whose rows are not part of a backup: snapshots, which the gateway takes again, and
 * writes that have not been committed. */
export const LEFT_OUT = ["snapshot_part", "snapshot", "pending_write"];

export const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** A table, or a virtual table such as a search index. */
export type Schema = { name: string; sql: string; type: "table" | "virtual" };

// All tables except those of SQLite and of the platform, and those in which a virtual table stores
// its data (shadow tables). The migrations are first, so that a restore that stops is recognized.
export const TABLES = `SELECT s.name, s.sql, l.type
FROM sqlite_schema AS s JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = s.name
WHERE l.type IN ('table', 'virtual')
  AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND s.name NOT LIKE '\\_cf\\_%' ESCAPE '\\'
ORDER BY s.name = 'd1_migrations' DESC, s.rowid`;

/** The indexes, triggers and views. */
export const OTHERS = `SELECT type, name, sql FROM sqlite_schema
WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL ORDER BY type, rowid`;

/** The columns of a table that a statement can insert, and those of its primary key. */
export type Columns = { names: string[]; key: string[] };

/** A query for `columnsOf`. Generated columns are hidden. The epoch is left out, so that a restored
 * database gets its own by default (docs/operations.md). */
export const columnsQuery = (table: string) =>
  `SELECT name, pk FROM pragma_table_xinfo('${table.replaceAll("'", "''")}')
WHERE hidden = 0 ${table === "schema" ? "AND name <> 'epoch'" : ""}`;

export function columnsOf(rows: Record<string, unknown>[]): Columns {
  const key = rows.filter(({ pk }) => Number(pk) > 0);
  key.sort((a, b) => Number(a.pk) - Number(b.pk));
  const name = ({ name }: Record<string, unknown>) => String(name);
  // sqlite_sequence has no key, and one row per name.
  return {
    names: rows.map(name),
    key: key.length > 0 ? key.map(name) : rows.slice(0, 1).map(name),
  };
}

/** An expression for the values of a row as the text of SQL literals, in one line. */
export function literals(columns: string[]): string {
  const literal = (column: string) =>
    `replace(quote(${identifier(column)}), char(10), '''||char(10)||''')`;
  return columns.map(literal).join(` || ',' || `);
}

/** The end of an INSERT with the literals of a row. */
const values = (columns: string[], row: string) =>
  `(${columns.map(identifier).join(",")}) VALUES(${row})`;

/** A statement that inserts a row. */
export const insert = (table: string, columns: string[], row: string, verb = "INSERT") =>
  `${verb} INTO ${identifier(table)} ${values(columns, row)};`;

function columns(database: DatabaseSync, table: string): Columns {
  return columnsOf(database.prepare(columnsQuery(table)).all());
}

function* rowsOf(database: DatabaseSync, table: string, { names, key }: Columns) {
  const order = key.map(identifier).join(", ");
  const sql = `SELECT ${literals(names)} AS row FROM ${identifier(table)} ORDER BY ${order}`;
  for (const { row } of database.prepare(sql).iterate()) yield String(row);
}

function* statements(database: DatabaseSync): Generator<string> {
  yield "PRAGMA defer_foreign_keys=TRUE;";
  const tables = database.prepare(TABLES).all() as Schema[];
  for (const { name, sql } of tables.filter(({ type }) => type === "table")) {
    yield `${sql};`;
    if (LEFT_OUT.includes(name)) continue;
    const of = columns(database, name);
    for (const row of rowsOf(database, name, of)) yield insert(name, of.names, row);
  }
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get()) {
    yield "DELETE FROM sqlite_sequence;";
    const of = columns(database, "sqlite_sequence");
    for (const row of rowsOf(database, "sqlite_sequence", of))
      yield insert("sqlite_sequence", of.names, row);
  }
  // A virtual table reads the rows of its table again.
  for (const { name, sql } of tables.filter(({ type }) => type === "virtual")) {
    yield `${sql};`;
    const table = identifier(name);
    yield `INSERT INTO ${table} (${table}) VALUES('rebuild');`;
    // A setting of the index, as in the migration: it keeps no terms of deleted rows.
    if (name === "person_search")
      yield `INSERT INTO ${table} (${table}, rank) VALUES('secure-delete', 1);`;
  }
  // Triggers come last, so that they do not log the restored rows as new changes.
  for (const { sql } of database.prepare(OTHERS).all()) yield `${sql};`;
}

const BUFFER_CHARACTERS = 1 << 20;

/** Writes the statements that create a copy of a database. The database must not change meanwhile:
 * the caller has begun a transaction. */
export function writeDump(database: DatabaseSync, file: string): void {
  const output = openSync(file, "w", PRIVATE_FILE);
  try {
    let buffered = "";
    for (const statement of statements(database)) {
      buffered += `${statement}\n`;
      if (buffered.length < BUFFER_CHARACTERS) continue;
      appendFileSync(output, buffered);
      buffered = "";
    }
    appendFileSync(output, buffered);
  } finally {
    closeSync(output);
  }
}

/** The contents of a database, without the rows that a backup leaves out. */
export function contents(database: DatabaseSync): Contents {
  const tables: Contents["tables"] = {};
  for (const { name, type } of database.prepare(TABLES).all() as Schema[]) {
    if (LEFT_OUT.includes(name) || type === "virtual") continue;
    const of = columns(database, name);
    const hash = createHash("sha256");
    let rows = 0;
    for (const row of rowsOf(database, name, of)) {
      hash.update(values(of.names, row)).update("\n");
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
