// Copies a deployed database while others write to it. Every query is one short statement, so no
// writer waits.
//
// 1. Read each large table in pages. Meanwhile rows change, so the copy mixes several moments.
// 2. Catch up: read the next changes of the change log, and read again all rows that they may have
//    touched. One statement reads both, so it sees one moment. Repeat this step until the statement
//    reads the end of the log. Then the copy equals the database at the moment of that statement.
//
// The method is a fuzzy copy with a replay of the log. Databases make their own backups in this
// way.
import { DatabaseSync } from "node:sqlite";
import { Failed } from "../deploy/wrangler.ts";
import type { Name } from "../workers.ts";
import {
  type Columns,
  columnsOf,
  columnsQuery,
  identifier,
  insert,
  LEFT_OUT,
  literals,
  OTHERS,
  type Schema,
  TABLES,
  writeDump,
} from "./dump.ts";
import type { Row } from "./stores.ts";
import { type Interval, largeTables, MAX_CHANGES, MAX_SMALL_ROWS } from "./touched_rows.ts";

/** Runs one statement on the deployed database. */
type Read = (sql: string) => Promise<Row[]>;

/** The size of a page is chosen so that its rows have about this many characters. */
const PAGE_CHARACTERS = 1_000_000;
const FIRST_PAGE_ROWS = 100;
const MAX_PAGE_ROWS = 5_000;

type Table = { name: string; columns: Columns };

export class RemoteCopy {
  readonly database: DatabaseSync;
  readonly #name: Name;
  readonly #read: Read;
  readonly #schema: Row[];
  readonly #others: Row[];
  readonly #tables = new Map<string, Table>();
  /** The last change that the copy contains. */
  #seq = 0;

  private constructor(name: Name, read: Read, file: string, schema: Row[], others: Row[]) {
    this.#name = name;
    this.#read = read;
    this.#schema = schema;
    this.#others = others;
    this.database = new DatabaseSync(file);
    // The file is temporary. The foreign keys of a mixture of moments may not match.
    this.database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
    this.database.exec("PRAGMA foreign_keys = OFF");
    for (const { sql } of schema) this.database.exec(String(sql));
  }

  /** Copies the large tables in pages. `catchUp` must follow. */
  static async make(name: Name, read: Read, file: string): Promise<RemoteCopy> {
    const copy = new RemoteCopy(name, read, file, await read(TABLES), await read(OTHERS));
    try {
      await copy.#readTables();
      const log = largeTables[name].log;
      if (log) {
        const [last] = await read(`SELECT coalesce(max(seq), 0) AS seq FROM ${log}`);
        copy.#seq = Number(last?.seq);
      }
      for (const table of Object.keys(largeTables[name].touched)) await copy.#readPages(table);
      return copy;
    } catch (error) {
      copy.close();
      throw error;
    }
  }

  close(): void {
    this.database.close();
  }

  async #readTables(): Promise<void> {
    const names = (this.#schema as Schema[])
      .filter(({ type, name }) => type === "table" && !LEFT_OUT.includes(name))
      .map(({ name }) => name);
    const [found] = await this.#read(
      "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'sqlite_sequence'",
    );
    if (found?.n) names.push("sqlite_sequence");
    for (const name of names) {
      const columns = columnsOf(await this.#read(columnsQuery(name)));
      this.#tables.set(name, { name, columns });
    }
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    if (!table) throw new Failed(`${this.#name} has no table ${name}`);
    return table;
  }

