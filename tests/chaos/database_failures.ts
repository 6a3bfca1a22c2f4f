// Makes a backend's database fail at the Nth call of a write, for N = 1, 2, … until the write makes
// fewer calls. The response must say what the outcome is, and no write may be half done. A retry
// must complete the write exactly once.
import assert from "node:assert/strict";
import { assertIntegrity, repairAll } from "../support/assert_integrity.ts";
import { type ApiResponse, type System, start } from "../support/harness.ts";
import { classifyResponse } from "./classify_response.ts";
import { type FailureMode, failingDatabase, failureModes } from "./failing_database.ts";
import { type WriteKind, writeKinds } from "./write_cases.ts";

export type StatementsResult = {
  /** The number of calls that failed, by the kind of write. */
  failures: Record<string, number>;
  /** The responses to the writes whose database failed. */
  outcomes: { done: number; unknown: number; rejected: number };
};

type WriteOutcome = keyof StatementsResult["outcomes"];

const backends = ["places", "people"] as const;
type Backend = (typeof backends)[number];

/** More calls than any write makes. */
const MAX_CALLS = 40;

export async function runStatements(
  log = (_: string) => {},
  names = Object.keys(writeKinds),
): Promise<StatementsResult> {
  const wrappers = { places: failingDatabase, people: failingDatabase };
  await using system = await start({ wrappers });
  const failures: StatementsResult["failures"] = {};
  const outcomes = { done: 0, unknown: 0, rejected: 0 };
  let number = 0;
  for (const name of names) {
    const kind = writeKinds[name];
    if (!kind) throw new Error(`there is no such write: ${name}`);
    let count = 0;
    for (const backend of backends) {
      for (const mode of failureModes) {
        for (let call = 1; ; call += 1) {
          assert.ok(call < MAX_CALLS, `${name} makes more than ${MAX_CALLS} calls`);
          number += 1;
          const description = `${name}, failure ${mode} call ${call} of ${backend}`;
          const failure = { backend, mode, call, number, description };
          const outcome = await runCase(system, kind, failure);
          if (outcome === undefined) break;
          outcomes[outcome] += 1;
          count += 1;
        }
      }
    }
    failures[name] = count;
    log(`${name}: ${count} calls failed`);
  }
  return { failures, outcomes };
}

type Failure = {
  backend: Backend;
  mode: FailureMode;
  call: number;
  number: number;
  description: string;
};

/** Runs a write whose Nth call fails. Returns undefined if the write makes fewer calls. */
async function runCase(
  system: System,
  kind: WriteKind,
  { backend, mode, call, number, description }: Failure,
): Promise<WriteOutcome | undefined> {
  const { send, observe } = await kind(system, number);
  const headers = { "idempotency-key": `key-${number}` };
  const before = await observe();
  await setFailure(system, backend, `at=${call}&mode=${mode}`);
  const first = await send(headers);
  const hasFailed = await setFailure(system, backend, "at=0");
  const after = await observe();
  const outcome = outcomeOf(description, first);

  const isDeletion = description.startsWith("delete");
  const assertDone = ({ status, text }: ApiResponse, attempt: string) => {
    const isDone = status < 300 || (isDeletion && status === 404);
    assert.ok(isDone, `${description}, ${attempt}: ${text}`);
  };
  assertDone(await retryOnConflict(system, () => send(headers), description), "retry");
  await repairAll(system.join);
  await assertIntegrity(system);
  const end = await observe();
  assert.notEqual(end, before, `${description}: the write must have an effect`);
  const isSingleTransaction = !hasSeveralTransactions(description);
  if (outcome === "done" && isSingleTransaction) assert.equal(after, end, description);
  if (outcome === "rejected") {
    assert.equal(after, before, `${description}: a rejected write has no effect: ${first.text}`);
  }
  const isAtomic = after === before || after === end;
  assert.ok(isAtomic || !isSingleTransaction, `${description}: the write is half done: ${after}`);
  assertDone(await send(headers), "second retry");
  assert.equal(await observe(), end, `${description}: a second retry has no effect`);
  return hasFailed ? outcome : undefined;
}

/** Whether a write consists of several transactions, each of which may be done alone. */
function hasSeveralTransactions(description: string): boolean {
  return /^(repair|delete a place)/.test(description);
}

function outcomeOf(description: string, response: ApiResponse): WriteOutcome {
  const outcome = classifyResponse(description, response);
  if (outcome.kind === "success") return "done";
  assert.ok(outcome.kind === "problem", `${description}: the response is readable`);
  assert.ok(response.status > 500, `${description}: ${response.text}`);
  return outcome.isUnknown ? "unknown" : "rejected";
}

/** Retries a write while its first attempt, or what that left pending, conflicts with it. */
async function retryOnConflict(
  system: System,
  send: () => Promise<ApiResponse>,
  description: string,
): Promise<ApiResponse> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const response = await send();
    const { status } = response;
    // A deletion has no body.
    const isRefused = status === 422 && response.json.type === "/problems/batch-refused";
    const isConflict = status === 409 || isRefused;
    if (!isConflict) return response;
    assert.ok(response.headers["retry-after"], `${description}: ${response.text}`);
    await repairAll(system.join);
  }
  return send();
}

/** Sets the call that fails. Returns whether a call has failed since the last setting. */
async function setFailure(system: System, backend: Backend, query: string): Promise<boolean> {
  return (await system[backend].request("POST", `/fail?${query}`)).json;
}
