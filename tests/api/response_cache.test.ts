// Answers that an isolate holds: never older than what was written before they were asked for.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { start } from "../support/harness.ts";

const places = [
  { id: 1, name: "Descaro del Rey" },
  { id: 2, name: "Más allá del Zumo" },
];
const people = Array.from({ length: 40 }, (_, n) => ({
  id: n + 1,
  name: `Somebody ${n + 1}`,
  isAlive: true,
  isKing: false,
  placeId: 1 + (n % 2),
}));

const system = await start({ places, people, countCosts: true });
after(() => system.dispose());
const { join } = system;

const reads = [
  "/v1/people-per-place",
  "/v1/people-per-place/1",
  "/v1/people/1",
  "/v1/people?limit=5",
  "/v1/places/1",
  "/v1/places",
  "/v1/statistics/places",
];

test("an_answer_that_is_held_is_proved_by_one_statement_a_register", async () => {
  for (const path of reads) {
    const first = await join.get(path);
    await system.takeRoundTrips();
    const again = await join.get(path);
    assert.deepEqual([again.headers, again.text], [first.headers, first.text], path);
    assert.equal(again.etag, first.etag);
    const { places, people } = await system.takeRoundTrips();
    assert.ok(places <= 1 && people <= 1 && places + people > 0, path);
  }
});

test("who_asks_at_the_same_time_shares_a_proof", async () => {
  for (const path of reads) {
    const first = await join.get(path);
    await system.takeRoundTrips();
    const answers = await Promise.all(Array.from({ length: 60 }, () => join.get(path)));
    for (const { status, text } of answers) assert.deepEqual([status, text], [200, first.text]);
    const { places, people } = await system.takeRoundTrips();
    assert.ok(Math.max(places, people) < 30, `${path}: ${places} and ${people} statements`);
  }
});

/** What asks for an answer that no isolate holds: `Accept` is too long. */
const unheld = `application/json, ${"text/plain;q=0.1, ".repeat(20)}*/*;q=0.1`;

test("who_has_a_list_already_shares_a_proof_where_nothing_is_held", async () => {
  for (const path of ["/v1/people-per-place", "/v1/statistics/places"]) {
    const { etag } = await join.get(path, { accept: unheld });
    const known = { accept: unheld, "if-none-match": etag };
    await system.takeRoundTrips();
    const answers = await Promise.all(Array.from({ length: 60 }, () => join.get(path, known)));
    for (const answer of answers) assert.deepEqual([answer.status, answer.etag], [304, etag]);
    const { places, people } = await system.takeRoundTrips();
    assert.ok(Math.max(places, people) < 30, `${path}: ${places} and ${people} statements`);
    const malformed = await join.get(`${path}?limit=0`, known);
    assert.equal(malformed.status, 400);
  }
});

test("a_page_that_comes_in_parts_is_held_once_it_has_come_whole", async () => {
  const crowd = Array.from({ length: 12_000 }, (_, n) => {
    return { id: n + 1, name: `Person ${n}`, isAlive: true, placeId: 1 + (n % 30), isKing: false };
  });
  const many = Array.from({ length: 30 }, (_, n) => ({ id: n + 1, name: `Place ${n + 1}` }));
  await using crowded = await start({ places: many, people: crowd, countCosts: true });
  const path = "/v1/people-per-place";
  // Who leaves in the middle leaves nothing that is held.
  const leaving = await fetch(`${crowded.join.url.origin}${path}`);
  await leaving.body?.cancel();
  const first = await crowded.join.get(path);
  assert.ok(first.text.length > 500_000);
  await crowded.takeRoundTrips();
  const again = await crowded.join.get(path);
  assert.ok(again.text === first.text && again.etag === first.etag);
  assert.deepEqual(await crowded.takeRoundTrips(), { places: 1, people: 1, join: 0 });
  await crowded.join.send("PATCH", "/v1/people/1", { name: "Other" });
  const changed = await crowded.join.get(path);
  assert.ok(changed.text !== first.text && changed.text.includes('"Other"'));
});

test("another_form_is_another_answer", async () => {
  const forms = ["application/json", "application/x-ndjson", "text/csv"];
  const path = "/v1/people?limit=3";
  const first = await Promise.all(forms.map((accept) => join.get(path, { accept })));
  const again = await Promise.all(forms.map((accept) => join.get(path, { accept })));
  assert.equal(new Set(again.map(({ text }) => text)).size, 3);
  for (const [n, { text, headers }] of again.entries()) {
    assert.deepEqual([text, headers], [first[n]?.text, first[n]?.headers]);
    assert.equal(headers.vary, "accept");
  }
});

