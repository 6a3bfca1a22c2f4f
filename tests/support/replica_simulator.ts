// A main module that wraps the worker `index.js`. It gives the worker's database a read replica,
// which is older than the primary until a test makes it catch up. A bookmark starts with the number
// of writes that a database has applied.
//
// As on the platform, a session reads from the replica, with two exceptions: it asks for the
// primary, or for a bookmark that the replica has not reached. The bookmark of the session advances
// to that of the database that it used. The simulator rejects a write outside a primary session, so
// that no write is lost in the replica.
//
// Like the platform's session, it keeps the greater of two bookmarks: the one that it began with,
// and the one that the database returns. A bookmark that does not end with the id of this database
// belongs to another one. `POST /unknown-bookmarks?reject` makes a query with such a bookmark fail,
// and `?wait` makes it wait forever.
//
// `POST /replicate` makes the replica catch up. `GET /session-counts` returns the number of queries
// that each database has answered, and resets the counts.
export const replicaSimulator = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  let writes = 0;
  let replicated = 0;
  let counts = { primary: 0, replica: 0 };
  let unknownBookmarks = "reject";
  let madeId;
  // Random values are not available before the first request.
  const databaseId = () => (madeId ??= crypto.randomUUID().replaceAll("-", ""));
  const bookmark = (count) =>
    count.toString(16).padStart(8, "0") + "-00000000-00004c6d-" + databaseId();
  const isBookmark = (constraint) => !constraint.startsWith("first-");
  const isWrite = (sql) => !/^(--.*\\n|\\s)*(SELECT|WITH(?![^]*\\b(INSERT|UPDATE|DELETE)\\b))/i.test(sql);

  class Session {
    #env;
    #constraint;
    #bookmark = null;
    constructor(env, constraint) {
      this.#env = env;
      this.#constraint = constraint;
      if (isBookmark(constraint)) this.#bookmark = constraint;
    }
    getBookmark() {
      return this.#bookmark;
    }
    prepare(sql) {
      const run = (statements) => this.#run(statements);
      return {
        sql,
        values: [],
        bind(...values) {
          return { ...this, values };
        },
        all() {
          return run([this]).then(([result]) => result);
        },
      };
    }
    batch(statements) {
      return this.#run(statements);
    }
    async #run(statements) {
      const from = this.#bookmark ?? this.#constraint;
      if (isBookmark(from) && !from.endsWith(databaseId())) {
        if (unknownBookmarks === "wait") return new Promise(() => {});
        throw new Error("D1_ERROR: unknown bookmark");
      }
      const hasWrite = statements.some(({ sql }) => isWrite(sql));
      const isCurrent = from === "first-unconstrained" || from <= bookmark(replicated);
      const useReplica = !hasWrite && from !== "first-primary" && isCurrent;
      counts[useReplica ? "replica" : "primary"] += 1;
      if (hasWrite && from !== "first-primary") throw new Error("a write outside a primary session");
      const applied = useReplica ? replicated : (writes += hasWrite);
      const database = useReplica ? this.#env.REPLICA : this.#env.DB;
      const bound = statements.map(({ sql, values }) => database.prepare(sql).bind(...values));
      const results = await database.batch(bound);
      const reached = bookmark(applied);
      if (this.#bookmark === null || this.#bookmark < reached) this.#bookmark = reached;
      return results;
    }
  }

  async function replicate({ DB, REPLICA }) {
    const count = writes;
    const tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' AND name NOT LIKE '%_search%'";
    const { results } = await DB.prepare(tables).all();
    const onEachTable = (sql) => DB.batch(results.map(({ name }) => DB.prepare(sql(name))));
    const [columns, rows] = await Promise.all([
      onEachTable((name) => 'PRAGMA table_info("' + name + '")'),
      onEachTable((name) => 'SELECT * FROM "' + name + '"'),
    ]);
    const statements = [REPLICA.prepare("PRAGMA defer_foreign_keys = on")];
    for (const { name } of results) statements.push(REPLICA.prepare('DELETE FROM "' + name + '"'));
    results.forEach(({ name }, index) => {
      const names = columns[index].results.map((column) => column.name);
      const placeholders = names.map(() => "?");
      const sql = 'INSERT INTO "' + name + '" ("' + names.join('", "') + '") VALUES (' + placeholders + ")";
      for (const row of rows[index].results) {
        statements.push(REPLICA.prepare(sql).bind(...names.map((column) => row[column])));
      }
    });
    for (const { name } of results.filter(({ name }) => name === "place" || name === "person")) {
      statements.push(REPLICA.prepare("INSERT INTO " + name + "_search (" + name + "_search) VALUES ('rebuild')"));
    }
    await REPLICA.batch(statements);
    replicated = count;
  }

  export default class extends WorkerEntrypoint {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/replicate") {
        await replicate(this.env);
        return new Response("done");
      }
      if (pathname === "/unknown-bookmarks") {
        unknownBookmarks = new URL(request.url).search.slice(1);
        return new Response("done");
      }
      if (pathname === "/session-counts") {
        const counted = counts;
        counts = { primary: 0, replica: 0 };
        return Response.json(counted);
      }
      const DB = { withSession: (constraint) => new Session(this.env, constraint) };
      return Built.fetch(request, { ...this.env, DB }, this.ctx);
    }
  }
`;
