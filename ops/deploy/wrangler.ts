// wrangler, as a deployment asks it. What it says is shown only if it fails, and no command has a
// secret in it.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { outdatedQuery } from "../schema.ts";
import { type Name, names } from "../workers.ts";
import { called, type Environment } from "./config.ts";
import type { State } from "./plan.ts";

/** A command that failed, with what it said. */
export class Failed extends Error {}

/** Runs it, and gives what it printed. */
export async function wrangler(args: string[], env: Record<string, string> = {}): Promise<string> {
  const options = { env: { ...process.env, CI: "1", ...env }, maxBuffer: 64 * 1024 * 1024 };
  try {
    return (await promisify(execFile)("wrangler", args, options)).stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Record<string, string | undefined>;
    const said = `${stdout}${stderr}`.trim();
    throw new Failed(`wrangler ${args.join(" ")}\n${said || message}`);
  }
}

/** What it has printed as JSON, behind whatever else it has to say. */
export function json(printed: string) {
  return JSON.parse(printed.slice(printed.search(/^[[{]/m)));
}

/** The ids of the databases that are there. */
export async function databases(environment: Environment): Promise<Map<Name, string>> {
  const all: { name: string; uuid: string }[] = json(await wrangler(["d1", "list", "--json"]));
  const ids = names.flatMap((name) => {
    const found = all.find((one) => one.name === called(name, environment));
    return found ? [[name, found.uuid] as const] : [];
  });
  return new Map(ids);
}

/** Whether an older version made a database. */
export async function isOutdated(name: Name, database: string, config: string): Promise<boolean> {
  const where = [database, "--remote", "-c", config];
  const query = ["--json", "--command", outdatedQuery(name)];
  return Boolean(
    json(await wrangler(["d1", "execute", ...where, ...query]))[0].results[0].outdated,
  );
}

/** The names of a worker's secrets; nothing if there is no such worker. */
async function secrets(worker: string): Promise<Set<string> | undefined> {
  try {
    const args = ["secret", "list", "--name", worker, "--format", "json"];
    const all: { name: string }[] = json(await wrangler(args));
    return new Set(all.map(({ name }) => name));
  } catch (error) {
    // Only this says that it is not there; that nobody could be asked says nothing.
    if (error instanceof Failed && error.message.includes(`"${worker}" not found`))
      return undefined;
    throw error;
  }
}

/** The workers that are there, with the names of their secrets. */
export async function workers(environment: Environment): Promise<State["workers"]> {
  const found = await Promise.all(
    names.map(async (name) => [name, await secrets(called(name, environment))] as const),
  );
  return new Map(found.flatMap(([name, set]) => (set ? [[name, set] as const] : [])));
}

/** Does something with a folder that only we can read, and that is gone afterwards. */
async function within<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "deploy-"));
  try {
    return await act(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Deploys a worker together with its secrets, and tells the addresses that it has. */
export function deploy(config: string, given: Record<string, string>): Promise<string[]> {
  return within(async (folder) => {
    const args = ["deploy", "-c", config];
    if (Object.keys(given).length > 0) {
      const file = join(folder, "secrets.json");
      writeFileSync(file, JSON.stringify(given), { mode: 0o600 });
      args.push("--secrets-file", file);
    }
    const output = join(folder, "output");
    await wrangler(args, { WRANGLER_OUTPUT_FILE_PATH: output });
    const told = readFileSync(output, "utf8").trim().split("\n");
    const deployment = told.map((line) => JSON.parse(line)).find(({ type }) => type === "deploy");
    const targets: string[] = deployment?.targets ?? [];
    return targets.filter((target) => target.startsWith("https://"));
  });
}

/** The kilobytes that a deployment would send, and would be stored, packed. */
export function tryOut(config: string): Promise<{ whole: number; packed: number }> {
  return within(async (folder) => {
    const printed = await wrangler(["deploy", "-c", config, "--dry-run", "--outdir", folder]);
    const [, whole, packed] =
      /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(printed) ?? [];
    if (!whole || !packed) throw new Failed(`wrangler told no size:\n${printed}`);
    return { whole: Number(whole), packed: Number(packed) };
  });
}
