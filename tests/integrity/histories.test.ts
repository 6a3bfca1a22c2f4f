// Recorded histories of concurrent reads and writes. A current read is linearizable. A bounded read
// returns a state that was current at some moment within its bound (docs/http.md#freshness).
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makePeople, versionOf } from "../support/fixtures.ts";
import { type ApiResponse, type System, start, type WorkerClient } from "../support/harness.ts";
import { contradictions, type Operation } from "../support/history.ts";

const places = [
  { id: 1, name: "Descaro del Rey" },
  { id: 2, name: "Más allá del Zumo" },
];
const people = makePeople(40, 2);

/** An Accept header that is too long for the cache key, so that the response is not cached. */
const uncacheableAccept = `application/json, ${"text/plain;q=0.1, ".repeat(20)}*/*;q=0.1`;

suite("the checker of histories", () => {
  const written = (version: number, from: number, to: number): Operation => {
    return { what: "write", isWrite: true, version, from, to };
  };
  const read = (version: number, from: number, to: number, given: Partial<Operation> = {}) => {
    return { what: "read", version, from, to, ...given };
  };
  /** Version 1 from 0 to 1, version 2 from 10 to 12, version 3 from 20 to 22. */
  const writes = [written(1, 0, 1), written(2, 10, 12), written(3, 20, 22)];
  const found = (...reads: Operation[]) => contradictions([...writes, ...reads]);

  test("a_history_of_current_reads_has_no_contradiction", () => {
    assert.deepEqual(found(read(1, 2, 3), read(2, 13, 14), read(3, 30, 31)), []);
    // A read during a write may see the state before it or after it.
    assert.deepEqual(found(read(1, 11, 12), read(2, 11, 11)), []);
    assert.deepEqual(found(read(2, 5, 15), read(1, 5, 15)), []);
  });

  test("a_stale_read_is_a_contradiction", () => {
    assert.deepEqual(found(read(1, 13, 14)), ["read: version 1 after version 2"]);
    assert.deepEqual(found(read(1, 23, 24)), ["read: version 1 after version 3"]);
    // The first read proves that the write had taken effect.
    const early = read(2, 10.5, 10.6);
    assert.deepEqual(found(early, read(1, 10.7, 11)), ["read: version 1 after version 2"]);
  });

  test("a_read_before_its_write_is_a_contradiction", () => {
    const message = "write: version 2 was seen before it was written";
    assert.deepEqual(found(read(2, 5, 6)), [message]);
  });

  test("a_write_after_a_later_version_is_a_contradiction", () => {
    const message = "write: version 2 was seen before it was written";
    assert.deepEqual(contradictions([written(3, 0, 1), written(2, 2, 3)]), [message]);
  });

  test("a_bounded_read_may_be_as_old_as_its_bound_and_no_older", () => {
    // Version 1 was current up to 12 at the latest.
    assert.deepEqual(found(read(1, 17, 18, { maxAge: 5 })), []);
    const old = ["read: version 1 after version 2"];
    assert.deepEqual(found(read(1, 17.1, 18, { maxAge: 5 })), old);
    assert.deepEqual(found(read(1, 30, 31, { maxAge: 5 })), ["read: version 1 after version 3"]);
    // A bound allows no state of the future.
    const message = "write: version 3 was seen before it was written";
    assert.deepEqual(found(read(3, 18, 19, { maxAge: 5 })), [message]);
  });

  test("a_read_older_than_the_knowledge_of_its_client_is_a_contradiction", () => {
    const given = { maxAge: 10, oldest: 2 };
    assert.deepEqual(found(read(2, 13, 14, given)), []);
    const message = "read: version 1, but its client knew version 2";
    assert.deepEqual(found(read(1, 13, 14, given)), [message]);
  });
});

