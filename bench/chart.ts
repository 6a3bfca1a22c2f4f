// Draws the throughput of each contestant relative to the product, on a logarithmic scale, with 8
// connections if they were measured.
import { short } from "./numbers.ts";
import { titleOf } from "./report.ts";
import { type Entry, isGrowth, measured, type Results, type Table } from "./results.ts";
import { floors, variants } from "./workloads.ts";

const shown: Entry[] = [
  "product",
  "bounded",
  "hono",
  "naive",
  "flask",
  "monolith",
  "two",
  "one",
  "behind",
  "unchanged",
  "stream",
];
const [left, width, bar, gap, head] = [230, 900, 15, 34, 84];

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 } .workload { font-weight: 600 }
  .quiet { fill: #6e7781 } .line { stroke: #d0d7de }
  .product { fill: #0969da } .peer { fill: #afb8c1 } .floor { fill: none; stroke: #8c959f; stroke-dasharray: 3 2 }
  .ground { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #8d96a0 } .line { stroke: #30363d }
    .product { fill: #4493f8 } .peer { fill: #484f58 } .floor { stroke: #8d96a0 }
    .ground { fill: #0d1117 }
  }`;

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function failure(result: object): string {
  return "failure" in result ? String(result.failure) : "";
}

/** The table to draw: that with 8 connections, or the first. */
function drawn(tables: Table[]): Table | undefined {
  return tables.find(({ connections }) => connections === 8) ?? tables[0];
}

export function chart({ workloads }: Results): string {
  const parts: string[] = [];
  let y = head;
  // From 2.5 decades below the product to 2 above it.
  const scale = (ratio: number) => {
    const decades = Math.min(2, Math.max(-2.5, Math.log10(ratio)));
    return ((decades + 2.5) / 4.5) * (width - left - 120);
  };
  for (const { title, tables } of workloads.filter((one) => !isGrowth(one))) {
    const table = drawn(tables);
    const mine = measured(table?.entries.product);
    if (!table || !mine) continue;
    const count = `${table.connections} connection${table.connections > 1 ? "s" : ""}`;
    parts.push(
      `<text class="workload" x="16" y="${y}">${escaped(title)}</text>`,
      `<text class="quiet" x="${width - 16}" y="${y}" text-anchor="end">${count}</text>`,
    );
    y += 8;
    for (const entry of shown) {
      const result = table.entries[entry];
      if (!result) continue;
      const measure = measured(result);
      const base = y + bar - 3;
      const name = `<text x="${left - 8}" y="${base}" text-anchor="end">${escaped(titleOf(entry))}</text>`;
      if (measure) {
        const isOwn = entry === "product" || entry in variants;
        const kind = isOwn ? "product" : entry in floors ? "floor" : "peer";
        const long = Math.max(1, scale(measure.throughput / mine.throughput));
        parts.push(
          name,
          `<rect class="${kind}" x="${left}" y="${y + 1}" width="${long.toFixed(1)}" height="${bar - 3}" rx="2"/>`,
          `<text x="${left + long + 6}" y="${base}">${short(measure.throughput)}/s</text>`,
        );
      } else {
        parts.push(
          name,
          `<text class="quiet" x="${left + 6}" y="${base}">${escaped(failure(result).slice(0, 80))}</text>`,
        );
      }
      y += bar;
    }
    y += gap;
  }
  const at = left + scale(1);
  const ours = `<line class="line" x1="${at}" x2="${at}" y1="${head - 12}" y2="${y - gap + 4}"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img" aria-label="Responses per second of each contestant and workload">
<style>${style}
</style>
<rect class="ground" width="${width}" height="${y}"/>
<text class="title" x="16" y="28">Responses per second</text>
<text class="quiet" x="16" y="46">Logarithmic. The line is this project. Dashed bars are floors, which do no work</text>
${ours}
${parts.join("\n")}
</svg>
`;
}
