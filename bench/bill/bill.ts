// What a month costs at a rate of requests, from what was measured, what is assumed and what is
// asked for it. Pure: see main.ts for where the figures come from.
import { isolate } from "./isolate.ts";

/** What one answer of a kind costs. */
export type Cost = { cpuMs: number; rowsRead: number; rowsWritten: number; queries: number };

/** A kind of request: answered by what is held, or made anew. Both are the same where nothing is
 * held of it. */
export type Kind = { name: string; share: number; isWrite: boolean; held: Cost; made: Cost };

type Price = { included: number; perMillion: number };
export type Prices = {
  monthly: number;
  requests: Price;
  cpuMs: Price;
  rowsRead: Price;
  rowsWritten: Price;
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

export type Month = {
  rate: number;
  isolates: number;
  /** Of reads: answered by what is held. */
  heldShare: number;
  /** Of one request. */
  queries: number;
  cpuMs: number;
  rowsRead: number;
  waitedMs: number;
  /** Of each register, in a second. */
  queriesPerSecond: number;
  /** How many databases or replicas take that, of each register. */
  databases: number;
  dollars: Record<"plan" | "requests" | "cpu" | "rowsRead" | "rowsWritten" | "storage", number>;
  total: number;
};

const SECONDS = 30.4 * 24 * 3600;

const over = (amount: number, { included, perMillion }: Price) =>
  (Math.max(0, amount - included) / 1e6) * perMillion;

/** The month. `holds` tells whether isolates hold answers at all. */
export function month(
  rate: number,
  kinds: Kind[],
  prices: Prices,
  assumed: Assumptions,
  holds = true,
): Month {
  const reads = kinds.filter(({ isWrite }) => !isWrite);
  const readShare = reads.reduce((sum, { share }) => sum + share, 0);
  const writeShare = 1 - readShare;
  const writes = Math.min(rate * writeShare, assumed.writesPerSecondAtMost);
  const mean = (costs: (kind: Kind) => number) =>
    reads.reduce((sum, kind) => sum + kind.share * costs(kind), 0) / readShare;

  // An isolate takes no more than a part of a core, and each location has its own.
  const cpuMs = mean(({ held }) => held.cpuMs);
  const locations = Math.min(
    assumed.locationsAtMost,
    Math.max(1, Math.ceil(rate / assumed.requestsPerLocation)),
  );
  const isolates = Math.max(locations, Math.ceil((rate * cpuMs) / 1000 / assumed.isolateBusy));
  const load = { ...assumed, rate: (rate * readShare) / isolates, writes };
  const outcome = holds
    ? isolate(load, 40_000)
    : { held: 0, proofs: 0, made: 1, waitedMs: assumed.d1Ms };

  // A proof is a query of one row in each register, and so is counted apart from the rest.
  const PROOF = 2;
  const of = (held: (cost: Cost) => number, proof: number) => {
    const made = mean((kind) => held(kind.made)) * outcome.made;
    return readShare * (made + proof * outcome.proofs);
  };
  const written = (cost: (cost: Cost) => number) =>
    kinds.filter(({ isWrite }) => isWrite).reduce((sum, k) => sum + k.share * cost(k.made), 0);
  const one = {
    queries: of(({ queries }) => queries, PROOF) + written(({ queries }) => queries),
    rowsRead: of(({ rowsRead }) => rowsRead, PROOF) + written(({ rowsRead }) => rowsRead),
    rowsWritten: written(({ rowsWritten }) => rowsWritten),
    cpuMs:
      readShare *
        (mean(({ held }) => held.cpuMs) * outcome.held +
          mean(({ made }) => made.cpuMs) * outcome.made) +
      written(({ cpuMs }) => cpuMs),
  };
  const count = rate * SECONDS;
  // Calls of one worker by another are no requests of the bill.
  const dollars = {
    plan: prices.monthly,
    requests: over(count, prices.requests),
    cpu: over(count * one.cpuMs, prices.cpuMs),
    rowsRead: over(count * one.rowsRead, prices.rowsRead),
    rowsWritten: over(count * one.rowsWritten, prices.rowsWritten),
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
    waitedMs: outcome.waitedMs,
    queriesPerSecond,
    databases: Math.max(1, Math.ceil(queriesPerSecond / assumed.queriesPerSecondOfADatabase)),
    dollars,
    total: Object.values(dollars).reduce((sum, part) => sum + part, 0),
  };
}
