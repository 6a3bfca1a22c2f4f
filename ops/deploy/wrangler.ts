// Runs wrangler. Its output is shown only if it fails. No command line contains a secret.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { faultQuery } from "../schema.ts";
import { type Name, names } from "../workers.ts";
import { deployedName, type Environment } from "./config.ts";
import type { State } from "./plan.ts";

/** An error whose message tells the user what to do. */
export class Failed extends Error {}

/** Runs wrangler and returns its output. */
export async function wrangler(args: string[], env: Record<string, string> = {}): Promise<string> {
  const options = { env: { ...process.env, CI: "1", ...env }, maxBuffer: 64 * 1024 * 1024 };
  try {
    return (await promisify(execFile)("wrangler", args, options)).stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Record<string, string | undefined>;
    const output = `${stdout}${stderr}`.trim();
    throw new Failed(`wrangler ${args.join(" ")}\n${output || message}`);
  }
}

/** The JSON in an output, which may begin with other lines. */
export function json(output: string) {
  return JSON.parse(output.slice(output.search(/^[[{]/m)));
}

/** The ids of the existing databases. */
export async function databases(environment: Environment): Promise<Map<Name, string>> {
  const all: { name: string; uuid: string }[] = json(await wrangler(["d1", "list", "--json"]));
  const ids = names.flatMap((name) => {
    const found = all.find((database) => database.name === deployedName(name, environment));
    return found ? [[name, found.uuid] as const] : [];
  });
  return new Map(ids);
}

/** The row of `faultQuery` for a database, and the location that it is in, if the platform says so. */
export async function inspect(
  name: Name,
  database: string,
  config: string,
): Promise<{ row: Record<string, unknown>; location: string | undefined }> {
  const where = [database, "--remote", "-c", config];
  const query = ["--json", "--command", faultQuery(name)];
  const [{ results, meta }] = json(await wrangler(["d1", "execute", ...where, ...query]));
  return { row: results[0], location: meta?.served_by_region?.toLowerCase() };
}

/** The names of a worker's secrets, or nothing if the worker does not exist. */
async function secrets(worker: string): Promise<Set<string> | undefined> {
  try {
    const args = ["secret", "list", "--name", worker, "--format", "json"];
    const all: { name: string }[] = json(await wrangler(args));
    return new Set(all.map(({ name }) => name));
  } catch (error) {
    // Any other failure does not tell whether the worker exists.
    if (error instanceof Failed && error.message.includes(`"${worker}" not found`))
      return undefined;
    throw error;
  }
}

/** The existing workers, with the names of their secrets. */
export async function workers(environment: Environment): Promise<State["workers"]> {
  const found = await Promise.all(
    names.map(async (name) => [name, await secrets(deployedName(name, environment))] as const),
  );
  return new Map(found.flatMap(([name, set]) => (set ? [[name, set] as const] : [])));
}

/** Uses a temporary folder that only the current user can read. */
async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "deploy-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Deploys a worker with its secrets, and returns its addresses. */
export function deploy(config: string, secrets: Record<string, string>): Promise<string[]> {
  return withTemporaryFolder(async (folder) => {
    const args = ["deploy", "-c", config];
    if (Object.keys(secrets).length > 0) {
      const file = join(folder, "secrets.json");
      writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
      args.push("--secrets-file", file);
    }
    const output = join(folder, "output");
    await wrangler(args, { WRANGLER_OUTPUT_FILE_PATH: output });
    const lines = readFileSync(output, "utf8").trim().split("\n");
    const deployment = lines.map((line) => JSON.parse(line)).find(({ type }) => type === "deploy");
    const targets: string[] = deployment?.targets ?? [];
    return targets.filter((target) => target.startsWith("https://"));
  });
}

/** The KiB that a deployment would upload, raw and gzipped. */
export function uploadSize(config: string): Promise<{ whole: number; packed: number }> {
  return withTemporaryFolder(async (folder) => {
    const printed = await wrangler(["deploy", "-c", config, "--dry-run", "--outdir", folder]);
    const [, whole, packed] =
      /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(printed) ?? [];
    if (!whole || !packed) throw new Failed(`the output of wrangler has no size:\n${printed}`);
    return { whole: Number(whole), packed: Number(packed) };
  });
}
