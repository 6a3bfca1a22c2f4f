// Data and assertions for the tests that write single records, and the two ways to send a write.
import assert from "node:assert/strict";
import { startCompressingProxy } from "./compressing_proxy.ts";
import { completePerson } from "./declared_fields.ts";
import { tag } from "./fixtures.ts";
import { type ApiResponse, start, WorkerClient } from "./harness.ts";

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
  // A proxy that compresses a response weakens its tag.
  const isCompressed = response.headers["content-encoding"] === "gzip";
  assert.equal(response.etag, isCompressed ? `W/${tag(version)}` : tag(version));
  assert.equal(response.headers["content-type"], "application/json");
}

/** Writes are tested when sent to the backends, to the gateway, and to a proxy like Cloudflare's edge in
 * front of the gateway. */
export const writeTargets = [
  "to the backends",
  "through the gateway",
  "through a compressing proxy",
] as const;

/** Starts a system, and returns the workers that receive the writes of places and of people, and the
 * tag by which a client of them knows a version of a record. */
export async function openWriteTarget(target: (typeof writeTargets)[number]) {
  const system = await start({ places, people });
  const isDirect = target === "to the backends";
  const proxy =
    target === "through a compressing proxy"
      ? await startCompressingProxy(system.join.url)
      : undefined;
  const gateway = proxy ? new WorkerClient(proxy.url) : system.join;
  return {
    system,
    places: isDirect ? system.places : gateway,
    people: isDirect ? system.people : gateway,
    tag: (version: number) => (proxy ? `W/${tag(version)}` : tag(version)),
    async [Symbol.asyncDispose]() {
      proxy?.close();
      await system.dispose();
    },
  };
}
