// A client that sends random writes, one at a time. It records their outcomes in the ledger.

import { retryOnServerError } from "../support/assert_integrity.ts";
import type { ApiResponse, WorkerClient } from "../support/harness.ts";
import type { Random } from "../support/random.ts";
import { classifyRequest, InvalidResponse, type Outcome } from "./classify_response.ts";
import {
  type Ledger,
  PERMANENT_PLACES,
  type PendingWrite,
  PersonEntry,
  type PersonState,
} from "./ledger.ts";

/** The largest number of people that one client has at a time. */
const MAX_PEOPLE = 60;

/** An operation of a batch on people, with its effect. */
type Operation = {
  entry: PersonEntry;
  change: (state: PersonState) => PersonState;
  body: { op: "create" | "update" | "delete"; id?: number; body?: object };
};

/** A batch whose outcome is unknown. */
type UnresolvedBatch = { operations: Operation[]; writes: PendingWrite[]; key: string };

export class ChaosClient {
  readonly name: string;
  readonly ledger: Ledger;
  readonly random: Random;
  /** The people whose state is known, so that the client can write to them. */
  writable: PersonEntry[] = [];
  #unresolved: PersonEntry[] = [];
  #unresolvedBatches: UnresolvedBatch[] = [];
  /** The people that the client has deleted, with the state that a restore gives them. */
  #deleted: { entry: PersonEntry; last: PersonState }[] = [];
  #created = 0;

  constructor(name: string, ledger: Ledger, random: Random) {
    [this.name, this.ledger, this.random] = [name, ledger, random];
  }

  /** Sends one random write. Returns whether there was a response. */
  step(gateway: WorkerClient): Promise<boolean> {
    const { random, writable } = this;
    const entry = random.pick(writable);
    const isFull = writable.length >= MAX_PEOPLE;
    if (!entry || (!isFull && random.chance(0.35))) return this.#create(gateway);
    if (isFull || random.chance(0.1)) return this.#delete(gateway, entry);
    if (random.chance(0.08)) {
      if (random.chance(0.3)) return this.#batchOfPlaces(gateway);
      return random.chance(0.6) ? this.#deletePlace(gateway) : this.#addPlace(gateway);
    }
    if (random.chance(0.1)) return this.#restore(gateway, entry);
    if (random.chance(0.25)) return this.batch(gateway);
    return this.#update(gateway, entry);
  }

