// Helpers for the tests of `make backup` and `make restore`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { prepare } from "../../ops/containers/database.ts";
import { plans } from "../../ops/containers/plan.ts";
import { names } from "../../ops/workers.ts";
import type { Cloudflare } from "./cloudflare/server.ts";

/** All files of these tests are in this folder. */
export const folder = mkdtempSync(join(tmpdir(), "backups-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

let folderCount = 0;

/** The path of a folder that does not exist yet. */
export function newFolder(): string {
  folderCount += 1;
  return join(folder, `${folderCount}`);
}

/** Creates three databases in a folder, seeded or empty. */
export async function makeDatabases(isSeeded: boolean, data = newFolder()): Promise<string> {
  const all = plans();
  for (const name of names) await prepare(name, all[name], data, isSeeded);
  return data;
}

/** Settings with which the backup program uses the account of a stand-in for Cloudflare. */
export function accountSettings(cloudflare: Cloudflare): Record<string, string> {
  const path = `${resolve("node_modules/.bin")}:${process.env.PATH}`;
  const remote = { REMOTE: "1", ENV: "staging", DEPLOY_FOLDER: newFolder() };
  return { ...cloudflare.settings, ...remote, PATH: path };
}

/** Runs the backup program, and returns its exit code and output. */
export function runBackup(task: "backup" | "restore" | "epoch", env: Record<string, string>) {
  const program = ["--disable-warning=ExperimentalWarning", "ops/backup/main.ts", task];
  return new Promise<{ code: number; output: string }>((done) => {
    execFile(process.execPath, program, { env: { ...process.env, ...env } }, (error, out, err) =>
      done({ code: error ? 1 : 0, output: out + err }),
    );
  });
}

export async function makeBackup(data: string, to = newFolder()): Promise<string> {
  const { code, output } = await runBackup("backup", { STATE: data, TO: to });
  assert.equal(code, 0, output);
  return to;
}

export async function restoreBackup(from: string, data: string): Promise<void> {
  const { code, output } = await runBackup("restore", { STATE: data, FROM: from });
  assert.equal(code, 0, output);
}
