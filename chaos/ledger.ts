// What the clients know: what was acknowledged, and what may or may not have happened.

/** A person of one client. The name tells which, and how often it has been changed. */
export type Entry = {
  handle: string;
  /** The creation's own; it is sent again under it. */
  key: string;
  placeId: number;
  /** Known once the creation has been acknowledged. */
  id: number | undefined;
  /** The number of the last change that was acknowledged, and of the last that was sent. */
  acknowledged: number;
  sent: number;
  /** Whether a deletion has been sent, and whether it has been acknowledged. */
  deletion: "none" | "sent" | "acknowledged";
};

export const nameOf = (entry: Entry, change: number) => `${entry.handle} r${change}`;

/** What a name tells. */
export function read(name: string): { handle: string; change: number } {
  const [handle = "", change = ""] = name.split(" r");
  return { handle, change: Number(change) };
}

export type Counts = {
  requests: number;
  acknowledged: number;
  refused: number;
  /** Requests whose answer never came. */
  unanswered: number;
};

export class Ledger {
  readonly entries = new Map<string, Entry>();
  /** Places that have been deleted: acknowledged, or perhaps. */
  readonly places = new Map<number, "there" | "sent" | "gone">();
  readonly counts: Counts = { requests: 0, acknowledged: 0, refused: 0, unanswered: 0 };

  /** What is wrong with the people that are there, given all of them by name and place. */
  check(people: { id: number; name: string; isAlive: boolean; placeId: number | null }[]): string[] {
    const wrong: string[] = [];
    const found = new Map<string, number>();
    for (const { id, name } of people) {
      const { handle, change } = read(name);
      found.set(handle, (found.get(handle) ?? 0) + 1);
      const entry = this.entries.get(handle);
      if (!entry) wrong.push(`nobody has sent ${name}`);
      else if (entry.deletion === "acknowledged") wrong.push(`${name} was deleted`);
      else if (entry.id !== undefined && entry.id !== id) wrong.push(`${name} is another's`);
      else if (change < entry.acknowledged || change > entry.sent) {
        wrong.push(`${name}, of ${entry.acknowledged} to ${entry.sent}`);
      }
    }
    for (const [handle, times] of found) if (times > 1) wrong.push(`${handle}: ${times} times`);
    for (const entry of this.entries.values()) {
      const isSure = entry.id !== undefined && entry.deletion === "none";
      if (isSure && !found.has(entry.handle)) wrong.push(`${entry.handle} is lost`);
    }
    const homes = new Set(people.flatMap(({ placeId }) => placeId ?? []));
    for (const [id, state] of this.places) {
      if (state === "gone" && homes.has(id)) wrong.push(`people live in ${id}, which is gone`);
    }
    return wrong;
  }
}
