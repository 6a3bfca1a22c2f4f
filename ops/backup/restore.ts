// Restores a backup into empty databases.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { Failed } from "../deploy/wrangler.ts";
import { newEpoch, withEpoch } from "../schema.ts";
import type { Name } from "../workers.ts";
import { type Contents, identifier, type Schema } from "./dump.ts";
import { type Dumps, described, describedAlone, type Manifest, writePrivate } from "./manifest.ts";
import { sqlChunks, withTemporaryFolder } from "./sql_file.ts";
import type { Store } from "./stores.ts";
import { replaceableTables } from "./target.ts";

/** People come first. While people is empty, a scheduled run of places would remove a place that is being
 * deleted, although people live there. */
const order: Name[] = ["people", "places", "join"];

/** The scheduled runs of the workers may already change these tables: they delete old responses, finish
 * the deletions of places, and store the latest erasure of a person. */
const CHANGED_BY_SCHEDULE = ["idempotency", "tombstone", "erasure"];

/** A scheduled run finishes a deletion only a minute after its last progress. */
const beginDeletionsIn = (milliseconds: number) =>
  `UPDATE tombstone SET since = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ${milliseconds};\n`;

/** The time for which deletions wait, so that the records are not changed before they are compared. */
const COMPARISON_MS = 60 * 60_000;

/** The statements that drop the empty tables of a migrated database: first the virtual ones, which
 * read other tables, then the others in an order that foreign keys allow. */
function drops(existing: Schema[]): string {
  const ordered = existing.toReversed();
  ordered.sort((a, b) => Number(b.type === "virtual") - Number(a.type === "virtual"));
  const statements = ordered.map(({ name }) => `DROP TABLE ${identifier(name)};\n`);
  return `PRAGMA defer_foreign_keys=TRUE;\n${statements.join("")}`;
}

/** The tables of a database that differ from those that a manifest describes, and other differences. */
function differences(found: Contents, manifest: Manifest, name: Name): string[] {
  const { tables, ...expected } = manifest.databases[name];
  const names = new Set([...Object.keys(tables), ...Object.keys(found.tables)]);
  for (const table of CHANGED_BY_SCHEDULE) names.delete(table);
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b);
  return [
    ...(differs(found.migrations, expected.migrations) ? ["migrations"] : []),
    ...(found.counter === expected.counter ? [] : ["the last change"]),
    ...[...names].filter((table) => differs(found.tables[table], tables[table])),
  ];
}

/** Restores the three databases and checks the result. Skips a database that an earlier attempt has
 * already restored. */
export async function restore(store: Store, manifest: Manifest, dumps: Dumps): Promise<void> {
  await withTemporaryFolder(async (folder) => {
    const dump = async (name: Name) => {
      const file = join(folder, `${name}.sql`);
      await store.dumpOne(name, file);
      return file;
    };
    const pending = new Map<Name, string>();
    for (const name of order) {
      const replaceable = await replaceableTables(store, name, dumps[name]);
      if (replaceable) pending.set(name, drops(replaceable));
      else if (differences(await describedAlone(name, await dump(name)), manifest, name).length > 0)
        throw new Failed(`the database ${name} is not empty: restore into a new one`);
    }
    for (const [name, sql] of pending) {
      const file = join(folder, `${name}.sql`);
      writePrivate(file, sql);
      for (const chunk of sqlChunks(dumps[name])) appendFileSync(file, chunk);
      // Tags and cursors from after the backup must not match states of the restored history.
      if (withEpoch.includes(name)) appendFileSync(file, `${newEpoch};\n`);
      if (name === "places") appendFileSync(file, beginDeletionsIn(COMPARISON_MS));
      await store.load(name, file);
      console.log(`» restored ${name}: change ${manifest.databases[name].counter}`);
    }
    const restored = {
      places: await dump("places"),
      people: await dump("people"),
      join: await dump("join"),
    };
    const found = await described(restored);
    for (const name of order) {
      const different = differences(found[name], manifest, name).join(", ");
      if (different)
        throw new Failed(`the restored database ${name} differs from the backup: ${different}`);
    }
    const file = join(folder, "deletions.sql");
    writePrivate(file, beginDeletionsIn(-COMPARISON_MS));
    await store.load("places", file);
  });
}
