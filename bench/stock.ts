// Fills the databases of each schema and size once. It caches them in `.bench/data` under a hash of
// the files from which they are made.
import { createHash } from "node:crypto";
import {
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Log, LogLevel, Miniflare } from "miniflare";
import { unstable_splitSqlQuery as splitSql } from "wrangler";
import { migrations, nameKeys } from "../tests/support/harness.ts";
import { peopleOf, placesOf, type Size } from "./rows.ts";

const root = resolve(import.meta.dirname, "..");
export const home = join(root, ".bench");

/** The SQL that creates each database of a contestant. */
type Schema = Record<string, string>;

const peer = (name: string) => readFileSync(join(root, "bench/peers", `${name}.sql`), "utf8");

export const schemas = {
  product: () => ({
    places: migrations("places"),
    people: migrations("people"),
    join: migrations("join"),
  }),
  peers: () => ({ places: peer("places"), people: peer("people") }),
  monolith: () => ({ all: peer("places") + peer("people") }),
  floors: () => ({ places: peer("floors"), people: peer("floors"), join: peer("floors") }),
} satisfies Record<string, () => Schema>;
export type SchemaName = keyof typeof schemas;

/** The databases being filled, which contestants that start together share. */
const inProgress = new Map<string, Promise<void>>();

/** The folder of filled databases. Creates it if it does not exist. */
export async function stocked(schema: SchemaName, size: Size): Promise<string> {
  const sql: Schema = schemas[schema]();
  const made = [sql, size, readFileSync(join(import.meta.dirname, "rows.ts"), "utf8")];
  const hash = createHash("sha256").update(JSON.stringify(made)).digest("hex").slice(0, 12);
  const folder = join(home, "data", `${schema}-${size.people}-${hash}`);
  const making = inProgress.get(folder) ?? make(folder, sql, size);
  inProgress.set(folder, making);
  await making;
  return folder;
}

async function make(folder: string, sql: Schema, size: Size): Promise<void> {
  if (existsSync(folder)) return;
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await create(partial, sql);
  for (const file of databases(partial)) fill(file, size);
  renameSync(partial, folder);
}

/** Copies filled databases, so that the copy can be changed. */
export async function copied(schema: SchemaName, size: Size, to: string): Promise<void> {
  const from = await stocked(schema, size);
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

/** Creates the files with workerd, so that it finds them later. */
async function create(folder: string, schema: Schema): Promise<void> {
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new Log(LogLevel.NONE),
    modules: true,
    script: "export default { fetch: () => new Response() };",
    d1Persist: folder,
    d1Databases: Object.fromEntries(Object.keys(schema).map((name) => [name, name])),
  });
  try {
    for (const [name, sql] of Object.entries(schema)) {
      const d1 = await miniflare.getD1Database(name);
      await d1.batch(splitSql(sql).map((statement) => d1.prepare(statement)));
    }
  } finally {
    await miniflare.dispose();
  }
}

/** The database files in a folder of workerd. */
export function databases(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sqlite") && !file.endsWith("metadata.sqlite"))
    .map((file) => join(folder, file));
}

export function hasTable(file: string, table: string): boolean {
  using db = new DatabaseSync(file);
  return columns(db, table).length > 0;
}

/** The columns of a table, or none if the table does not exist. */
function columns(db: DatabaseSync, table: string): string[] {
  const rows = db.prepare("SELECT name FROM pragma_table_info(?)").all(table);
  return rows.map(({ name }) => String(name));
}

const keyColumns = ["name_key", "search_key", "words"] as const;

/** The columns with the keys of a name. */
function keysOf(name: string): Record<(typeof keyColumns)[number], string | null> {
  const { key, searchKey, words } = nameKeys(name);
  return { name_key: key, search_key: searchKey, words };
}

/** Fills a database directly with SQLite, because a million rows take minutes through D1. */
function fill(file: string, size: Size): void {
  using db = new DatabaseSync(file);
  db.exec("PRAGMA synchronous = OFF; BEGIN");
  const insert = (table: string, rows: Iterable<Record<string, string | number | null>>) => {
    const wanted = columns(db, table);
    if (wanted.length === 0) return;
    const names = ["id", "name", ...keyColumns, "is_alive", "is_king", "place_id"];
    const used = names.filter((name) => wanted.includes(name));
    const values = used.map((name) => `:${name}`);
    const statement = db.prepare(`INSERT INTO ${table} (${used}) VALUES (${values})`);
    statement.setAllowUnknownNamedParameters(true);
    for (const row of rows) statement.run(row);
  };
  insert(
    "place",
    placesOf(size).map(({ id, name }) => ({ id, name, ...keysOf(name) })),
  );
  insert(
    "person",
    peopleOf(size).map(({ id, name, isAlive, isKing, placeId }) => ({
      id,
      name,
      ...keysOf(name),
      is_alive: Number(isAlive),
      is_king: Number(isKing),
      place_id: placeId,
    })),
  );
  db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}
