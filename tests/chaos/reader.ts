// Reads at random between the writes of a client. Each response must be correct now, or have been
// correct within the age that it states, or say that it is partial.
import type { ApiResponse, WorkerClient } from "../support/harness.ts";
import { classifyRequest, InvalidResponse } from "./classify_response.ts";
import type { ChaosClient } from "./client.ts";
import { PERMANENT_PLACES, parseName } from "./ledger.ts";

/** How a read can end. `truncated`: a forwarded body that was cut short. */
export const readKinds = ["fresh", "stale", "partial", "problem", "truncated"] as const;
export type ReadKind = (typeof readKinds)[number];

type Group = { id: number; name: string; people: { id: number; name: string }[] | null };

/** Sends one random read. With `varyAddress`, some reads use an address that was not read before,
 * so that no cached response exists for it. */
export async function readRandom(
  client: ChaosClient,
  gateway: WorkerClient,
  varyAddress = false,
): Promise<ReadKind> {
  const { random, writable } = client;
  const entry = random.pick(writable);
  const place = 1 + random.below(PERMANENT_PLACES);
  const peopleLimit = varyAddress ? 10_000 - random.below(5_000) : 10_000;
  const paths = [
    "/v1/people-per-place?limit=5&peopleLimit=10000",
    `/v1/people-per-place/${place}?peopleLimit=10000`,
    `/v1/people-per-place/${place}?peopleLimit=10000`,
    `/v1/people-per-place/${place}?peopleLimit=${peopleLimit}`,
  ];
  if (entry) paths.push(`/v1/people/${entry.id}`);
  const path = random.pick(paths) ?? "";
  const began = performance.timeOrigin + performance.now();
  const outcome = await classifyRequest(path, () => gateway.get(path));
  if (outcome.kind === "problem") {
    if (outcome.type === "/problems/not-found" || outcome.isUnknown)
      throw new InvalidResponse(path);
    return "problem";
  }
  if (path.startsWith("/v1/people/")) {
    // The gateway cannot complete a forwarded body that its backend cuts short.
    if (outcome.kind === "none") return "truncated";
    const { json, text } = outcome.response;
    const isPossible = entry?.since(began).some((state) => client.ledger.matches(json, state));
    if (!isPossible) throw new InvalidResponse(`${path}: ${text}`);
    return "fresh";
  }
  if (outcome.kind === "none") throw new InvalidResponse(`${path}: ${outcome.text ?? "nothing"}`);
  return checkJoinResponse(client, outcome.response, began, path);
}

/** Checks that a joined response is correct for its age, and that its headers tell the truth. */
function checkJoinResponse(
  client: ChaosClient,
  response: ApiResponse,
  began: number,
  path: string,
): ReadKind {
  const { age, "cache-status": status = "" } = response.headers;
  const groups: Group[] = [response.json].flat();
  const isPartial = groups.some(({ people }) => people === null);
  const expectedStatus = isPartial
    ? /^join; fwd=miss; detail=people-/
    : /^join; (fwd=stale|hit); ttl=-?\d+; /;
  const hasExpectedAge = isPartial ? age === undefined : /^\d+$/.test(age ?? "");
  const isDeclared = expectedStatus.test(status) && hasExpectedAge;
  const isFresh = !isPartial && age === undefined && status === "";
  if (!isDeclared && !isFresh) throw new InvalidResponse(`${path}: age ${age}, ${status}`);
  // Age is rounded up to whole seconds. The clock of a worker has whole milliseconds.
  const time = isFresh ? began : began - Number(age ?? 0) * 1000 - 1;
  const errors = groups.flatMap((group) => peopleErrors(client, group, time));
  if (errors.length > 0) {
    const description = `${path}, age ${age}, ${status}, ${response.timing}`;
    throw new InvalidResponse(`${description}: ${errors.join("; ")}`);
  }
  if (isPartial) return "partial";
  return isFresh ? "fresh" : "stale";
}

/** The errors among the people of a permanent place. The client knows only its own people. */
function peopleErrors({ name, ledger, writable }: ChaosClient, group: Group, time: number) {
  const errors: string[] = [];
  if (group.name !== `Permanent ${group.id}`) errors.push(`a place is named ${group.name}`);
  const seen = new Set<string>();
  for (const person of group.people ?? []) {
    const { handle } = parseName(person.name);
    const entry = ledger.entries.get(handle);
    if (!entry || seen.has(handle)) errors.push(`${person.name} is unknown or listed twice`);
    seen.add(handle);
    const isOwn = handle.startsWith(`${name}-`);
    const observed = { ...person, placeId: group.id };
    if (isOwn && !entry?.since(time).some((state) => ledger.matches(observed, state))) {
      errors.push(`${person.name} is not in ${JSON.stringify(entry?.since(time))}`);
    }
  }
  if (group.people === null) return errors;
  for (const entry of writable) {
    const isResident = entry.since(time).every((state) => state?.placeId === group.id);
    if (isResident && !seen.has(entry.handle)) errors.push(`${entry.handle} is missing`);
  }
  return errors;
}
