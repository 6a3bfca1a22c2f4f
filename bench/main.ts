// The benchmark: `make bench`, `make bench QUICK=1`, `make bench ONLY=join-1000,person`.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, type as system, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ask } from "./check.ts";
import { type ContestantName, contestants } from "./contestants.ts";
import { countCosts } from "./costs.ts";
import { memoryWhile } from "./memory.ts";
import { bytes } from "./numbers.ts";
import { report } from "./report.ts";
import type { Results, WorkloadResult } from "./results.ts";
import { type Field, measure, type Pace } from "./rounds.ts";
import { type Running, run, runAll, type StartOptions, sweep } from "./running.ts";
import { startup } from "./startup.ts";
import { databases, home } from "./stock.ts";
import { judged } from "./targets.ts";
import { measuredContestants, measureTrips, type Trips } from "./trips.ts";
import { type SizeName, sizes, type Workload, workloads } from "./workloads.ts";

const root = resolve(import.meta.dirname, "..");
const { QUICK, ONLY, ROUNDS, SECONDS, SAMPLES } = process.env;
const published = join(root, "docs/benchmarks");
const pace: Pace = {
  rounds: Number(ROUNDS ?? (QUICK ? 1 : 5)),
  seconds: Number(SECONDS ?? (QUICK ? 0.3 : 0.5)),
  warm: QUICK ? 0.1 : 0.15,
};

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    console.error(`» ${signal}: stopping`);
    process.exit(1);
  });
}

/** The workloads of this run. A quick run skips the largest registry and 64 connections. */
function chosen(): Workload[] {
  if (!ONLY && QUICK) {
    const most = (connections: number[]) => connections.filter((count) => count <= 8);
    return workloads
      .filter(({ size }) => size !== "nation")
      .map((workload) => ({ ...workload, connections: most(workload.connections) }));
  }
  if (!ONLY) return workloads;
  const names = ONLY.split(",").filter((name) => name !== "trips");
  for (const name of names) {
    if (workloads.every((workload) => workload.name !== name)) {
      console.error(
        `there is no workload ${name}: choose from ${workloads.map((one) => one.name).join(" ")}`,
      );
      process.exit(1);
    }
  }
  return workloads.filter(({ name }) => names.includes(name));
}

const everyone = Object.keys(contestants) as ContestantName[];
const absent: Partial<Record<ContestantName, string>> = {};

/** The responses of the product, which the floors return. */
async function answers(product: Running, asked: Workload[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const workload of asked.filter((one) => one.floors.length > 0)) {
    if (!workload.conditional) found.set(workload.name, (await ask(product, workload)).text);
    for (const [name, path] of Object.entries(workload.parts ?? {})) {
      const url = new URL(path, product.urls[name as "places" | "people"]);
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`${url.pathname} responds with ${answer.status}`);
      found.set(`${workload.name}.${name}`, await answer.text());
    }
  }
  return found;
}

/** The characters per part: the maximum of D1, and the chunk size of the product's export. */
const [WHOLE, STREAMED] = [500_000, 47_000];

/** Stores responses in parts that D1 accepts. */
function store(found: Map<string, string>): StartOptions["filled"] {
  return (folder) => {
    for (const file of databases(folder)) {
      using db = new DatabaseSync(file);
      const insert = db.prepare("INSERT INTO answer (key, part, body) VALUES (?, ?, ?)");
      db.exec("BEGIN");
      for (const [key, text] of found) {
        const size = key === "export" ? STREAMED : WHOLE;
        for (let at = 0, part = 0; at < text.length; part += 1) {
          // Cut at a line end, so that no character is split.
          const end = at + size < text.length ? text.lastIndexOf("\n", at + size) + 1 : 0;
          const next = end > at ? end : text.length;
          insert.run(key, part, text.slice(at, next));
          at = next;
        }
      }
      db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    }
  };
}

async function field(size: SizeName, asked: Workload[]): Promise<Field> {
  const present = everyone.filter((one) => one !== "floors" && !(one in absent));
  // The order of the measurements. The product is first, because the others are compared with it.
  const running = new Map<ContestantName, Running>();
  let found = new Map<string, string>();
  const start = async (name: ContestantName) => {
    const options = name === "floors" ? { filled: store(found) } : {};
    running.set(name, await run(name, sizes[size], options));
  };
  for (const each of await runAll(present, sizes[size])) running.set(each.name, each);
  const product = running.get("product");
  if (product) found = await answers(product, asked);
  if (found.size > 0 || asked.some((one) => one.conditional)) await start("floors");
  const restart = async (name: ContestantName) => {
    await running.get(name)?.stop();
    await start(name);
  };
  return { running, restart };
}

