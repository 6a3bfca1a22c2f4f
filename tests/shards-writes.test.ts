// Writes of people laid over three databases: each answers as with one, whoever goes from one to
// another, and so does every read behind them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { Random } from "../tools/random.ts";
import { type Answer, nextOf, type System, start } from "./harness.ts";
import { is_sound, repaired } from "./sound.ts";

const SHARDS = "DB, DB2 from 4, DB3 from 7";
const places = Array.from({ length: 9 }, (_, n) => ({ id: n + 1, name: `Place ${n + 1}` }));

/** The register's tags and counters are made of several counters where there are several; a
 * person's tag is a version, and the same. */
const apart = ["x-change-counter", "content-length", "transfer-encoding"];
function said({ status, headers, text }: Answer, isList = false) {
  const but = isList ? [...apart, "etag"] : apart;
  const kept = Object.entries(headers).filter(([name]) => !but.includes(name));
  return { status, headers: Object.fromEntries(kept), text };
}

/** What happened, without the times and the numbers that each database gives by itself. */
function happened({ json }: Answer): unknown[] {
  return json.map(({ at: _at, seq: _seq, ...change }: Record<string, unknown>) => change);
}

async function ofEach<T>(one: System, three: System, ask: (system: System) => Promise<T>) {
  return Promise.all([ask(one), ask(three)]);
}

/** A write that somebody may make, and may not succeed with. */
function anything(random: Random): { method: string; path: string; body?: object; key?: string } {
  const place = () => 1 + random.below(10);
  const id = 1 + random.below(25);
  const name = `${random.of(["Ana", "Ñu", "Zoe", "ana"])} ${random.below(9)}`;
  const somebody = () => {
    const isAlive = random.is(0.8);
    const nowhere = !isAlive && random.is(0.5);
    const isKing = isAlive && random.is(0.2);
    return { name, isAlive, isKing, placeId: nowhere ? null : place() };
  };
  const kind = random.below(20);
  const person = `/v1/people/${id}`;
  if (kind < 5) {
    const key = random.is(0.4) ? `k${random.below(6)}` : undefined;
    return { method: "POST", path: "/v1/people", body: somebody(), ...(key && { key }) };
  }
  if (kind < 8) return { method: "PUT", path: person, body: somebody() };
  if (kind < 12) return { method: "PATCH", path: person, body: { placeId: place() } };
  if (kind < 14) return { method: "PATCH", path: person, body: { name } };
  if (kind === 14) return { method: "PATCH", path: person, body: { isAlive: random.is(0.5) } };
  if (kind === 15) {
    return { method: "PATCH", path: `${person}?depose=true`, body: { isKing: true } };
  }
  if (kind === 16)
    return { method: "PATCH", path: person, body: { isAlive: false, placeId: null } };
  if (kind === 17) return { method: "DELETE", path: person };
  if (kind === 18) return { method: "POST", path: "/v1/places", body: { name: `New ${id}` } };
  const to = random.is(0.7) ? `?reassignTo=${place()}` : "";
  return { method: "DELETE", path: `/v1/places/${place()}${to}` };
}

suite("writes of people over three databases", () => {
  for (const seed of [1, 2, 3]) {
    test(`answer as with one, and leave the same behind: ${seed}`, async () => {
      await using one = await start({ places });
      await using three = await start({ places, shards: SHARDS });
      const random = new Random(seed);
      const statuses = new Map<string, number>();
      for (let turn = 0; turn < 150; turn += 1) {
        const { method, path, body, key } = anything(random);
        const headers = { "x-request-id": "the-same", ...(key && { "idempotency-key": key }) };
        const [wanted, found] = await ofEach(one, three, ({ join }) =>
          body ? join.send(method, path, body, headers) : join.ask(method, path, headers),
        );
        const what = `${turn}: ${method} ${path} ${JSON.stringify(body)}`;
        assert.deepEqual(said(found), said(wanted), what);
        const kind = `${method} ${wanted.status}`;
        statuses.set(kind, (statuses.get(kind) ?? 0) + 1);
      }
      for (const kind of [
        "POST 201",
        "POST 409",
        "PUT 200",
        "PUT 201",
        "PATCH 200",
        "DELETE 204",
      ]) {
        assert.ok(statuses.has(kind), `${kind}: ${JSON.stringify([...statuses])}`);
      }
      for (const path of [
        ...["id", "-id", "name", "-name"].map((sort) => `/v1/people?sort=${sort}&count=exact`),
        "/v1/people?limit=7&isAlive=false",
        "/v1/people-per-place",
        "/v1/people-per-place?limit=2&peopleLimit=2",
        "/v1/statistics/places?sort=-living",
        "/v1/people/population?sort=-total",
        "/v1/integrity",
      ]) {
        const [wanted, found] = await ofEach(one, three, ({ join }) => join.get(path));
        assert.deepEqual(said(found, true), said(wanted, true), path);
      }
      for (let id = 1; id <= 40; id += 1) {
        for (const path of [`/v1/people/${id}`, `/v1/people-per-place/${id}`]) {
          const headers = { "x-request-id": "the-same" };
          const [wanted, found] = await ofEach(one, three, ({ join }) => join.get(path, headers));
          assert.deepEqual(said(found, true), said(wanted, true), path);
        }
        const history = `/v1/people/${id}/history?limit=1000`;
        const [wanted, found] = await ofEach(one, three, ({ join }) => join.get(history));
        assert.equal(found.status, wanted.status, history);
        if (wanted.status === 200) assert.deepEqual(happened(found), happened(wanted), history);
      }
      await feedsAgree(one, three);
      await Promise.all([is_sound(one), is_sound(three)]);
    });
  }
});

