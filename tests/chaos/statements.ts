// The database of a register fails at the nth call of a write, for n = 1, 2, … until the write
// gets by: what is answered is clear, nothing is half-written, and sent again it is done once.
import assert from "node:assert/strict";
import { assertIntegrity, repaired } from "../support/assert_integrity.ts";
import { type Answer, type System, start } from "../support/harness.ts";
import { heard } from "./check_answer.ts";
import { failing, type Mode, modes } from "./failing_database.ts";
import { type Kind, kinds } from "./write_cases.ts";

export type Statements = {
  /** How many calls failed, by the kind of write. */
  failures: Record<string, number>;
  /** How the write was answered then. */
  answers: { done: number; unknown: number; refused: number };
};

const owners = ["places", "people"] as const;
type Owner = (typeof owners)[number];

/** More than any write makes. */
const MOST_CALLS = 40;

export async function statements(
  say = (_: string) => {},
  names = Object.keys(kinds),
): Promise<Statements> {
  const fronts = { places: failing, people: failing };
  await using system = await start({ fronts });
  const failures: Statements["failures"] = {};
  const answers = { done: 0, unknown: 0, refused: 0 };
  let n = 0;
  for (const name of names) {
    const kind = kinds[name];
    if (!kind) throw new Error(`there is no such write: ${name}`);
    let count = 0;
    for (const owner of owners) {
      for (const mode of modes) {
        for (let at = 1; ; at += 1) {
          assert.ok(at < MOST_CALLS, `${name} never gets by`);
          n += 1;
          const what = `${name}, ${mode} call ${at} of ${owner}`;
          const told = await tried(system, kind, { owner, mode, at, n, what });
          if (told === undefined) break;
          answers[told] += 1;
          count += 1;
        }
      }
    }
    failures[name] = count;
    say(`${name}: ${count} calls failed`);
  }
  return { failures, answers };
}

type Try = { owner: Owner; mode: Mode; at: number; n: number; what: string };

/** How a write was answered whose nth call failed; nothing if it makes no such call. */
async function tried(
  system: System,
  kind: Kind,
  { owner, mode, at, n, what }: Try,
): Promise<keyof Statements["answers"] | undefined> {
  const { send, look } = await kind(system, n);
  const headers = { "idempotency-key": `key-${n}` };
  const before = await look();
  await set(system, owner, `at=${at}&mode=${mode}`);
  const first = await send(headers);
  const hasFailed = await set(system, owner, "at=0");
  const after = await look();
  const told = judged(what, first);

  const last = await again(system, () => send(headers), what);
  const isGone = what.startsWith("delete");
  assert.ok(last.status < 300 || (isGone && last.status === 404), `${what}: ${last.text}`);
  await repaired(system.join);
  await assertIntegrity(system);
  const end = await look();
  assert.notEqual(end, before, `${what}: nothing was ever done`);
  if (told === "done" && !isPart(what)) assert.equal(after, end, what);
  if (told === "refused") assert.equal(after, before, `${what} was refused: ${first.text}`);
  assert.ok(after === before || after === end || isPart(what), `${what}: half of it: ${after}`);
  const once = await send(headers);
  assert.ok(once.status < 300 || (isGone && once.status === 404), `${what}: ${once.text}`);
  assert.equal(await look(), end, `${what}, once more`);
  return hasFailed ? told : undefined;
}

/** Whether a write is of more than one transaction, each of which may be done by itself. */
function isPart(what: string): boolean {
  return /^(repair|delete a place)/.test(what);
}

function judged(what: string, answer: Answer): keyof Statements["answers"] {
  const told = heard(what, answer);
  if (told.kind === "answer") return "done";
  assert.ok(told.kind === "problem", `${what}: nobody can read it`);
  assert.ok(answer.status > 500, `${what}: ${answer.text}`);
  return told.isUnknown ? "unknown" : "refused";
}

/** Sends it until it is neither on its way any more nor in the way of itself. */
async function again(system: System, send: () => Promise<Answer>, what: string): Promise<Answer> {
  for (let tries = 0; tries < 3; tries += 1) {
    const answer = await send();
    if (answer.status !== 409) return answer;
    assert.ok(answer.headers["retry-after"], `${what}: ${answer.text}`);
    await repaired(system.join);
  }
  return send();
}

async function set(system: System, owner: Owner, query: string): Promise<boolean> {
  return (await system[owner].ask("POST", `/fail?${query}`)).json;
}
