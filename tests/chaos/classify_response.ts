// Classifies responses during a chaos run. A result, a documented problem, and a body that breaks
// off are acceptable. Anything else fails the run.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { retryOnServerError } from "../support/assert_integrity.ts";
import type { Person } from "../support/fixtures.ts";
import { type ApiResponse, nextLink, type WorkerClient } from "../support/harness.ts";

/** The status of each problem type in docs/problems.md. */
const documentedProblems = new Map(
  [
    ...readFileSync(resolve(import.meta.dirname, "../../docs/problems.md"), "utf8").matchAll(
      /^\| `(\/problems\/[a-z-]+)` \| (\d{3}) \|/gm,
    ),
  ].map(([, type, status]) => [type, Number(status)]),
);

/** The outcome of a request. `none`: no response, or one that cannot be parsed. */
export type Outcome =
  | { kind: "success"; response: ApiResponse }
  | { kind: "problem"; response: ApiResponse; type: string; isUnknown: boolean }
  | { kind: "none"; text?: string };

/** A response that the service must never send. */
export class InvalidResponse extends Error {}

export function classifyResponse(description: string, response: ApiResponse): Outcome {
  const { status, headers, text } = response;
  const isProblem = headers["content-type"] === "application/problem+json";
  if (isProblem || status === 200 || status === 201) {
    try {
      JSON.parse(text);
    } catch {
      return { kind: "none", text };
    }
  }
  if (status < 400) return { kind: "success", response };
  const { type, outcome } = isProblem ? response.json : {};
  if (documentedProblems.get(type) !== status || type === "/problems/internal") {
    throw new InvalidResponse(`${description}: ${status} ${text.slice(0, 200)}`);
  }
  return { kind: "problem", response, type, isUnknown: outcome === "unknown" };
}

/** Sends a request and classifies its response. A broken connection is the outcome `none`. */
export async function classifyRequest(
  description: string,
  request: () => Promise<ApiResponse>,
): Promise<Outcome> {
  let response: ApiResponse;
  try {
    response = await request();
  } catch {
    return { kind: "none" };
  }
  return classifyResponse(description, response);
}

/** Reads all people and places through the API, and lists the rules that they break. */
export async function readEverything(gateway: WorkerClient) {
  const readList = async (path: string) => {
    const records = [];
    for (let next: string | undefined = `${path}?limit=1000`; next; ) {
      const address: string = next;
      const page = await retryOnServerError(() => gateway.get(address));
      if (page.status !== 200) throw new Error(`${address}: ${page.text}`);
      records.push(...page.json);
      next = nextLink(page);
    }
    return records;
  };
  const people: Person[] = await readList("/v1/people");
  const listed: { id: number; name: string }[] = await readList("/v1/places");
  const places = new Set(listed.map(({ id }) => id));
  const placeNames = new Set(listed.map(({ name }) => name));
  const errors: string[] = [];
  const report = await retryOnServerError(() => gateway.get("/v1/integrity"));
  if (report.json.consistent !== true) errors.push(report.text);
  const placesWithKing = new Set<number>();
  for (const { id, isAlive, isKing, placeId } of people) {
    const hasNoPlace = placeId === null ? isAlive : !places.has(placeId);
    if (hasNoPlace) errors.push(`the person ${id} has no place`);
    if (!isKing) continue;
    if (placeId === null || placesWithKing.has(placeId)) errors.push(`${placeId} has two kings`);
    else placesWithKing.add(placeId);
  }
  return { people, places, placeNames, errors };
}
