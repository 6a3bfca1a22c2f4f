// Names the lists of the API with their media types, and compares HEAD with GET.
import assert from "node:assert/strict";
import { personFields } from "./declared_fields.ts";
import { people, places } from "./fixtures.ts";
import type { System, WorkerClient } from "./harness.ts";

export const TYPES = {
  json: "application/json",
  ndjson: "application/x-ndjson",
  csv: "text/csv",
} as const;
export const CSV_TYPE = "text/csv; charset=utf-8; header=present";
export const PROBLEM_TYPE = "application/problem+json";

/** The lists that have a CSV table, with its columns. */
export const csvLists: Record<string, string[]> = {
  "/v1/places?limit=3&count=exact": ["id", "name"],
  "/v1/places?limit=1000&sort=-name": ["id", "name"],
  "/v1/places?name=nobody": ["id", "name"],
  "/v1/places?ids=20,21,22": ["id", "name"],
  "/v1/places/as-of?limit=4": ["id", "name"],
  "/v1/places/as-of?ids=20,21,22": ["id", "name"],
  "/v1/places/as-of?asOf=1999-12-31T23:59:59Z": ["id", "name"],
  "/v1/people?limit=5&count=exact": personFields,
  "/v1/people?isAlive=false&sort=name": personFields,
  "/v1/people?placeId=2": personFields,
  "/v1/people/population": ["placeId", "total", "living", "dead", "kingId", "kingName"],
  "/v1/people/population?sort=-living&limit=2&least=2": [
    ...["placeId", "total", "living", "dead", "kingId", "kingName"],
  ],
  "/v1/people/population?least=99": ["placeId", "total", "living", "dead", "kingId", "kingName"],
};
/** The lists without a CSV table, because their records are nested. */
export const nestedLists = [
  "/v1/people/by-place",
  "/v1/changes?limit=3",
  "/v1/places/changes?limit=3",
  "/v1/people/changes?limit=3",
  "/v1/places/1/history",
  "/v1/people/1/history",
];
/** Responses with a single media type. */
export const singleRecords = [
  "/v1",
  "/v1/places/1",
  "/v1/people/1",
  "/v1/people-per-place/1",
  "/v1/integrity",
] as const;

/** The workers that serve a path: the gateway, and the backend that owns the collection. */
export function workersServing(system: System, path: string): WorkerClient[] {
  if (/^\/v1\/places\b/.test(path)) return [system.join, system.places];
  return /^\/v1\/people(?!-)\b/.test(path) ? [system.join, system.people] : [system.join];
}

const oddPlaces = [
  { id: 20, name: "=1+1" },
  { id: 21, name: "'@x" },
  { id: 22, name: '\'plain, "quoted"' },
];
const king = { id: 30, name: "-Ann", isAlive: true, placeId: 20, isKing: true };
/** Records with names that CSV must quote or escape, and a king for the populations. */
export const listRecords = { places: [...places, ...oddPlaces], people: [...people, king] };

/** Compares HEAD with GET: equal headers except timings, and no wrong length. */
export async function assertHeadEqualsGet(
  worker: WorkerClient,
  path: string,
  headers: Record<string, string>,
): Promise<void> {
  const address = `${worker.url.origin}${path}`;
  const get = await fetch(address, { headers });
  const head = await fetch(address, { method: "HEAD", headers });
  const length = new TextEncoder().encode(await get.text()).length;
  const statedLength = head.headers.get("content-length");
  const message = `HEAD ${path} ${JSON.stringify(headers)}`;
  assert.equal(await head.text(), "", message);
  assert.ok(
    statedLength === null || statedLength === String(length),
    `${message}: ${statedLength}`,
  );
  const comparedHeaders = (response: Response) => {
    const ignored = ["content-length", "transfer-encoding", "date", "connection", "keep-alive"];
    ignored.push("server-timing", "x-d1-bookmark", "x-request-id");
    return [...response.headers].filter(([name]) => !ignored.includes(name));
  };
  assert.deepEqual(
    [head.status, comparedHeaders(head)],
    [get.status, comparedHeaders(get)],
    message,
  );
}
