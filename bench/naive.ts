// Builds the naive Rust peer, which has its own workspace and target folder.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { home } from "./stock.ts";

const names = ["places", "people", "join"];
const folder = join(import.meta.dirname, "peers/naive");

/** The build folder of one of its workers. */
export function naiveFolder(name: string): string {
  return join(folder, name, "build");
}

/** Builds the peer if its sources have changed. */
export function buildNaive(): undefined {
  const made = [...names.map((name) => `${name}/src/lib.rs`), "Cargo.toml", "Cargo.lock"];
  const hash = createHash("sha256");
  for (const file of made) hash.update(readFileSync(join(folder, file)));
  const now = hash.digest("hex");
  const stamp = join(home, "build/naive");
  // `make clean` may have removed the builds, but not the stamp.
  const isBuilt = names.every((name) => existsSync(join(naiveFolder(name), "index.js")));
  if (isBuilt && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  const env = { ...process.env, CARGO_TARGET_DIR: join(home, "target") };
  for (const name of names) {
    console.log(`» building the naive ${name} …`);
    execFileSync("worker-build", ["--release", join(folder, name)], { env, stdio: "pipe" });
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}