test("concurrent_reads_and_writes_are_linearizable", async () => {
  await using system = await start({ places, people });
  const { join } = system;
  // The writer counts up in a name.
  const history: Operation[] = [];
  let clock = 0;
  const now = () => ++clock;
  const numberIn = (text: string) => Number(/count (\d+)\./.exec(text)?.[1]);
  const write = async (version: number) => {
    const from = now();
    const { status } = await join.send("PATCH", "/v1/people/1", { name: `count ${version}.` });
    assert.equal(status, 200);
    history.push({ what: "write", isWrite: true, version, from, to: now() });
  };
  await write(0);
  let isWriting = true;
  let notModified = 0;
  const writeAll = async () => {
    for (let number = 1; number <= 120; number += 1) {
      await write(number);
      // A pause until a conditional read gets a 304. A fixed time is too short on a busy machine.
      const before = notModified;
      const isPause = number % 10 === 0;
      for (let waited = 0; isPause && waited < 2000 && notModified === before; waited += 20) {
        await sleep(20);
      }
    }
    isWriting = false;
  };
  const paths = [
    "/v1/people/1",
    "/v1/people?limit=5",
    "/v1/people-per-place",
    "/v1/people-per-place/1",
  ];
  const read = async (reader: number) => {
    let [tag, knownNumber] = ["", 0];
    for (let n = reader; isWriting; n += 1) {
      const path = paths[n % paths.length] as string;
      const from = now();
      if (n % 7 === 0) {
        // A client that disconnects early. It may be the leader of a batch.
        const left = AbortSignal.timeout(n % 3);
        await fetch(`${join.url.origin}${path}`, { signal: left }).then(
          (response) => response.text(),
          () => {},
        );
        continue;
      }
      if (n % 5 === 0) {
        // A client with a conditional request.
        const headers = { accept: uncacheableAccept, ...(tag && { "if-none-match": tag }) };
        const { status, text, etag } = await join.get("/v1/people-per-place", headers);
        assert.ok(status === 200 || (status === 304 && tag), text);
        if (status === 304) notModified += 1;
        if (status === 200) {
          [tag, knownNumber] = [etag ?? "", numberIn(text)];
          n -= 1;
        }
        const what = `conditional read (${status})`;
        history.push({ what, from, to: now(), version: knownNumber });
        continue;
      }
      const { status, text } = await join.get(path);
      assert.equal(status, 200, text);
      history.push({ what: path, from, to: now(), version: numberIn(text) });
    }
  };
  await Promise.all([writeAll(), ...Array.from({ length: 12 }, (_, reader) => read(reader))]);

  const reads = history.filter(({ isWrite }) => !isWrite);
  assert.ok(reads.length > 300, `${reads.length} reads`);
  assert.ok(notModified > 5, "some conditional reads get a 304");
  for (const { what, version } of reads) assert.ok(!Number.isNaN(version), what);
  assert.deepEqual(contradictions(history), []);
});

/** A name that writers change, and the history of its versions. */
class Register {
  readonly path: string;
  readonly history: Operation[] = [];
  /** The greatest version that the gateway has acknowledged. */
  acknowledged = 0;
  readonly #key: string;
  readonly #versions = new Map<string, number>();
  /** The reads with the names that they have seen. */
  readonly #seen: [string, Omit<Operation, "version">][] = [];
  #count = 0;

  constructor(path: string, key: string) {
    [this.path, this.#key] = [path, key];
  }

  /** Writes a new name, and returns the response. */
  async write(client: WorkerClient): Promise<ApiResponse> {
    this.#count += 1;
    const name = `${this.#key} ${this.#count}.`;
    const from = performance.now();
    const response = await client.send("PATCH", this.path, { name });
    const to = performance.now();
    assert.equal(response.status, 200, response.text);
    const version = versionOf(response.etag);
    this.#versions.set(name, version);
    this.history.push({ what: `write ${name}`, isWrite: true, from, to, version });
    return response;
  }

  /** Records the name that a response shows, if it shows one. */
  saw(text: string, read: Omit<Operation, "version">): void {
    const [name] = new RegExp(`${this.#key} \\d+\\.`).exec(text) ?? [];
    if (name) this.#seen.push([name, read]);
  }

  /** The history with the versions of the reads, which are known when all writes have ended. */
  whole(): Operation[] {
    const reads = this.#seen.map(([name, read]): Operation => {
      const version = this.#versions.get(name);
      assert.ok(version, `${name} has been written`);
      return { ...read, version };
    });
    return [...this.history, ...reads];
  }
}

/** A kind of read, and the greatest `Age` that it allows. */
type Kind = { cacheControl?: string; bound: number };

