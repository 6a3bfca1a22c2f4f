// A backup is a folder with an SQL file per database and a manifest that describes them.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Name, names } from "../workers.ts";
import { type Contents, contents, mismatch, openDump } from "./dump.ts";

const FORMAT = 1;

export type Manifest = {
  format: typeof FORMAT;
  madeAt: string;
  /** `local`, or the environment of the databases. */
  source: string;
  databases: Record<Name, Contents & { bytes: number; sha256: string }>;
};

export type Dumps = Record<Name, string>;

/** The reason why a backup cannot be used. */
export class Unusable extends Error {}

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

/** The contents of each dump. Throws if places and people are not consistent. */
export function described(dumps: Dumps): Record<Name, Contents> {
  const open = (name: Name) => {
    try {
      return openDump(dumps[name]);
    } catch (error) {
      throw new Unusable(`${name}: ${(error as Error).message}`);
    }
  };
  const databases = { places: open("places"), people: open("people"), join: open("join") };
  try {
    const reason = mismatch(databases.places, databases.people);
    if (reason) throw new Unusable(`places and people are not consistent: ${reason}`);
    const { places, people, join } = databases;
    return { places: contents(places), people: contents(people), join: contents(join) };
  } finally {
    for (const database of Object.values(databases)) database.close();
  }
}

/** The permissions of files and folders with records: only the current user may read them. */
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Writes a file that only the current user may read, even outside its folder. */
export function writePrivate(file: string, text: string): void {
  writeFileSync(file, text, { mode: PRIVATE_FILE });
}

/** Writes a backup completely or not at all. */
export function write(folder: string, source: string, dumps: Dumps): Manifest {
  const contentsOf = described(dumps);
  const entry = (name: Name) => ({
    bytes: Buffer.byteLength(dumps[name]),
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
  const unfinished = `${folder}.unfinished`;
  // One that an interrupted backup has left may have other permissions.
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: PRIVATE_FOLDER });
  for (const name of names) writePrivate(join(unfinished, `${name}.sql`), dumps[name]);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  writePrivate(join(unfinished, "manifest.json"), text);
  renameSync(unfinished, folder);
  return manifest;
}

/** The migrations of this version. */
function migrationsOf(name: Name): string[] {
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

/** Reads a backup. Throws if it was modified or has a schema that this version does not know. */
export function read(folder: string): { manifest: Manifest; dumps: Dumps } {
  const manifest = readManifest(folder);
  if (manifest.format !== FORMAT)
    throw new Unusable(`this version cannot read the format ${manifest.format}`);
  const file = (name: Name) => {
    const text = readFileSync(join(folder, `${name}.sql`), "utf8");
    if (digest(text) !== manifest.databases[name]?.sha256) {
      throw new Unusable(`${name}.sql was modified: its digest differs from the manifest`);
    }
    return text;
  };
  const dumps = { places: file("places"), people: file("people"), join: file("join") };
  const found = described(dumps);
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
