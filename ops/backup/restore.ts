// Restores a backup into empty databases.
import { Failed } from "../deploy/wrangler.ts";
import { type Name, names } from "../workers.ts";
import { contents, openDump, SEARCH_INDEXES, TABLES } from "./dump.ts";
import { type Dumps, described, type Manifest } from "./manifest.ts";
import type { Store } from "./stores.ts";

/** A database is empty if these tables are. */
const dataTables: Record<Name, string[]> = {
  places: ["place", "place_change"],
  people: ["person", "person_change"],
  join: ["dataset"],
};

/** The contents of a dump as text, which is equal for equal rows. */
function contentsOf(sql: string): string {
  const database = openDump(sql);
  try {
    return JSON.stringify(contents(database));
  } finally {
    database.close();
  }
}

async function tables(store: Store, name: Name): Promise<string[]> {
  return (await store.query(name, TABLES)).map((row) => String(row.name));
}

async function isEmpty(store: Store, name: Name, existing: string[]): Promise<boolean> {
  for (const table of dataTables[name].filter((table) => existing.includes(table))) {
    const [row] = await store.query(name, `SELECT EXISTS (SELECT 1 FROM ${table}) AS used`);
    if (row?.used) return false;
  }
  return true;
}

/** Restores the three databases and checks the result. Skips a database that an earlier attempt has
 * already restored. */
export async function restore(store: Store, manifest: Manifest, dumps: Dumps): Promise<void> {
  const pending = new Map<Name, string>();
  for (const name of names) {
    const existing = await tables(store, name);
    if (await isEmpty(store, name, existing)) {
      // Drops the empty tables of a migrated database, in an order that foreign keys allow.
      const indexes = (await store.query(name, SEARCH_INDEXES)).map((row) => String(row.name));
      const all = [...indexes, ...existing.reverse()];
      const drops = all.map((table) => `DROP TABLE "${table}";\n`);
      pending.set(name, `PRAGMA defer_foreign_keys=TRUE;\n${drops.join("")}${dumps[name]}`);
    } else if (contentsOf(await store.dump(name)) !== contentsOf(dumps[name])) {
      throw new Failed(`the database ${name} is not empty: restore into a new one`);
    }
  }
  for (const [name, sql] of pending) {
    await store.load(name, sql);
    console.log(`» restored ${name}: change ${manifest.databases[name].counter}`);
  }
  const places = await store.dump("places");
  const people = await store.dump("people");
  const join = await store.dump("join");
  const found = described({ places, people, join });
  for (const name of names) {
    if (JSON.stringify(found[name]) !== contentsOf(dumps[name])) {
      throw new Failed(`the restored database ${name} differs from the backup`);
    }
  }
}
