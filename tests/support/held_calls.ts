// A main module that wraps the worker `index.js`. A test can hold a call of the database while other
// requests run, or lose its result.
import type { WorkerClient } from "./worker_client.ts";

/** With the header `x-hold-call: N`, the Nth call of the request to its database waits until
 * `/release-call`. With `x-lose-call: N`, this call is done, but fails. */
export const heldCalls = `
  import Built from "./index.js";
  import { WorkerEntrypoint } from "cloudflare:workers";
  let isHeld = false;
  const run = async (faults, send) => {
    faults.calls += 1;
    if (faults.calls === faults.hold) {
      isHeld = true;
      while (isHeld) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const result = await send();
    if (faults.calls === faults.lose) throw new Error("D1_ERROR: Network connection lost.");
    return result;
  };
  const wrap = (d1, faults) => {
    const statement = (inner) => ({
      inner,
      bind: (...values) => statement(inner.bind(...values)),
      all: () => run(faults, () => inner.all()),
    });
    return {
      prepare: (sql) => statement(d1.prepare(sql)),
      withSession: (constraint) => wrap(d1.withSession(constraint), faults),
      getBookmark: () => d1.getBookmark?.() ?? null,
      batch: (list) => run(faults, () => d1.batch(list.map(({ inner }) => inner))),
    };
  };
  export default class extends WorkerEntrypoint {
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/held-call") return Response.json(isHeld);
      if (pathname === "/release-call") {
        isHeld = false;
        return Response.json(isHeld);
      }
      const [hold, lose] = ["x-hold-call", "x-lose-call"].map((name) => Number(request.headers.get(name)));
      if (!hold && !lose) return Built.fetch(request, this.env, this.ctx);
      const DB = wrap(this.env.DB, { hold, lose, calls: 0 });
      return Built.fetch(request, { ...this.env, DB }, this.ctx);
    }
  }
`;

/** Sends a request with `x-hold-call: call`, and runs `meanwhile` while the call is held. Undefined if
 * the request makes fewer calls, and `meanwhile` did not run. */
export async function whileHeld<T>(
  worker: WorkerClient,
  call: number,
  send: (headers: Record<string, string>) => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<T | undefined> {
  let isDone = false;
  const response = send({ "x-hold-call": `${call}` }).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    if (!(await worker.get("/held-call")).json) continue;
    await meanwhile();
    await worker.get("/release-call");
    return response;
  }
  await response;
  return undefined;
}
