// What the clients know of the people they have written: what each must be, or may be.

/** What a person is: in which change, and where; nothing while it is not there. */
export type State = { change: number; placeId: number } | undefined;

/** Something that a person may have been, and until when. */
type Span = { state: State; until: number };

/** A write on its way: what the person may have been before it, and behind it. */
export type Write = { before: Span[]; added: Span[] };

/** Places that are never deleted; others are, and their people move to one of these. */
export const STANDING = 5;

const now = () => performance.timeOrigin + performance.now();

/** A person of one client. Its name tells which, and how often it has been changed. */
export class Entry {
  readonly handle: string;
  readonly placeId: number;
  /** Known once the creation has been acknowledged. */
  id: number | undefined;
  /** The number of the last change that was sent. */
  sent = 0;
  /** Whether it is unknown what became of a write. */
  isOpen = false;
  #spans: Span[] = [{ state: undefined, until: Number.POSITIVE_INFINITY }];

  constructor(handle: string, placeId: number) {
    this.handle = handle;
    this.placeId = placeId;
  }

  name(change: number): string {
    return `${this.handle} r${change}`;
  }

  /** What it may have been at any time since then. */
  since(then: number): State[] {
    return this.#spans.filter(({ until }) => until >= then).map(({ state }) => state);
  }

  /** What it may be now. */
  get states(): State[] {
    return this.since(Number.POSITIVE_INFINITY);
  }

  get isThere(): boolean {
    return this.states.every((state) => state !== undefined);
  }

  /** A write is sent: it may be done from now on. */
  begin(change: (state: State) => State): Write {
    const before = this.#spans.filter(({ until }) => until === Number.POSITIVE_INFINITY);
    const until = Number.POSITIVE_INFINITY;
    const added = before.map(({ state }) => ({ state: change(state), until }));
    this.#spans.push(...added);
    return { before, added };
  }

  /** It was done, or it was not. */
  end({ before, added }: Write, isDone: boolean): void {
    for (const span of isDone ? before : added) span.until = now();
  }

  /** It is seen as it is, when nothing is on its way any more; whether it may be so. */
  settle(isIt: (state: State) => boolean): boolean {
    const { states } = this;
    const found = states.filter(isIt);
    this.isOpen = false;
    if (found.length === 0) return false;
    for (const span of this.#spans) {
      if (!isIt(span.state)) span.until = Math.min(span.until, now());
    }
    return true;
  }
}

/** What a name tells. */
export function read(name: string): { handle: string; change: number } {
  const [handle = "", change = ""] = name.split(" r");
  return { handle, change: Number(change) };
}

type Person = { name: string; placeId: number | null };

export class Ledger {
  readonly entries = new Map<string, Entry>();
  /** Places that may be deleted, and what became of that. */
  readonly places = new Map<number, "there" | "unknown" | "gone">();
  /** Those whose deletion was ever tried: their people may have been moved. */
  readonly left = new Set<number>();
  readonly counts = { requests: 0, acknowledged: 0, refused: 0, unknown: 0 };

  /** Whether a person who looks like this is in a state. */
  fits({ name, placeId }: Person, state: State): boolean {
    if (state === undefined || read(name).change !== state.change) return false;
    const hasMoved = this.left.has(state.placeId) && placeId !== null && placeId <= STANDING;
    return placeId === state.placeId || hasMoved;
  }

  /** What is wrong with the people that are there: all of them, when nobody writes. */
  check(people: (Person & { id: number })[], places: Set<number>): string[] {
    const wrong: string[] = [];
    const found = new Set<string>();
    for (const person of people) {
      const { handle } = read(person.name);
      if (found.has(handle)) wrong.push(`${handle} is there twice`);
      found.add(handle);
      const entry = this.entries.get(handle);
      const isRight = entry?.states.some((state) => this.fits(person, state));
      if (!isRight) wrong.push(`${JSON.stringify(person)}, of ${JSON.stringify(entry?.states)}`);
      if (entry?.id !== undefined && entry.id !== person.id) wrong.push(`${handle} is another's`);
    }
    for (const entry of this.entries.values()) {
      if (entry.isThere && !found.has(entry.handle)) wrong.push(`${entry.handle} is lost`);
    }
    for (const [id, state] of this.places) {
      if (state === "unknown" || places.has(id) === (state === "there")) continue;
      wrong.push(`the place ${id}, which is ${state}, is not so`);
    }
    return wrong;
  }
}
