// The performance targets. This module decides whether the results reach them.
import { bytes, short } from "./numbers.ts";
import { type Entry, measured, type Results, type Target } from "./results.ts";

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

function small(results: Results): Target[] {
  const each = Object.entries(results.startup);
  const sizes = each.map(([name, { gzip }]): [string, boolean] => [
    `${name} ${bytes(gzip)}`,
    gzip < 150_000,
  ]);
  const times = each.map(([name, { instantiateMs }]): [string, boolean] => [
    `${name} ${short(instantiateMs)} ms`,
    instantiateMs < 5,
  ]);
  return [
    ...target("Size of each worker, gzipped", "under 150 KB", sizes),
    ...target("Instantiation of each worker", "under 5 ms", times),
  ];
}

function imported(results: Results): Target[] {
  const measure = measured(tablesOf(results, "import")[0]?.entries.product);
  if (!measure) return [];
  const found: [string, boolean] = [`${short(measure.p50 / 1000)} s`, measure.p50 < 5000];
  return target("Import of 100,000 rows", "under 5 s", [found]);
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
    ...ahead(results),
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
      "First touch of the join, and two parallel D1 queries through service bindings",
      "two",
      0.85,
      ["join-60-new", "join-1000-new", "place-new"],
    ),
    ...near(results, "304, and its floor", "unchanged", 0.9, ["unchanged"]),
    ...imported(results),
    ...held(results),
    ...small(results),
    ...flat(results, "The cost of one page in registries of every size", "page"),
    ...flat(results, "The cost of one place in registries of every size", "place"),
  ];
}
