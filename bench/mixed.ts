// The mixed workload: reads of many addresses, some of them far more often than others, and writes.
import { Random } from "../tests/support/random.ts";
import type { Shot } from "./load.ts";
import { short } from "./numbers.ts";
import { type Entry, measured, type Results } from "./results.ts";
import type { Size } from "./rows.ts";
import { zipf } from "./zipf.ts";

export const MIXED = "mixed";
const ADDRESSES = 200;
/** The exponent of Zipf's law. */
export const SKEW = 1;
export const WRITE_SHARE = 0.05;

/** The addresses, the most frequent first: all places with their people, then single places and people
 * in turns, then people. */
export function mixedAddresses({ places }: Size): string[] {
  const addresses = ["/v1/people-per-place"];
  for (let id = 1; addresses.length < ADDRESSES; id += 1) {
    if (id <= places) addresses.push(`/v1/people-per-place/${id}`);
    addresses.push(`/v1/people/${500 + id}`);
  }
  return addresses.slice(0, ADDRESSES);
}

/** The requests. The `n`th one is always the same. */
export function mixedShots(size: Size, write: (n: number, id: number) => Shot) {
  const addresses = mixedAddresses(size);
  const rank = zipf(addresses.length, SKEW);
  return (n: number): Shot => {
    const random = new Random(n);
    if (random.chance(WRITE_SHARE)) return write(n, 1 + random.below(size.people));
    return { method: "GET", path: addresses[rank(() => random.next())] ?? "" };
  };
}

/** The table of the mixed workload, and the systems that are missing from it. */
export function mixedSection(results: Results, titleOf: (entry: Entry) => string): string {
  const workload = results.workloads.find(({ name }) => name === MIXED);
  if (!workload) return "";
  const { tables, costs, size } = workload;
  const entries = Object.keys(tables[0]?.entries ?? {}) as Entry[];
  const rows = entries.map((entry) => {
    const cells = tables.map((table) => {
      const measure = measured(table.entries[entry]);
      if (!measure) return "– | ";
      const { throughput, p50, p95 } = measure;
      return `${short(throughput)} | ${short(p50)} / ${short(p95)}`;
    });
    const cost = costs[entry];
    const counted = cost
      ? `${short(cost.roundTrips)} | ${short(cost.rowsRead)} | ${short(cost.rowsWritten)}`
      : "– | – | –";
    return `| ${titleOf(entry)} | ${cells.join(" | ")} | ${counted} |`;
  });
  const counts = tables.map(({ connections }) => {
    return `${connections} connection${connections > 1 ? "s" : ""}, responses/s | p50 / p95 ms`;
  });
  const failures = entries.flatMap((entry) => {
    const failed = tables.flatMap((table) => {
      const result = table.entries[entry];
      return result && "failure" in result ? [result.failure.slice(0, 160)] : [];
    });
    return failed.length > 0 ? [`- ${titleOf(entry)}: ${[...new Set(failed)].join("; ")}`] : [];
  });
  return `
## Mixed workload

${100 * (1 - WRITE_SHARE)} % reads of ${ADDRESSES} addresses by Zipf's law, and ${100 * WRITE_SHARE} % writes, which rename a person. All go through the
gateway, with ${size.places} places and ${size.people.toLocaleString("en")} people. The most frequent address is the page of all
places with their people. Then come single places with their people, and single people. D1 costs are the means of
one response.

| | ${counts.join(" | ")} | D1 round trips | rows read | rows written |
|---|${"---|".repeat(2 * tables.length + 3)}
${rows.join("\n")}
${failures.length > 0 ? `\nNot measured:\n\n${failures.join("\n")}\n` : ""}`;
}
