// Whether what has been deployed answers as it should, asked from outside.
import { setTimeout as sleep } from "node:timers/promises";

type Expectation = { method: string; path: string; status: number; has?: RegExp };

const expectations: Expectation[] = [
  { method: "GET", path: "/healthz", status: 200 },
  // All three, and each one's database.
  { method: "GET", path: "/readyz", status: 200 },
  { method: "GET", path: "/v1/people-per-place?limit=1", status: 200, has: /^\[/ },
  { method: "GET", path: "/openapi.json", status: 200, has: /"openapi"/ },
  // Nobody writes without a token.
  { method: "POST", path: "/v1/places", status: 401 },
];

async function wrong(url: string, { method, path, status, has }: Expectation): Promise<string> {
  try {
    const address = new URL(path, url);
    const answer = await fetch(address, { method, signal: AbortSignal.timeout(10_000) });
    const text = await answer.text();
    if (answer.status === status && (has?.test(text) ?? true)) return "";
    return `${method} ${path}: ${answer.status} ${text.slice(0, 300)}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return `${method} ${path}: ${cause instanceof Error ? cause.message : message}`;
  }
}

/** What is wrong, once there has been time for a new address to be known: nothing, if all is well.
 */
export async function check(url: string, tries = 30, pauseMs = 2000): Promise<string[]> {
  for (let left = tries; ; left -= 1) {
    const all = await Promise.all(expectations.map((one) => wrong(url, one)));
    const found = all.filter(Boolean);
    if (found.length === 0 || left <= 1) return found;
    await sleep(pauseMs);
  }
}
