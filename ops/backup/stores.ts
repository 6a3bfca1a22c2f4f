// The three databases, as backups are taken from and brought back to them: those of this machine,
// or those that are deployed.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Miniflare } from "miniflare";
import { called, configure, type Environment, placeholders } from "../deploy/config.ts";
import { databases, Failed, json, wrangler } from "../deploy/wrangler.ts";
import { mainTable, type Name, names } from "../workers.ts";
import { dump } from "./dump.ts";

export type Row = Record<string, unknown>;

/** Where databases are kept. */
export interface Store {
  readonly source: string;
  /** One database as SQL, as of one moment. */
  dump(name: Name): Promise<string>;
  query(name: Name, sql: string): Promise<Row[]>;
  /** Runs statements, all or none. */
  load(name: Name, sql: string): Promise<void>;
}

/** Those of this machine, as `make dev` keeps them. They may be in use while they are read. */
export class Local implements Store {
  readonly source = "local";
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Each can have a folder of its own, whose name has its name in it. */
  #folderOf(name: Name): string {
    return this.#folder.replaceAll("{name}", name);
  }

  /** Opens a database's file, which is the one that has its table. To read it leaves whoever
   * writes undisturbed: who opens it to write may hold the others up when it is closed. */
  #opened<T>(name: Name, act: (database: DatabaseSync) => T, readOnly = true): T | undefined {
    const files = join(this.#folderOf(name), "miniflare-D1DatabaseObject");
    for (const file of existsSync(files) ? readdirSync(files) : []) {
      if (!file.endsWith(".sqlite") || file === "metadata.sqlite") continue;
      const database = new DatabaseSync(join(files, file), { readOnly });
      try {
        database.exec("PRAGMA busy_timeout = 5000");
        const question = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
        if (database.prepare(question).get(mainTable[name])) return act(database);
      } finally {
        database.close();
      }
    }
    return undefined;
  }

  async dump(name: Name): Promise<string> {
    const sql = this.#opened(name, dump);
    if (sql === undefined) throw new Failed(`${this.#folder} has no database ${name}`);
    return sql;
  }

  async query(name: Name, sql: string): Promise<Row[]> {
    return this.#opened(name, (database) => database.prepare(sql).all()) ?? [];
  }

  async load(name: Name, sql: string): Promise<void> {
    const isThere = this.#opened(name, () => true);
    if (!isThere) await this.#make(name);
    const fill = (database: DatabaseSync) => {
      const all = isThere ? sql : `DROP TABLE ${mainTable[name]};\n${sql}`;
      try {
        database.exec(`BEGIN;\n${all}\nCOMMIT`);
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw new Failed(`${name} was not restored: ${(error as Error).message}`);
      }
    };
    this.#opened(name, fill, false);
  }

  /** Makes a database's file, whose name Miniflare alone knows, with its table. */
  async #make(name: Name): Promise<void> {
    const miniflare = new Miniflare({
      host: "127.0.0.1",
      cf: false,
      modules: true,
      script: "export default {};",
      d1Databases: { DB: placeholders.get(name) ?? name },
      d1Persist: this.#folderOf(name),
    });
    try {
      const database = await miniflare.getD1Database("DB");
      await database.prepare(`CREATE TABLE ${mainTable[name]} (made)`).run();
    } finally {
      await miniflare.dispose();
    }
  }
}

/** Those of an environment that is deployed. */
export class Remote implements Store {
  readonly source: Environment;
  readonly #ids: Map<Name, string>;

  private constructor(environment: Environment, ids: Map<Name, string>) {
    this.source = environment;
    this.#ids = ids;
  }

  static async of(environment: Environment): Promise<Remote> {
    const ids = await databases(environment);
    for (const name of names) {
      if (!ids.has(name)) throw new Failed(`${environment} has no database ${name}: make deploy`);
    }
    return new Remote(environment, ids);
  }

  #where(name: Name): string[] {
    const config = configure(name, this.source, this.#ids);
    return [called(name, this.source), "--remote", "-c", config];
  }

  async dump(name: Name): Promise<string> {
    return this.#within(async (file) => {
      const where = this.#where(name);
      await wrangler(["d1", "export", ...where, "--skip-confirmation", "--output", file]);
      return readFileSync(file, "utf8");
    });
  }

  async query(name: Name, sql: string): Promise<Row[]> {
    const where = this.#where(name);
    const printed = await wrangler(["d1", "execute", ...where, "--json", "--command", sql]);
    return json(printed)[0].results;
  }

  async load(name: Name, sql: string): Promise<void> {
    await this.#within(async (file) => {
      writeFileSync(file, sql);
      await wrangler(["d1", "execute", ...this.#where(name), "--yes", "--file", file]);
      return "";
    });
  }

  async #within(act: (file: string) => Promise<string>): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "backup-"));
    try {
      return await act(join(folder, "dump.sql"));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