  /** Sends a request. Returns whether it was done, or undefined if that is unknown. */
  async #send(
    description: string,
    request: () => Promise<ApiResponse>,
  ): Promise<[boolean | undefined, Outcome]> {
    const { counts } = this.ledger;
    counts.requests += 1;
    const outcome = await classifyRequest(`${this.name}: ${description}`, request);
    if (outcome.kind === "success") {
      counts.acknowledged += 1;
      return [true, outcome];
    }
    if (outcome.kind === "none" || outcome.isUnknown) {
      counts.unknown += 1;
      return [undefined, outcome];
    }
    counts.rejected += 1;
    return [false, outcome];
  }

  /** Sends a write of a person. */
  async #write(
    entry: PersonEntry,
    change: (state: PersonState) => PersonState,
    description: string,
    request: () => Promise<ApiResponse>,
  ): Promise<Outcome> {
    const write = entry.begin(change);
    const [isDone, outcome] = await this.#send(`${description} ${entry.handle}`, request);
    if (isDone !== undefined) entry.end(write, isDone);
    else if (!entry.hasUnknownOutcome) {
      entry.hasUnknownOutcome = true;
      this.#unresolved.push(entry);
    }
    this.#updateWritable(entry);
    return outcome;
  }

  #updateWritable(entry: PersonEntry): void {
    this.writable = this.writable.filter((other) => other !== entry);
    if (!entry.hasUnknownOutcome && entry.exists) this.writable.push(entry);
  }

  #randomPlace(): number {
    const permanent = Array.from({ length: PERMANENT_PLACES }, (_, n) => n + 1);
    const added = [...this.ledger.places].filter(([, state]) => state === "exists");
    return this.random.pick([...permanent, ...added.map(([id]) => id)]) ?? 1;
  }

  #newEntry(): PersonEntry {
    this.#created += 1;
    const entry = new PersonEntry(`${this.name}-${this.#created}`, this.#randomPlace());
    this.ledger.entries.set(entry.handle, entry);
    return entry;
  }

  async #create(gateway: WorkerClient): Promise<boolean> {
    return (await this.#sendCreation(gateway, this.#newEntry())).kind !== "none";
  }

  /** Sends a creation. The idempotency key makes it safe to send it again. */
  async #sendCreation(gateway: WorkerClient, entry: PersonEntry): Promise<Outcome> {
    const { handle, placeId } = entry;
    const body = { name: entry.name(0), isAlive: true, placeId };
    const headers = { "idempotency-key": handle };
    const request = () => gateway.send("POST", "/v1/people", body, headers);
    const outcome = await this.#write(entry, () => ({ change: 0, placeId }), "create", request);
    if (outcome.kind === "success") entry.id = outcome.response.json.id;
    return outcome;
  }

  /** A random change of a person, as a merge patch. */
  #randomChange(entry: PersonEntry) {
    const { random } = this;
    entry.lastChange += 1;
    const change = entry.lastChange;
    const placeId = random.chance(0.3) ? this.#randomPlace() : undefined;
    const patch = {
      name: entry.name(change),
      ...(placeId && { isAlive: true, placeId }),
      ...(random.chance(0.1) && { isKing: random.chance(0.7) }),
    };
    const newState = (state: PersonState) => state && { change, placeId: placeId ?? state.placeId };
    return { patch, newState };
  }

  async #update(gateway: WorkerClient, entry: PersonEntry): Promise<boolean> {
    const { patch, newState } = this.#randomChange(entry);
    const request = () => gateway.send("PATCH", `/v1/people/${entry.id}`, patch);
    return (await this.#write(entry, newState, "change", request)).kind !== "none";
  }

  async #delete(gateway: WorkerClient, entry: PersonEntry): Promise<boolean> {
    const [last] = entry.states;
    const request = () => gateway.request("DELETE", `/v1/people/${entry.id}`);
    const { kind } = await this.#write(entry, () => undefined, "delete", request);
    if (kind === "success") this.#deleted.push({ entry, last });
    return kind !== "none";
  }

  /** Restores a deleted person, or the first version of another one. */
  async #restore(gateway: WorkerClient, existing: PersonEntry): Promise<boolean> {
    const deleted = this.random.chance(0.7) ? this.#deleted.pop() : undefined;
    const { entry, last } = deleted ?? {
      entry: existing,
      last: { change: 0, placeId: existing.placeId },
    };
    const path = `/v1/people/${entry.id}/restore`;
    const body = deleted ? {} : { version: 1 };
    const request = () => gateway.send("POST", path, body);
    return (await this.#write(entry, () => last, "restore", request)).kind !== "none";
  }

  /** Sends a batch on people: it changes some, adds one, and deletes another. */
  async batch(gateway: WorkerClient): Promise<boolean> {
    const { random, writable } = this;
    const [first, second, third] = writable.toSorted(() => random.next() - 0.5);
    const operations: Operation[] = [];
    for (const entry of [first, second]) {
      if (!entry) continue;
      const { patch, newState } = this.#randomChange(entry);
      const body = { op: "update", id: entry.id, body: patch } as const;
      operations.push({ entry, change: newState, body });
    }
    if (third && random.chance(0.5)) {
      const body = { op: "delete", id: third.id } as const;
      operations.push({ entry: third, change: () => undefined, body });
    }
    const entry = this.#newEntry();
    const { placeId } = entry;
    const created = { name: entry.name(0), isAlive: true, placeId };
    const body = { op: "create", body: created } as const;
    operations.push({ entry, change: () => ({ change: 0, placeId }), body });
    this.#created += 1;
    const key = `batch-${this.name}-${this.#created}`;
    const writes = operations.map(({ entry, change }) => entry.begin(change));
    const [isDone, outcome] = await this.#sendBatch(gateway, operations, key);
    if (isDone === undefined) {
      for (const { entry } of operations) entry.hasUnknownOutcome = true;
      this.#unresolvedBatches.push({ operations, writes, key });
    } else this.#endBatch(operations, writes, isDone);
    for (const { entry } of operations) this.#updateWritable(entry);
    return outcome.kind !== "none";
  }

  #endBatch(operations: Operation[], writes: PendingWrite[], isDone: boolean): void {
    for (const [n, { entry }] of operations.entries()) {
      entry.hasUnknownOutcome = false;
      const write = writes[n];
      if (write) entry.end(write, isDone);
    }
  }

  /** Sends a batch, and checks that its response has a result of each operation. */
  async #sendBatch(gateway: WorkerClient, operations: Operation[], key: string) {
    const body = operations.map((operation) => operation.body);
    const headers = { "idempotency-key": key };
    const request = () => gateway.send("POST", "/v1/people/batch", body, headers);
    const result = await this.#send(key, request);
    const [, outcome] = result;
    if (outcome.kind === "none") return result;
    const { json, text } = outcome.response;
    if (outcome.kind === "success") {
      const expected = { create: 201, update: 200, delete: 204 };
      for (const [n, { body, entry }] of operations.entries()) {
        const { status, id } = json[n] ?? {};
        const isExpected = status === expected[body.op] && id > 0 && id === (entry.id ?? id);
        if (!isExpected) throw new InvalidResponse(`${key}: ${text}`);
        entry.id = id;
      }
    } else if (outcome.type === "/problems/batch-refused") {
      const statuses: number[] = json.results.map(({ status }: { status: number }) => status);
      const isExpected = statuses.length === operations.length && statuses.some((s) => s !== 424);
      if (!isExpected || statuses.some((s) => s < 400)) {
        throw new InvalidResponse(`${key}: ${text}`);
      }
    }
    return result;
  }

  /** Deletes a place and reassigns its people. */
  async #deletePlace(gateway: WorkerClient): Promise<boolean> {
    const { places, vacatedPlaces } = this.ledger;
    const existing = [...places].filter(([, state]) => state === "exists");
    const [id] = this.random.pick(existing) ?? [];
    if (id === undefined) return this.#addPlace(gateway);
    vacatedPlaces.add(id);
    places.set(id, "unknown");
    const path = `/v1/places/${id}?reassignTo=${1 + this.random.below(PERMANENT_PLACES)}`;
    const [isDone, outcome] = await this.#send(path, () => gateway.request("DELETE", path));
    if (isDone !== undefined) places.set(id, isDone ? "deleted" : "exists");
    return outcome.kind !== "none";
  }

  async #addPlace(gateway: WorkerClient): Promise<boolean> {
    this.#created += 1;
    const name = `Place ${this.name}-${this.#created}`;
    const headers = { "idempotency-key": name.replaceAll(" ", "-") };
    const request = () => gateway.send("POST", "/v1/places", { name }, headers);
    const [, outcome] = await this.#send(name, request);
    if (outcome.kind === "success") this.ledger.places.set(outcome.response.json.id, "exists");
    return outcome.kind !== "none";
  }

  /** Sends a batch that adds a place and deletes another one, which must be empty. */
  async #batchOfPlaces(gateway: WorkerClient): Promise<boolean> {
    const { places, unknownBatches } = this.ledger;
    const existing = [...places].filter(([, state]) => state === "exists");
    const [id] = this.random.pick(existing.slice(-3)) ?? [];
    if (id === undefined) return this.#addPlace(gateway);
    this.#created += 1;
    const name = `Place ${this.name}-${this.#created}`;
    places.set(id, "unknown");
    const operations = [
      { op: "create", body: { name } },
      { op: "delete", id },
    ];
    const headers = { "idempotency-key": name.replaceAll(" ", "-") };
    const request = () => gateway.send("POST", "/v1/places/batch", operations, headers);
    const [isDone, outcome] = await this.#send(`${name} for ${id}`, request);
    if (isDone === undefined) unknownBatches.push({ added: name, deleted: id });
    else places.set(id, isDone ? "deleted" : "exists");
    if (outcome.kind === "success") places.set(outcome.response.json[0].id, "exists");
    return outcome.kind !== "none";
  }

  /** Finds out whether a batch was done, as a whole or not at all. Then sends it again, which must
   * neither repeat nor contradict it. */
  async #resolveBatch(gateway: WorkerClient, batch: UnresolvedBatch): Promise<void> {
    const { operations, writes, key } = batch;
    const observed: ({ name: string; placeId: number } | undefined)[] = [];
    for (const { entry, body } of operations) {
      // A new person is found by the name. No other name begins with it.
      const path =
        body.op === "create"
          ? `/v1/people?name=${encodeURIComponent(entry.name(0))}`
          : `/v1/people/${entry.id}`;
      const { status, json, text } = await retryOnServerError(() => gateway.get(path));
      if (status !== 200 && status !== 404) throw new Error(text);
      observed.push(status === 404 ? undefined : [json].flat()[0]);
    }
    const isIn = (n: number, states: PendingWrite["after"] = []) =>
      states.some(({ state }) => {
        const person = observed[n];
        return person ? this.ledger.matches(person, state) : state === undefined;
      });
    const isDone = operations.every((_, n) => isIn(n, writes[n]?.after));
    const isUndone = operations.every((_, n) => isIn(n, writes[n]?.before));
    if (isDone === isUndone) throw new Error(`${key} is half done: ${JSON.stringify(observed)}`);
    let [isDoneNow] = await this.#sendBatch(gateway, operations, key);
    for (let attempt = 0; isDoneNow === undefined && attempt < 5; attempt += 1) {
      [isDoneNow] = await this.#sendBatch(gateway, operations, key);
    }
    if (isDoneNow === undefined) throw new Error(`${key} cannot be sent again`);
    if (isDone && !isDoneNow) throw new Error(`${key} was done and is rejected now`);
    this.#endBatch(operations, writes, isDoneNow);
    for (const { entry } of operations) this.#updateWritable(entry);
  }

  /** Finds out the unknown outcomes, while all services are healthy. */
  async resolveUnknownOutcomes(gateway: WorkerClient): Promise<void> {
    const batches = this.#unresolvedBatches;
    this.#unresolvedBatches = [];
    for (const batch of batches) await this.#resolveBatch(gateway, batch);
    const unresolved = this.#unresolved;
    this.#unresolved = [];
    for (const entry of unresolved) {
      entry.hasUnknownOutcome = false;
      if (entry.id === undefined) {
        let outcome = await this.#sendCreation(gateway, entry);
        for (let attempt = 0; entry.hasUnknownOutcome && attempt < 5; attempt += 1) {
          entry.hasUnknownOutcome = false;
          outcome = await this.#sendCreation(gateway, entry);
        }
        if (outcome.kind === "none") throw new Error(`${entry.handle} cannot be created`);
        if (outcome.kind === "problem") {
          // The creation under this key was rejected, so it can never take effect.
          if (entry.hasUnknownOutcome) {
            throw new Error(`${entry.handle}: ${outcome.response.text}`);
          }
          entry.resolve((state) => state === undefined);
          continue;
        }
      }
      const { status, json, text } = await retryOnServerError(() =>
        gateway.get(`/v1/people/${entry.id}`),
      );
      const isFound = status === 200;
      const isObserved = (state: PersonState) =>
        isFound ? this.ledger.matches(json, state) : status === 404 && state === undefined;
      if (!entry.resolve(isObserved)) {
        throw new Error(`${text}, not in ${JSON.stringify(entry.states)}`);
      }
      if (isFound && !this.writable.includes(entry)) this.writable.push(entry);
    }
  }
}
