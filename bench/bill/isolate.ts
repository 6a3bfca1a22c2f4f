// Simulates the response cache of one gateway isolate under load. A cached response is sent without a
// check while it is fresh: checked within the allowed staleness, and after the last write through this
// isolate. Otherwise it is checked. A request without another in flight checks alone, and one round
// trip returns a changed page, too. Others share the next check, and each makes its own page if it has
// changed.
import { Random } from "../../tests/support/random.ts";
import { zipf } from "../zipf.ts";

/** The load of an isolate. */
export type Load = {
  /** Requests per second. */
  rate: number;
  /** Writes per second in the whole registry. */
  writes: number;
  /** Those of them through this isolate. */
  ownWrites: number;
  /** The kind of each address, the most frequent first. */
  addresses: number[];
  /** The exponent of Zipf's law: how unevenly they are requested. */
  skew: number;
  /** The allowed staleness in milliseconds. */
  freshMs: number;
  /** The duration of a round trip to D1 in milliseconds. */
  d1Ms: number;
};

/** How the requests of one kind were answered, as a share of all requests. */
export type Answers = {
  /** Fresh responses, sent without a check. */
  fresh: number;
  /** Cached responses that were current. */
  held: number;
  /** Checks: fewer than responses, if requests share them. */
  checks: number;
  /** New responses. */
  made: number;
};

export type Outcome = Answers & {
  /** By kind. */
  kinds: Answers[];
  /** Round trips one after the other, per request. */
  trips: number;
  /** Milliseconds of waiting for D1, per request. */
  waitedMs: number;
};

const noAnswers = (): Answers => ({ fresh: 0, held: 0, checks: 0, made: 0 });

/** Sends requests to an isolate at random times. */
export function isolate(load: Load, requests: number, seed = 1): Outcome {
  const random = new Random(seed);
  const next = () => random.next();
  const draw = zipf(load.addresses.length, load.skew);
  const gap = (rate: number) => (rate > 0 ? (-Math.log(1 - next()) * 1000) / rate : Infinity);
  const cached = new Map<number, { version: number; checkedAt: number }>();
  const kinds = Array.from(
    { length: 1 + load.addresses.reduce((a, b) => Math.max(a, b), 0) },
    noAnswers,
  );
  const otherWrites = load.writes - load.ownWrites;
  let [version, written, writtenHere] = [0, gap(otherWrites), gap(load.ownWrites)];
  let lastOwnWrite = Number.NEGATIVE_INFINITY;
  // A request without another in flight checks alone. Others wait for the next batch.
  let [singleUntil, batchBegins, batchEnds] = [0, 0, 0];
  let [now, trips, waitedMs] = [0, 0, 0];
  for (let n = 0; n < requests; n += 1) {
    now += gap(load.rate);
    for (; written <= now; written += gap(otherWrites)) version += 1;
    for (; writtenHere <= now; writtenHere += gap(load.ownWrites)) {
      version += 1;
      lastOwnWrite = writtenHere;
    }
    const address = draw(next);
    const count = kinds[load.addresses[address] ?? 0] ?? noAnswers();
    const known = cached.get(address);
    if (known && now - known.checkedAt <= load.freshMs && known.checkedAt > lastOwnWrite) {
      count.fresh += 1;
      continue;
    }
    const isCurrent = known?.version === version;
    let ready = now + load.d1Ms;
    trips += 1;
    if (known) {
      if (now >= singleUntil && now >= batchEnds) {
        singleUntil = ready;
        if (isCurrent) count.checks += 1;
      } else {
        if (batchBegins < now) {
          count.checks += 1;
          batchBegins = Math.max(now, batchEnds);
          batchEnds = batchBegins + load.d1Ms;
        }
        ready = batchEnds;
        if (!isCurrent) {
          ready += load.d1Ms;
          trips += 1;
        }
      }
    }
    if (isCurrent) count.held += 1;
    else count.made += 1;
    cached.set(address, { version, checkedAt: now });
    waitedMs += ready - now;
  }
  const share = (answers: Answers): Answers => ({
    fresh: answers.fresh / requests,
    held: answers.held / requests,
    checks: answers.checks / requests,
    made: answers.made / requests,
  });
  const all = noAnswers();
  for (const key of Object.keys(all) as (keyof Answers)[]) {
    all[key] = kinds.reduce((sum, answers) => sum + answers[key], 0);
  }
  return {
    ...share(all),
    kinds: kinds.map(share),
    trips: trips / requests,
    waitedMs: waitedMs / requests,
  };
}
