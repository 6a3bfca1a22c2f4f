// Measures one workload: checks all contestants, then runs them in turns, round after round.
import { ask, difference } from "./check.ts";
import type { ContestantName } from "./contestants.ts";
import { fire, type Outcome, type Shot, wire } from "./load.ts";
import { median, percentile, short } from "./numbers.ts";
import type { Entry, Failure, Measure, Table } from "./results.ts";
import type { Running } from "./running.ts";
import { floors, variants, type Workload } from "./workloads.ts";

export type Pace = { rounds: number; seconds: number; warm: number };

/** The running contestants, and a function that restarts one. */
export type Field = {
  running: Map<ContestantName, Running>;
  restart(name: ContestantName): Promise<void>;
};

/** A contestant, floor or variant that passed the check. */
type Lane = {
  entry: Entry;
  name: ContestantName;
  shot: Shot;
  /** The additional headers of its requests. */
  headers: Record<string, string>;
  /** The duration of its first response. */
  seconds: number;
};

/** The seconds that all connections together may need for their first responses. */
const TIMEOUT_SECONDS = 50;
/** A contestant gets no further round after this many seconds. */
const MAX_SECONDS = 15;

/** Checks all contestants once. Returns those to measure, and the failures of the others. */
async function lanes(
  field: Field,
  workload: Workload,
): Promise<{ good: Lane[]; bad: [Entry, Failure][] }> {
  const good: Lane[] = [];
  const bad: [Entry, Failure][] = [];
  let expected: string | undefined;
  for (const [name, running] of field.running) {
    if (name === "floors") continue;
    const asked = await ask(running, workload);
    expected ??= asked.text;
    const isTagless = workload.conditional && !asked.failure && asked.etag === "";
    const failure = isTagless
      ? "it sends no ETag"
      : (asked.failure ??
        difference(workload, expected, asked.text) ??
        (await differenceElsewhere(field, name, workload)));
    if (failure === undefined) {
      const headers = { ...workload.shot.headers };
      if (workload.conditional) headers["if-none-match"] = asked.etag;
      const lane = { name, shot: { ...workload.shot, headers }, seconds: asked.seconds };
      good.push({ ...lane, entry: name, headers: {} });
      for (const variant of name === "product" ? (workload.variants ?? []) : []) {
        good.push({ ...lane, entry: variant, headers: variants[variant].headers });
      }
      continue;
    }
    bad.push([name, { failure, ...(!asked.failure && { seconds: asked.seconds }) }]);
    // It may still be working on the request.
    if (asked.failure) await field.restart(name);
    // Without the product, the others cannot be compared.
    if (name === "product") return { good, bad };
  }
  if (field.running.has("floors")) {
    for (const floor of workload.floors) {
      const shot = { method: "GET", path: `/${floor}/${workload.name}` };
      good.push({ entry: floor, name: "floors", shot, headers: {}, seconds: 0 });
    }
  }
  return { good, bad };
}

/** The difference at the other addresses of a workload, if there is one. */
async function differenceElsewhere(
  { running }: Field,
  name: ContestantName,
  workload: Workload,
): Promise<string | undefined> {
  const [product, other] = [running.get("product"), running.get(name)];
  if (!product || !other || name === "product") return undefined;
  for (const path of workload.addresses ?? []) {
    const one = { ...workload, shot: { method: "GET", path } };
    const [expected, asked] = await Promise.all([ask(product, one), ask(other, one)]);
    const failure = asked.failure ?? difference(one, expected.text, asked.text);
    if (failure) return `${path}: ${failure}`;
  }
  return undefined;
}

/** The different requests of each round. More of them would be repeated. */
const DIFFERENT_REQUESTS = 5000;

let shots = 0;

function nextShot(name: ContestantName, make: NonNullable<Workload["shots"]>): Shot {
  shots += 1;
  return make(shots, name);
}

/** The encoded requests of one round. */
function load(lane: Lane, workload: Workload, url: URL): Buffer[] {
  const { shots: make } = workload;
  const encoded = (shot: Shot) =>
    wire(url, { ...shot, headers: { ...shot.headers, ...lane.headers } });
  if (!make || lane.name === "floors") return [encoded(lane.shot)];
  const length = workload.requests ?? DIFFERENT_REQUESTS;
  return Array.from({ length }, () => encoded(nextShot(lane.name, make)));
}

type Round = { outcome: Outcome; cpu: number | undefined };

