// A client that writes at random, one request at a time, and notes what it was told.

import { patiently } from "../support/assert_integrity.ts";
import type { Answer, Worker } from "../support/harness.ts";
import type { Random } from "../support/random.ts";
import { type Heard, hear } from "./check_answer.ts";
import { Entry, type Ledger, STANDING, type State } from "./ledger.ts";

/** The most people of one client at once. */
const MOST = 60;

export class Client {
  readonly name: string;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Those that it can write to; what became of the open ones has to be found out first. */
  living: Entry[] = [];
  #open: Entry[] = [];
  #made = 0;

  constructor(name: string, ledger: Ledger, random: Random) {
    [this.name, this.ledger, this.random] = [name, ledger, random];
  }

  /** One write. Whether anything was heard of it. */
  step(entry: Worker): Promise<boolean> {
    const { random, living } = this;
    const one = random.of(living);
    if (!one || (living.length < MOST && random.is(0.35))) return this.#create(entry);
    if (living.length >= MOST || random.is(0.1)) return this.#delete(entry, one);
    if (random.is(0.06)) return random.is(0.6) ? this.#deletePlace(entry) : this.#addPlace(entry);
    return this.#update(entry, one);
  }

  /** Sends a request: whether it was done, if that is known. */
  async #send(what: string, ask: () => Promise<Answer>): Promise<[boolean | undefined, Heard]> {
    const { counts } = this.ledger;
    counts.requests += 1;
    const told = await hear(`${this.name}: ${what}`, ask);
    if (told.kind === "answer") counts.acknowledged += 1;
    else if (told.kind === "nothing" || told.isUnknown) counts.unknown += 1;
    else counts.refused += 1;
    if (told.kind === "answer") return [true, told];
    return [told.kind === "nothing" || told.isUnknown ? undefined : false, told];
  }

  /** Writes a person. */
  async #write(
    entry: Entry,
    change: (state: State) => State,
    what: string,
    ask: () => Promise<Answer>,
  ): Promise<Heard> {
    const write = entry.begin(change);
    const [isDone, told] = await this.#send(`${what} ${entry.handle}`, ask);
    if (isDone !== undefined) entry.end(write, isDone);
    else if (!entry.isOpen) {
      entry.isOpen = true;
      this.#open.push(entry);
    }
    this.living = this.living.filter((one) => one !== entry);
    if (!entry.isOpen && entry.isThere) this.living.push(entry);
    return told;
  }

  #place(): number {
    const standing = Array.from({ length: STANDING }, (_, n) => n + 1);
    const more = [...this.ledger.places].filter(([, state]) => state === "there");
    return this.random.of([...standing, ...more.map(([id]) => id)]) ?? 1;
  }

  async #create(worker: Worker): Promise<boolean> {
    this.#made += 1;
    const entry = new Entry(`${this.name}-${this.#made}`, this.#place());
    this.ledger.entries.set(entry.handle, entry);
    return (await this.#created(worker, entry)).kind !== "nothing";
  }

  /** Sends a creation, or sends it again. */
  async #created(worker: Worker, entry: Entry): Promise<Heard> {
    const { handle, placeId } = entry;
    const body = { name: entry.name(0), isAlive: true, placeId };
    const headers = { "idempotency-key": handle };
    const ask = () => worker.send("POST", "/v1/people", body, headers);
    const told = await this.#write(entry, () => ({ change: 0, placeId }), "create", ask);
    if (told.kind === "answer") entry.id = told.answer.json.id;
    return told;
  }

  async #update(worker: Worker, entry: Entry): Promise<boolean> {
    const { random } = this;
    entry.sent += 1;
    const change = entry.sent;
    const placeId = random.is(0.3) ? this.#place() : undefined;
    const body = {
      name: entry.name(change),
      ...(placeId && { isAlive: true, placeId }),
      ...(random.is(0.1) && { isKing: random.is(0.7) }),
    };
    const changed = (state: State) => state && { change, placeId: placeId ?? state.placeId };
    const ask = () => worker.send("PATCH", `/v1/people/${entry.id}`, body);
    return (await this.#write(entry, changed, "change", ask)).kind !== "nothing";
  }

  async #delete(worker: Worker, entry: Entry): Promise<boolean> {
    const ask = () => worker.ask("DELETE", `/v1/people/${entry.id}`);
    return (await this.#write(entry, () => undefined, "delete", ask)).kind !== "nothing";
  }

  /** A place goes, and its people move to another. */
  async #deletePlace(worker: Worker): Promise<boolean> {
    const { places, left } = this.ledger;
    const there = [...places].filter(([, state]) => state === "there");
    const [id] = this.random.of(there) ?? [];
    if (id === undefined) return this.#addPlace(worker);
    left.add(id);
    places.set(id, "unknown");
    const path = `/v1/places/${id}?reassignTo=${1 + this.random.below(STANDING)}`;
    const [isDone, told] = await this.#send(path, () => worker.ask("DELETE", path));
    if (isDone !== undefined) places.set(id, isDone ? "gone" : "there");
    return told.kind !== "nothing";
  }

  async #addPlace(worker: Worker): Promise<boolean> {
    this.#made += 1;
    const name = `Place ${this.name}-${this.#made}`;
    const headers = { "idempotency-key": name.replaceAll(" ", "-") };
    const ask = () => worker.send("POST", "/v1/places", { name }, headers);
    const [, told] = await this.#send(name, ask);
    if (told.kind === "answer") this.ledger.places.set(told.answer.json.id, "there");
    return told.kind !== "nothing";
  }

  /** Finds out what became of all that was not answered. All services are well meanwhile. */
  async settle(worker: Worker): Promise<void> {
    const open = this.#open;
    this.#open = [];
    for (const entry of open) {
      entry.isOpen = false;
      if (entry.id === undefined) {
        let told = await this.#created(worker, entry);
        for (let tries = 0; entry.isOpen && tries < 5; tries += 1) {
          entry.isOpen = false;
          told = await this.#created(worker, entry);
        }
        if (told.kind === "nothing") throw new Error(`${entry.handle} is not to be had`);
        if (told.kind === "problem") {
          // What was sent under the key was not done, and cannot be any more.
          if (entry.isOpen) throw new Error(`${entry.handle}: ${told.answer.text}`);
          entry.settle((state) => state === undefined);
          continue;
        }
      }
      const { status, json, text } = await patiently(() => worker.get(`/v1/people/${entry.id}`));
      const isThere = status === 200;
      const isIt = (state: State) =>
        isThere ? this.ledger.fits(json, state) : status === 404 && state === undefined;
      if (!entry.settle(isIt)) throw new Error(`${text}, of ${JSON.stringify(entry.states)}`);
      if (isThere && !this.living.includes(entry)) this.living.push(entry);
    }
  }
}
