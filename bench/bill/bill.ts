// Estimates the monthly cost at a request rate, from measured costs, assumptions and prices. The
// function is pure: main.ts reads the figures.
import { isolate } from "./isolate.ts";

/** The cost of one response. */
export type Cost = { cpuMs: number; rowsRead: number; rowsWritten: number; queries: number };

/** A kind of request with the cost of a cached response (`held`) and of a new one (`made`). They are
 * equal if nothing is cached. */
export type Kind = { name: string; share: number; isWrite: boolean; held: Cost; made: Cost };

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
  answers: number;
  skew: number;
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

export type Month = {
  rate: number;
  isolates: number;
  /** The share of reads with a cached response. */
  heldShare: number;
  /** The mean costs of one request. */
  queries: number;
  cpuMs: number;
  rowsRead: number;
  logEvents: number;
  waitedMs: number;
  /** For each backend. */
  queriesPerSecond: number;
  /** The databases or replicas that each backend needs for them. */
  databases: number;
  dollars: Record<
    "plan" | "requests" | "cpu" | "rowsRead" | "rowsWritten" | "logs" | "storage",
    number
  >;
  total: number;
};

const SECONDS = 30.4 * 24 * 3600;

const priceOf = (amount: number, { included, perMillion }: Price) =>
  (Math.max(0, amount - included) / 1e6) * perMillion;

/** The costs of a month. `isCaching` tells whether isolates cache responses. */
export function month(
  rate: number,
  kinds: Kind[],
  prices: Prices,
  assumed: Assumptions,
  logging: Logging,
  isCaching = true,
): Month {
  const reads = kinds.filter(({ isWrite }) => !isWrite);
  const readShare = reads.reduce((sum, { share }) => sum + share, 0);
  const writeShare = 1 - readShare;
  const writes = Math.min(rate * writeShare, assumed.writesPerSecondAtMost);
  const mean = (costs: (kind: Kind) => number) =>
    reads.reduce((sum, kind) => sum + kind.share * costs(kind), 0) / readShare;

  // An isolate uses only a part of a core, and each location has its own isolates.
  const cpuMs = mean(({ held }) => held.cpuMs);
  const locations = Math.min(
    assumed.locationsAtMost,
    Math.max(1, Math.ceil(rate / assumed.requestsPerLocation)),
  );
  const isolates = Math.max(locations, Math.ceil((rate * cpuMs) / 1000 / assumed.isolateBusy));
  const load = { ...assumed, rate: (rate * readShare) / isolates, writes };
  const outcome = isCaching
    ? isolate(load, 40_000)
    : { held: 0, proofs: 0, made: 1, waitedMs: assumed.d1Ms };

  // A revalidation reads one row in each backend.
  const REVALIDATION = 2;
  const readCost = (part: (cost: Cost) => number) => {
    const made = mean((kind) => part(kind.made)) * outcome.made;
    return readShare * (made + REVALIDATION * outcome.proofs);
  };
  const writeCost = (part: (cost: Cost) => number) =>
    kinds
      .filter(({ isWrite }) => isWrite)
      .reduce((sum, kind) => sum + kind.share * part(kind.made), 0);
  const one = {
    queries: readCost(({ queries }) => queries) + writeCost(({ queries }) => queries),
    rowsRead: readCost(({ rowsRead }) => rowsRead) + writeCost(({ rowsRead }) => rowsRead),
    rowsWritten: writeCost(({ rowsWritten }) => rowsWritten),
    cpuMs:
      readShare *
        (mean(({ held }) => held.cpuMs) * outcome.held +
          mean(({ made }) => made.cpuMs) * outcome.made) +
      writeCost(({ cpuMs }) => cpuMs),
  };
  // The gateway and each backend that it calls. A call makes one query, so queries count the calls.
  const invocations = 1 + one.queries;
  const logEvents = invocations * (logging.share + Number(logging.hasInvocationLogs));
  const count = rate * SECONDS;
  // The bill does not count the calls between workers.
  const dollars = {
    plan: prices.monthly,
    requests: priceOf(count, prices.requests),
    cpu: priceOf(count * one.cpuMs, prices.cpuMs),
    rowsRead: priceOf(count * one.rowsRead, prices.rowsRead),
    rowsWritten: priceOf(count * one.rowsWritten, prices.rowsWritten),
    logs: priceOf(count * logEvents, prices.logEvents),
    storage: Math.max(0, assumed.storageGb - prices.storageGb.included) * prices.storageGb.perGb,
  };
  const queriesPerSecond = (rate * one.queries) / 2;
  return {
    rate,
    isolates,
    heldShare: outcome.held,
    queries: one.queries,
    cpuMs: one.cpuMs,
    rowsRead: one.rowsRead,
    logEvents,
    waitedMs: outcome.waitedMs,
    queriesPerSecond,
    databases: Math.max(1, Math.ceil(queriesPerSecond / assumed.queriesPerSecondOfADatabase)),
    dollars,
    total: Object.values(dollars).reduce((sum, part) => sum + part, 0),
  };
}
