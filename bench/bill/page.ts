// Renders the results of `make bill` as docs/benchmarks/bill.md.
import { short } from "../numbers.ts";
import {
  type Assumptions,
  type Demand,
  type Dollars,
  type Logging,
  type Month,
  type Requests,
  sumOf,
} from "./bill.ts";

const RATES = [1e3, 1e4, 1e5, 1e6];
const STALE_SECONDS = [0, 1, 10];
/** The rate and the staleness of the goal, in dollars per million reads. */
const GOAL = { rate: 1e5, staleSeconds: 1, dollars: 0.45 };

export type Bill = {
  commit: string;
  /** When the prices were read. */
  seen: string;
  requests: Requests;
  assumed: Assumptions;
  logging: Logging;
  /** Whether the CPU time of a response without a check has been measured. */
  isFreshMeasured: boolean;
  monthOf: (demand: Demand) => Month;
};

const number = (value: number, digits = 0) =>
  value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
const dollars = (value: number, digits = 3) => `$${number(value, digits)}`;
const percent = (value: number) => `${number(100 * value, 1)} %`;

/** A table whose first column has the names of the rows. */
function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

const withStale = (text: string) => STALE_SECONDS.map((seconds) => `${text}, ${seconds} s`);

/** Dollars per million, and per month, at each rate. */
function summary(all: Month[][]): string {
  const head = ["requests per second", ...withStale("million reads"), "million writes"];
  const rows = all.map((months) => [
    `**${number(months[0]?.rate ?? 0)}**`,
    ...months.map(({ perMillionReads }) => dollars(sumOf(perMillionReads))),
    dollars(sumOf(months[0]?.perMillionWrites ?? noDollars), 2),
    ...months.map(({ total }) => dollars(total, 0)),
  ]);
  return table([...head, ...withStale("month")], rows);
}

const noDollars: Dollars = { requests: 0, cpu: 0, rowsRead: 0, rowsWritten: 0, logs: 0 };

/** The parts of the price, at the rate of the goal. */
function parts(months: Month[]): string {
  const writes = months[0]?.perMillionWrites ?? noDollars;
  const all = [...months.map(({ perMillionReads }) => perMillionReads), writes];
  const names: Dollars | Record<keyof Dollars, string> = {
    requests: "requests",
    cpu: "CPU",
    rowsRead: "rows read",
    rowsWritten: "rows written",
    logs: "lines of the log",
  };
  const rows = Object.entries(names).map(([key, name]) => [
    name,
    ...all.map((each) => dollars(each[key as keyof Dollars])),
  ]);
  const total = ["**together**", ...all.map((each) => `**${dollars(sumOf(each))}**`)];
  return table(["dollars", ...withStale("million reads"), "million writes"], [...rows, total]);
}

/** The work of a read at each rate, with one staleness. */
function details(months: Month[]): string {
  const rows: [string, (month: Month) => string][] = [
    ["isolates of the gateway", ({ isolates }) => number(isolates)],
    ["reads without a check", ({ freshShare }) => percent(freshShare)],
    ["reads from memory after a check", ({ heldShare }) => percent(heldShare)],
    ["round trips one after the other, per read", ({ trips }) => number(trips, 2)],
    ["waiting for D1, ms per read (not billed)", ({ waitedMs }) => number(waitedMs, 1)],
    ["D1 queries per read", ({ read }) => number(read.queries, 2)],
    ["D1 rows read per read", ({ read }) => number(read.rowsRead, 1)],
    ["lines of the log per read", ({ logEvents }) => number(logEvents, 2)],
    ["CPU ms per read", ({ read }) => number(read.cpuMs, 2)],
    ["queries per second and backend", (one) => number(one.queriesPerSecond)],
    ["databases or replicas for them", ({ databases }) => number(databases)],
  ];
  const head = ["requests per second", ...months.map(({ rate }) => `**${number(rate)}**`)];
  return table(
    head,
    rows.map(([name, cell]) => [name, ...months.map(cell)]),
  );
}

/** The goal with more isolates. */
function sensitivity(bill: Bill): string {
  const rows = [1, 2, 4, 16].map((isolateFactor) => {
    const month = bill.monthOf({ ...GOAL, isolateFactor });
    const perIsolate = month.rate / month.isolates;
    return [
      number(month.isolates),
      number(perIsolate, 1),
      percent(month.freshShare),
      dollars(sumOf(month.perMillionReads)),
    ];
  });
  return table(
    ["isolates", "requests per second and isolate", "reads without a check", "million reads"],
    rows,
  );
}

