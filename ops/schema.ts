// Recognizes a database that this version cannot use: one of another project with the same name, or one
// of a version before 0.3.0, which had other migration files. The module also sets the epoch of a
// database.
import { mainTable, type Name } from "./workers.ts";

/** `older`: an older version made the database. `foreign`: it has tables, but not those of this project. */
type Fault = "older" | "foreign";

/** A database that this version cannot use. The message tells what to do. */
export class UnusableDatabase extends Error {
  constructor(database: string, fault: Fault, fix: string) {
    super(
      fault === "older"
        ? `an older version made the database ${database}: ${fix}`
        : `the database ${database} has tables that are not of this project: ${fix}`,
    );
  }
}

/** A query whose column `fault` is the fault of a database, or null. All versions create the main
 * table. Since 0.3.0 the first migration also creates the column that distinguishes this version. */
export function faultQuery(name: Name): string {
  const exists = (condition: string) =>
    `EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND ${condition})`;
  const isCurrent =
    name === "join"
      ? "name = 'snapshot' AND sql LIKE '%places_seq TEXT%'"
      : "name = 'schema' AND sql LIKE '%epoch TEXT%'";
  // The tables of SQLite and of the platform do not count.
  const isOther = ["name <> 'd1_migrations'", "substr(name, 1, 7) <> 'sqlite_'"];
  isOther.push("substr(name, 1, 4) <> '_cf_'");
  const cases = [
    `WHEN ${exists(`name = '${mainTable[name]}'`)} THEN iif(${exists(isCurrent)}, NULL, 'older')`,
    `WHEN ${exists(isOther.join(" AND "))} THEN 'foreign'`,
  ];
  return `SELECT CASE ${cases.join(" ")} END AS fault`;
}

/** Rejects a database by the row of its `faultQuery`. */
export function rejectFault(
  row: Record<string, unknown> | null | undefined,
  database: string,
  fixes: Record<Fault, string>,
): void {
  const fault = row?.fault as Fault | null | undefined;
  if (fault) throw new UnusableDatabase(database, fault, fixes[fault]);
}

/** The databases whose histories have an epoch. */
export const withEpoch: Name[] = ["places", "people"];

/** Starts a new history of a database: entity tags and cursors of the previous one no longer match. */
export const newEpoch = "UPDATE schema SET epoch = lower(hex(randomblob(4)))";
