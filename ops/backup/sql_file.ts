// Reads a dump in chunks, and opens it as a database in a temporary file.
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StringDecoder } from "node:string_decoder";

const CHUNK_BYTES = 1 << 20;

/** The statements of a dump in chunks of about a MiB. A dump writes each row as one line, so a chunk
 * that ends before such a line has only complete statements. */
export function* sqlChunks(file: string): Generator<string> {
  const input = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    const decoder = new StringDecoder("utf8");
    let text = "";
    for (let size = -1; size !== 0; ) {
      size = readSync(input, buffer);
      text += size > 0 ? decoder.write(buffer.subarray(0, size)) : decoder.end();
      const end = text.lastIndexOf('\nINSERT INTO "');
      if (end < 0) continue;
      yield text.slice(0, end + 1);
      text = text.slice(end + 1);
    }
    if (text) yield text;
  } finally {
    closeSync(input);
  }
}

/** Runs the statements of a dump. */
export function runDump(database: DatabaseSync, file: string): void {
  for (const chunk of sqlChunks(file)) database.exec(chunk);
}

/** Uses a folder for temporary files, which only the current user may read. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "backup-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Loads a dump into a new file. Throws if the SQL fails or the database is corrupt. */
export function openDump(dump: string, file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    // The file is temporary, so it need not survive a crash.
    database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
    runDump(database, dump);
    database.exec("COMMIT");
    const faults = [
      ...database.prepare("PRAGMA foreign_key_check").all(),
      ...database.prepare("PRAGMA integrity_check").all(),
    ].filter((row) => row.integrity_check !== "ok");
    if (faults.length > 0) throw new Error(`the database is corrupt: ${JSON.stringify(faults[0])}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
