// Reads and writes backups. A backup is a folder with one SQL file per database, and a manifest
// that describes the files.
import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Name, names } from "../workers.ts";
import { type Contents, contents, PRIVATE_FILE, PRIVATE_FOLDER } from "./dump.ts";
import { openDump, withTemporaryFolder } from "./sql_file.ts";

const FORMAT = 2;

export type Manifest = {
  format: typeof FORMAT;
  madeAt: string;
  /** `local`, or the environment of the databases. */
  source: string;
  databases: Record<Name, Contents & { bytes: number; sha256: string }>;
};

/** The path of the dump of each database. */
export type Dumps = Record<Name, string>;

/** The reason why a backup cannot be used. */
export class Unusable extends Error {}

/** The SHA-256 of a file. */
function digest(file: string): string {
  const hash = createHash("sha256");
  const input = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(1 << 20);
    for (let size = readSync(input, buffer); size > 0; size = readSync(input, buffer))
      hash.update(buffer.subarray(0, size));
  } finally {
    closeSync(input);
  }
  return hash.digest("hex");
}

/** The reason why two databases are not consistent, or nothing if they are. */
function mismatch(people: DatabaseSync, placesFile: string): string | undefined {
  people.prepare("ATTACH ? AS places").run(placesFile);
  const [lost] = people
    .prepare(
      `SELECT place_id FROM person
       WHERE is_alive = 1 AND place_id NOT IN (SELECT id FROM places.place) LIMIT 1`,
    )
    .all();
  people.exec("DETACH places");
  return lost && `people live in the place ${lost.place_id}, which does not exist`;
}

/** A person who was erased, but whose name is in an earlier change. */
function erasedWithName(people: DatabaseSync): string | undefined {
  const found = people
    .prepare(
      `SELECT person_id FROM person_change AS erasure
       WHERE kind = 'erased' AND EXISTS (
         SELECT 1 FROM person_change
         WHERE person_id = erasure.person_id AND version < erasure.version AND name IS NOT NULL
       ) LIMIT 1`,
    )
    .get();
  return found && `the name of the erased person ${found.person_id} is in the history`;
}

/** Uses a dump as a database. */
function withDump<T>(
  name: Name,
  dump: string,
  file: string,
  use: (database: DatabaseSync) => T,
): T {
  let database: DatabaseSync;
  try {
    database = openDump(dump, file);
  } catch (error) {
    throw new Unusable(`${name}: ${(error as Error).message}`);
  }
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** The contents of one dump. */
export function describedAlone(name: Name, dump: string): Promise<Contents> {
  return withTemporaryFolder((folder) => withDump(name, dump, join(folder, name), contents));
}

/** The contents of each dump. Throws if places and people are not consistent. */
export function described(dumps: Dumps): Promise<Record<Name, Contents>> {
  return withTemporaryFolder((folder) => {
    const describe = (name: Name) =>
      withDump(name, dumps[name], join(folder, name), (database) => {
        if (name === "people") {
          const reason = mismatch(database, join(folder, "places")) ?? erasedWithName(database);
          if (reason) throw new Unusable(`places and people are not consistent: ${reason}`);
        }
        return contents(database);
      });
    return { places: describe("places"), people: describe("people"), join: describe("join") };
  });
}

/** Writes a file that only the current user may read, even outside its folder. */
export function writePrivate(file: string, text: string): void {
  writeFileSync(file, text, { mode: PRIVATE_FILE });
}

/** Creates the folder in which a backup is written before it gets its name. */
function createUnfinished(folder: string): string {
  // Without `resolve`, a slash at the end of the path would put this folder into that of the backup.
  const unfinished = `${resolve(folder)}.unfinished`;
  // One that an interrupted backup has left may have other permissions.
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: PRIVATE_FOLDER });
  return unfinished;
}

/** Throws if no backup can be written to a folder. A backup may take an hour before it is written. */
export function checkFolder(folder: string): void {
  if (existsSync(folder)) throw new Unusable(`${folder} exists: choose another folder`);
  try {
    rmSync(createUnfinished(folder), { recursive: true });
  } catch (error) {
    throw new Unusable(`${folder} cannot be created: ${(error as Error).message}`);
  }
}

/** Writes a backup completely or not at all. */
export async function write(folder: string, source: string, dumps: Dumps): Promise<Manifest> {
  const contentsOf = await described(dumps);
  const entry = (name: Name) => ({
    bytes: statSync(dumps[name]).size,
    sha256: digest(dumps[name]),
    ...contentsOf[name],
  });
  const databases = { places: entry("places"), people: entry("people"), join: entry("join") };
  const manifest: Manifest = {
    format: FORMAT,
    madeAt: new Date().toISOString(),
    source,
    databases,
  };
  const unfinished = createUnfinished(folder);
  // The dumps have the permissions of private files, which a copy keeps.
  for (const name of names) copyFileSync(dumps[name], join(unfinished, `${name}.sql`));
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  writePrivate(join(unfinished, "manifest.json"), text);
  renameSync(unfinished, resolve(folder));
  return manifest;
}

/** The migrations of this version. */
export function migrationsOf(name: Name): string[] {
  const files = readdirSync(`d1-migrations/${name}`).filter((file) => file.endsWith(".sql"));
  return files.sort();
}

function readManifest(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  } catch (error) {
    throw new Unusable(`${folder} has no manifest or an invalid one: ${(error as Error).message}`);
  }
}

/** The SHA-256 of a file of a backup. */
function readDigest(file: string): string {
  try {
    return digest(file);
  } catch (error) {
    throw new Unusable(`the backup is incomplete: ${(error as Error).message}`);
  }
}

/** Reads a backup. Throws if it was modified or has a schema that this version does not know. */
export async function read(folder: string): Promise<{ manifest: Manifest; dumps: Dumps }> {
  const manifest = readManifest(folder);
  if (manifest?.format !== FORMAT)
    throw new Unusable(`this version cannot read the format ${manifest?.format}`);
  const file = (name: Name) => {
    const path = join(folder, `${name}.sql`);
    if (readDigest(path) !== manifest.databases?.[name]?.sha256) {
      throw new Unusable(`${name}.sql was modified: its digest differs from the manifest`);
    }
    return path;
  };
  const dumps = { places: file("places"), people: file("people"), join: file("join") };
  const found = await described(dumps);
  for (const name of names) {
    const { bytes: _bytes, sha256: _sha256, ...expected } = manifest.databases[name];
    if (JSON.stringify(found[name]) !== JSON.stringify(expected)) {
      throw new Unusable(`the rows of ${name}.sql differ from the manifest`);
    }
    const files = migrationsOf(name);
    const unknown = expected.migrations.find((file, position) => file !== files[position]);
    if (unknown) throw new Unusable(`${name} has a migration that this version lacks: ${unknown}`);
  }
  return { manifest, dumps };
}

/** The migrations that are newer than a backup. */
export function missingMigrations(manifest: Manifest): string[] {
  return names.flatMap((name) => {
    const applied = manifest.databases[name].migrations.length;
    return migrationsOf(name)
      .slice(applied)
      .map((file) => `${name}/${file}`);
  });
}
