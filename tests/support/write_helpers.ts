// Data and assertions of the tests that write single records, and the two ways to send a write.
import assert from "node:assert/strict";
import { completePerson } from "./declared_fields.ts";
import { type ApiResponse, start } from "./harness.ts";

export const places = [
  { id: 1, name: "Descaro del Rey" },
  { id: 2, name: "Más allá del Zumo" },
  { id: 3, name: "Veranolandia" },
];
export const people = [
  { id: 1, name: "Sensei Lamister", isAlive: true, placeId: 1, isKing: false },
  { id: 2, name: "Cercei Lamister", isAlive: true, placeId: 1, isKing: true },
  { id: 3, name: "Aiba Stack", isAlive: true, placeId: 3, isKing: false },
  { id: 4, name: "Dedo Gordo", isAlive: false, placeId: null, isKing: false },
  { id: 5, name: "Roberto Barato", isAlive: false, placeId: 2, isKing: false },
].map(completePerson);
/** The id of a place that does not exist. */
export const MISSING_PLACE = 99;

export function assertProblem(
  response: ApiResponse,
  status: number,
  slug: string,
  members: object = {},
): void {
  assert.equal(response.status, status, response.text);
  assert.equal(response.headers["content-type"], "application/problem+json");
  assert.equal(response.json.type, `/problems/${slug}`);
  for (const [name, value] of Object.entries(members)) {
    assert.deepEqual(response.json[name], value, response.text);
  }
}

export function assertRecord(
  response: ApiResponse,
  status: number,
  record: object,
  version: number,
): void {
  assert.equal(response.status, status, response.text);
  assert.deepEqual(response.json, record);
  assert.equal(response.etag, `"${version}"`);
  assert.equal(response.headers["content-type"], "application/json");
}

/** Writes are tested when sent to the backends and when sent through the gateway. */
export const writeTargets = ["to the backends", "through the gateway"] as const;

/** Starts a system, and returns the workers that receive the writes of places and of people. */
export async function openWriteTarget(target: (typeof writeTargets)[number]) {
  const system = await start({ places, people });
  const isDirect = target === "to the backends";
  return {
    system,
    places: isDirect ? system.places : system.join,
    people: isDirect ? system.people : system.join,
    [Symbol.asyncDispose]: () => system.dispose(),
  };
}
