// Finds the rows of the large tables that a part of the change log may have touched. All other
// tables are small, so a backup reads them completely each time.
import type { DatabaseSync } from "node:sqlite";
import type { Name } from "../workers.ts";

/** The changes of one statement. */
export const MAX_CHANGES = 500;

/** The rows that a small table may have. A batch that deletes places has 1,000 tombstones until it ends, and
 * several batches may run. */
export const MAX_SMALL_ROWS = 10_000;

/** The changes with `after < seq <= upTo`. */
export type Interval = { after: number; upTo: number };

/** A condition on the rows of a table that is true for all rows that the changes may have touched. It
 * holds on the copy as well as on the deployed database. `copy` is the copy before these changes. */
type Condition = (interval: Interval, copy: DatabaseSync) => string;

type LargeTables = {
  /** The change log. */
  log?: string;
  /** The large tables, the log first. */
  touched: Record<string, Condition>;
  /** The order in which the pages of a table are read, if it is not that of the primary key. */
  pageOrder?: Record<string, string[]>;
};

/** The milliseconds by which the clock of a database may go back, if it moves to another machine. */
const CLOCK_TOLERANCE_MS = 10_000;

/** Stored responses are never changed, so only new ones are missing. The copy has all older ones, because
 * their pages are in order of time. */
const newResponses: Condition = (_, copy) => {
  const latest = copy.prepare("SELECT coalesce(max(at), 0) AS at FROM idempotency").get();
  return `at >= ${Number(latest?.at) - CLOCK_TOLERANCE_MS}`;
};

const inInterval = ({ after, upTo }: Interval) => `seq > ${after} AND seq <= ${upTo}`;

/** The people who changed. */
const changedPeople = (interval: Interval) =>
  `SELECT person_id FROM person_change WHERE ${inInterval(interval)}`;

/** The places before and after each change, 0 for people without one, and -1 for the total. */
const populatedPlaces = (interval: Interval) => `SELECT -1
  UNION SELECT coalesce(place_id, 0) FROM person_change WHERE ${inInterval(interval)}
  UNION SELECT coalesce(before.place_id, 0)
    FROM person_change AS now JOIN person_change AS before
      ON before.person_id = now.person_id AND before.version = now.version - 1
    WHERE now.seq > ${interval.after} AND now.seq <= ${interval.upTo}`;

/** The time of the last change up to a sequence. */
const timeOf = (seq: number) =>
  `coalesce((SELECT at FROM person_change WHERE seq <= ${seq} ORDER BY seq DESC LIMIT 1), 0)`;

export const largeTables: Record<Name, LargeTables> = {
  places: {
    log: "place_change",
    touched: {
      place_change: inInterval,
      place: (interval) =>
        `id IN (SELECT place_id FROM place_change WHERE ${inInterval(interval)})`,
      idempotency: newResponses,
    },
    pageOrder: { idempotency: ["at", "key"] },
  },
  people: {
    log: "person_change",
    touched: {
      // An erasure removes the name of the person from all earlier changes.
      person_change: (interval) => `seq IN (
        SELECT seq FROM person_change WHERE ${inInterval(interval)}
        UNION
        SELECT seq FROM person_change WHERE person_id IN (
          ${changedPeople(interval)} AND kind IN ('deleted', 'erased')
        )
      )`,
      person: (interval) => `id IN (${changedPeople(interval)})`,
      population: (interval) => `place_id IN (${populatedPlaces(interval)})`,
      // The rows of one millisecond may be changed until the next.
      population_history: (interval) =>
        `place_id IN (${populatedPlaces(interval)})
         AND at BETWEEN ${timeOf(interval.after)} AND ${timeOf(interval.upTo)}`,
      idempotency: newResponses,
    },
    pageOrder: { idempotency: ["at", "key"] },
  },
  join: { touched: {} },
};
