// Tests a database whose queue is full. D1 then rejects queries, and the response tells the client
// to wait.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import { type ApiResponse, start } from "../support/harness.ts";

// With the header `x-overloaded: N`, all queries after the first N fail with D1's own message
// (https://developers.cloudflare.com/d1/observability/debug-d1/).
const overloadable = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  const messages = ["Requests queued for too long.", "Too many requests queued."];
  const wrap = (d1, allowed) => {
    const run = (query) => {
      allowed.queries -= 1;
      if (allowed.queries >= 0) return query();
      throw new Error("D1_ERROR: D1 DB is overloaded. " + messages[-allowed.queries % 2]);
    };
    const statement = (inner) => ({
      inner,
      bind: (...values) => statement(inner.bind(...values)),
      all: async () => run(() => inner.all()),
    });
    return {
      prepare: (sql) => statement(d1.prepare(sql)),
      withSession: (constraint) => wrap(d1.withSession(constraint), allowed),
      getBookmark: () => d1.getBookmark?.() ?? null,
      batch: async (list) => run(() => d1.batch(list.map(({ inner }) => inner))),
    };
  };
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const queries = request.headers.get("x-overloaded");
      if (queries === null) return Built.fetch(request, this.env, this.ctx);
      const DB = wrap(this.env.DB, { queries: Number(queries) });
      return Built.fetch(request, { ...this.env, DB }, this.ctx);
    }
  }
`;
const system = await start({ places, people, wrappers: { people: overloadable } });
after(() => system.dispose());

const person = { name: "Nueva", isAlive: true, placeId: 1 };

function assertOverloaded(response: ApiResponse, isWrite: boolean, message: string): void {
  assert.equal(response.status, 503, `${message} ${response.text}`);
  assert.equal(response.json.type, "/problems/overloaded", message);
  assert.equal(response.allHeaders.get("retry-after"), "2", message);
  assert.equal(response.json.outcome, isWrite ? "unknown" : undefined, message);
  assert.ok(!response.text.includes("D1"), message);
}

test("an_overloaded_database_gives_503_with_retry_after", async () => {
  const overloaded = { "x-overloaded": "0" };
  for (const worker of [system.people, system.join]) {
    for (const path of ["/v1/people?name=s", "/v1/people/2", "/v1/people/1/history"]) {
      assertOverloaded(await worker.get(path, overloaded), false, path);
    }
    const created = await worker.send("POST", "/v1/people", person, overloaded);
    assertOverloaded(created, true, "POST");
    const deleted = await worker.request("DELETE", "/v1/people/1", overloaded);
    assertOverloaded(deleted, true, "DELETE");
  }
  assert.equal((await system.people.get("/v1/people/1")).status, 200);
});

test("a_write_that_an_overload_interrupts_is_completed_by_its_retry", async () => {
  const key = { "idempotency-key": "interrupted" };
  for (let queries = 0; queries < 4; queries += 1) {
    const headers = { ...key, "x-overloaded": `${queries}` };
    const response = await system.people.send("POST", "/v1/people", person, headers);
    if (response.status !== 201) assertOverloaded(response, true, `${queries} queries`);
  }
  const retried = await system.people.send("POST", "/v1/people", person, key);
  assert.equal(retried.status, 201, retried.text);
  const found = await system.people.get("/v1/people?name=Nueva");
  assert.equal(found.json.length, 1, found.text);
});
