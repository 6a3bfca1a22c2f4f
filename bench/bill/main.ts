// `make bill` estimates the monthly cost of 1,000 to 1,000,000 requests per second
// (docs/benchmarks/bill.md). With REMOTE=1, it also shows the size of each deployed database.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { environmentOf, expectedName } from "../../ops/deploy/config.ts";
import { measured, type Results } from "../results.ts";
import {
  type Assumptions,
  type Cost,
  type Kind,
  type Logging,
  type Month,
  month,
  type Prices,
} from "./bill.ts";
import { databaseSizes } from "./sizes.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const prices: Prices & { source: string; seen: string } = read("bench/bill/prices.json");
const assumed: Assumptions & { mix: Record<string, number> } = read("bench/bill/assumptions.json");
const results: Results = read("docs/benchmarks/results.json");

/** The measured cost of one response of a workload. */
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

/** Measured with one connection, because concurrent requests would share work. */
const kinds: Kind[] = Object.entries(assumed.mix).map(([name, share]) => {
  const held = needed(name, 1);
  return { name, share, isWrite: name === "write", held, made: cost(`${name}-new`, 1) ?? held };
});

/** The settings of the gateway's configuration, which the backends have too. */
const config = readFileSync(join(root, "wrangler.toml"), "utf8");
const logging: Logging = {
  share: Number(/^LOG = "([\d.]+)%"$/m.exec(config)?.[1] ?? 100) / 100,
  hasInvocationLogs: !/^invocation_logs = false$/m.test(config),
};

const rates = [1e3, 1e4, 1e5, 1e6];
const number = (value: number, digits = 0) =>
  value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
const dollars = (value: number) => `$${number(Math.round(value))}`;

function table(months: Month[]): string {
  const rows: [string, (month: Month) => string][] = [
    ["requests per second", ({ rate }) => `**${number(rate)}**`],
    ["isolates of the gateway", ({ isolates }) => number(isolates)],
    ["reads from the cache", ({ heldShare }) => `${number(heldShare * 100, 1)} %`],
    ["D1 queries per request", ({ queries }) => number(queries, 2)],
    ["D1 rows read per request", ({ rowsRead }) => number(rowsRead, 1)],
    ["lines of the log per request", ({ logEvents }) => number(logEvents, 2)],
    ["waiting for D1, ms per read", ({ waitedMs }) => number(waitedMs, 1)],
    ["CPU ms per request", ({ cpuMs }) => number(cpuMs, 2)],
    ["queries per second and database", (one) => number(one.queriesPerSecond)],
    ["databases or replicas needed", ({ databases }) => number(databases)],
    ["requests", (one) => dollars(one.dollars.requests)],
    ["CPU", (one) => dollars(one.dollars.cpu)],
    ["rows read", (one) => dollars(one.dollars.rowsRead)],
    ["rows written", (one) => dollars(one.dollars.rowsWritten)],
    ["logs", (one) => dollars(one.dollars.logs)],
    ["per month, with the plan and storage", ({ total }) => `**${dollars(total)}**`],
    ["per million requests", ({ total, rate }) => `$${number(total / (rate * 2.62656), 3)}`],
  ];
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const [[title, head] = ["", () => ""], ...rest] = rows;
  return [
    line([title, ...months.map(head)]),
    line(["---", ...months.map(() => "---:")]),
    ...rest.map(([name, cell]) => line([name, ...months.map(cell)])),
  ].join("\n");
}

const months = (isCaching: boolean) =>
  rates.map((rate) => month(rate, kinds, prices, assumed, logging, isCaching));
const mix = kinds.map(({ name, share }) => `${number(share * 100)} % \`${name}\``).join(", ");
const page = `# Monthly cost

\`make bill\` calculates this page from [results.json](results.json) (commit ${results.commit}), from
[assumptions.json](../../bench/bill/assumptions.json) and from the platform's prices
([prices.json](../../bench/bill/prices.json), as of ${prices.seen}). It is a model. No figure here was
measured on a network.

${table(months(true))}

The same without the cache, if each read were made for its request:

${table(months(false))}

## Method

- **Requests**: ${mix}. Writes change a database at most ${assumed.writesPerSecondAtMost} times per second, and each write
  invalidates every cached response.
- **CPU** is the time of the whole process, measured with one connection. It includes local D1, which
  the platform runs elsewhere and does not bill, so it is an upper bound. A call from one Worker to
  another is not a billed request.
- **Logs**: each worker that takes part in a request writes a line, for ${number(logging.share * 100)} % of the requests
  (\`LOG\`). The platform's own line per invocation is ${logging.hasInvocationLogs ? "on" : "off"} (\`invocation_logs\`).
- **Isolates**: each one is busy for at most ${assumed.isolateBusy * 100} % of a core. There is at least one per location, and one
  location per ${assumed.requestsPerLocation} requests per second, up to ${assumed.locationsAtMost}. The platform does not document how it
  distributes requests.
- **Cache and revalidation** are simulated (\`bench/bill/isolate.ts\`): ${number(assumed.answers)} different responses,
  requested by Zipf's law, and a round trip to D1 of ${assumed.d1Ms} ms. Concurrent requests share a
  revalidation, as in the Workers.
- **Databases**: one answers ${number(assumed.queriesPerSecondOfADatabase)} short queries per second. Replicas answer the rest
  ([replicas.md](../replicas.md)). The platform decides how many replicas there are. So more than a
  handful in this row says that one database is too few, not that so large a number is available.
`;
writeFileSync(join(root, "docs/benchmarks/bill.md"), page);
console.log(table(months(true)));

if (process.env.REMOTE) {
  const environment = environmentOf(process.env.ENV);
  if (!environment) throw new Error(expectedName);
  for (const line of await databaseSizes(environment)) console.log(`» ${line}`);
}
