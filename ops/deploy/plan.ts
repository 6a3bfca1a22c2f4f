// Plans a deployment from the current state of the account, without I/O. So if a deployment failed,
// the next one continues it.
import { type Name, names } from "../workers.ts";

/** The state of an environment in the account. */
export type State = {
  /** The existing databases. */
  databases: ReadonlySet<Name>;
  /** The existing workers, each with the names of its secrets. */
  workers: ReadonlyMap<Name, ReadonlySet<string>>;
};

/** The service bindings of each worker. */
export type Services = Record<Name, Name[]>;

/** The secrets of each worker. Only the gateway checks tokens. */
const secretsOf: Record<Name, string[]> = {
  places: ["SERVICE_SECRET"],
  people: ["SERVICE_SECRET"],
  join: ["SERVICE_SECRET", "TOKENS"],
};

export type Step =
  /** Rejects a database of an older version or of another project, before anything changes. */
  | { do: "check schema"; database: Name }
  | { do: "create"; database: Name }
  | { do: "migrate"; database: Name }
  /** Deploys a worker that is not bound to the services in `without`. */
  | { do: "deploy"; worker: Name; without: Name[]; secrets: string[] }
  | { do: "check" };

/** A worker of another project, if there is one. Ours have had the secret since they were first deployed. */
export function foreignWorker({ workers }: State): Name | undefined {
  return [...workers.keys()].find((name) => !workers.get(name)?.has("SERVICE_SECRET"));
}

/** The steps in order. `supplied` are the names of the secrets to set. */
export function steps(state: State, services: Services, supplied: ReadonlySet<string>): Step[] {
  const creations = names.filter((name) => !state.databases.has(name));
  // A new service secret is generated unless all workers have one already.
  const isShared = names.every((name) => state.workers.get(name)?.has("SERVICE_SECRET"));
  const set = new Set(isShared ? supplied : [...supplied, "SERVICE_SECRET"]);
  const existing = new Set(state.workers.keys());
  const deploy = (worker: Name, secrets: string[]): Step => {
    const without = services[worker].filter((name) => !existing.has(name));
    existing.add(worker);
    return { do: "deploy", worker, without, secrets };
  };
  // The backends are bound to each other, and a binding needs an existing worker. So the first
  // backend is deployed without the other, and again after it.
  const deployments: Step[] = [];
  const repeated: Step[] = [];
  for (const worker of names) {
    if (worker === "join") deployments.push(...repeated);
    const step = deploy(
      worker,
      secretsOf[worker].filter((name) => set.has(name)),
    );
    deployments.push(step);
    if (step.do === "deploy" && step.without.length > 0) {
      repeated.push({ do: "deploy", worker, without: [], secrets: [] });
    }
  }
  const databases = names.filter((name) => state.databases.has(name));
  return [
    ...databases.map((database) => ({ do: "check schema" as const, database })),
    ...creations.map((database) => ({ do: "create" as const, database })),
    // Migrations run before the code that uses the new schema.
    ...names.map((database) => ({ do: "migrate" as const, database })),
    ...deployments,
    { do: "check" },
  ];
}
