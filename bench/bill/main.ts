// `make bill`: the cost of 1,000 to 1,000,000 requests per second (docs/benchmarks/bill.md). With
// REMOTE=1 also the size of each deployed database.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { environmentOf, expectedName } from "../../ops/deploy/config.ts";
import { mixedAddresses, SKEW, WRITE_SHARE } from "../mixed.ts";
import { type Entry, measured, type Results } from "../results.ts";
import { sizes } from "../workloads.ts";
import {
  type Assumptions,
  type Cost,
  type Kind,
  type Logging,
  month,
  type Prices,
  type Requests,
} from "./bill.ts";
import { page } from "./page.ts";
import { databaseSizes } from "./sizes.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const prices: Prices & { seen: string } = read("bench/bill/prices.json");
const assumed: Assumptions = read("bench/bill/assumptions.json");
const results: Results = read("docs/benchmarks/results.json");

/** The measured cost of one response of a workload, with one connection, because concurrent requests
 * would share work. */
function cost(name: string, entry: Entry = "product"): Cost | undefined {
  const workload = results.workloads.find((one) => one.name === name);
  const table = workload?.tables.find(({ connections }) => connections === 1);
  const cpuMs = measured(table?.entries[entry])?.cpu;
  const counted = workload?.costs[entry];
  if (cpuMs === undefined || !counted) return undefined;
  const { rowsRead, rowsWritten, roundTrips, calls } = counted;
  return { cpuMs, rowsRead, rowsWritten, queries: roundTrips, calls };
}

function needed(name: string): Cost {
  const found = cost(name);
  if (!found) throw new Error(`${name} has not been measured: run \`make bench\` first`);
  return found;
}

/** The workload of each kind of address, and that of its first touch. */
const kinds = [
  { name: "join-1000", isKind: (path: string) => path === "/v1/people-per-place" },
  { name: "place", isKind: (path: string) => path.startsWith("/v1/people-per-place/") },
  { name: "person-entry", isKind: (path: string) => path.startsWith("/v1/people/") },
];

/** The cost of a response that is sent without a check. */
const bounded = cost("join-1000", "bounded");

const requests: Requests = {
  kinds: kinds.map(({ name }): Kind => {
    const held = needed(name);
    // A check takes more CPU time.
    const fresh = bounded ?? { ...held, rowsRead: 0, queries: 0, calls: 0 };
    return { name, fresh, held, made: cost(`${name}-new`) ?? held };
  }),
  addresses: mixedAddresses(sizes.town).map((path) => kinds.findIndex((kind) => kind.isKind(path))),
  skew: SKEW,
  writeShare: WRITE_SHARE,
  write: needed("write"),
};

/** The settings of the gateway's configuration, which the backends have too. */
const config = readFileSync(join(root, "wrangler.toml"), "utf8");
const logging: Logging = {
  share: Number(/^LOG = "([\d.]+)%"$/m.exec(config)?.[1] ?? 100) / 100,
  hasInvocationLogs: !/^invocation_logs = false$/m.test(config),
};

const text = page({
  commit: results.commit,
  seen: prices.seen,
  requests,
  assumed,
  logging,
  isFreshMeasured: bounded !== undefined,
  monthOf: (demand) => month(demand, requests, prices, assumed, logging),
});
writeFileSync(join(root, "docs/benchmarks/bill.md"), text);
console.log(text.split("\n").slice(7, 14).join("\n"));

if (process.env.REMOTE) {
  const environment = environmentOf(process.env.ENV);
  if (!environment) throw new Error(expectedName);
  for (const line of await databaseSizes(environment)) console.log(`» ${line}`);
}
