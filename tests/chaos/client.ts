// A client that sends random writes, one at a time, and records their outcomes in the ledger.

import { retryOnServerError } from "../support/assert_integrity.ts";
import type { ApiResponse, WorkerClient } from "../support/harness.ts";
import type { Random } from "../support/random.ts";
import { classifyRequest, type Outcome } from "./classify_response.ts";
import { type Ledger, PERMANENT_PLACES, PersonEntry, type PersonState } from "./ledger.ts";

/** The largest number of people that one client has at a time. */
const MAX_PEOPLE = 60;

export class ChaosClient {
  readonly name: string;
  readonly ledger: Ledger;
  readonly random: Random;
  /** The people whose state is known, so that the client can write to them. */
  writable: PersonEntry[] = [];
  #unresolved: PersonEntry[] = [];
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
    if (random.chance(0.06)) {
      return random.chance(0.6) ? this.#deletePlace(gateway) : this.#addPlace(gateway);
    }
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
    this.writable = this.writable.filter((other) => other !== entry);
    if (!entry.hasUnknownOutcome && entry.exists) this.writable.push(entry);
    return outcome;
  }

  #randomPlace(): number {
    const permanent = Array.from({ length: PERMANENT_PLACES }, (_, n) => n + 1);
    const added = [...this.ledger.places].filter(([, state]) => state === "exists");
    return this.random.pick([...permanent, ...added.map(([id]) => id)]) ?? 1;
  }

  async #create(gateway: WorkerClient): Promise<boolean> {
    this.#created += 1;
    const entry = new PersonEntry(`${this.name}-${this.#created}`, this.#randomPlace());
    this.ledger.entries.set(entry.handle, entry);
    return (await this.#sendCreation(gateway, entry)).kind !== "none";
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

  async #update(gateway: WorkerClient, entry: PersonEntry): Promise<boolean> {
    const { random } = this;
    entry.lastChange += 1;
    const change = entry.lastChange;
    const placeId = random.chance(0.3) ? this.#randomPlace() : undefined;
    const body = {
      name: entry.name(change),
      ...(placeId && { isAlive: true, placeId }),
      ...(random.chance(0.1) && { isKing: random.chance(0.7) }),
    };
    const newState = (state: PersonState) => state && { change, placeId: placeId ?? state.placeId };
    const request = () => gateway.send("PATCH", `/v1/people/${entry.id}`, body);
    return (await this.#write(entry, newState, "change", request)).kind !== "none";
  }

  async #delete(gateway: WorkerClient, entry: PersonEntry): Promise<boolean> {
    const request = () => gateway.request("DELETE", `/v1/people/${entry.id}`);
    return (await this.#write(entry, () => undefined, "delete", request)).kind !== "none";
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

  /** Finds out the unknown outcomes, while all services are healthy. */
  async resolveUnknownOutcomes(gateway: WorkerClient): Promise<void> {
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
