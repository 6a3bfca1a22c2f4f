// What a run came to, written into docs/reliability.md: no figure there is typed by hand.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, type as system, totalmem } from "node:os";
import { resolve } from "node:path";
import type { Fuzz } from "./fuzz.ts";
import type { Kills } from "./kills.ts";
import type { Services } from "./services.ts";
import { BOUND, type Soak } from "./soak.ts";
import type { Statements } from "./statements.ts";

export type Results = {
  at: Date;
  command: string;
  seed: number;
  minutes: number;
  services: Services;
  statements: Statements;
  kills: Kills;
  soak: Soak;
  fuzz: Fuzz;
};

const document = resolve(import.meta.dirname, "../../docs/reliability.md");
const [BEGIN, END] = ["<!-- chaos:begin -->", "<!-- chaos:end -->"];

const whole = (count: number) => count.toLocaleString("en");
const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);

/** The text of a run. */
export function text(results: Results): string {
  const { services, statements, kills, soak, fuzz } = results;
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  const processor = cpus()[0]?.model.trim() ?? "unknown";
  const machine = `${cpus().length} cores of ${processor}, ${gigabytes} GB, ${system()} ${release()}`;
  const { reads } = services;
  const parsers = Object.values(fuzz.parsers);
  const inputs = parsers.reduce((all, { inputs }) => all + inputs, 0);
  const accepted = parsers.reduce((all, { accepted }) => all + accepted, 0);
  const writes = ({ requests, acknowledged, refused, unknown }: Services | Kills) =>
    `${whole(requests)} writes: ${whole(acknowledged)} acknowledged, ${whole(refused)} refused, ${whole(unknown)} unknown`;
  const rows = [
    [
      "services fail",
      `${whole(sum(services.faults))} faults of ${Object.keys(services.faults).length} kinds`,
      `${writes(services)}. ${whole(sum(reads))} reads: ${whole(reads.right)} right, ${whole(reads.aged)} of an age, ${whole(reads.half)} half, ${whole(reads.problem)} problems, ${whole(reads.broken)} cut short on the way through`,
    ],
    [
      "D1 fails",
      `${whole(sum(statements.failures))} calls of ${Object.keys(statements.failures).length} kinds of writes`,
      `${whole(statements.answers.done)} done all the same, ${whole(statements.answers.unknown)} unknown, ${whole(statements.answers.refused)} refused`,
    ],
    [
      "kills",
      `${whole(kills.kills)} × SIGKILL`,
      `${writes(kills)}. ${whole(kills.people)} people at the end, ${whole(kills.repaired)} things left half-done and repaired`,
    ],
    ["soak", `${soak.minutes} minutes, ${whole(soak.requests)} requests`, held(soak)],
    [
      "fuzz",
      `${parsers.length} parsers, ${whole(inputs)} inputs`,
      `${whole(accepted)} accepted, none that broke what must hold`,
    ],
  ];
  const faults = Object.entries(services.faults).map(
    ([name, n]) => `${name.replaceAll("_", " ")} ${whole(n)}`,
  );
  const calls = Object.entries(statements.failures).map(([name, n]) => `${name} ${n}`);
  return [
    `\`${results.command}\`, ${results.at.toISOString().slice(0, 16).replace("T", " ")} UTC, ${results.minutes.toFixed(0)} minutes,`,
    `seed ${results.seed}; ${machine}, shared with other work.`,
    "",
    "| tried | how much | what came of it |",
    "|---|---|---|",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
    "",
    `Faults of services: ${faults.join(", ")}.`,
    "",
    `Calls of D1 that failed, by the write: ${calls.join(", ")}.`,
  ].join("\n");
}

function held({ workers, process }: Soak): string {
  const of = ({ half, end, most, slope }: Soak["workers"], digits: number) => {
    const [a, b, c] = [half, end, most].map((megabytes) => megabytes.toFixed(digits));
    return `${a} MB at half time, ${b} MB at the end, ${c} MB at the most, ${slope.toFixed(2)} MB a minute in the second half`;
  };
  return `the three workers: ${of(workers, 2)} (${BOUND} are allowed); the process: ${of(process, 0)}`;
}

/** Puts it into the document. */
export function write(results: Results): void {
  const before = readFileSync(document, "utf8");
  const [begin, end] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${document} has no ${BEGIN}`);
  const [head, tail] = [before.slice(0, begin + BEGIN.length), before.slice(end)];
  writeFileSync(document, `${head}\n${text(results)}\n${tail}`);
}
