// Writes the results of a full chaos run into docs/reliability.md, so that nobody types a figure by
// hand.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, type as systemName, totalmem } from "node:os";
import { resolve } from "node:path";
import type { StatementsResult } from "./database_failures.ts";
import type { FuzzResult } from "./fuzz.ts";
import { type HostileResult, MAX_READ_MS } from "./hostile.ts";
import type { KillResult } from "./kills.ts";
import type { ServicesResult } from "./service_failures.ts";
import { MAX_GROWTH_FACTOR, MAX_GROWTH_MB_PER_MINUTE, type SoakResult } from "./soak.ts";

export type ChaosResults = {
  at: Date;
  command: string;
  seed: number;
  minutes: number;
  services: ServicesResult;
  statements: StatementsResult;
  kills: KillResult;
  soak: SoakResult;
  hostile: Record<string, HostileResult>;
  fuzz: FuzzResult;
};

const document = resolve(import.meta.dirname, "../../docs/reliability.md");
const [BEGIN, END] = ["<!-- chaos:begin -->", "<!-- chaos:end -->"];

const formatCount = (count: number) => count.toLocaleString("en");
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);

export function formatReport(results: ChaosResults): string {
  const { services, statements, kills, soak, hostile, fuzz } = results;
  const { reads } = services;
  const { outcomes } = statements;
  const parsers = Object.values(fuzz.parsers);
  const inputs = parsers.reduce((total, { inputs }) => total + inputs, 0);
  const accepted = parsers.reduce((total, { accepted }) => total + accepted, 0);
  const rows = [
    [
      "backends fail",
      `${formatCount(sum(services.faults))} faults of ${Object.keys(services.faults).length} kinds`,
      `${describeWrites(services)}. ${formatCount(sum(reads))} reads: ${formatCount(reads.fresh)} fresh, ${formatCount(reads.stale)} stale with their age, ${formatCount(reads.partial)} partial, ${formatCount(reads.problem)} problems, ${formatCount(reads.truncated)} forwarded responses cut short`,
    ],
    [
      "D1 fails",
      `${formatCount(sum(statements.failures))} calls in ${Object.keys(statements.failures).length} kinds of writes`,
      `${formatCount(outcomes.done)} writes done all the same, ${formatCount(outcomes.unknown)} unknown, ${formatCount(outcomes.rejected)} rejected`,
    ],
    [
      "kills",
      `${formatCount(kills.kills)} × SIGKILL`,
      `${describeWrites(kills)}. ${formatCount(kills.people)} people at the end, ${formatCount(kills.repaired)} interrupted writes repaired`,
    ],
    [
      "soak",
      `${soak.minutes} minutes, ${formatCount(soak.requests)} requests, ${formatCount(soak.disconnections)} disconnections`,
      `Three workers: ${describeMemory(soak.workers, 2)} (limits: growth ${MAX_GROWTH_MB_PER_MINUTE}, peak ${MAX_GROWTH_FACTOR} times the first). Process: ${describeMemory(soak.process, 0)}`,
    ],
    ...Object.entries(hostile).map(([name, result]) => [
      name,
      result.load,
      `Responses: ${describeCounts(result.responses)}. Another client: ${formatCount(result.reads)} reads, the slowest in ${formatCount(result.slowest)} ms (limit ${formatCount(MAX_READ_MS)}). Three workers: ${result.before} MB before, at most ${result.most} MB`,
    ]),
    [
      "fuzz",
      `${parsers.length} parsers, ${formatCount(inputs)} inputs`,
      `${formatCount(accepted)} accepted, no failure`,
    ],
  ];
  const faults = Object.entries(services.faults).map(
    ([name, count]) => `${name.replaceAll("_", " ")} ${formatCount(count)}`,
  );
  const calls = Object.entries(statements.failures).map(([name, count]) => `${name} ${count}`);
  const time = results.at.toISOString().slice(0, 16).replace("T", " ");
  return [
    `\`${results.command}\`, ${time} UTC, ${results.minutes.toFixed(0)} minutes, seed ${results.seed},`,
    `on a shared machine: ${describeMachine()}.`,
    "",
    "| part | faults or load | result |",
    "|---|---|---|",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
    `Faults of the backends: ${faults.join(", ")}.`,
    "",
    `Failed D1 calls by write: ${calls.join(", ")}.`,
  ].join("\n");
}

function describeMachine(): string {
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  const processor = cpus()[0]?.model.trim() ?? "unknown";
  return `${cpus().length} cores of ${processor}, ${gigabytes} GB, ${systemName()} ${release()}`;
}

function describeWrites(counts: ServicesResult | KillResult): string {
  const { requests, acknowledged, rejected, unknown } = counts;
  const outcomes = `${formatCount(acknowledged)} acknowledged, ${formatCount(rejected)} rejected, ${formatCount(unknown)} unknown`;
  return `${formatCount(requests)} writes: ${outcomes}`;
}

function describeCounts(counts: Record<string, number>): string {
  const entries = Object.entries(counts).map(([name, count]) => `${formatCount(count)} × ${name}`);
  return entries.join(", ") || "none";
}

function describeMemory(memory: SoakResult["workers"], digits: number): string {
  const [first, half, end, peak] = [memory.first, memory.half, memory.end, memory.peak].map(
    (megabytes) => megabytes.toFixed(digits),
  );
  return `${first} MB after a minute, ${half} MB at half time, ${end} MB at the end, ${peak} MB at the peak, growth in the second half ${memory.growth.toFixed(2)} MB per minute`;
}

/** Replaces the report in the document. */
export function writeReport(results: ChaosResults): void {
  const text = readFileSync(document, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${document} has no ${BEGIN}`);
  const [head, tail] = [text.slice(0, begin + BEGIN.length), text.slice(end)];
  writeFileSync(document, `${head}\n${formatReport(results)}\n${tail}`);
}
