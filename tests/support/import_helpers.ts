// Helpers for the tests that import files of records through the gateway.
import assert from "node:assert/strict";
import { completePerson } from "./declared_fields.ts";
import { makePlaces } from "./fixtures.ts";
import { type ApiResponse, type System, start } from "./harness.ts";

export const CSV = "text/csv";
export const NDJSON = "application/x-ndjson";

export const places = makePlaces(30);
export const people = [
  { id: 1, name: "King", isAlive: true, placeId: 1, isKing: true },
  { id: 2, name: "Resident", isAlive: true, placeId: 2, isKing: false },
  { id: 3, name: "Ghost", isAlive: false, placeId: null, isKing: false },
].map(completePerson);

export const startFilled = () => start({ places, people });

/** Imports a file. The target is a collection and an optional query, such as `people?dryRun=true`. */
export function importFile(
  system: System,
  target: string,
  body: string,
  type = CSV,
  headers: Record<string, string> = {},
): Promise<ApiResponse> {
  const path = `/v1/${target.replace(/^(\w+)/, "$1/import")}`;
  return system.join.request("POST", path, { "content-type": type, ...headers }, body);
}

export async function countPeople(system: System): Promise<number> {
  const { headers } = await system.join.get("/v1/people?limit=1&count=exact");
  return Number(headers["x-total-count"]);
}

type Rejection = { line: number; problem: { type: string; errors?: { pointer: string }[] } };

/** The rejected lines of a report: line number, problem, and the invalid fields. */
export const rejections = ({ json }: ApiResponse) =>
  json.refused.map(({ line, problem }: Rejection) => [
    line,
    problem.type.replace("/problems/", ""),
    ...(problem.errors ?? []).map(({ pointer }) => pointer),
  ]);

type Batch = { outcome: string; created: number; updated: number; unchanged: number };

/** The outcome and the counts of a file with a single batch. */
export function batchOutcome({ json, text }: ApiResponse) {
  assert.ok(json.batches, text);
  const [{ outcome, created, updated, unchanged }]: [Batch] = json.batches;
  return [outcome, created, updated, unchanged];
}

export const dryRun = (target: string) => `${target}${target.includes("?") ? "&" : "?"}dryRun=true`;

/** Imports a file after a dry run, and checks that the dry run predicted the outcome. */
export async function importWithTrial(
  system: System,
  target: string,
  body: string,
  type = CSV,
): Promise<ApiResponse> {
  const trial = await importFile(system, dryRun(target), body, type);
  const response = await importFile(system, target, body, type);
  const [predicted, ...counts] = batchOutcome(trial);
  const expected = predicted === "would be written" ? "written" : predicted;
  assert.deepEqual(batchOutcome(response), [expected, ...counts]);
  assert.deepEqual(rejections(response), rejections(trial));
  return response;
}

/** Imports a file with a single batch after a dry run, and checks its outcome and its counts of
 * created, updated and unchanged records. */
export async function assertOutcome(
  system: System,
  target: string,
  body: string,
  expected: [outcome: string, created: number, updated: number, unchanged: number],
): Promise<void> {
  assert.deepEqual(batchOutcome(await importWithTrial(system, target, body)), expected);
}
