// Recorded histories of a register, such as the name of a record: concurrent reads and writes with
// their times. The writes have versions, which count up, so their order is known.

/** A read or a write. Times may have any unit, also that of a logical clock. */
export type Operation = {
  /** A description for the message of a contradiction. */
  what: string;
  isWrite?: boolean;
  /** Its begin and its end. */
  from: number;
  to: number;
  /** The version that it has written or seen. */
  version: number;
  /** How old the state may be that a read sees, at its begin. The default is 0: a current one. */
  maxAge?: number;
  /** The oldest version that a read may see, because its client knows of it. */
  oldest?: number;
};

/** The contradictions of a history, a line for each operation. There are none if every operation takes
 * effect at one moment: a write between its begin and its end, a read between `maxAge` before its
 * begin and its end.
 *
 * The order of the writes is known. So such moments exist if each operation has at least the version of
 * all operations that end before its first moment, and a write has a greater version than them. */
export function contradictions(history: Operation[]): string[] {
  const firstMoment = ({ from, maxAge = 0 }: Operation) => from - maxAge;
  const byFirst = history.toSorted((a, b) => firstMoment(a) - firstMoment(b));
  const byEnd = history.toSorted((a, b) => a.to - b.to);
  const found: string[] = [];
  let [ended, greatest] = [0, Number.NEGATIVE_INFINITY];
  for (const operation of byFirst) {
    const { what, version, isWrite, oldest } = operation;
    for (let next = byEnd[ended]; next && next.to < firstMoment(operation); next = byEnd[ended]) {
      greatest = Math.max(greatest, next.version);
      ended += 1;
    }
    if (isWrite && version <= greatest) {
      found.push(`${what}: version ${version} was seen before it was written`);
    } else if (version < greatest) {
      found.push(`${what}: version ${version} after version ${greatest}`);
    } else if (oldest !== undefined && version < oldest) {
      found.push(`${what}: version ${version}, but its client knew version ${oldest}`);
    }
  }
  return found;
}
