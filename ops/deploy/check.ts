// Checks a deployment from outside: every service must respond, writes must need a token, and reads must
// need one if the setting READS closes them.
import { setTimeout as sleep } from "node:timers/promises";

type Expectation = { method: string; path: string; status: number; has?: RegExp };

const expectations = (readsAreOpen: boolean): Expectation[] => [
  { method: "GET", path: "/healthz", status: 200 },
  // Ready means that all three workers and their databases respond.
  { method: "GET", path: "/readyz", status: 200 },
  {
    method: "GET",
    path: "/v1/people-per-place?limit=1",
    ...(readsAreOpen ? { status: 200, has: /^\[/ } : { status: 401, has: /token-required/ }),
  },
  { method: "GET", path: "/openapi.json", status: 200, has: /"openapi"/ },
  // A write without a token is rejected.
  { method: "POST", path: "/v1/places", status: 401 },
];

async function failure(url: string, { method, path, status, has }: Expectation): Promise<string> {
  try {
    const address = new URL(path, url);
    const response = await fetch(address, { method, signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    if (response.status === status && (has?.test(text) ?? true)) return "";
    return `${method} ${path}: ${response.status} ${text.slice(0, 300)}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return `${method} ${path}: ${cause instanceof Error ? cause.message : message}`;
  }
}

/** The failed checks. Repeats them for a minute, because a new address takes time to resolve. */
export async function check(
  url: string,
  readsAreOpen: boolean,
  attempts = 30,
  pauseMs = 2000,
): Promise<string[]> {
  const expected = expectations(readsAreOpen);
  for (let left = attempts; ; left -= 1) {
    const results = await Promise.all(expected.map((expectation) => failure(url, expectation)));
    const failures = results.filter(Boolean);
    if (failures.length === 0 || left <= 1) return failures;
    await sleep(pauseMs);
  }
}