/** The measured costs that everything follows from. */
function inputs({ kinds, write }: Requests): string {
  const row = (
    name: string,
    { cpuMs, queries, rowsRead, rowsWritten, calls }: Requests["write"],
  ) => [name, ...[cpuMs, queries, rowsRead, rowsWritten, calls].map((value) => short(value))];
  const rows = kinds.flatMap(({ name, fresh, held, made }) => [
    row(`\`${name}\`, without a check`, fresh),
    row(`\`${name}\`, cached and checked`, held),
    row(`\`${name}\`, new`, made),
  ]);
  const head = [
    "one response",
    "CPU ms",
    "D1 queries",
    "rows read",
    "rows written",
    "calls of backends",
  ];
  return table(head, [...rows, row("`write`", write)]);
}

export function page(bill: Bill): string {
  const { commit, seen, requests, assumed, logging, monthOf } = bill;
  const all = RATES.map((rate) =>
    STALE_SECONDS.map((staleSeconds) => monthOf({ rate, staleSeconds })),
  );
  const atGoal = all[RATES.indexOf(GOAL.rate)] ?? [];
  const reached = sumOf(
    atGoal[STALE_SECONDS.indexOf(GOAL.staleSeconds)]?.perMillionReads ?? noDollars,
  );
  const isReached = reached <= GOAL.dollars;
  const sections = STALE_SECONDS.map((seconds, index) => {
    const months = all.flatMap((each) => each.slice(index, index + 1));
    return `### ${seconds === 0 ? "Current responses" : `Responses up to ${seconds} s old`}\n\n${details(months)}\n`;
  });
  return `# Monthly cost

\`make bill\` calculates this page from [results.json](results.json) (commit ${commit}), from
[assumptions.json](../../bench/bill/assumptions.json) and from the platform's prices
([prices.json](../../bench/bill/prices.json), as of ${seen}). It is a model. No figure here was
measured on a network.

${summary(all)}

*0 s*, *1 s* and *10 s* are how old a response may be (\`FRESH_SECONDS\`). A million costs its price without the
amounts that the plan includes. A month has those amounts, the plan and the storage.

**Goal**: at ${number(GOAL.rate)} requests per second, a million reads cost at most ${dollars(GOAL.dollars, 2)}, if a response may be ${GOAL.staleSeconds} s old. It is ${isReached ? "reached" : "missed"}: ${dollars(reached, 3)}.

## Parts of the price

At ${number(GOAL.rate)} requests per second:

${parts(atGoal)}

A response from memory is a billed request like any other. The waiting for a database is not billed.

## The work of a read

${sections.join("\n")}
## More isolates

The platform does not document how many isolates it starts, nor how it distributes requests to them. Each has its
own memory. At ${number(GOAL.rate)} requests per second and ${GOAL.staleSeconds} s:

${sensitivity(bill)}

## Method

${inputs(requests)}

- **Measured**: everything in this table, by \`make bench\` with one connection. \`write\` is measured at the service,
  without the gateway.${bill.isFreshMeasured ? " A response without a check is measured for the largest page." : " The CPU time without a check is not measured yet: that with a check stands in for it."}
- **CPU** is the time of the whole process. It includes local D1, which the platform runs elsewhere and
  does not bill, so it is an upper bound. A call from one Worker to another is not a billed request.
- **Requests**: those of the mixed workload ([bench/README.md](../../bench/README.md#mixed-workload)). ${number(requests.addresses.length)} addresses are read by Zipf's
  law, and ${percent(requests.writeShare)} are writes, up to ${assumed.writesPerSecondAtMost} per second. A database cannot do many more. Each write makes every
  cached response outdated, also those that it does not change: an upper bound.
- **Logs**: each worker that takes part in a request writes a line, for ${number(logging.share * 100)} % of the requests
  (\`LOG\`). The platform's own line per invocation is ${logging.hasInvocationLogs ? "on" : "off"} (\`invocation_logs\`).
- **Isolates** (assumed): each one is busy for at most ${assumed.isolateBusy * 100} % of a core. There is at least one per
  location, and one location per ${assumed.requestsPerLocation} requests per second, up to ${assumed.locationsAtMost}.
- **Memory** is simulated (\`bench/bill/isolate.ts\`), with a round trip to D1 of ${assumed.d1Ms} ms (assumed). After a write through
  the same isolate, the next read of each page is checked. So with few isolates, and many writes through each,
  few reads go without a check. Concurrent requests share a check.
- **Databases** (assumed): one answers ${number(assumed.queriesPerSecondOfADatabase)} short queries per second. Replicas answer the rest
  ([replicas.md](../replicas.md)). The platform decides how many replicas there are. So more than a
  handful in this row says that one database is too few, not that so large a number is available.
`;
}
