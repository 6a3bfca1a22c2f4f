// The local databases of `make dev`. The workers may use them at the same time.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Miniflare } from "miniflare";
import { placeholders } from "../deploy/config.ts";
import { Failed } from "../deploy/wrangler.ts";
import { mainTable, type Name } from "../workers.ts";
import { writeDump } from "./dump.ts";
import { fence, fits, untilConsistent } from "./fence.ts";
import type { Dumps } from "./manifest.ts";
import { runDump } from "./sql_file.ts";
import type { Row, Store } from "./stores.ts";

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
  #open(name: Name, readOnly = true): DatabaseSync | undefined {
    const files = join(this.#folderOf(name), "miniflare-D1DatabaseObject");
    for (const file of existsSync(files) ? readdirSync(files) : []) {
      if (!file.endsWith(".sqlite") || file === "metadata.sqlite") continue;
      const database = new DatabaseSync(join(files, file), { readOnly });
      database.exec("PRAGMA busy_timeout = 5000");
      const hasTable = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
      if (database.prepare(hasTable).get(mainTable[name])) return database;
      database.close();
    }
    return undefined;
  }

  /** Opens the present state of a database: later changes are not visible. */
  protected async view(name: Name): Promise<DatabaseSync> {
    const database = this.#open(name);
    if (!database)
      throw new Failed(`${this.#folder} has no database ${name}: run make migrate first`);
    // A transaction sees the state of its first read.
    database.exec("BEGIN");
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return database;
  }

  async dump(folder: string): Promise<Dumps> {
    const file = (name: Name) => join(folder, `${name}.sql`);
    await untilConsistent(async () => {
      const before = await this.view("places");
      const people = await this.view("people");
      const places = await this.view("places");
      try {
        if (!fits(places, fence(before))) return undefined;
        writeDump(places, file("places"));
        writeDump(people, file("people"));
        return true;
      } finally {
        for (const view of [before, people, places]) view.close();
      }
    });
    await this.dumpOne("join", file("join"));
    return { places: file("places"), people: file("people"), join: file("join") };
  }

  async dumpOne(name: Name, file: string): Promise<void> {
    const database = await this.view(name);
    try {
      writeDump(database, file);
    } finally {
      database.close();
    }
  }

  async query(name: Name, sql: string): Promise<Row[]> {
    const database = this.#open(name);
    try {
      return database?.prepare(sql).all() ?? [];
    } finally {
      database?.close();
    }
  }

  async load(name: Name, file: string): Promise<void> {
    let database = this.#open(name, false);
    const exists = database !== undefined;
    if (!exists) await this.#create(name);
    database ??= this.#open(name, false);
    if (!database) throw new Failed(`${name} was not created`);
    try {
      database.exec("BEGIN");
      if (!exists) database.exec(`DROP TABLE ${mainTable[name]}`);
      runDump(database, file);
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw new Failed(`${name} was not restored: ${(error as Error).message}`);
    } finally {
      database.close();
    }
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