async function memory(results: Results): Promise<void> {
  for (const name of ["product", "hono", "monolith"] as const) {
    const running = await run(name, sizes.nation, { inspected: true });
    const workers = name === "monolith" ? ["all"] : ["people", "join"];
    const url = new URL("/v1/people/export", running.urls.join);
    const found = await memoryWhile(running.inspector ?? "", workers, url, () => running.memory());
    results.memory[name] = found;
    const most = Object.values(found.isolates).map((one) => bytes(one));
    console.log(`  memory of ${name} while it exports: ${most.join(", ")}`);
    await running.stop();
  }
}

function versions(): Record<string, string> {
  const of = (name: string) =>
    JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  const said = (program: string) => {
    try {
      return /[\d.]+\d/.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[0];
    } catch {
      return undefined;
    }
  };
  const pinned = readFileSync(join(root, "bench/peers/flask/requirements.txt"), "utf8");
  const pins = [...pinned.matchAll(/^(Flask|SQLAlchemy|gunicorn)==(.*)$/gim)];
  return {
    workerd: of("workerd"),
    miniflare: of("miniflare"),
    node: process.versions.node,
    rustc: said("rustc") ?? "none",
    hono: of("hono"),
    python: said("python3") ?? "none",
    ...Object.fromEntries(pins.map(([, name = "", version = ""]) => [name.toLowerCase(), version])),
  };
}

function commit(): string {
  const git = (...given: string[]) => execFileSync("git", given, { cwd: root, encoding: "utf8" });
  try {
    const changed = git("status", "--porcelain", "--", ".", ":!docs/benchmarks").trim();
    return git("rev-parse", "--short", "HEAD").trim() + (changed ? ", with changes" : "");
  } catch {
    return "unknown";
  }
}

const asked = chosen();
sweep();
for (const name of ONLY === "trips" ? measuredContestants : everyone) {
  const why = contestants[name].prepare();
  if (why === undefined) continue;
  absent[name] = why;
  console.log(`» skipped ${contestants[name].title}: ${why}`);
}

async function trips(): Promise<Trips> {
  const present = measuredContestants.filter((name) => !(name in absent));
  const samples = Number(SAMPLES ?? (QUICK ? 5 : 30));
  console.log(`» round trips, ${samples} requests each`);
  const rows = await measureTrips(present, samples);
  return { at: new Date().toISOString(), commit: commit(), samples, rows };
}

/** Replaces only the round trips of the published results. */
async function publishTrips(): Promise<void> {
  const file = join(published, "results.json");
  const results: Results = JSON.parse(readFileSync(file, "utf8"));
  results.trips = await trips();
  results.targets = judged(results);
  write(published, results);
}

function write(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(report(results))) {
    writeFileSync(join(folder, file), text);
  }
  console.log(`» ${folder.replace(`${root}/`, "")}/README.md`);
}

if (ONLY === "trips" && !QUICK) {
  await publishTrips();
  process.exit();
}

const given = Object.entries({ QUICK, ONLY, ROUNDS, SECONDS, SAMPLES }).flatMap(([name, value]) =>
  value ? [`${name}=${value}`] : [],
);
const [processor] = cpus();
const results: Results = {
  at: new Date().toISOString(),
  command: ["make bench", ...given].join(" "),
  commit: commit(),
  machine: {
    processor: processor?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: bytes(totalmem()),
    system: `${system()} ${release()}`,
  },
  versions: versions(),
  rounds: pace.rounds,
  seconds: pace.seconds,
  absent,
  trips: !ONLY || ONLY.split(",").includes("trips") ? await trips() : undefined,
  workloads: [],
  memory: {},
  startup: Object.fromEntries(["places", "people", "join"].map((name) => [name, startup(name)])),
  targets: [],
};

for (const size of Object.keys(sizes) as SizeName[]) {
  const mine = asked.filter((workload) => workload.size === size);
  if (mine.length === 0) continue;
  const { places, people } = sizes[size];
  console.log(`» ${places.toLocaleString("en")} places, ${people.toLocaleString("en")} people`);
  const each = new Map<Workload, WorkloadResult>();
  const all = await field(size, mine);
  for (const workload of mine) {
    const { name, title, shot } = workload;
    const tables = await measure(all, workload, pace);
    const request = `${workload.service}: ${shot.method} ${shot.path}`;
    each.set(workload, { name, title, request, size: sizes[size], tables, costs: {} });
  }
  await Promise.all([...all.running.values()].map((running) => running.stop()));
  await countCosts(
    everyone.filter((name) => !(name in absent)),
    sizes[size],
    each,
  );
  results.workloads.push(...each.values());
}
if (!QUICK && !ONLY) await memory(results);
results.workloads.sort(
  (a, b) =>
    workloads.findIndex(({ name }) => name === a.name) -
    workloads.findIndex(({ name }) => name === b.name),
);
results.targets = judged(results);

// Only a complete run replaces the published results.
write(QUICK || ONLY ? join(home, "results") : published, results);
for (const { title, wanted, found, isReached } of results.targets) {
  const mark = isReached === undefined ? "?" : isReached ? "reached" : "MISSED";
  console.log(`  ${mark.padEnd(8)} ${title}: ${found} (${wanted})`);
}
process.exit();
