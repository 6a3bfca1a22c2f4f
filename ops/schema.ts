// Recognizes a database of a version before 0.3.0. Those versions had other migration files, so the
// migrations of this version fail on such a database. The module also sets the epoch of a database.
import { mainTable, type Name } from "./workers.ts";

/** A database whose schema this version cannot use. The message tells how to fix it. */
export class OutdatedSchema extends Error {
  constructor(database: string, fix: string) {
    super(`an older version made the database ${database}: ${fix}`);
  }
}

/** A query whose column `outdated` is 1 for an older schema. All versions create the main table. Since
 * 0.3.0 the first migration also creates the column that distinguishes this version. */
export function outdatedQuery(name: Name): string {
  const exists = (condition: string) =>
    `EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND ${condition})`;
  const isCurrent =
    name === "join"
      ? "name = 'snapshot' AND sql LIKE '%places_seq TEXT%'"
      : "name = 'schema' AND sql LIKE '%epoch TEXT%'";
  return `SELECT ${exists(`name = '${mainTable[name]}'`)} AND NOT ${exists(isCurrent)} AS outdated`;
}

/** The databases whose histories have an epoch. */
export const withEpoch: Name[] = ["places", "people"];

/** Starts a new history of a database: entity tags and cursors of the previous one no longer match. */
export const newEpoch = "UPDATE schema SET epoch = lower(hex(randomblob(4)))";