test("who_has_an_answer_already_gets_a_304_of_it", async () => {
  for (const path of reads) {
    const { etag } = await join.get(path);
    assert.equal((await join.get(path, { "if-none-match": etag })).status, 304, path);
    assert.equal((await join.get(path, { "if-none-match": '"other"' })).status, 200, path);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => join.get(path, { "if-none-match": etag })),
    );
    for (const answer of answers) assert.deepEqual([answer.status, answer.etag], [304, etag]);
  }
  const { etag } = await join.get("/v1/people-per-place/2");
  assert.equal((await join.send("PATCH", "/v1/people/2", { name: "Other" })).status, 200);
  const changed = await join.get("/v1/people-per-place/2", { "if-none-match": etag });
  assert.equal(changed.status, 200);
});

/** A read: when it was begun and ended, by a clock that both share, and the number it saw. */
type Read = { path: string; from: number; to: number; seen: number };

test("every_history_of_reads_and_writes_is_one_that_a_single_copy_could_have_had", async () => {
  // The writer counts in a name; a read that began behind an acknowledgement sees its number
  // or a later one, none sees a number that nobody has begun to write, and no read sees less
  // than one that ended before it began.
  const acknowledged = [{ at: 0, number: 0 }];
  const begun = [{ at: 0, number: 0 }];
  const history: Read[] = [];
  let clock = 0;
  const now = () => ++clock;
  const numberIn = (text: string) => Number(/count (\d+)\./.exec(text)?.[1]);
  const patch = (number: number) =>
    join.send("PATCH", "/v1/people/1", { name: `count ${number}.` });
  assert.equal((await patch(0)).status, 200);
  let isWriting = true;
  const write = async () => {
    for (let number = 1; number <= 120; number += 1) {
      begun.push({ at: now(), number });
      assert.equal((await patch(number)).status, 200);
      acknowledged.push({ at: now(), number });
      // Long enough for some to hear that nothing has changed.
      if (number % 10 === 0) await setTimeout(60);
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
    let [tag, known] = ["", 0];
    for (let n = reader; isWriting; n += 1) {
      const path = paths[n % paths.length] as string;
      const from = now();
      if (n % 7 === 0) {
        // A client that leaves in the middle, maybe the one that asks for all.
        const left = AbortSignal.timeout(n % 3);
        await fetch(`${join.url.origin}${path}`, { signal: left }).then(
          (answer) => answer.text(),
          () => {},
        );
        continue;
      }
      if (n % 5 === 0) {
        // A client that has the page, and is told whether it is still so.
        const headers = { accept: unheld, ...(tag && { "if-none-match": tag }) };
        const { status, text, etag } = await join.get("/v1/people-per-place", headers);
        assert.ok(status === 200 || (status === 304 && tag), text);
        if (status === 200) {
          [tag, known] = [etag ?? "", numberIn(text)];
          n -= 1;
        }
        history.push({ path: `its tag (${status})`, from, to: now(), seen: known });
        continue;
      }
      const { status, text } = await join.get(path);
      assert.equal(status, 200, text);
      history.push({ path, from, to: now(), seen: numberIn(text) });
    }
  };
  await Promise.all([write(), ...Array.from({ length: 12 }, (_, reader) => read(reader))]);

  assert.ok(history.length > 300, `${history.length} reads`);
  assert.ok(history.filter(({ path }) => path.includes("304")).length > 5, "tags that held");
  const last = (of: typeof begun, moment: number) =>
    of.findLast(({ at }) => at < moment)?.number ?? Number.NaN;
  for (const { path, from, to, seen } of history) {
    const [least, most] = [last(acknowledged, from), last(begun, to)];
    assert.ok(least <= seen && seen <= most, `${path} saw ${seen} of ${least} to ${most}`);
  }
  const byEnd = [...history].sort((one, other) => one.to - other.to);
  const byBegin = [...history].sort((one, other) => one.from - other.from);
  let [ended, greatest] = [0, 0];
  for (const { path, from, seen } of byBegin) {
    for (let next = byEnd[ended]; next && next.to < from; next = byEnd[ended]) {
      greatest = Math.max(greatest, next.seen);
      ended += 1;
    }
    assert.ok(seen >= greatest, `${path} saw ${seen} after ${greatest} had been seen`);
  }
});

test("a crowd that has an answer is never sent it once more", async () => {
  await using system = await start({ seed: true });
  for (const [worker, path] of [
    [system.join, "/v1/people-per-place"],
    [system.people, "/v1/people"],
  ] as const) {
    const { etag } = await worker.get(path);
    // More than one request shares its asking with: whoever comes then must not be forgotten.
    const client = async () => {
      for (let turn = 0; turn < 250; turn += 1) {
        const { status } = await worker.get(path, { "if-none-match": etag });
        assert.equal(status, 304, `${path}, ${turn}`);
      }
    };
    await Promise.all(Array.from({ length: 12 }, client));
  }
});