/** Both feeds say the same of each record, in whatever pages. */
async function feedsAgree(one: System, three: System, limit = 7): Promise<void> {
  for (const path of ["/v1/people/changes", "/v1/changes"]) {
    const [wanted, found] = await ofEach(one, three, async ({ join }) => {
      const all: Answer["json"] = [];
      let next: string | undefined = `${path}?limit=${limit}`;
      const numbers = new Set<string>();
      while (next) {
        const page: Answer = await join.get(next);
        assert.equal(page.status, 200, page.text);
        next = /<([^>]+)>; rel="next"/.exec(page.headers.link ?? "")?.[1];
        if (page.json.length === 0) break;
        for (const { register, seq } of page.json) {
          assert.ok(!numbers.has(`${register} ${seq}`), `${register} ${seq} is there once`);
          numbers.add(`${register} ${seq}`);
        }
        all.push(...happened(page));
      }
      return Object.groupBy(
        all,
        ({ register, id }: { register: string; id: number }) => `${register} ${id}`,
      );
    });
    assert.deepEqual(found, wanted, path);
  }
}

test("an import answers as with one, whoever it changes, moves and adds", async () => {
  await using one = await start({ places });
  await using three = await start({ places, shards: SHARDS });
  const csv = "text/csv";
  const people = (rows: string[]) => ["id,name,isAlive,placeId,isKing", ...rows].join("\n");
  const many = Array.from({ length: 3_000 }, (_, n) => `,Many ${n},true,${1 + (n % 9)},false`);
  const imports: [string, string][] = [
    ["", people([...many, "77,Chosen,true,5,true", "5000,Far,false,,false"])],
    // Changed where they are, moved, unchanged, new under an id of their own.
    [
      "?mode=upsert",
      people([
        "77,Chosen,true,8,true",
        "78,Renamed,true,6,false",
        "5000,Far,false,,false",
        "6000,New,true,2,true",
        ",Next,true,9,false",
      ]),
    ],
    ["", people(["77,Again,true,1,false"])],
    ["?mode=upsert", people(["90,Second king,true,2,true"])],
    ["?mode=upsert", people(["90,Nowhere,true,99,false"])],
    ["?mode=upsert&dryRun=true", people(["91,Would,true,3,false"])],
    // Ids that were used in other databases.
    ["", people(["10,Back,true,9,false", "11,Back,true,1,false", ",Behind,true,4,false"])],
  ];
  for (const [query, body] of imports) {
    const removed = query === "" ? [10, 11] : [];
    for (const id of removed) {
      const answers = await ofEach(one, three, ({ join }) =>
        join.ask("DELETE", `/v1/people/${id}`),
      );
      assert.equal(answers[0].status, answers[1].status);
    }
    // Sent again, it is known.
    for (const _ of [1, 2]) {
      const [wanted, found] = await ofEach(one, three, ({ join }) =>
        join.ask("POST", `/v1/people/import${query}`, { "content-type": csv }, body),
      );
      assert.deepEqual([found.status, found.json], [wanted.status, wanted.json], body.slice(0, 99));
    }
  }
  for (const path of [
    "/v1/people/export",
    "/v1/statistics/places",
    "/v1/people/10",
    "/v1/people/77",
  ]) {
    const [wanted, found] = await ofEach(one, three, ({ join }) => join.get(path));
    assert.equal(wanted.status, 200, wanted.text);
    assert.equal(found.text, wanted.text, path);
  }
  await feedsAgree(one, three, 700);
  await Promise.all([is_sound(one), is_sound(three)]);
});

