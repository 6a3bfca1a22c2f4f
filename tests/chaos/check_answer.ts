// The answers that are honest: what was asked for, or a problem of those that are listed.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { patiently } from "../support/assert_integrity.ts";
import { type Answer, nextOf, type Worker } from "../support/harness.ts";

/** The status of each problem, as docs/problems.md lists them. */
const listed = new Map(
  [
    ...readFileSync(resolve(import.meta.dirname, "../../docs/problems.md"), "utf8").matchAll(
      /^\| `(\/problems\/[a-z-]+)` \| (\d{3}) \|/gm,
    ),
  ].map(([, type, status]) => [type, Number(status)]),
);

/** What came of a request: an answer, a problem, or nothing that can be read. */
export type Heard =
  | { kind: "answer"; answer: Answer }
  | { kind: "problem"; answer: Answer; type: string; isUnknown: boolean }
  | { kind: "nothing"; text?: string };

/** An answer that nobody may give. */
export class Dishonest extends Error {}

/** Takes an answer for what it is. */
export function heard(what: string, answer: Answer): Heard {
  const { status, headers, text } = answer;
  const isProblem = headers["content-type"] === "application/problem+json";
  if (isProblem || status === 200 || status === 201) {
    try {
      JSON.parse(text);
    } catch {
      return { kind: "nothing", text };
    }
  }
  if (status < 400) return { kind: "answer", answer };
  const { type, outcome } = isProblem ? answer.json : {};
  if (listed.get(type) !== status || type === "/problems/internal") {
    throw new Dishonest(`${what}: ${status} ${text.slice(0, 200)}`);
  }
  return { kind: "problem", answer, type, isUnknown: outcome === "unknown" };
}

/** Asks, and takes what comes; nothing, where the connection breaks. */
export async function hear(what: string, ask: () => Promise<Answer>): Promise<Heard> {
  let answer: Answer;
  try {
    answer = await ask();
  } catch {
    return { kind: "nothing" };
  }
  return heard(what, answer);
}

type Person = {
  id: number;
  name: string;
  isAlive: boolean;
  isKing: boolean;
  placeId: number | null;
};

/** Everyone and every place, and what rules they break, seen from outside. */
export async function look(entry: Worker) {
  const all = async (path: string) => {
    const records = [];
    for (let next: string | undefined = `${path}?limit=1000`; next; ) {
      const at: string = next;
      const page = await patiently(() => entry.get(at));
      if (page.status !== 200) throw new Error(`${at}: ${page.text}`);
      records.push(...page.json);
      next = nextOf(page);
    }
    return records;
  };
  const people: Person[] = await all("/v1/people");
  const places = new Set<number>((await all("/v1/places")).map(({ id }) => id));
  const wrong: string[] = [];
  const report = await patiently(() => entry.get("/v1/integrity"));
  if (report.json.consistent !== true) wrong.push(report.text);
  const kings = new Set<number>();
  for (const { id, isAlive, isKing, placeId } of people) {
    if (placeId === null ? isAlive : !places.has(placeId)) wrong.push(`${id} lives nowhere`);
    if (!isKing) continue;
    if (placeId === null || kings.has(placeId)) wrong.push(`${placeId} has two kings`);
    else kings.add(placeId);
  }
  return { people, places, wrong };
}
