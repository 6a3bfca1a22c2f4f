// Access to the three databases for backup and restore: the local ones or those of an environment.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Miniflare } from "miniflare";
import { configure, deployedName, type Environment, placeholders } from "../deploy/config.ts";
import { databases, Failed, json, wrangler } from "../deploy/wrangler.ts";
import { mainTable, type Name, names } from "../workers.ts";
import { dump } from "./dump.ts";
import { writePrivate } from "./manifest.ts";

export type Row = Record<string, unknown>;

/** The three databases of one deployment. */
export interface Store {
  readonly source: string;
  /** A consistent dump of one database. */
  dump(name: Name): Promise<string>;
  query(name: Name, sql: string): Promise<Row[]>;
  /** Runs statements in one transaction. */
  load(name: Name, sql: string): Promise<void>;
}

/** The local databases of `make dev`. The workers may use them at the same time. */
export class Local implements Store {
  readonly source = "local";
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** In a path with `{name}`, each database has its own folder. */
  #folderOf(name: Name): string {
    return this.#folder.replaceAll("{name}", name);
  }

  /** Opens the file that has the main table of a database. Opens it read-only to read, because
   * closing a writable connection can block other writers. */
  #withFile<T>(name: Name, use: (database: DatabaseSync) => T, readOnly = true): T | undefined {
    const files = join(this.#folderOf(name), "miniflare-D1DatabaseObject");
    for (const file of existsSync(files) ? readdirSync(files) : []) {
      if (!file.endsWith(".sqlite") || file === "metadata.sqlite") continue;
      const database = new DatabaseSync(join(files, file), { readOnly });
      try {
        database.exec("PRAGMA busy_timeout = 5000");
        const hasTable = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
        if (database.prepare(hasTable).get(mainTable[name])) return use(database);
      } finally {
        database.close();
      }
    }
    return undefined;
  }

  async dump(name: Name): Promise<string> {
    const sql = this.#withFile(name, dump);
    if (sql === undefined)
      throw new Failed(`${this.#folder} has no database ${name}: run make migrate first`);
    return sql;
  }

  async query(name: Name, sql: string): Promise<Row[]> {
    return this.#withFile(name, (database) => database.prepare(sql).all()) ?? [];
  }

  async load(name: Name, sql: string): Promise<void> {
    const exists = this.#withFile(name, () => true);
    if (!exists) await this.#create(name);
    const fill = (database: DatabaseSync) => {
      const all = exists ? sql : `DROP TABLE ${mainTable[name]};\n${sql}`;
      try {
        database.exec(`BEGIN;\n${all}\nCOMMIT`);
      } catch (error) {
        if (database.isTransaction) database.exec("ROLLBACK");
        throw new Failed(`${name} was not restored: ${(error as Error).message}`);
      }
    };
    this.#withFile(name, fill, false);
  }

  /** Creates the file of a database with its main table. Only Miniflare knows the file's name. */
  async #create(name: Name): Promise<void> {
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
      await database.prepare(`CREATE TABLE ${mainTable[name]} (placeholder)`).run();
    } finally {
      await miniflare.dispose();
    }
  }
}

/** The databases of an environment on Cloudflare. */
export class Remote implements Store {
  readonly source: Environment;
  readonly #ids: Map<Name, string>;

  private constructor(environment: Environment, ids: Map<Name, string>) {
    this.source = environment;
    this.#ids = ids;
  }

  static async open(environment: Environment): Promise<Remote> {
    const ids = await databases(environment);
    for (const name of names) {
      if (!ids.has(name))
        throw new Failed(`${environment} has no database ${name}: run make deploy first`);
    }
    return new Remote(environment, ids);
  }

  #where(name: Name): string[] {
    const config = configure(name, this.source, this.#ids);
    return [deployedName(name, this.source), "--remote", "-c", config];
  }

  async dump(name: Name): Promise<string> {
    return this.#withTemporaryFile(async (file) => {
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
    await this.#withTemporaryFile(async (file) => {
      writePrivate(file, sql);
      await wrangler(["d1", "execute", ...this.#where(name), "--yes", "--file", file]);
      return "";
    });
  }

  async #withTemporaryFile(use: (file: string) => Promise<string>): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "backup-"));
    try {
      return await use(join(folder, "dump.sql"));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
