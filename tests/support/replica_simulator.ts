// A main module that serves the worker behind it, `index.js`, and gives its database a replica
// that is as far behind as a test has it. A bookmark is how many writes the primary has taken.
//
// As at the platform, a session goes to the replica unless it asks for the primary or for more
// than the replica has, and is told how far the database that it reached has come. What writes is
// refused by the replica, so that none can be lost there unseen.
//
// `POST /replicate` has the replica catch up; `GET /asked` tells how many sessions each of the two
// has answered, and begins anew.
export const replicas = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  let writes = 0;
  let copied = 0;
  let asked = { primary: 0, replica: 0 };
  const text = (count) => "b" + String(count).padStart(8, "0");
  const isWrite = (sql) => !/^(--.*\\n|\\s)*(SELECT|WITH(?![^]*\\b(INSERT|UPDATE|DELETE)\\b))/i.test(sql);

  class Session {
    #env;
    #from;
    #seen = null;
    constructor(env, from) {
      this.#env = env;
      this.#from = from;
    }
    getBookmark() {
      return this.#seen;
    }
    prepare(sql) {
      return { sql, values: [], bind(...values) { return { ...this, values }; }, all() { return this.run([this]).then(([one]) => one); }, run: (all) => this.#run(all) };
    }
    batch(all) {
      return this.#run(all);
    }
    async #run(all) {
      const from = this.#seen ?? this.#from;
      const writing = all.some(({ sql }) => isWrite(sql));
      const isReplica = !writing && from !== "first-primary" && (from === "first-unconstrained" || from <= text(copied));
      asked[isReplica ? "replica" : "primary"] += 1;
      if (writing && from !== "first-primary") throw new Error("a write outside of the primary");
      const count = isReplica ? copied : (writes += writing);
      const database = isReplica ? this.#env.REPLICA : this.#env.DB;
      const results = await database.batch(all.map(({ sql, values }) => database.prepare(sql).bind(...values)));
      if (this.#seen === null || this.#seen < text(count)) this.#seen = text(count);
      return results;
    }
  }

  async function replicate({ DB, REPLICA }) {
    const count = writes;
    const tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'";
    const { results } = await DB.prepare(tables).all();
    const all = (sql) => DB.batch(results.map(({ name }) => DB.prepare(sql(name))));
    const [columns, rows] = await Promise.all([all((name) => 'PRAGMA table_info("' + name + '")'), all((name) => 'SELECT * FROM "' + name + '"')]);
    const statements = ["PRAGMA defer_foreign_keys = on"].map((sql) => REPLICA.prepare(sql));
    for (const { name } of results) statements.push(REPLICA.prepare('DELETE FROM "' + name + '"'));
    results.forEach(({ name }, at) => {
      for (const row of rows[at].results) {
        const names = columns[at].results.map((column) => column.name);
        const sql = 'INSERT INTO "' + name + '" ("' + names.join('", "') + '") VALUES (' + names.map(() => "?") + ")";
        statements.push(REPLICA.prepare(sql).bind(...names.map((column) => row[column])));
      }
    });
    await REPLICA.batch(statements);
    copied = count;
  }

  export default class extends WorkerEntrypoint {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/replicate") {
        await replicate(this.env);
        return new Response("done");
      }
      if (pathname === "/asked") {
        const told = asked;
        asked = { primary: 0, replica: 0 };
        return Response.json(told);
      }
      const DB = { withSession: (from) => new Session(this.env, from) };
      return Built.fetch(request, { ...this.env, DB }, this.ctx);
    }
  }
`;
