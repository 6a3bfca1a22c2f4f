// Runs a contestant in its own process group and measures the group's CPU time and memory.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Name, names } from "../ops/workers.ts";
import type { Costs } from "../tests/support/cost_counter.ts";
import { type ContestantName, contestants, type Options, type Started } from "./contestants.ts";
import type { Size } from "./rows.ts";
import { copied, home } from "./stock.ts";

/** The running process groups and their database folders. */
const groups = new Map<ChildProcess, string>();

/** Kills a process group and removes its databases. */
function end(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group has ended.
  }
  const data = groups.get(child);
  if (data) rmSync(data, { recursive: true, force: true });
  groups.delete(child);
}

process.on("exit", () => {
  for (const child of groups.keys()) end(child);
});

export type StartOptions = Omit<Options, "data"> & {
  /** Changes the databases before they are opened. */
  filled?: (folder: string) => void;
};

/** The addresses of a contestant. */
type Addresses = Pick<Started, "urls" | "inspector">;

export class Running {
  readonly name: ContestantName;
  readonly urls: Record<Name, URL>;
  readonly inspector: string | undefined;
  readonly #child: ChildProcess;

  constructor(name: ContestantName, child: ChildProcess, addresses: Addresses) {
    const { urls, inspector } = addresses;
    this.name = name;
    this.urls = Object.fromEntries(
      names.map((one) => [one, new URL(urls[one])]),
    ) as typeof this.urls;
    this.inspector = inspector;
    this.#child = child;
  }

  /** The server processes: the children of the contestant's process. */
  #pids(): number[] {
    const children = new Map<number, number[]>();
    const table = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
    for (const line of table.trim().split("\n")) {
      const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    }
    const below = (pid: number): number[] =>
      (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
    return below(this.#child.pid ?? 0);
  }

  /** The CPU seconds of its processes. Undefined without `/proc`. */
  cpu(): number | undefined {
    if (!existsSync("/proc/self/stat")) return undefined;
    return this.#pids().reduce((sum, pid) => sum + cpuOf(pid), 0);
  }

  /** The resident bytes of its processes. Undefined without `/proc`. */
  memory(): number | undefined {
    if (!existsSync("/proc/self/status")) return undefined;
    const kib = this.#pids().map((pid) => {
      return Number(/^VmRSS:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
    });
    return kib.reduce((sum, each) => sum + each, 0) * 1024;
  }

  /** The costs of all its workers since the last call. */
  async costs(): Promise<Costs> {
    const sum: Costs = { roundTrips: 0, rowsRead: 0, rowsWritten: 0, calls: 0 };
    for (const href of new Set(Object.values(this.urls).map((url) => url.href))) {
      const costs = (await (await fetch(`${href}costs`)).json()) as Costs;
      for (const key of Object.keys(sum) as (keyof Costs)[]) sum[key] += costs[key];
    }
    return sum;
  }

  get hasStopped(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async stop(): Promise<void> {
    const gone = this.hasStopped ? undefined : once(this.#child, "exit");
    if (this.#child.connected) this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await gone;
    clearTimeout(late);
    end(this.#child);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

const ticks = existsSync("/proc/self/stat")
  ? Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }))
  : 100;

/** The CPU seconds of a process and its ended children. */
function cpuOf(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number);
  return ((user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0)) / ticks;
}

/** Removes the databases of runs that were killed. */
export function sweep(): void {
  const folder = join(home, "run");
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    try {
      process.kill(Number.parseInt(name, 10), 0);
    } catch {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

let started = 0;

/** Starts a contestant with its own copy of filled databases. */
export async function run(
  name: ContestantName,
  size: Size,
  options: StartOptions = {},
): Promise<Running> {
  const { filled, ...rest } = options;
  started += 1;
  const data = join(home, "run", `${process.pid}-${started}-${name}`);
  await copied(contestants[name].schema, size, data);
  filled?.(data);
  const program = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "serve.ts")];
  const child = spawn(process.execPath, [...program, name, JSON.stringify({ ...rest, data })], {
    detached: true,
    // Hides the output of wrangler and Miniflare.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  groups.set(child, data);
  const addresses: Addresses | undefined = await Promise.race([
    once(child, "message").then(([message]) => message),
    once(child, "exit").then(() => undefined),
  ]);
  if (addresses === undefined) throw new Error(`${name} did not start`);
  return new Running(name, child, addresses);
}

/** Starts all of these contestants or none. */
export async function runAll(
  some: readonly ContestantName[],
  size: Size,
  options: StartOptions = {},
): Promise<Running[]> {
  const started = await Promise.allSettled(some.map((name) => run(name, size, options)));
  const running = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = started.find((one) => one.status === "rejected");
  if (!failed) return running;
  await Promise.all(running.map((one) => one.stop()));
  throw failed.reason;
}
