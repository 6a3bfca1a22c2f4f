// One isolate of the entry point under load, as crates/edge/src/{held,proof}.rs have it: what it
// holds must be proved, requests at the same time share a proof that began behind them all, and
// what is not held or has changed is made anew.
import { Random } from "../../tests/support/random.ts";

/** What an isolate is up against. */
export type Load = {
  /** Requests a second that reach it. */
  rate: number;
  /** Writes a second that change a register, whoever makes them. */
  writes: number;
  /** How many different answers are asked for, and how unevenly: the exponent of Zipf's law. */
  answers: number;
  skew: number;
  /** How long a round trip to D1 takes, in milliseconds. */
  d1Ms: number;
};

/** What became of its requests, each as a share or a mean of one. */
export type Outcome = {
  /** Answered by what was held. */
  held: number;
  /** Proofs asked for: fewer than requests, where they share them. */
  proofs: number;
  /** Made anew. */
  made: number;
  /** How long D1 was waited for, in milliseconds. */
  waitedMs: number;
};

/** Draws answers by Zipf's law. */
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

/** Sends so many requests to an isolate, at random moments. */
export function isolate(load: Load, requests: number, seed = 1): Outcome {
  const random = new Random(seed);
  const next = () => random.next();
  const draw = zipf(load.answers, load.skew, next);
  const gap = (rate: number) => (rate > 0 ? (-Math.log(1 - next()) * 1000) / rate : Infinity);
  const held = new Map<number, number>();
  const total = { held: 0, proofs: 0, made: 0, waitedMs: 0 };
  let [version, written] = [0, gap(load.writes)];
  // Who is alone asks for himself; the others wait for a round that begins when one has ended.
  let [aloneUntil, roundBegins, roundEnds] = [0, 0, 0];
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
      if (now >= aloneUntil && now >= roundEnds) {
        total.proofs += 1;
        aloneUntil = now + load.d1Ms;
        ready = aloneUntil;
      } else {
        if (roundBegins < now) {
          total.proofs += 1;
          roundBegins = Math.max(now, roundEnds);
          roundEnds = roundBegins + load.d1Ms;
        }
        ready = roundEnds;
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
