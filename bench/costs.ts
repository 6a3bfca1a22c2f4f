// Counts what a response costs: D1 round trips, rows, and calls between services.
import type { Costs } from "../tests/support/cost_counter.ts";
import { ask } from "./check.ts";
import type { ContestantName } from "./contestants.ts";
import type { Entry, WorkloadResult } from "./results.ts";
import type { Size } from "./rows.ts";
import { type Running, run } from "./running.ts";
import { variants, type Workload } from "./workloads.ts";

type Sent = { etag: string; headers: Record<string, string> };

/** Counts the costs of one response to each workload, apart from the timed runs. */
export async function countCosts(
  names: ContestantName[],
  size: Size,
  results: Map<Workload, WorkloadResult>,
): Promise<void> {
  const countOf = async (name: ContestantName) => {
    const running = await run(name, size, { counting: true });
    for (const [workload, result] of results) {
      const { etag, failure } = await ask(running, workload);
      // The server may still be working on it, which would distort the next counts.
      if (failure) break;
      result.costs[name as Entry] = await meanCosts(running, workload, 1e6, { etag, headers: {} });
      for (const variant of name === "product" ? (workload.variants ?? []) : []) {
        const { headers } = variants[variant];
        result.costs[variant] = await meanCosts(running, workload, 2e6, { etag, headers });
      }
    }
    await running.stop();
  };
  await Promise.all(names.filter((name) => !["flask", "floors"].includes(name)).map(countOf));
}

/** The mean costs of one response, from the `first`th request on. */
async function meanCosts(
  running: Running,
  workload: Workload,
  first: number,
  sent: Sent,
): Promise<Costs> {
  const count = workload.counted ?? 1;
  await running.costs();
  for (let n = 0; n < count; n += 1) await once(running, workload, first + n, sent);
  const sums = Object.entries(await running.costs());
  return Object.fromEntries(sums.map(([name, sum]) => [name, sum / count])) as Costs;
}

/** Sends a request as in the measurement: with the ETag, or the `n`th one. */
async function once(running: Running, workload: Workload, n: number, sent: Sent): Promise<void> {
  const { service, shots, verified, conditional } = workload;
  // The costs per batch are the same, so an import of 1,000 people is enough.
  const { method, path, headers, body } =
    shots && !verified ? shots(n, running.name) : workload.shot;
  // A new key, because the product does not import a file twice.
  const key = headers?.["idempotency-key"];
  const answer = await fetch(new URL(path, running.urls[service]), {
    method,
    headers: {
      ...headers,
      ...sent.headers,
      ...(conditional && { "if-none-match": sent.etag }),
      ...(key && { "idempotency-key": `${key}-again` }),
    },
    ...(body !== undefined && { body: String(body) }),
  });
  await answer.arrayBuffer();
}
