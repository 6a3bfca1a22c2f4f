// Recognizes a database of a version before 0.2.0. Those versions had other migration files, so
// the migrations of this version can only fail on such a database.
import { mainTable, type Name } from "./workers.ts";

/** A database whose schema this version cannot use. The message says how to fix it. */
export class OutdatedSchema extends Error {
  constructor(database: string, fix: string) {
    super(`an older version made the database ${database}: ${fix}`);
  }
}

/** The statement that tells whether a database has an older schema, in the column `outdated`.
 * All versions create the main table. Since 0.2.0 the first migration also creates `schema`. */
export function outdatedQuery(name: Name): string {
  const exists = (table: string) =>
    `EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '${table}')`;
  return `SELECT ${exists(mainTable[name])} AND NOT ${exists("schema")} AS outdated`;
}
