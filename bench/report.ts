// Renders the results of a run as JSON, Markdown and a chart.
import { chart } from "./chart.ts";
import { contestants } from "./contestants.ts";
import { MIXED, mixedSection } from "./mixed.ts";
import { bytes, short } from "./numbers.ts";
import {
  type Entry,
  type Failure,
  isGrowth,
  type Measure,
  measured,
  type Results,
  type WorkloadResult,
} from "./results.ts";
import { tripsSection } from "./trips.ts";
import { type Floor, floors, type Variant, variants } from "./workloads.ts";

/** The files by name. */
export function report(results: Results): Record<string, string> {
  return {
    "results.json": `${JSON.stringify(results, rounded, 2)}\n`,
    "README.md": page(results),
    "throughput.svg": chart(results),
  };
}

/** Rounds to four digits, which is more than the measurement can repeat. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value)
    ? Number(value.toPrecision(4))
    : value;
}

export function titleOf(entry: Entry): string {
  if (entry in floors) return floors[entry as Floor];
  if (entry in variants) return variants[entry as Variant].title;
  return contestants[entry as keyof typeof contestants].title;
}

function page(results: Results): string {
  const { machine, versions, absent } = results;
  const missing = Object.entries(absent).map(
    ([name, why]) => `\nWithout ${contestants[name as keyof typeof contestants].title}: ${why}\n`,
  );
  return `# Benchmarks

\`${results.command}\` measured this on ${results.at.slice(0, 10)}, at commit ${results.commit}.
[bench/README.md](../../bench/README.md) describes the method, and [results.json](results.json) has all
figures.

- ${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}
- ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ")}
- rounds: ${results.rounds}, each of ${results.seconds} s, in turns
${missing.join("")}
${results.trips ? tripsSection(results.trips, titleOf) : ""}${mixedSection(results, titleOf)}
## Throughput

![Responses per second for each workload](throughput.svg)

## Targets

| | wanted | found | |
|---|---|---|---|
${results.targets.map(({ title, wanted, found, isReached }) => `| ${title} | ${wanted} | ${found} | ${isReached ? "reached" : "**not reached**"} |`).join("\n")}

## Workloads

Responses per second are the median of the rounds. CPU is the time of the server's processes per
response. Floors, in italics, are workers that do only what the platform itself requires.

${results.workloads
  .filter((one) => !isGrowth(one) && one.name !== MIXED)
  .map(section)
  .join("\n")}
${growth(results)}${startup(results)}${memory(results)}`;
}

function section({ title, request, tables, costs }: WorkloadResult): string {
  const rows = tables.flatMap(({ connections, entries }) => {
    const mine = measured(entries.product);
    return Object.entries(entries).map(([entry, result]) =>
      row(connections, entry as Entry, result, mine),
    );
  });
  const costly = Object.entries(costs).map(
    ([entry, { roundTrips, rowsRead, rowsWritten, calls }]) =>
      `| ${titleOf(entry as Entry)} | ${roundTrips} | ${rowsRead.toLocaleString("en")} | ${rowsWritten.toLocaleString("en")} | ${calls} |`,
  );
  return `### ${title.replace(/^./, (letter) => letter.toUpperCase())}

\`${request}\`

| connections | | responses/s | this one is | p50 ms | p95 ms | p99 ms | CPU ms | bytes |
|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}
${costly.length > 0 ? `\n| per response | D1 round trips | rows read | rows written | service calls |\n|---|---|---|---|---|\n${costly.join("\n")}\n` : ""}`;
}

function row(
  connections: number,
  entry: Entry,
  result: Measure | Failure,
  mine: Measure | undefined,
): string {
  const title = entry in floors ? `*${titleOf(entry)}*` : titleOf(entry);
  if (!("throughput" in result)) {
    const { seconds, failure } = result;
    const took = seconds ? `; one response took ${short(seconds)} s` : "";
    return `| ${connections} | ${title} | ${failure.slice(0, 160)}${took} | | | | | | |`;
  }
  const { throughput, p50, p95, p99, cpu, bytes: size } = result;
  const ratio = mine && entry !== "product" ? `${short(mine.throughput / throughput)}x` : "";
  const cells = [throughput, p50, p95, p99, cpu].map((number) => short(number));
  cells.splice(1, 0, ratio);
  return `| ${connections} | ${title} | ${cells.join(" | ")} | ${bytes(size)} |`;
}

/** The same request to registries of every size: milliseconds by the number of people. */
function growth(results: Results): string {
  const all = results.workloads.filter(isGrowth);
  const kinds = [...new Set(all.map(({ name }) => name.split("-of-")[0] ?? ""))];
  const tables = kinds.map((kind) => {
    const mine = all.filter(({ name }) => name.startsWith(`${kind}-of-`));
    const entries = Object.keys(mine[0]?.tables[0]?.entries ?? {}) as Entry[];
    const heads = mine.map(({ size }) => `${size.people.toLocaleString("en")} | rows`);
    const rows = entries.map((entry) => {
      const cells = mine.map(({ tables, costs }) => {
        const result = tables[0]?.entries[entry];
        const time = result && "failure" in result ? result.failure : short(measured(result)?.p50);
        return `${time} | ${costs[entry]?.rowsRead.toLocaleString("en") ?? "–"}`;
      });
      return `| ${titleOf(entry)} | ${cells.join(" | ")} |`;
    });
    const request = `\`${mine[0]?.request}\``;
    const lines = [
      `| ${request} | ${heads.join(" | ")} |`,
      `|---|${"---|---|".repeat(mine.length)}`,
    ];
    return `${[...lines, ...rows].join("\n")}\n`;
  });
  if (tables.length === 0) return "";
  return `## Growth

The same request on databases of every size, with a hundred people per place: the median in
milliseconds with one connection, and the rows that D1 read.

${tables.join("\n")}
`;
}

function startup(results: Results): string {
  const rows = Object.entries(results.startup).map(
    ([name, { wasm, gzip, compileMs, instantiateMs }]) =>
      `| ${name} | ${bytes(wasm)} | ${bytes(gzip)} | ${short(compileMs)} | ${short(instantiateMs)} |`,
  );
  return `## Size and start-up

V8 compiles and instantiates the wasm of each worker. The gzipped size is wasm and JavaScript together.

| worker | wasm | gzipped | compile ms | instantiate ms |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

function memory(results: Results): string {
  const rows = Object.entries(results.memory).flatMap(([name, { isolates, wasm, process }]) =>
    Object.entries(isolates).map(([worker, most]) => {
      const title = contestants[name as keyof typeof contestants].title;
      const whole = `${bytes(process.before)} | ${bytes(process.most)}`;
      return `| ${title} | ${worker} | ${bytes(most)} | ${bytes(wasm[worker])} | ${whole} |`;
    }),
  );
  if (rows.length === 0) return "";
  return `
## Memory while 1,000,000 people stream out

The maximum of each isolate: V8's heap, its external memory, and wasm. The process is all of workerd,
with D1 and the caches of its SQLite.

| | worker | isolate | its wasm | process before | maximum |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
}
