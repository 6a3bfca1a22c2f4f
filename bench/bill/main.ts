// `make bill`: what a month costs at 1,000 to 1,000,000 requests a second, as docs/benchmarks/bill.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { measured, type Results } from "../results.ts";
import { type Assumptions, type Cost, type Kind, type Month, month, type Prices } from "./bill.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const prices: Prices & { source: string; seen: string } = read("bench/bill/prices.json");
const assumed: Assumptions & { mix: Record<string, number> } = read("bench/bill/assumptions.json");
const results: Results = read("docs/benchmarks/results.json");

/** What one answer of a workload was measured to cost, with so many connections. */
function cost(name: string, connections: number): Cost | undefined {
  const workload = results.workloads.find((one) => one.name === name);
  const table = workload?.tables.find((one) => one.connections === connections);
  const cpuMs = measured(table?.entries.product)?.cpu;
  const counted = workload?.costs.product;
  if (cpuMs === undefined || !counted) return undefined;
  const { rowsRead, rowsWritten, roundTrips } = counted;
  return { cpuMs, rowsRead, rowsWritten, queries: roundTrips };
}

function needed(name: string, connections: number): Cost {
  const found = cost(name, connections);
  if (!found) throw new Error(`${name} has not been measured: run \`make bench\` first`);
  return found;
}

/** With one connection, which shares nothing: what is saved by sharing is no part of the bill. */
const kinds: Kind[] = Object.entries(assumed.mix).map(([name, share]) => {
  const held = needed(name, 1);
  return { name, share, isWrite: name === "write", held, made: cost(`${name}-new`, 1) ?? held };
});

const rates = [1e3, 1e4, 1e5, 1e6];
const number = (value: number, digits = 0) =>
  value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
const dollars = (value: number) => `$${number(Math.round(value))}`;

function table(months: Month[]): string {
  const rows: [string, (month: Month) => string][] = [
    ["requests a second", ({ rate }) => `**${number(rate)}**`],
    ["isolates of the entry point", ({ isolates }) => number(isolates)],
    ["reads answered by what is held", ({ heldShare }) => `${number(heldShare * 100, 1)} %`],
    ["D1 queries a request", ({ queries }) => number(queries, 2)],
    ["D1 rows read a request", ({ rowsRead }) => number(rowsRead, 1)],
    ["waiting for D1, ms a read", ({ waitedMs }) => number(waitedMs, 1)],
    ["CPU ms a request", ({ cpuMs }) => number(cpuMs, 2)],
    ["queries a second of each register", (one) => number(one.queriesPerSecond)],
    ["databases or replicas that take them", ({ databases }) => number(databases)],
    ["requests", (one) => dollars(one.dollars.requests)],
    ["CPU", (one) => dollars(one.dollars.cpu)],
    ["rows read", (one) => dollars(one.dollars.rowsRead)],
    ["rows written", (one) => dollars(one.dollars.rowsWritten)],
    ["a month, with the plan and storage", ({ total }) => `**${dollars(total)}**`],
    ["a million requests", ({ total, rate }) => `$${number(total / (rate * 2.62656), 3)}`],
  ];
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const [[title, head] = ["", () => ""], ...rest] = rows;
  return [
    line([title, ...months.map(head)]),
    line(["---", ...months.map(() => "---:")]),
    ...rest.map(([name, cell]) => line([name, ...months.map(cell)])),
  ].join("\n");
}

const all = (holds: boolean) => rates.map((rate) => month(rate, kinds, prices, assumed, holds));
const mix = kinds.map(({ name, share }) => `${number(share * 100)} % \`${name}\``).join(", ");
const page = `# What a month costs

Made by \`make bill\` from [results.json](results.json) (commit ${results.commit}), from what is
assumed ([assumptions.json](../../bench/bill/assumptions.json)) and from the platform's prices
([prices.json](../../bench/bill/prices.json), seen ${prices.seen}). It is a model and no
measurement: no figure here was seen on a network.

${table(all(true))}

The same, if isolates held nothing and each read were made anew:

${table(all(false))}

## How it is reckoned

- **Requests**: ${mix}; writes change a register at most ${assumed.writesPerSecondAtMost} times a second, and each of them
  makes every held answer one to be made anew.
- **CPU** is that of the whole process as measured with one connection, local D1 included, which on
  the platform computes elsewhere and is not billed: the CPU of the bill is an upper bound. Calls
  of one worker by another are no requests of the bill.
- **Isolates**: each is busy for at most ${assumed.isolateBusy * 100} % of a core, and there is at least one a location, of
  which there is one for ${assumed.requestsPerLocation} requests a second, up to ${assumed.locationsAtMost}. How the platform spreads them it does
  not tell.
- **Holding and proving** is simulated (\`bench/bill/isolate.ts\`): ${number(assumed.answers)} different answers, asked for by
  Zipf's law, a round trip to D1 of ${assumed.d1Ms} ms, and proofs shared as the workers share them.
- **Databases**: one is taken to answer ${number(assumed.queriesPerSecondOfADatabase)} short queries a second. What is more is for
  replicas ([replicas.md](../replicas.md)). The platform decides how many replicas there
  are, so that a row of more than a handful says that one database is too few, not that it can be had.
`;
writeFileSync(join(root, "docs/benchmarks/bill.md"), page);
console.log(table(all(true)));
