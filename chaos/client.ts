// A client that writes at random, and notes what it was told.
import type { Answer, Worker } from "../tests/harness.ts";
import { type Entry, type Ledger, nameOf } from "./ledger.ts";
import type { Random } from "./random.ts";

/** Places that are never deleted. */
export const STANDING = 5;

export class Client {
  readonly #name: string;
  readonly #ledger: Ledger;
  readonly #random: Random;
  #made = 0;

  constructor(name: string, ledger: Ledger, random: Random) {
    this.#name = name;
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Those of its own that can be written to. */
  get #mine(): Entry[] {
    const all = [...this.#ledger.entries.values()];
    return all.filter(({ handle, id, deletion }) => {
      return handle.startsWith(`${this.#name}-`) && id !== undefined && deletion === "none";
    });
  }

  /** Sends a request; nothing comes back where the answer never came. */
  async #send(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    const { counts } = this.#ledger;
    counts.requests += 1;
    try {
      const answer = await ask();
      if (answer.status < 300) counts.acknowledged += 1;
      else if (answer.status < 500) counts.refused += 1;
      else counts.unanswered += 1;
      return answer.status < 500 ? answer : undefined;
    } catch {
      counts.unanswered += 1;
      return undefined;
    }
  }

  /** One write. Whether an answer came. */
  async step(entry: Worker): Promise<boolean> {
    const [random, mine] = [this.#random, this.#mine];
    const one = random.of(mine);
    if (!one || random.is(0.35)) return this.#create(entry);
    if (random.is(0.1)) return this.#delete(entry, one);
    if (random.is(0.06)) return this.#deletePlace(entry);
    return this.#update(entry, one);
  }

  #place(): number {
    const standing = Array.from({ length: STANDING }, (_, n) => n + 1);
    const more = [...this.#ledger.places].filter(([, state]) => state === "there");
    return this.#random.of([...standing, ...more.map(([id]) => id)]) ?? 1;
  }

  async #create(worker: Worker): Promise<boolean> {
    this.#made += 1;
    const handle = `${this.#name}-${this.#made}`;
    const entry: Entry = {
      handle,
      key: `key-${handle}`,
      placeId: this.#place(),
      id: undefined,
      acknowledged: 0,
      sent: 0,
      deletion: "none",
    };
    this.#ledger.entries.set(handle, entry);
    return this.created(worker, entry);
  }

  /** Sends a creation, or sends it again. */
  async created(worker: Worker, entry: Entry): Promise<boolean> {
    const body = { name: nameOf(entry, 0), isAlive: true, placeId: entry.placeId };
    const headers = { "idempotency-key": entry.key };
    const answer = await this.#send(() => worker.send("POST", "/v1/people", body, headers));
    if (answer?.status === 201) entry.id = answer.json.id;
    // Still on its way: it is asked for again later.
    else if (answer && answer.status !== 409) this.#ledger.entries.delete(entry.handle);
    else if (answer && answer.json.type !== "/problems/request-in-flight") {
      this.#ledger.entries.delete(entry.handle);
    }
    return answer !== undefined;
  }

  async #update(worker: Worker, entry: Entry): Promise<boolean> {
    const random = this.#random;
    const change = entry.sent + 1;
    const body = {
      name: nameOf(entry, change),
      ...(random.is(0.3) && { isAlive: true, placeId: this.#place() }),
      ...(random.is(0.1) && { isKing: random.is(0.7) }),
    };
    entry.sent = change;
    const path = `/v1/people/${entry.id}`;
    const answer = await this.#send(() => worker.send("PATCH", path, body));
    if (answer?.status === 200) entry.acknowledged = change;
    return answer !== undefined;
  }

  async #delete(worker: Worker, entry: Entry): Promise<boolean> {
    entry.deletion = "sent";
    const answer = await this.#send(() => worker.ask("DELETE", `/v1/people/${entry.id}`));
    if (answer?.status === 204) entry.deletion = "acknowledged";
    else if (answer) entry.deletion = "none";
    return answer !== undefined;
  }

  /** A place goes, its people move to another, and a new one comes. */
  async #deletePlace(worker: Worker): Promise<boolean> {
    const { places } = this.#ledger;
    const there = [...places].filter(([, state]) => state === "there");
    const [id] = this.#random.of(there) ?? [];
    if (id !== undefined && this.#random.is(0.6)) {
      places.set(id, "sent");
      const path = `/v1/places/${id}?reassignTo=${1 + this.#random.below(STANDING)}`;
      const answer = await this.#send(() => worker.ask("DELETE", path));
      if (answer?.status === 204 || answer?.status === 404) places.set(id, "gone");
      else if (answer) places.set(id, "there");
      return answer !== undefined;
    }
    this.#made += 1;
    const name = `Place ${this.#name}-${this.#made}`;
    const headers = { "idempotency-key": name.replaceAll(" ", "-") };
    const answer = await this.#send(() => worker.send("POST", "/v1/places", { name }, headers));
    if (answer?.status === 201) places.set(answer.json.id, "there");
    return answer !== undefined;
  }

  /** Finds out what became of all that was not answered. */
  async settle(worker: Worker): Promise<void> {
    for (const entry of this.#ledger.entries.values()) {
      if (!entry.handle.startsWith(`${this.#name}-`)) continue;
      if (entry.id === undefined) {
        await this.created(worker, entry);
        continue;
      }
      const isOpen = entry.deletion === "sent" || entry.sent !== entry.acknowledged;
      if (!isOpen || entry.deletion === "acknowledged") continue;
      const { status, json } = await worker.get(`/v1/people/${entry.id}`);
      if (status === 404 && entry.deletion === "sent") entry.deletion = "acknowledged";
      if (status === 200) {
        const change = Number(json.name.split(" r")[1]);
        if (change < entry.acknowledged || change > entry.sent) {
          throw new Error(`${json.name}, of ${entry.acknowledged} to ${entry.sent}`);
        }
        entry.acknowledged = change;
        entry.sent = change;
        entry.deletion = "none";
      }
    }
  }
}
