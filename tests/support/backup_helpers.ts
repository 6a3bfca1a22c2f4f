// Helpers of the tests of `make backup` and `make restore`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { prepare } from "../../ops/containers/database.ts";
import { plans } from "../../ops/containers/plan.ts";
import { names } from "../../ops/workers.ts";

/** All files of these tests are in this folder. */
export const folder = mkdtempSync(join(tmpdir(), "backups-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

let folderCount = 0;

/** The path of a folder that does not exist yet. */
export function newFolder(): string {
  folderCount += 1;
  return join(folder, `${folderCount}`);
}

/** Creates three databases in a new folder, seeded or empty. */
export async function makeDatabases(isSeeded: boolean): Promise<string> {
  const data = newFolder();
  const all = plans();
  for (const name of names) await prepare(name, all[name], data, isSeeded);
  return data;
}

/** Settings under which the real wrangler uses local databases as if they were an account's. */
export function localAccount(): Record<string, string> {
  const bin = newFolder();
  mkdirSync(bin);
  const id = (index: number) => `00000000-0000-0000-0000-00000000500${index + 1}`;
  const all = names.map((name, index) => ({ name: `${name}-staging`, uuid: id(index) }));
  const script = `#!/bin/bash
[ "$1 $2" = "d1 list" ] && exec echo '${JSON.stringify(all)}'
exec '${resolve("node_modules/.bin/wrangler")}' "\${@/#--remote/--local}"
`;
  writeFileSync(join(bin, "wrangler"), script, { mode: 0o755 });
  const path = `${bin}:${resolve("node_modules/.bin")}:${process.env.PATH}`;
  return { PATH: path, DEPLOY_FOLDER: newFolder(), REMOTE: "1", ENV: "staging" };
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