async function round(
  lane: Lane,
  field: Field,
  workload: Workload,
  connections: number,
  { seconds, warm }: Pace,
): Promise<Round> {
  const running = field.running.get(lane.name);
  if (!running) throw new Error(`${lane.name} is not running`);
  const url = lane.name === "floors" ? running.urls.join : running.urls[workload.service];
  const common = { url, connections, status: workload.status, timeout: TIMEOUT_SECONDS };
  // A slower contestant is already warm after its check.
  if (!workload.requests && lane.seconds < warm) {
    await fire({ ...common, shots: load(lane, workload, url), seconds: warm });
  }
  if (workload.verified && workload.shots) {
    return await single(running, { ...workload, shot: nextShot(lane.name, workload.shots) });
  }
  const ammunition = load(lane, workload, url);
  const limit = workload.requests ? { requests: workload.requests, timeout: workload.timeout } : {};
  const before = running.cpu();
  const outcome = await fire({ ...common, shots: ammunition, seconds, ...limit });
  const after = running.cpu();
  const cpu = before === undefined || after === undefined ? undefined : after - before;
  return { outcome, cpu };
}

/** Measures one request and reads its response. */
async function single(running: Running, workload: Workload): Promise<Round> {
  const before = running.cpu();
  const { seconds, text, failure } = await ask(running, workload);
  const after = running.cpu();
  const isDone = failure !== undefined || workload.verified?.(text);
  const outcome = {
    requests: 1,
    seconds,
    latencies: [seconds * 1000],
    bytes: Buffer.byteLength(text),
    failure: failure ?? (isDone ? "" : "the response reports an incomplete import"),
  };
  return { outcome, cpu: before === undefined || after === undefined ? undefined : after - before };
}

function summary(rounds: Round[]): Measure {
  const latencies = rounds.flatMap(({ outcome }) => outcome.latencies).sort((a, b) => a - b);
  const each = rounds.map(({ outcome }) => outcome.requests / outcome.seconds);
  const requests = latencies.length;
  const cpu = rounds.some((one) => one.cpu === undefined)
    ? undefined
    : (1000 * rounds.reduce((sum, one) => sum + (one.cpu ?? 0), 0)) / requests;
  return {
    rounds: each,
    throughput: median(each),
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    p99: percentile(latencies, 0.99),
    cpu,
    bytes: rounds.reduce((sum, { outcome }) => sum + outcome.bytes, 0) / requests,
    requests,
  };
}

/** Measures a workload with each number of connections. */
export async function measure(field: Field, workload: Workload, pace: Pace): Promise<Table[]> {
  const { good, bad } = await lanes(field, workload);
  const tables: Table[] = [];
  for (const connections of workload.connections) {
    const rounds = new Map<Lane, Round[]>();
    const failures: [Entry, Failure][] = [...bad];
    for (const lane of good) {
      if (lane.seconds * connections <= TIMEOUT_SECONDS) rounds.set(lane, []);
      else failures.push([lane.entry, { failure: "it takes too long", seconds: lane.seconds }]);
    }
    for (let n = 0; n < pace.rounds; n += 1) {
      for (const [lane, done] of rounds) {
        if (done.reduce((sum, { outcome }) => sum + outcome.seconds, 0) > MAX_SECONDS) continue;
        // The first round needs a longer warm-up, because V8 still optimizes the code.
        const warm = n === 0 ? 3 * pace.warm : pace.warm;
        const one = await round(lane, field, workload, connections, { ...pace, warm });
        if (one.outcome.failure) {
          rounds.delete(lane);
          failures.push([lane.entry, { failure: one.outcome.failure, seconds: lane.seconds }]);
          await field.restart(lane.name);
        } else done.push(one);
      }
    }
    const entries: Table["entries"] = {};
    for (const [lane, done] of rounds) entries[lane.entry] = summary(done);
    for (const [entry, failure] of failures) entries[entry] = failure;
    tables.push({ connections, entries });
    console.log(said(workload, connections, entries));
  }
  return tables;
}

function said(workload: Workload, connections: number, entries: Table["entries"]): string {
  const each = Object.entries(entries).map(([entry, result]) => {
    const what = "throughput" in result ? short(result.throughput) : `(${result.failure})`;
    return `${entry in floors ? `[${entry}]` : entry} ${what}`;
  });
  return `  ${workload.name} ×${connections}`.padEnd(22) + each.join("  ");
}