/** Reads and writes concurrently for some seconds, and returns the history of both names. */
async function recorded(system: System, kinds: Kind[], seconds: number) {
  const registers = {
    person: new Register("/v1/people/1", "resident"),
    place: new Register("/v1/places/1", "town"),
  };
  const all = Object.values(registers);
  for (const register of all) await register.write(system.join);
  const until = performance.now() + 1000 * seconds;
  const repeat = async (step: (n: number) => Promise<unknown>) => {
    for (let n = 0; performance.now() < until; n += 1) await step(n);
  };
  // Two clients write each name, not through this gateway, which does not notice.
  const writeElsewhere = (register: Register, client: WorkerClient) =>
    repeat(async () => {
      await register.write(client);
      await sleep(15);
    });
  // Sometimes a client of this gateway writes, too.
  const writeHere = () =>
    repeat(async (n) => {
      await sleep(900);
      const register = all[n % all.length] as Register;
      register.acknowledged = versionOf((await register.write(system.join)).etag);
    });
  let hits = 0;
  const read = ({ cacheControl, bound }: Kind) =>
    repeat(async (n) => {
      const paths = [
        "/v1/people/1",
        "/v1/people-per-place/1",
        // Each bound also has a page of its own, which no other client renews.
        `/v1/people?limit=${10 + bound}`,
        `/v1/people-per-place?peopleLimit=${30 + bound}`,
        `/v1/places?limit=${10 + bound}`,
      ];
      const path = paths[n % paths.length] as string;
      const oldest = all.map(({ acknowledged }) => acknowledged);
      const from = performance.now();
      const { status, text, allHeaders } = await system.join.get(path, {
        ...(cacheControl && { "cache-control": cacheControl }),
      });
      const to = performance.now();
      assert.equal(status, 200, text);
      const age = allHeaders.get("age");
      if (age !== null) {
        hits += 1;
        assert.match(age, /^\d+$/);
        assert.ok(Number(age) <= bound, `${path} with an age of ${age} s, not ${bound}`);
      }
      // The clock of the gateway counts whole milliseconds.
      const maxAge = age === null ? 0 : 1000 * Number(age) + 1;
      const what = `${path} (${cacheControl}, age ${age})`;
      for (const [index, register] of all.entries()) {
        register.saw(text, { what, from, to, maxAge, oldest: oldest[index] as number });
      }
      await sleep(5);
    });
  await Promise.all([
    ...[1, 2].map(() => writeElsewhere(registers.person, system.people)),
    ...[1, 2].map(() => writeElsewhere(registers.place, system.places)),
    writeHere(),
    ...kinds.map(read),
  ]);
  return { histories: all.map((register) => register.whole()), hits };
}

/** No history has a contradiction. If the reads were said to be current, each would have some. */
function assertBounded({ histories, hits }: Awaited<ReturnType<typeof recorded>>): void {
  assert.ok(hits > 20, `${hits} responses from memory`);
  for (const history of histories) {
    const reads = history.filter(({ isWrite }) => !isWrite).length;
    assert.ok(reads > 50 && history.length - reads > 20, `${reads} reads`);
    assert.deepEqual(contradictions(history).slice(0, 5), []);
    const asCurrent = history.map((operation) => ({ ...operation, maxAge: 0 }));
    assert.ok(contradictions(asCurrent).length > 5, "some reads see an older state");
  }
}

test("a_bounded_read_among_concurrent_writes_sees_a_state_within_its_bound", async () => {
  await using system = await start({ places, people });
  const kinds = [
    { bound: 0 },
    { cacheControl: "no-cache", bound: 0 },
    { cacheControl: "max-age=1", bound: 1 },
    { cacheControl: "max-age=2", bound: 2 },
    { cacheControl: "max-stale=3", bound: 3 },
  ];
  assertBounded(await recorded(system, [...kinds, ...kinds], 5));
});

test("a_read_within_the_setting_sees_a_state_within_its_bound", async () => {
  const open = { WRITES: "open" };
  await using system = await start({
    places,
    people,
    gatewaySettings: { ...open, FRESH_SECONDS: "2" },
    backendSettings: open,
  });
  const kinds = [
    { bound: 2 },
    { cacheControl: "max-age=1", bound: 1 },
    { cacheControl: "max-age=0", bound: 0 },
    { cacheControl: "max-stale=1", bound: 2 },
  ];
  assertBounded(await recorded(system, [...kinds, ...kinds], 4));
});

test("a_bounded_read_with_a_bookmark_sees_no_state_from_before_it", async () => {
  // The replicas never catch up, so only a bookmark leads to the primary.
  await using system = await start({ places, people, withReplicas: true });
  const register = new Register("/v1/people/1", "resident");
  let [bookmark, known] = ["", 0];
  const write = async () => {
    const response = await register.write(system.people);
    bookmark = response.allHeaders.get("x-d1-bookmark") ?? "";
    known = versionOf(response.etag);
    assert.notEqual(bookmark, "");
  };
  await write();
  const until = performance.now() + 2500;
  const writer = async () => {
    for (; performance.now() < until; await sleep(20)) await write();
  };
  let hits = 0;
  const reader = async () => {
    for (let n = 0; performance.now() < until; n += 1) {
      const path = n % 2 === 0 ? "/v1/people/1" : "/v1/people-per-place";
      const oldest = known;
      const from = performance.now();
      const headers = { "cache-control": "max-age=60", "x-d1-bookmark": bookmark };
      const { status, text, allHeaders } = await system.join.get(path, headers);
      const to = performance.now();
      assert.equal(status, 200, text);
      if (allHeaders.has("age")) hits += 1;
      register.saw(text, { what: path, from, to, maxAge: 60_000, oldest });
    }
  };
  await Promise.all([writer(), ...Array.from({ length: 6 }, reader)]);
  assert.ok(hits > 5, `${hits} responses from memory`);
  assert.deepEqual(contradictions(register.whole()).slice(0, 5), []);
});