test("a database for places yet to come is added to a register that is there", async () => {
  const persist = mkdtempSync(join(tmpdir(), "grown-"));
  after(() => rmSync(persist, { recursive: true, force: true }));
  const somebody = (name: string, placeId: number) => ({ name, isAlive: true, placeId });
  let since = "";
  {
    await using before = await start({ places, persist });
    for (const name of ["Ana", "Zoe"]) {
      const added = await before.join.send("POST", "/v1/people", somebody(name, 9), {
        "idempotency-key": name,
      });
      assert.equal(added.status, 201);
    }
    since = nextOf(await before.join.get("/v1/changes?limit=100")) ?? "";
  }
  await using grown = await start({ persist, shards: "DB, DB2 from 10" });
  assert.equal((await grown.join.send("POST", "/v1/places", { name: "Nueva" })).json.id, 10);
  const again = await grown.join.send("POST", "/v1/people", somebody("Ana", 9), {
    "idempotency-key": "Ana",
  });
  assert.deepEqual([again.json.id, again.headers["idempotency-replayed"]], [1, "true"]);
  const next = await grown.join.send("POST", "/v1/people", somebody("Nadie", 10));
  const moved = await grown.join.send("PATCH", "/v1/people/1", { placeId: 10 });
  assert.deepEqual([next.json.id, moved.status, moved.etag], [3, 200, '"2"']);
  const [first, second] = grown.ofPeople;
  const ids = "SELECT id FROM person ORDER BY id";
  assert.deepEqual(await first?.rows(ids), [{ id: 2 }]);
  assert.deepEqual(await second?.rows(ids), [{ id: 1 }, { id: 3 }]);
  // Who has followed the changes so far goes on from there.
  const changes = (await grown.join.get(since)).json.map(
    ({ register, kind, id }: Record<string, unknown>) => `${register} ${kind} ${id}`,
  );
  assert.deepEqual(changes, ["places created 10", "people created 3", "people updated 1"]);
  await is_sound(grown);
});

test("nobody is in two databases, or in none, whoever reads while people move", async () => {
  const people = Array.from({ length: 12 }, (_, n) => ({
    id: n + 1,
    name: `Mover ${n + 1}`,
    isAlive: true,
    placeId: 1 + (n % 9),
    isKing: false,
  }));
  await using system = await start({ places, people, shards: SHARDS });
  const random = new Random(11);
  let [moves, lists, isOver] = [0, 0, false];
  const mover = async () => {
    for (let turn = 0; turn < 40; turn += 1) {
      const path = `/v1/people/${1 + random.below(12)}`;
      const answer = await system.join.send("PATCH", path, { placeId: 1 + random.below(9) });
      assert.ok([200, 503].includes(answer.status), answer.text);
      if (answer.status === 200) moves += 1;
    }
  };
  const reader = async (path: string) => {
    while (!isOver) {
      const { status, json, text } = await system.people.get(path);
      assert.ok([200, 503].includes(status), text);
      if (status !== 200) continue;
      lists += 1;
      const ids = json.map(({ id }: { id: number }) => id).sort((a: number, b: number) => a - b);
      assert.deepEqual(
        ids,
        people.map(({ id }) => id),
        path,
      );
    }
  };
  const one = async () => {
    while (!isOver) {
      const { status, text } = await system.people.get(`/v1/people/${1 + random.below(12)}`);
      assert.ok([200, 503].includes(status), text);
    }
  };
  const movers = Promise.all([mover(), mover(), mover()]).finally(() => {
    isOver = true;
  });
  await Promise.all([movers, reader("/v1/people"), reader("/v1/people?sort=-name"), one()]);
  assert.ok(moves > 60 && lists > 20, `${moves} moves, ${lists} lists`);
  await repaired(system.join);
  await is_sound(system);
});

test("of many who add one person one does, and ids are given once", async () => {
  await using system = await start({ places, shards: SHARDS });
  const random = new Random(5);
  const given: number[] = [];
  for (let round = 0; round < 12; round += 1) {
    const chosen = 1 + random.below(30);
    const put = async () => {
      const body = { name: "Chosen", isAlive: true, placeId: 1 + random.below(9) };
      const path = `/v1/people/${chosen}`;
      const answer = await system.join.send("PUT", path, body, { "if-none-match": "*" });
      assert.ok([201, 412, 503].includes(answer.status), answer.text);
      return answer.status === 201 ? [chosen] : [];
    };
    const post = async () => {
      const body = { name: "Next", isAlive: true, placeId: 1 + random.below(9) };
      const answer = await system.join.send("POST", "/v1/people", body);
      assert.ok([201, 503].includes(answer.status), answer.text);
      return answer.status === 201 ? [answer.json.id] : [];
    };
    const done = await Promise.all([put(), post(), put(), post(), put()]);
    given.push(...done.flat());
  }
  assert.equal(new Set(given).size, given.length, `${given}`);
  assert.ok(given.length > 20);
  const { json } = await system.join.get("/v1/people?limit=1000");
  assert.deepEqual(
    json.map(({ id }: { id: number }) => id),
    given.toSorted((a, b) => a - b),
  );
  await is_sound(system);
});
