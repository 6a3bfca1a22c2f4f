// The performance targets. This module decides whether the results reach them.
import { bytes, short } from "./numbers.ts";
import type { Profile } from "./profiles.ts";
import { type Entry, measured, type Results, type Target } from "./results.ts";

/** The maximum size of each worker, gzipped, with its JavaScript, in KiB: the unit of `make build`. */
const SIZES: Record<string, number> = { places: 235, people: 265, join: 400 };

const peers: Entry[] = ["hono", "naive", "flask", "monolith"];

/** A target, or nothing if it was not measured. */
function target(title: string, wanted: string, found: [string, boolean][]): Target[] {
  if (found.length === 0) return [];
  const isReached = found.every(([, good]) => good);
  return [{ title, wanted, found: found.map(([text]) => text).join(", "), isReached }];
}

/** The throughput of the product relative to another entry, for each number of connections. */
function ratios(results: Results, workload: string, other: Entry): Map<number, number> {
  const found = new Map<number, number>();
  for (const { connections, entries } of tablesOf(results, workload)) {
    const [mine, theirs] = [measured(entries.product), measured(entries[other])];
    if (mine && theirs) found.set(connections, mine.throughput / theirs.throughput);
  }
  return found;
}

function tablesOf(results: Results, workload: string) {
  return results.workloads.find(({ name }) => name === workload)?.tables ?? [];
}

/** The product is faster than another entry by at least the factor `wanted`. */
function faster(
  results: Results,
  title: string,
  workload: string,
  other: Entry,
  wanted: number,
  counts: number[],
): Target[] {
  const all = [...ratios(results, workload, other)];
  const found = all.filter(([connections]) => counts.includes(connections));
  const texts = found.map(([connections, ratio]): [string, boolean] => [
    `${short(ratio)}x with ${connections}`,
    ratio >= wanted,
  ]);
  return target(title, `${wanted}x`, texts);
}

/** The product reaches a part of a floor's throughput. */
function near(
  results: Results,
  title: string,
  floor: Entry,
  part: number,
  names: string[],
): Target[] {
  const found = names.flatMap((name) =>
    [...ratios(results, name, floor)].map(([connections, ratio]): [string, boolean] => [
      `${name} ${Math.round(100 * ratio)}% with ${connections}`,
      ratio >= part,
    ]),
  );
  return target(title, `${Math.round(100 * part)}% of its throughput`, found);
}

/** The page of the join within the bound of the client, compared with a worker that returns its bytes. */
function bounded(results: Results): Target[] {
  const tables = tablesOf(results, "join-1000").filter(({ connections }) => connections > 1);
  const found = tables.flatMap(({ connections, entries }): [string, boolean][] => {
    const [mine, floor] = [measured(entries.bounded), measured(entries.constant)];
    if (!mine || !floor) return [];
    const ratio = mine.throughput / floor.throughput;
    return [[`${Math.round(100 * ratio)}% with ${connections}`, ratio >= 0.5]];
  });
  return target(
    "Join page of 1,000 people, up to 1 s old, and a constant",
    "50% of its throughput",
    found,
  );
}

/** The number of tables in which the product is faster than each peer. */
function ahead(results: Results): Target[] {
  const found = peers.flatMap((peer): [string, boolean][] => {
    const tables = results.workloads.flatMap(({ tables }) => tables);
    const all = tables.filter(({ entries }) => measured(entries[peer]));
    const won = all.filter(({ entries }) => {
      const [mine, theirs] = [measured(entries.product), measured(entries[peer])];
      return mine && theirs && mine.throughput > theirs.throughput;
    }).length;
    return all.length === 0 ? [] : [[`${peer} in ${won} of ${all.length}`, won === all.length]];
  });
  return target("Ahead of every peer on every workload, with any connections", "all", found);
}

/** A request takes about the same time in registries of every size. */
function flat(results: Results, title: string, kind: string): Target[] {
  const sizes = ["1e3", "1e4", "region", "nation"];
  const p50 = (size: string) =>
    measured(tablesOf(results, `${kind}-of-${size}`)[0]?.entries.product)?.p50;
  const first = p50("1e3");
  const times = sizes.map(p50).filter((time) => time !== undefined);
  if (first === undefined || times.length < 2) return [];
  const last = times.at(-1) ?? first;
  const text = `${times.map(short).join(", ")} ms`;
  return target(title, "at most 1.15x from the smallest to the largest", [
    [text, last <= 1.15 * first],
  ]);
}

