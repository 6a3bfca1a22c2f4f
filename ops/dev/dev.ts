// Runs the three workers, each in a `wrangler dev` of its own as each would be deployed:
// one of them can die while the others answer. They meet through wrangler's registry.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { configs } from "../workers.ts";

const workers = Object.entries(configs).map(([name, config]) => {
  const port = Number(/^port = (\d+)/m.exec(readFileSync(config, "utf8"))?.[1]);
  return { name, config, port, url: `http://localhost:${port}` };
});
type Worker = (typeof workers)[number];

const running = new Map<string, ChildProcess>();
let stopping = false;
// What the workers say while they start is shown only if one of them fails to.
let held: string[] | undefined = [];

function say(line: string): void {
  if (held) held.push(line);
  else console.log(line);
}

function release(): void {
  const lines = held ?? [];
  held = undefined;
  lines.forEach(say);
}

function start({ name, config }: Worker): void {
  // A group of its own: signals come from here alone, and reach all that it has started.
  const child = spawn("wrangler", ["dev", "-c", config, "--persist-to", ".wrangler/state"], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.set(name, child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      if (line.trim()) say(`${name.padEnd(6)} | ${line}`);
    });
  }
  child.on("close", () => {
    running.delete(name);
    signal(child, "SIGKILL");
    if (stopping) return;
    release();
    console.error(`» ${name} has stopped by itself; the others go on`);
    if (running.size === 0) process.exit(1);
  });
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, name);
  } catch {
    // Nothing of the group is left.
  }
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  console.log("» stopping");
  for (const child of running.values()) signal(child, "SIGTERM");
  for (let waited = 0; running.size > 0 && waited < 5000; waited += 50) await sleep(50);
  for (const child of running.values()) signal(child, "SIGKILL");
  process.exit();
}

async function taken({ port }: Worker): Promise<boolean> {
  const socket = connect(port, "localhost");
  return once(socket, "connect")
    .then(() => true)
    .catch(() => false)
    .finally(() => socket.destroy());
}

async function answers({ name, url }: Worker): Promise<boolean> {
  while (running.has(name)) {
    if (await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null)) return true;
    await sleep(100);
  }
  return false;
}

for (const worker of workers) {
  if (await taken(worker)) {
    console.error(`» port ${worker.port} (${worker.name}) is taken: stop what listens there first`);
    process.exit(1);
  }
}
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
// Whoever started this may be killed without a word.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && stop(), 500).unref();
// A start that takes this long has something to tell.
setTimeout(release, 60_000).unref();

// Workers of a run that was killed would still be listed as there.
rmSync(".wrangler/registry", { recursive: true, force: true });
console.log("» starting the workers …");
workers.forEach(start);
const up = await Promise.all(workers.map(answers));
if (up.every(Boolean)) {
  held = undefined;
  console.log("» ready");
  for (const { name, url } of workers) console.log(`  ${name.padEnd(6)} ${url}`);
  console.log("  try    curl http://localhost:5003/v1/people-per-place");
  console.log("  Ctrl-C stops all three");
}
