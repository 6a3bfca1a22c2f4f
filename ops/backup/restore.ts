// Brings a backup back into databases that have no rows.
import { Failed } from "../deploy/wrangler.ts";
import { type Name, names } from "../workers.ts";
import { contents, opened, TABLES } from "./dump.ts";
import { type Dumps, described, type Manifest } from "./manifest.ts";
import type { Store } from "./stores.ts";

/** The tables that say whether a database has been used. */
const used: Record<Name, string[]> = {
  places: ["place", "place_change"],
  people: ["person", "person_change"],
  join: ["dataset"],
};

/** What a dump holds, as text that is the same for the same rows. */
function held(sql: string): string {
  const database = opened(sql);
  try {
    return JSON.stringify(contents(database));
  } finally {
    database.close();
  }
}

async function tables(store: Store, name: Name): Promise<string[]> {
  return (await store.query(name, TABLES)).map((row) => String(row.name));
}

async function isEmpty(store: Store, name: Name, there: string[]): Promise<boolean> {
  for (const table of used[name].filter((table) => there.includes(table))) {
    const [row] = await store.query(name, `SELECT EXISTS (SELECT 1 FROM ${table}) AS used`);
    if (row?.used) return false;
  }
  return true;
}

/** Restores all three, and makes sure that they are what the backup says. One that was restored
 * already, before something failed, is left as it is. */
export async function restore(store: Store, manifest: Manifest, dumps: Dumps): Promise<void> {
  const todo = new Map<Name, string>();
  for (const name of names) {
    const there = await tables(store, name);
    if (await isEmpty(store, name, there)) {
      // A database that has been migrated has tables already; who refers to another goes first.
      const drops = there.reverse().map((table) => `DROP TABLE "${table}";\n`);
      todo.set(name, `PRAGMA defer_foreign_keys=TRUE;\n${drops.join("")}${dumps[name]}`);
    } else if (held(await store.dump(name)) !== held(dumps[name])) {
      throw new Failed(`the database ${name} is not empty: nothing is written over`);
    }
  }
  for (const [name, sql] of todo) {
    await store.load(name, sql);
    console.log(`» restored ${name}: change ${manifest.databases[name].counter}`);
  }
  const places = await store.dump("places");
  const people = await store.dump("people");
  const join = await store.dump("join");
  const found = described({ places, people, join });
  for (const name of names) {
    if (JSON.stringify(found[name]) !== held(dumps[name])) {
      throw new Failed(`the database ${name} is not what the backup has`);
    }
  }
}
