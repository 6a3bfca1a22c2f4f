// Estimates the costs at a request rate from measured costs, assumptions and prices. This is a pure
// function; main.ts reads the figures.
import { isolate } from "./isolate.ts";

/** The cost of one response. */
export type Cost = {
  cpuMs: number;
  rowsRead: number;
  rowsWritten: number;
  /** Round trips to D1. */
  queries: number;
  /** Calls between workers. */
  calls: number;
};

/** The costs of a kind of read: of a fresh response, of a cached one that is checked, and of a new one. */
export type Kind = { name: string; fresh: Cost; held: Cost; made: Cost };

/** The requests of the clients. */
export type Requests = {
  kinds: Kind[];
  /** The kind of each address, the most frequent first. */
  addresses: number[];
  /** The exponent of Zipf's law. */
  skew: number;
  writeShare: number;
  write: Cost;
};

type Price = { included: number; perMillion: number };
export type Prices = {
  monthly: number;
  requests: Price;
  cpuMs: Price;
  rowsRead: Price;
  rowsWritten: Price;
  /** The lines of the log that the platform stores. */
  logEvents: Price;
  storageGb: { included: number; perGb: number };
};

export type Assumptions = {
  writesPerSecondAtMost: number;
  d1Ms: number;
  isolateBusy: number;
  requestsPerLocation: number;
  locationsAtMost: number;
  queriesPerSecondOfADatabase: number;
  storageGb: number;
};

/** How much the workers log. */
export type Logging = {
  /** The share of the requests with a line per worker (the variable LOG). */
  share: number;
  /** Whether the platform adds a line per invocation. */
  hasInvocationLogs: boolean;
};

/** The rate of the requests, and how old responses may be. */
export type Demand = {
  /** Requests per second. */
  rate: number;
  staleSeconds: number;
  /** How many times as many isolates there are as assumed. */
  isolateFactor?: number;
};

/** Dollars, by what they pay. */
export type Dollars = Record<"requests" | "cpu" | "rowsRead" | "rowsWritten" | "logs", number>;

export type Month = Demand & {
  isolates: number;
  /** The shares of reads whose response is fresh, and is cached and checked. */
  freshShare: number;
  heldShare: number;
  /** Round trips one after the other, and the waiting for them, of one read. */
  trips: number;
  waitedMs: number;
  /** The mean costs of one read. */
  read: Cost;
  logEvents: number;
  /** For each backend. */
  queriesPerSecond: number;
  /** The databases or replicas that each backend needs for them. */
  databases: number;
  /** Without the amounts that the plan includes. */
  perMillionReads: Dollars;
  perMillionWrites: Dollars;
  /** The whole bill, with the plan and the amounts that it includes. */
  total: number;
};

const SECONDS = 30.4 * 24 * 3600;
const none: Cost = { cpuMs: 0, rowsRead: 0, rowsWritten: 0, queries: 0, calls: 0 };

export const sumOf = (dollars: Dollars) =>
  Object.values(dollars).reduce((sum, part) => sum + part, 0);

function add(to: Cost, cost: Cost, times: number): void {
  for (const key of Object.keys(none) as (keyof Cost)[]) to[key] += cost[key] * times;
}

/** The lines of the log of one request: the gateway's, and one for each call of a backend. */
const logEventsOf = ({ calls }: Cost, logging: Logging) =>
  (1 + calls) * (logging.share + Number(logging.hasInvocationLogs));

/** The dollars of a million requests. The bill does not count the calls between workers. */
function perMillion(cost: Cost, prices: Prices, logging: Logging): Dollars {
  return {
    requests: prices.requests.perMillion,
    cpu: cost.cpuMs * prices.cpuMs.perMillion,
    rowsRead: cost.rowsRead * prices.rowsRead.perMillion,
    rowsWritten: cost.rowsWritten * prices.rowsWritten.perMillion,
    logs: logEventsOf(cost, logging) * prices.logEvents.perMillion,
  };
}

/** The outcome of one isolate, with as many isolates as its CPU time needs. */
function simulate(demand: Demand, requests: Requests, assumed: Assumptions) {
  const { rate, staleSeconds, isolateFactor = 1 } = demand;
  const writes = Math.min(rate * requests.writeShare, assumed.writesPerSecondAtMost);
  const reads = rate - writes;
  const locations = Math.ceil(rate / assumed.requestsPerLocation);
  const fewest = Math.min(assumed.locationsAtMost, Math.max(1, locations));
  let isolates = fewest * isolateFactor;
  // More isolates have fewer fresh responses, so they need more CPU time, and so on.
  for (let step = 0; ; step += 1) {
    const load = {
      rate: reads / isolates,
      writes,
      ownWrites: writes / isolates,
      addresses: requests.addresses,
      skew: requests.skew,
      freshMs: 1000 * staleSeconds,
      d1Ms: assumed.d1Ms,
    };
    const outcome = isolate(load, 40_000);
    const read = { ...none };
    for (const [index, answers] of outcome.kinds.entries()) {
      const kind = requests.kinds[index];
      if (!kind) continue;
      const { fresh, held, made } = kind;
      add(read, fresh, answers.fresh);
      // Requests that share a check share its queries, but each takes its own CPU time.
      add(read, { ...held, cpuMs: 0 }, answers.checks);
      read.cpuMs += held.cpuMs * answers.held;
      add(read, made, answers.made);
    }
    const cores = (reads * read.cpuMs + writes * requests.write.cpuMs) / 1000;
    const needed = Math.max(fewest, Math.ceil(cores / assumed.isolateBusy)) * isolateFactor;
    if (step === 3 || needed <= isolates) return { reads, writes, isolates, outcome, read };
    isolates = needed;
  }
}

/** The costs of a month. */
export function month(
  demand: Demand,
  requests: Requests,
  prices: Prices,
  assumed: Assumptions,
  logging: Logging,
): Month {
  const { reads, writes, isolates, outcome, read } = simulate(demand, requests, assumed);
  const { write } = requests;
  const millions = { reads: (reads * SECONDS) / 1e6, writes: (writes * SECONDS) / 1e6 };
  const bill = (price: Price, amount: (cost: Cost) => number) => {
    const used = millions.reads * amount(read) + millions.writes * amount(write);
    return Math.max(0, used - price.included / 1e6) * price.perMillion;
  };
  const storage = Math.max(0, assumed.storageGb - prices.storageGb.included);
  const queriesPerSecond = (reads * read.queries + writes * write.queries) / 2;
  return {
    ...demand,
    isolates,
    freshShare: outcome.fresh,
    heldShare: outcome.held,
    trips: outcome.trips,
    waitedMs: outcome.waitedMs,
    read,
    logEvents: logEventsOf(read, logging),
    queriesPerSecond,
    databases: Math.max(1, Math.ceil(queriesPerSecond / assumed.queriesPerSecondOfADatabase)),
    perMillionReads: perMillion(read, prices, logging),
    perMillionWrites: perMillion(write, prices, logging),
    total:
      prices.monthly +
      storage * prices.storageGb.perGb +
      bill(prices.requests, () => 1) +
      bill(prices.cpuMs, ({ cpuMs }) => cpuMs) +
      bill(prices.rowsRead, ({ rowsRead }) => rowsRead) +
      bill(prices.rowsWritten, ({ rowsWritten }) => rowsWritten) +
      bill(prices.logEvents, (cost) => logEventsOf(cost, logging)),
  };
}