  #insert(table: string, rows: unknown[]): void {
    const { names } = this.#table(table).columns;
    const statements = rows.map((row) => insert(table, names, String(row), "INSERT OR REPLACE"));
    this.database.exec(`BEGIN;\n${statements.join("\n")}\nCOMMIT;`);
  }

  /** Reads a table in pages (keyset pagination). */
  async #readPages(name: string): Promise<void> {
    const { names, key: primaryKey } = this.#table(name).columns;
    const key = largeTables[this.#name].pageOrder?.[name] ?? primaryKey;
    const order = key.map(identifier).join(", ");
    const select = `SELECT ${literals(names)} AS row, ${literals(key)} AS key FROM ${identifier(name)}`;
    let limit = FIRST_PAGE_ROWS;
    for (let after = ""; ; ) {
      const where = after && `WHERE (${order}) > (${after})`;
      const rows = await this.#read(`${select} ${where} ORDER BY ${order} LIMIT ${limit}`);
      this.#insert(
        name,
        rows.map(({ row }) => row),
      );
      if (rows.length < limit) return;
      after = String(rows.at(-1)?.key);
      const longest = Math.max(...rows.map(({ row }) => String(row).length));
      const fitting = Math.floor(PAGE_CHARACTERS / longest);
      limit = Math.max(1, Math.min(fitting, 4 * limit, MAX_PAGE_ROWS));
    }
  }

  /** Applies changes until the copy is the database at one moment. */
  async catchUp(): Promise<void> {
    while (!(await this.#applyChanges())) {}
  }

  /** Applies the next changes, and reads the small tables. Returns whether it reached the end of the
   * change log. */
  async #applyChanges(): Promise<boolean> {
    const { log, touched } = largeTables[this.#name];
    const interval: Interval = { after: this.#seq, upTo: this.#seq + MAX_CHANGES };
    const terms: string[] = [];
    const select = (table: string, where: string) => {
      const { names } = this.#table(table).columns;
      const columns = `'${table}' AS name, ${literals(names)} AS row`;
      terms.push(`SELECT ${columns} FROM ${identifier(table)} ${where}`);
    };
    const small = [...this.#tables.keys()].filter((name) => !(name in touched));
    for (const name of small) {
      terms.push(`SELECT * FROM (${selectSmall(this.#table(name))})`);
    }
    const conditions = Object.entries(touched).map(([name, condition]) => {
      const where = `WHERE ${condition(interval, this.database)}`;
      select(name, where);
      return [name, where] as const;
    });
    if (log) terms.push(`SELECT '', CAST(coalesce(max(seq), 0) AS TEXT) FROM ${log}`);
    const rows = Map.groupBy(await this.#read(unionAll(terms)), ({ name }) => String(name));
    const read = (name: string) => (rows.get(name) ?? []).map(({ row }) => row);
    for (const name of small) {
      if (read(name).length > MAX_SMALL_ROWS)
        throw new Failed(`the table ${name} has too many rows: add it to touched_rows.ts`);
      this.database.exec(`DELETE FROM ${identifier(name)}`);
      this.#insert(name, read(name));
    }
    // The log comes first, because the other conditions refer to it.
    for (const [name, where] of conditions) {
      if (name !== log) this.database.exec(`DELETE FROM ${identifier(name)} ${where}`);
      this.#insert(name, read(name));
    }
    const last = Number(read("")[0] ?? 0);
    this.#seq = Math.min(last, interval.upTo);
    return last <= interval.upTo;
  }

  /** Writes the copy as a dump. */
  async writeDump(file: string): Promise<void> {
    const found = JSON.stringify([await this.#read(TABLES), await this.#read(OTHERS)]);
    if (found !== JSON.stringify([this.#schema, this.#others]))
      throw new Failed(`the schema of ${this.#name} has changed during the backup: run it again`);
    for (const { sql } of this.#others) this.database.exec(String(sql));
    writeDump(this.database, file);
  }
}

/** All rows of a small table, and one more than is allowed. */
function selectSmall({ name, columns }: Table): string {
  const from = `${literals(columns.names)} AS row FROM ${identifier(name)}`;
  return `SELECT '${name}' AS name, ${from} LIMIT ${MAX_SMALL_ROWS + 1}`;
}

/** The rows of all statements. D1 allows five terms in one UNION. */
function unionAll(terms: string[]): string {
  if (terms.length <= 5) return terms.join("\nUNION ALL\n");
  const groups: string[] = [];
  for (let start = 0; start < terms.length; start += 5) {
    groups.push(`SELECT * FROM (${terms.slice(start, start + 5).join("\nUNION ALL\n")})`);
  }
  return unionAll(groups);
}
