// Runs the three workers, each in a `wrangler dev` of its own as each would be deployed:
// one of them can die while the others answer. They meet through wrangler's registry.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const workers = [
  { name: "places", config: "workers/places/wrangler.toml" },
  { name: "people", config: "workers/people/wrangler.toml" },
  { name: "join", config: "wrangler.toml" },
].map(({ name, config }) => {
  const port = Number(/^port = (\d+)/m.exec(readFileSync(config, "utf8"))?.[1]);
  return { name, config, port, url: `http://localhost:${port}` };
});
type Worker = (typeof workers)[number];

const { STATE = `${process.cwd()}/.wrangler/state`, WRANGLER_REGISTRY_PATH, ...inherited } = process.env;
// The workers' own calls of make are not part of the make that runs this.
const { MAKEFLAGS: _, MFLAGS: __, MAKELEVEL: ___, ...env } = inherited;

const running = new Map<string, ChildProcess>();
let stopping = false;

function start({ name, config }: Worker): void {
  // A group of its own: the signals come from here alone, and reach all it has started.
  const child = spawn("wrangler", ["dev", "-c", config, "--persist-to", STATE], {
    detached: true,
    env: { ...env, WRANGLER_REGISTRY_PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.set(name, child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      if (line.trim()) console.log(`${name.padEnd(6)} | ${line}`);
    });
  }
  child.on("exit", (code, signal) => {
    running.delete(name);
    signalGroup(child, "SIGKILL");
    if (!stopping) {
      console.error(`» ${name} has died (${signal ?? `exit ${code}`}); the others go on`);
      if (running.size === 0) process.exit(1);
    }
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  console.log("» stopping");
  for (const child of running.values()) signalGroup(child, "SIGTERM");
  for (let waited = 0; running.size > 0 && waited < 5000; waited += 50) await sleep(50);
  for (const child of running.values()) signalGroup(child, "SIGKILL");
  process.exit();
}

const taken = ({ port }: Worker): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "localhost");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("close", () => socket.destroy()).unref();
    socket.on("connect", () => socket.end());
  });

async function answers({ name, url }: Worker): Promise<boolean> {
  while (running.has(name)) {
    const answered = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null);
    if (answered) return true;
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
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
// Whoever started this may be killed without a word.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && stop(), 500).unref();

if (WRANGLER_REGISTRY_PATH) rmSync(WRANGLER_REGISTRY_PATH, { recursive: true, force: true });
console.log("» starting the workers …");
workers.forEach(start);
const up = await Promise.all(workers.map(answers));
if (up.every(Boolean)) {
  console.log("» ready");
  for (const { name, url } of workers) console.log(`    ${name.padEnd(6)} ${url}`);
  console.log("  try: curl http://localhost:5003/v1/people-per-place");
  console.log("  Ctrl-C stops all");
}
