// A backup in its folder: a file of SQL for each database, and a manifest that says what they are.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Name, names } from "../workers.ts";
import { type Contents, contents, mismatch, opened } from "./dump.ts";

const FORMAT = 1;

export type Manifest = {
  format: typeof FORMAT;
  madeAt: string;
  /** Whose databases these are. */
  source: string;
  databases: Record<Name, Contents & { bytes: number; sha256: string }>;
};

export type Dumps = Record<Name, string>;

/** A backup that cannot be used, and why. */
export class Unusable extends Error {}

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

/** Whether the two registers are of one moment, and what each dump holds. */
export function described(dumps: Dumps): Record<Name, Contents> {
  const open = (name: Name) => {
    try {
      return opened(dumps[name]);
    } catch (error) {
      throw new Unusable(`${name}: ${(error as Error).message}`);
    }
  };
  const databases = { places: open("places"), people: open("people"), join: open("join") };
  try {
    const why = mismatch(databases.places, databases.people);
    if (why) throw new Unusable(`the registers do not fit together: ${why}`);
    const { places, people, join } = databases;
    return { places: contents(places), people: contents(people), join: contents(join) };
  } finally {
    for (const database of Object.values(databases)) database.close();
  }
}

/** Writes a backup, which is there as a whole or not at all. */
export function write(folder: string, source: string, dumps: Dumps): Manifest {
  const held = described(dumps);
  const entry = (name: Name) => ({
    bytes: Buffer.byteLength(dumps[name]),
    sha256: digest(dumps[name]),
    ...held[name],
  });
  const databases = { places: entry("places"), people: entry("people"), join: entry("join") };
  const manifest: Manifest = {
    format: FORMAT,
    madeAt: new Date().toISOString(),
    source,
    databases,
  };
  const unfinished = `${folder}.unfinished`;
  // They are about people: nobody else on this machine reads them.
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  for (const name of names) writeFileSync(join(unfinished, `${name}.sql`), dumps[name]);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  writeFileSync(join(unfinished, "manifest.json"), text);
  renameSync(unfinished, folder);
  return manifest;
}

/** The migrations of this project. */
function known(name: Name): string[] {
  const files = readdirSync(`d1-migrations/${name}`).filter((file) => file.endsWith(".sql"));
  return files.sort();
}

function readManifest(folder: string): Manifest {
  try {
    return JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  } catch (error) {
    throw new Unusable(`${folder} has no manifest that can be read: ${(error as Error).message}`);
  }
}

/** Reads a backup that is as it was written, and of a schema that this project knows. */
export function read(folder: string): { manifest: Manifest; dumps: Dumps } {
  const manifest = readManifest(folder);
  if (manifest.format !== FORMAT) throw new Unusable(`the format ${manifest.format} is not known`);
  const file = (name: Name) => {
    const text = readFileSync(join(folder, `${name}.sql`), "utf8");
    if (digest(text) !== manifest.databases[name]?.sha256) {
      throw new Unusable(`${name}.sql is not what was written: its digest is another one`);
    }
    return text;
  };
  const dumps = { places: file("places"), people: file("people"), join: file("join") };
  const held = described(dumps);
  for (const name of names) {
    const { bytes: _bytes, sha256: _sha256, ...told } = manifest.databases[name];
    if (JSON.stringify(held[name]) !== JSON.stringify(told)) {
      throw new Unusable(`${name}.sql holds other rows than the manifest says`);
    }
    const files = known(name);
    const other = told.migrations.find((migration, at) => migration !== files[at]);
    if (other) throw new Unusable(`${name} is of a schema that is not known here: ${other}`);
  }
  return { manifest, dumps };
}

/** The migrations that are not in a backup yet. */
export function missing(manifest: Manifest): string[] {
  return names.flatMap((name) => {
    const made = manifest.databases[name].migrations.length;
    return known(name)
      .slice(made)
      .map((file) => `${name}/${file}`);
  });
}
