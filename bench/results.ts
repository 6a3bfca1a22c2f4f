// The type of `results.json`, the results of a benchmark run.
import type { Costs } from "../tests/support/cost_counter.ts";
import type { ContestantName } from "./contestants.ts";
import type { Memory } from "./memory.ts";
import type { Startup } from "./startup.ts";
import type { Trips } from "./trips.ts";
import type { Floor, Variant } from "./workloads.ts";

/** A contestant, a floor, or a variant of this system. */
export type Entry = Exclude<ContestantName, "floors"> | Floor | Variant;

export type Measure = {
  /** Responses per second of each round, and their median. */
  rounds: number[];
  throughput: number;
  /** Milliseconds, over the responses of all rounds. */
  p50: number;
  p95: number;
  p99: number;
  /** The CPU milliseconds of the server's processes per response. */
  cpu: number | undefined;
  /** The size of a response's body. */
  bytes: number;
  requests: number;
};

/** The reason for a missing measurement, and the duration of one request if it has a response. */
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
  /** The costs of one response. */
  costs: Partial<Record<Entry, Costs>>;
};

export type Target = {
  title: string;
  wanted: string;
  found: string;
  /** Undefined if it was not measured. */
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
  /** Measured apart from the workloads, with delayed calls. */
  trips?: Trips | undefined;
  workloads: WorkloadResult[];
  memory: Partial<Record<ContestantName, Memory>>;
  startup: Record<string, Startup>;
  targets: Target[];
};

export function measured(result: Measure | Failure | undefined): Measure | undefined {
  return result && "throughput" in result ? result : undefined;
}

/** Whether the workload compares registries of different sizes. */
export function isGrowth({ name }: WorkloadResult): boolean {
  return name.includes("-of-");
}
