// The interface through which backup and restore use the three databases. They are local
// (local_store.ts) or those of an environment (remote_store.ts).
import type { Name } from "../workers.ts";
import type { Dumps } from "./manifest.ts";

export type Row = Record<string, unknown>;

/** The three databases of one deployment. */
export interface Store {
  readonly source: string;
  /** Dumps all databases into a folder, so that places and people are consistent. Writers do not
   * wait meanwhile. */
  dump(folder: string): Promise<Dumps>;
  /** Dumps one database into a file. */
  dumpOne(name: Name, file: string): Promise<void>;
  query(name: Name, sql: string): Promise<Row[]>;
  /** Runs the statements of a file in one transaction. */
  load(name: Name, file: string): Promise<void>;
}