/** The median latency of each request in round trips, compared with its goal. */
function trips(results: Results, profile: Profile): Target[] {
  const found = (results.trips?.rows ?? []).flatMap(({ title, goals, entries }) => {
    const [goal, median] = [goals[profile], entries[profile]?.product?.p50];
    if (goal === undefined || median === undefined) return [];
    const text = `${title} ${median.toFixed(2)} (${goal})`;
    return [{ text, isReached: median <= goal }];
  });
  const missed = found.filter(({ isReached }) => !isReached);
  const texts = missed.map(({ text }): [string, boolean] => [text, false]);
  const reached: [string, boolean] = [
    `reached by ${found.length - missed.length} of ${found.length}`,
    true,
  ];
  if (found.length === 0) return [];
  return target(`Round trips, ${profile}`, "the goal of each request", [reached, ...texts]);
}

/** With one connection, no read is slower than Hono's. */
function first(results: Results): Target[] {
  const reads = results.workloads.filter(({ request }) => request.includes(": GET "));
  const found = reads.flatMap(({ name }) => {
    const ratio = ratios(results, name, "hono").get(1);
    return ratio === undefined ? [] : [{ text: `${name} ${short(ratio)}x`, isReached: ratio >= 1 }];
  });
  if (found.length === 0) return [];
  const slower = found.filter(({ isReached }) => !isReached);
  const texts = slower.map(({ text }): [string, boolean] => [text, false]);
  const faster = `faster in ${found.length - slower.length} of ${found.length}`;
  return target("Reads with one connection, Hono", "1x", [[faster, true], ...texts]);
}

/** The CPU time of a response without that of the platform, for each worker that it passes. */
function cpu(results: Results): Target[] {
  const WANTED = 0.15;
  const workers = { person: 1, "person-entry": 2 };
  const found = Object.entries(workers).flatMap(([name, count]): [string, boolean][] => {
    const entries = tablesOf(results, name).find(({ connections }) => connections === 1)?.entries;
    const [mine, floor] = [measured(entries?.product)?.cpu, measured(entries?.constant)?.cpu];
    if (mine === undefined || floor === undefined) return [];
    const own = (mine - floor) / count;
    return [[`${name} ${short(own)} ms`, own <= WANTED]];
  });
  return target(
    "CPU time of one record, without that of a constant, for each worker",
    `at most ${WANTED} ms`,
    found,
  );
}

function small(results: Results): Target[] {
  const each = Object.entries(results.startup);
  const sizes = each.map(([name, { gzip }]): [string, boolean] => [
    `${name} ${Math.ceil(gzip / 1024)}`,
    gzip <= 1024 * (SIZES[name] ?? 0),
  ]);
  const limits = Object.entries(SIZES).map(([name, limit]) => `${name} ${limit}`);
  const times = each.map(([name, { instantiateMs }]): [string, boolean] => [
    `${name} ${short(instantiateMs)} ms`,
    instantiateMs < 5,
  ]);
  return [
    ...target("Size of each worker in KiB, gzipped", `at most ${limits.join(", ")}`, sizes),
    ...target("Instantiation of each worker", "under 5 ms", times),
  ];
}

function imported(results: Results): Target[] {
  const measure = measured(tablesOf(results, "import")[0]?.entries.product);
  if (!measure) return [];
  const found: [string, boolean] = [`${short(measure.p50 / 1000)} s`, measure.p50 <= 4000];
  return target("Import of 100,000 rows", "at most 4 s", [found]);
}

function held(results: Results): Target[] {
  const isolates = Object.entries(results.memory.product?.isolates ?? {});
  const found = isolates.map(([name, most]): [string, boolean] => [
    `${name} ${bytes(most)}`,
    most < 64e6,
  ]);
  return target("Memory of an isolate while 1,000,000 rows stream out", "under 64 MB", found);
}

export function judged(results: Results): Target[] {
  const join = "Join page of 1,000 people";
  return [
    ...trips(results, "unplaced"),
    ...trips(results, "placed"),
    ...bounded(results),
    ...ahead(results),
    ...first(results),
    ...faster(results, `${join}, Hono`, "join-1000", "hono", 5, [8, 64]),
    ...faster(results, `${join}, Hono, one connection`, "join-1000", "hono", 2, [1]),
    ...faster(results, `${join}, Flask`, "join-1000", "flask", 15, [8, 64]),
    ...near(results, "Single read, and one D1 query", "one", 0.9, ["person", "person-new"]),
    ...near(
      results,
      "The same through the gateway, and one D1 query through a service binding",
      "behind",
      0.9,
      ["person-entry"],
    ),
    ...near(
      results,
      "Reads of the join, and two parallel D1 queries through service bindings",
      "two",
      0.9,
      ["join-60", "join-60-new", "join-1000", "join-1000-new", "join-100000", "place", "place-new"],
    ),
    ...near(results, "304, and its floor", "unchanged", 0.9, ["unchanged"]),
    ...cpu(results),
    ...imported(results),
    ...held(results),
    ...small(results),
    ...flat(results, "The cost of one page in registries of every size", "page"),
    ...flat(results, "The cost of one place in registries of every size", "place"),
  ];
}
