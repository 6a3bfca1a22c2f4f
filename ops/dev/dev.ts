// Runs each worker in its own `wrangler dev`, so that one can fail while the others respond. The
// workers find each other through wrangler's registry.
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
// Workers that create the shared state at the same time can find its SQLite files locked, and then
// one ends. It starts again while the others are starting.
const MAX_STARTS = 4;
let ready = false;
// The output during the start is shown only if a worker fails to start.
let buffered: string[] | undefined = [];

function say(line: string): void {
  if (buffered) buffered.push(line);
  else console.log(line);
}

function showBuffered(): void {
  const lines = buffered ?? [];
  buffered = undefined;
  lines.forEach(say);
}

function start(worker: Worker, starts = 1): void {
  const { name, config } = worker;
  // Its own process group, so that a signal reaches everything that it has started.
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
    if (!ready && starts < MAX_STARTS) {
      start(worker, starts + 1);
      return;
    }
    showBuffered();
    console.error(`» ${name} has stopped; the other workers still run. Press Ctrl-C to stop them`);
    if (running.size === 0) process.exit(1);
  });
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, name);
  } catch {
    // The group has ended.
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

async function isPortInUse({ port }: Worker): Promise<boolean> {
  const socket = connect(port, "localhost");
  return once(socket, "connect")
    .then(() => true)
    .catch(() => false)
    .finally(() => socket.destroy());
}

async function responds({ name, url }: Worker): Promise<boolean> {
  while (running.has(name)) {
    if (await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null)) return true;
    await sleep(100);
  }
  return false;
}

for (const worker of workers) {
  if (await isPortInUse(worker)) {
    console.error(
      `» port ${worker.port} of ${worker.name} is in use: stop the program that listens there`,
    );
    process.exit(1);
  }
}
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
// Stops if the parent process was killed without a signal to this one.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && stop(), 500).unref();
// A start that takes this long has a problem.
setTimeout(showBuffered, 60_000).unref();

// Removes workers of a run that was killed.
rmSync(".wrangler/registry", { recursive: true, force: true });
console.log("» starting the workers …");
for (const worker of workers) start(worker);
ready = (await Promise.all(workers.map(responds))).every(Boolean);
if (ready) {
  buffered = undefined;
  console.log("» ready");
  for (const { name, url } of workers) console.log(`  ${name.padEnd(6)} ${url}`);
  console.log("  try    curl http://localhost:5003/v1/people-per-place");
  console.log("  stop   Ctrl-C");
}
