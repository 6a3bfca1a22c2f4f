// What a run of the benchmark finds out: the shape of `results.json`.
import type { Costs } from "../tests/support/cost_counter.ts";
import type { ContestantName } from "./contestants.ts";
import type { Memory } from "./memory.ts";
import type { Startup } from "./startup.ts";
import type { Floor } from "./workloads.ts";

/** Who is measured: a contestant, or a floor. */
export type Entry = Exclude<ContestantName, "floors"> | Floor;

export type Measure = {
  /** Answers a second, of each round and their median. */
  rounds: number[];
  throughput: number;
  /** Milliseconds, over the answers of all rounds. */
  p50: number;
  p95: number;
  p99: number;
  /** Milliseconds that the server's processes compute for an answer. */
  cpu: number | undefined;
  /** Of an answer's body. */
  bytes: number;
  requests: number;
};

/** Why there is no measure, and how long one request took, if it was answered. */
export type Failure = { failure: string; seconds?: number };

export type Table = {
  connections: number;
  entries: Partial<Record<Entry, Measure | Failure>>;
};

export type WorkloadResult = {
  name: string;
  title: string;
  request: string;
  size: { places: number; people: number };
  tables: Table[];
  /** Of one answer. */
  costs: Partial<Record<Entry, Costs>>;
};

export type Target = {
  title: string;
  wanted: string;
  found: string;
  /** Nothing where it could not be measured. */
  isReached: boolean | undefined;
};

export type Results = {
  at: string;
  command: string;
  commit: string;
  machine: { processor: string; cores: number; memory: string; system: string };
  versions: Record<string, string>;
  rounds: number;
  seconds: number;
  absent: Partial<Record<ContestantName, string>>;
  workloads: WorkloadResult[];
  memory: Partial<Record<ContestantName, Memory>>;
  startup: Record<string, Startup>;
  targets: Target[];
};

export function measured(result: Measure | Failure | undefined): Measure | undefined {
  return result && "throughput" in result ? result : undefined;
}

/** Whether it is one of those that are asked of registers of every size. */
export function isGrowth({ name }: WorkloadResult): boolean {
  return name.includes("-of-");
}
