// What a deployment does, from what is there already: no I/O. Whatever an earlier one has left
// half-done, the next one finds, and does the rest.
import { type Name, names } from "../workers.ts";

/** What the account has of an environment. */
export type State = {
  /** The databases that are there. */
  databases: ReadonlySet<Name>;
  /** The workers that are there, each with the names of its secrets. */
  workers: ReadonlyMap<Name, ReadonlySet<string>>;
};

/** Which workers each one is bound to. */
export type Services = Record<Name, Name[]>;

/** The secrets of each worker. Tokens are shown at the entry point alone. */
const secretsOf: Record<Name, string[]> = {
  places: ["SERVICE_SECRET"],
  people: ["SERVICE_SECRET"],
  join: ["SERVICE_SECRET", "TOKENS"],
};

export type Step =
  /** Rejects a database that an older version made, before anything is changed. */
  | { do: "check schema"; database: Name }
  | { do: "create"; database: Name }
  | { do: "migrate"; database: Name }
  /** Puts a worker there, bound to all of its services but those that are not there yet. */
  | { do: "deploy"; worker: Name; without: Name[]; secrets: string[] }
  | { do: "check" };

/** The steps, in order: `given` are the names of the secrets that are to be set. */
export function steps(state: State, services: Services, given: ReadonlySet<string>): Step[] {
  const creations = names.filter((name) => !state.databases.has(name));
  // One that none of us chose is made for all three; one that all have is left as it is.
  const isShared = names.every((name) => state.workers.get(name)?.has("SERVICE_SECRET"));
  const set = new Set(isShared ? given : [...given, "SERVICE_SECRET"]);
  const there = new Set(state.workers.keys());
  const deploy = (worker: Name, secrets: string[]): Step => {
    const without = services[worker].filter((name) => !there.has(name));
    there.add(worker);
    return { do: "deploy", worker, without, secrets };
  };
  // The owners are bound to each other, and the platform refuses a binding to nobody: the first
  // time one of them comes without the other, and once more when that is there.
  const deployments: Step[] = [];
  const again: Step[] = [];
  for (const worker of names) {
    if (worker === "join") deployments.push(...again);
    const step = deploy(
      worker,
      secretsOf[worker].filter((name) => set.has(name)),
    );
    deployments.push(step);
    if (step.do === "deploy" && step.without.length > 0) {
      again.push({ do: "deploy", worker, without: [], secrets: [] });
    }
  }
  const existing = names.filter((name) => state.databases.has(name));
  return [
    ...existing.map((database) => ({ do: "check schema" as const, database })),
    ...creations.map((database) => ({ do: "create" as const, database })),
    // What is new in a schema is there before the code that asks for it.
    ...names.map((database) => ({ do: "migrate" as const, database })),
    ...deployments,
    { do: "check" },
  ];
}
