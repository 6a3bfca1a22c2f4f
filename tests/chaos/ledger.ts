// The ledger: what the clients expect of the people that they wrote. Each person must have a known
// state, or one of several after a write with an unknown outcome.

/** The last change that a person shows, and its place. Undefined: the person does not exist. */
export type PersonState = { change: number; placeId: number } | undefined;

/** A state that a person may have had, until a time. */
type PossibleState = { state: PersonState; until: number };

/** A write in flight: the states that were possible before it, and those that it may cause. */
export type PendingWrite = { before: PossibleState[]; after: PossibleState[] };

/** The number of places that are never deleted. The people of a deleted place move to one. */
export const PERMANENT_PLACES = 5;

const now = () => performance.timeOrigin + performance.now();

/** A person that one client writes. Its name contains a handle and the number of its last change. */
export class PersonEntry {
  readonly handle: string;
  readonly placeId: number;
  /** Known once a creation was acknowledged. */
  id: number | undefined;
  /** The number of the last change that was sent. */
  lastChange = 0;
  /** Whether the outcome of a write is unknown. */
  hasUnknownOutcome = false;
  #possible: PossibleState[] = [{ state: undefined, until: Number.POSITIVE_INFINITY }];

  constructor(handle: string, placeId: number) {
    this.handle = handle;
    this.placeId = placeId;
  }

  name(change: number): string {
    return `${this.handle} r${change}`;
  }

  /** The states that were possible at any time since then. */
  since(time: number): PersonState[] {
    return this.#possible.filter(({ until }) => until >= time).map(({ state }) => state);
  }

  /** The states that are possible now. */
  get states(): PersonState[] {
    return this.since(Number.POSITIVE_INFINITY);
  }

  get exists(): boolean {
    return this.states.every((state) => state !== undefined);
  }

  /** A write is sent, and may take effect from now on. */
  begin(change: (state: PersonState) => PersonState): PendingWrite {
    const until = Number.POSITIVE_INFINITY;
    const before = this.#possible.filter((possible) => possible.until === until);
    const after = before.map(({ state }) => ({ state: change(state), until }));
    this.#possible.push(...after);
    return { before, after };
  }

  /** The outcome of a write is known. */
  end({ before, after }: PendingWrite, isDone: boolean): void {
    for (const possible of isDone ? before : after) possible.until = now();
  }

  /** Resolves unknown outcomes by the state observed while no write is in flight. Returns false if
   * that state was not possible. */
  resolve(isObserved: (state: PersonState) => boolean): boolean {
    const isPossible = this.states.some(isObserved);
    this.hasUnknownOutcome = false;
    if (!isPossible) return false;
    for (const possible of this.#possible) {
      if (!isObserved(possible.state)) possible.until = Math.min(possible.until, now());
    }
    return true;
  }
}

/** The handle and the change in a name. */
export function parseName(name: string): { handle: string; change: number } {
  const [handle = "", change = ""] = name.split(" r");
  return { handle, change: Number(change) };
}

type Person = { name: string; placeId: number | null };

export class Ledger {
  readonly entries = new Map<string, PersonEntry>();
  /** The places that clients added and may delete. */
  readonly places = new Map<number, "exists" | "unknown" | "deleted">();
  /** Places that a client tried to delete, so their people may have moved. */
  readonly vacatedPlaces = new Set<number>();
  /** The batches with an unknown outcome: each adds a place and deletes another one, or neither. */
  readonly unknownBatches: { added: string; deleted: number }[] = [];
  readonly counts = { requests: 0, acknowledged: 0, rejected: 0, unknown: 0 };

  /** Whether an observed person matches a state. */
  matches({ name, placeId }: Person, state: PersonState): boolean {
    if (state === undefined || parseName(name).change !== state.change) return false;
    const isPermanent = placeId !== null && placeId <= PERMANENT_PLACES;
    const hasMoved = this.vacatedPlaces.has(state.placeId) && isPermanent;
    return placeId === state.placeId || hasMoved;
  }

  /** Compares all people and places with the ledger, while no write is in flight. Returns the
   * differences. */
  check(people: (Person & { id: number })[], places: Set<number>): string[] {
    const errors: string[] = [];
    const found = new Set<string>();
    for (const person of people) {
      const { handle } = parseName(person.name);
      if (found.has(handle)) errors.push(`${handle} exists twice`);
      found.add(handle);
      const entry = this.entries.get(handle);
      const isExpected = entry?.states.some((state) => this.matches(person, state));
      if (!isExpected) {
        errors.push(`${JSON.stringify(person)}, not in ${JSON.stringify(entry?.states)}`);
      }
      if (entry?.id !== undefined && entry.id !== person.id)
        errors.push(`${handle} changed its id`);
    }
    for (const entry of this.entries.values()) {
      if (entry.exists && !found.has(entry.handle)) errors.push(`${entry.handle} is lost`);
    }
    for (const [id, state] of this.places) {
      if (state === "unknown" || places.has(id) === (state === "exists")) continue;
      errors.push(`the place ${id} should be: ${state}`);
    }
    return errors;
  }
}
