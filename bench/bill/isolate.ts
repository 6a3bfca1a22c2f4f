// Simulates the response cache of one gateway isolate under load. A cached response must be
// revalidated before it is sent. Concurrent requests share a revalidation if it begins after all of
// them have arrived. A response that is missing or outdated is made again.
import { Random } from "../../tests/support/random.ts";

/** The load of an isolate. */
export type Load = {
  /** Requests per second. */
  rate: number;
  /** Writes per second in the whole registry. */
  writes: number;
  /** The number of different responses. */
  answers: number;
  /** The exponent of Zipf's law: how unevenly they are requested. */
  skew: number;
  /** The duration of a round trip to D1 in milliseconds. */
  d1Ms: number;
};

/** The result, as a share or a mean per request. */
export type Outcome = {
  /** Cached responses. */
  held: number;
  /** Revalidations: fewer than requests, if requests share them. */
  proofs: number;
  /** New responses. */
  made: number;
  /** Milliseconds of waiting for D1. */
  waitedMs: number;
};

/** Draws responses by Zipf's law. */
function zipf(count: number, skew: number, next: () => number): () => number {
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank += 1) {
    sum += rank ** -skew;
    sums.push(sum);
  }
  return () => {
    const drawn = next() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Sends requests to an isolate at random times. */
export function isolate(load: Load, requests: number, seed = 1): Outcome {
  const random = new Random(seed);
  const next = () => random.next();
  const draw = zipf(load.answers, load.skew, next);
  const gap = (rate: number) => (rate > 0 ? (-Math.log(1 - next()) * 1000) / rate : Infinity);
  const held = new Map<number, number>();
  const total = { held: 0, proofs: 0, made: 0, waitedMs: 0 };
  let [version, written] = [0, gap(load.writes)];
  // A request without another in flight revalidates alone. Others wait for the next batch.
  let [singleUntil, batchBegins, batchEnds] = [0, 0, 0];
  let now = 0;
  for (let n = 0; n < requests; n += 1) {
    now += gap(load.rate);
    while (written <= now) {
      version += 1;
      written += gap(load.writes);
    }
    const answer = draw();
    const known = held.get(answer);
    let ready = now;
    if (known !== undefined) {
      if (now >= singleUntil && now >= batchEnds) {
        total.proofs += 1;
        singleUntil = now + load.d1Ms;
        ready = singleUntil;
      } else {
        if (batchBegins < now) {
          total.proofs += 1;
          batchBegins = Math.max(now, batchEnds);
          batchEnds = batchBegins + load.d1Ms;
        }
        ready = batchEnds;
      }
    }
    if (known === version) total.held += 1;
    else {
      total.made += 1;
      held.set(answer, version);
      ready += load.d1Ms;
    }
    total.waitedMs += ready - now;
  }
  const one = (value: number) => value / requests;
  return {
    held: one(total.held),
    proofs: one(total.proofs),
    made: one(total.made),
    waitedMs: one(total.waitedMs),
  };
}
