// A reader between the writes of its own client: whatever it is shown must be so, or have been so
// as lately as the answer says, or be said not to be known.
import type { Answer, Worker } from "../support/harness.ts";
import { Dishonest, hear } from "./check_answer.ts";
import type { Client } from "./client.ts";
import { read, STANDING } from "./ledger.ts";

/** What answers came to. */
export const kinds = ["right", "aged", "half", "problem", "broken"] as const;
export type Kind = (typeof kinds)[number];

type Group = { id: number; name: string; people: { id: number; name: string }[] | null };

/** Reads something at random: in words of its own, too, where an answer that was given before is
 * not to be all that there is. An isolate holds an answer for each. */
export async function readOnce(client: Client, worker: Worker, inOwnWords = false): Promise<Kind> {
  const { random, living } = client;
  const one = random.of(living);
  const place = 1 + random.below(STANDING);
  const most = inOwnWords ? 10_000 - random.below(5_000) : 10_000;
  const paths = [
    "/v1/people-per-place?limit=5&peopleLimit=10000",
    `/v1/people-per-place/${place}?peopleLimit=10000`,
    `/v1/people-per-place/${place}?peopleLimit=10000`,
    `/v1/people-per-place/${place}?peopleLimit=${most}`,
  ];
  if (one) paths.push(`/v1/people/${one.id}`);
  const path = random.of(paths) ?? "";
  const began = performance.timeOrigin + performance.now();
  const told = await hear(path, () => worker.get(path));
  if (told.kind === "problem") {
    if (told.type === "/problems/not-found" || told.isUnknown) throw new Dishonest(path);
    return "problem";
  }
  if (path.startsWith("/v1/people/")) {
    // What is passed on is cut short where its owner was: nobody can read it.
    if (told.kind === "nothing") return "broken";
    const isIt = one?.since(began).some((state) => client.ledger.fits(told.answer.json, state));
    if (!isIt) throw new Dishonest(`${path}: ${told.answer.text}`);
    return "right";
  }
  if (told.kind === "nothing") throw new Dishonest(`${path}: ${told.text ?? "nothing"}`);
  return ofJoin(client, told.answer, began, path);
}

/** The parts of an answer of the join, fresh, aged or half. */
function ofJoin(client: Client, answer: Answer, began: number, path: string): Kind {
  const { age, "cache-status": status = "" } = answer.headers;
  const groups: Group[] = [answer.json].flat();
  const isHalf = groups.some(({ people }) => people === null);
  const said = isHalf ? /^join; fwd=miss; detail=people-/ : /^join; (fwd=stale|hit); ttl=-?\d+; /;
  const isSaid = said.test(status) && (isHalf ? age === undefined : /^\d+$/.test(age ?? ""));
  const isFresh = !isHalf && age === undefined && status === "";
  if (!isSaid && !isFresh) throw new Dishonest(`${path}: age ${age}, ${status}`);
  // Whole seconds are told.
  const then = isFresh ? began : began - (Number(age ?? 0) + 1) * 1000;
  const wrong = groups.flatMap((group) => wrongOf(client, group, then));
  if (wrong.length > 0) {
    throw new Dishonest(`${path}, age ${age}, ${status}, ${answer.timing}: ${wrong.join("; ")}`);
  }
  if (isHalf) return "half";
  return isFresh ? "right" : "aged";
}

/** What is wrong with the people of a place that stands: it is known of the client's own. */
function wrongOf({ name, ledger, living }: Client, group: Group, then: number): string[] {
  const wrong: string[] = [];
  if (group.name !== `Standing ${group.id}`) wrong.push(`a place ${group.name}`);
  const seen = new Set<string>();
  for (const person of group.people ?? []) {
    const { handle } = read(person.name);
    const entry = ledger.entries.get(handle);
    if (!entry || seen.has(handle)) wrong.push(`nobody is ${person.name}, or twice`);
    seen.add(handle);
    const there = { ...person, placeId: group.id };
    const isOwn = handle.startsWith(`${name}-`);
    if (isOwn && !entry?.since(then).some((state) => ledger.fits(there, state))) {
      wrong.push(`${person.name} is not here: ${JSON.stringify(entry?.since(then))}`);
    }
  }
  if (group.people === null) return wrong;
  for (const entry of living) {
    const isHere = entry.since(then).every((state) => state?.placeId === group.id);
    if (isHere && !seen.has(entry.handle)) wrong.push(`${entry.handle} is missing`);
  }
  return wrong;
}
