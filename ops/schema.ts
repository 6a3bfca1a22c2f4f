// Recognizes a database of a version before 0.2.0. Those versions had other migration files, so the
// migrations of this version fail on such a database.
import { mainTable, type Name } from "./workers.ts";

/** A database whose schema this version cannot use. The message tells how to fix it. */
export class OutdatedSchema extends Error {
  constructor(database: string, fix: string) {
    super(`an older version made the database ${database}: ${fix}`);
  }
}

/** A query whose column `outdated` is 1 for an older schema. All versions create the main table;
 * since 0.2.0 the first migration also creates `schema`. */
export function outdatedQuery(name: Name): string {
  const exists = (table: string) =>
    `EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '${table}')`;
  return `SELECT ${exists(mainTable[name])} AND NOT ${exists("schema")} AS outdated`;
}
