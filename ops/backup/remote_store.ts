// Access to the databases of an environment on Cloudflare.
import { join } from "node:path";
import { configure, deployedName, type Environment } from "../deploy/config.ts";
import { databases, Failed, wrangler } from "../deploy/wrangler.ts";
import { faultQuery, rejectFault } from "../schema.ts";
import { type Name, names } from "../workers.ts";
import { D1Api } from "./d1_api.ts";
import { fence, fits, untilConsistent } from "./fence.ts";
import type { Dumps } from "./manifest.ts";
import { RemoteCopy } from "./remote_copy.ts";
import { withTemporaryFolder } from "./sql_file.ts";
import type { Row, Store } from "./stores.ts";

export class Remote implements Store {
  readonly source: Environment;
  readonly #ids: Map<Name, string>;
  readonly #api: D1Api;

  private constructor(environment: Environment, ids: Map<Name, string>, api: D1Api) {
    this.source = environment;
    this.#ids = ids;
    this.#api = api;
  }

  static async open(environment: Environment): Promise<Remote> {
    const ids = await databases(environment);
    for (const name of names) {
      if (!ids.has(name))
        throw new Failed(`${environment} has no database ${name}: run make deploy first`);
    }
    const remote = new Remote(environment, ids, await D1Api.open());
    for (const name of names) {
      const [row] = await remote.query(name, faultQuery(name));
      rejectFault(row, deployedName(name, environment), {
        older: "export its records (docs/operations.md)",
        foreign: "set ENV to the environment of this project (docs/operations.md)",
      });
    }
    return remote;
  }

  /** Copies a database into a temporary file, page by page. */
  #copy(name: Name, folder: string): Promise<RemoteCopy> {
    const read = (sql: string) => this.query(name, sql);
    return RemoteCopy.make(name, read, join(folder, `${name}.sqlite`));
  }

  async dump(folder: string): Promise<Dumps> {
    const file = (name: Name) => join(folder, `${name}.sql`);
    const [places, people] = await Promise.all([
      this.#copy("places", folder),
      this.#copy("people", folder),
    ]);
    try {
      await untilConsistent(async () => {
        await places.catchUp();
        const before = fence(places.database);
        await people.catchUp();
        await places.catchUp();
        return fits(places.database, before) || undefined;
      });
      await places.writeDump(file("places"));
      await people.writeDump(file("people"));
    } finally {
      places.close();
      people.close();
    }
    await this.dumpOne("join", file("join"));
    return { places: file("places"), people: file("people"), join: file("join") };
  }

  dumpOne(name: Name, file: string): Promise<void> {
    return withTemporaryFolder(async (folder) => {
      const copy = await this.#copy(name, folder);
      try {
        await copy.catchUp();
        await copy.writeDump(file);
      } finally {
        copy.close();
      }
    });
  }

  query(name: Name, sql: string): Promise<Row[]> {
    return this.#api.read(this.#ids.get(name) ?? "", sql);
  }

  async load(name: Name, file: string): Promise<void> {
    const config = configure(name, this.source, this.#ids);
    const where = [deployedName(name, this.source), "--remote", "-c", config];
    await wrangler(["d1", "execute", ...where, "--yes", "--file", file]);
  }
}
