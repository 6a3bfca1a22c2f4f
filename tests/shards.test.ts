// People laid over three databases: every route that reads answers as with one.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type Answer, type Database, nextOf, type System, start, type Worker } from "./harness.ts";
import type { Person, Place } from "./village.ts";

const SHARDS = "DB, DB2 from 12, DB3 from 25";
const firsts = [0, 12, 25];

const places: Place[] = Array.from({ length: 40 }, (_, n) => ({
  id: n + 1,
  name: `Place ${n + 1}`,
}));
/** Names that are equal, or differ by their case or their first letters alone, all over. */
const names = ["Ana", "ANA", "ana maría", "Ñu", "ñandú", "Zoe", 'O"Hara\\', "Ébano", "=1+1", "b"];
const people: Person[] = Array.from({ length: 700 }, (_, n) => {
  const nowhere = n % 37 === 0;
  // Some places are empty, and one is full.
  const placeId = nowhere ? null : n % 3 === 0 ? 12 : 1 + ((n * 7) % 38);
  const isAlive = !nowhere && n % 11 !== 0;
  return {
    id: n + 1,
    name: `${names[n % names.length]}${n % 4 ? "" : ` ${n}`}`,
    isAlive,
    placeId,
    isKing: false,
  };
});

type Row = Record<string, number | string | null>;

async function rows(database: Database, table: string): Promise<Row[]> {
  return (await database.rows(`SELECT * FROM ${table}`)) as Row[];
}

/** Puts rows where they belong, as they are: what triggers would add is among them already. */
async function fill(database: Database, tables: Record<string, Row[]>): Promise<void> {
  const triggers = await database.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
  for (const { name } of triggers) await database.exec(`DROP TRIGGER ${name};`);
  for (const [table, all] of Object.entries(tables)) {
    await database.exec(`DELETE FROM ${table};`);
    const columns = (await database.rows(`PRAGMA table_info(${table})`)).map(
      ({ name }) => `${name}`,
    );
    const values = columns.map((column) => `e.value ->> '${column}'`);
    const sql = `INSERT INTO ${table} (${columns}) SELECT ${values} FROM json_each(?1) AS e`;
    await database.insert(all, sql);
  }
}

/** What one of the databases has of each table. */
function part(of: Record<string, Row[]>, shard: number): Record<string, Row[]> {
  const isHere = (place: number) =>
    place >= (firsts[shard] ?? 0) && place < (firsts[shard + 1] ?? Number.POSITIVE_INFINITY);
  const mine = (table: string) =>
    (of[table] ?? []).filter(({ place_id }) => isHere(Number(place_id ?? 0)));
  const history = mine("population_history").filter(({ place_id }) => Number(place_id) >= 0);
  // How many there are in all is of each database by itself.
  const last = new Map<unknown, Row>();
  const everyone = history
    .toSorted((a, b) => Number(a.at) - Number(b.at))
    .map((row) => {
      last.set(row.place_id, row);
      const sum = (column: string) =>
        [...last.values()].reduce((all, one) => all + Number(one[column]), 0);
      return {
        place_id: -1,
        at: row.at ?? 0,
        living: sum("living"),
        dead: sum("dead"),
        king_id: null,
      };
    });
  const atLast = new Map(everyone.map((row) => [row.at, row]));
  return {
    person: mine("person"),
    person_change: mine("person_change"),
    population: mine("population"),
    population_history: [...history, ...atLast.values()],
  };
}

/** Every change of a feed, page by page, but for the numbers that each database gives by itself. */
async function feed(worker: Worker, path: string): Promise<unknown[]> {
  const all: unknown[] = [];
  let next: string | undefined = path;
  while (next) {
    const page: Answer = await worker.get(next);
    assert.equal(page.status, 200, page.text);
    if (page.json.length === 0) break;
    all.push(...page.json.map(({ seq: _seq, ...change }: Row) => change));
    next = nextOf(page);
  }
  return all;
}

/** Tags are made of counters, of which several databases have several. */
const apart = ["etag", "x-change-counter", "content-length", "transfer-encoding"];
function said({ status, headers, text }: Answer) {
  const kept = Object.entries(headers).filter(([name]) => !apart.includes(name));
  return { status, headers: Object.fromEntries(kept), text };
}

suite("people over three databases", () => {
  let one: System;
  let three: System;
  let midway = "";

  before(async () => {
    one = await start({ places, people });
    const { join } = one;
    const change = async (id: number, body: object) => {
      const { status, text } = await join.send("PATCH", `/v1/people/${id}`, body);
      assert.equal(status, 200, text);
    };
    for (const place of [3, 12, 24, 25, 38]) {
      const living = await join.get(`/v1/people?placeId=${place}&isAlive=true&limit=1`);
      await change(living.json[0].id, { isKing: true });
    }
    await change(2, { placeId: 30 });
    await change(2, { name: "Vuelta" });
    await change(5, { isAlive: false, placeId: 20 });
    midway = new Date().toISOString();
    await change(2, { placeId: 1 });
    assert.equal((await join.ask("DELETE", "/v1/people/9")).status, 204);
    assert.equal((await join.ask("DELETE", "/v1/places/7?reassignTo=31")).status, 204);

    three = await start({ shards: SHARDS });
    const tables = ["place", "place_change", "tombstone"];
    const ofPlaces = await Promise.all(tables.map((table) => rows(one.db.places, table)));
    await fill(
      three.db.places,
      Object.fromEntries(tables.map((table, n) => [table, ofPlaces[n] ?? []])),
    );
    const kept = ["person", "person_change", "population", "population_history"];
    const ofPeople = await Promise.all(kept.map((table) => rows(one.db.people, table)));
    const all = Object.fromEntries(kept.map((table, n) => [table, ofPeople[n] ?? []]));
    for (const [shard, database] of three.ofPeople.entries()) {
      const mine = part(all, shard);
      assert.ok((mine.person ?? []).length > 100, `${shard} has people`);
      await fill(database, mine);
    }
  });
  after(async () => {
    await one.dispose();
    await three.dispose();
  });

  const same = async (path: string, headers = {}, name: "join" | "people" = "join") => {
    // A problem names its request.
    const given = { "x-request-id": "the-same", ...headers };
    const [wanted, found] = await Promise.all([
      one[name].get(path, given),
      three[name].get(path, given),
    ]);
    assert.deepEqual(said(found), said(wanted), path);
    return wanted;
  };
  /** Every page behind a page, too. */
  const walk = async (path: string, headers = {}) => {
    let next: string | undefined = path;
    let pages = 0;
    for (; next; pages += 1) {
      const page: Answer = await same(next, headers);
      next = /<([^>]+)>; rel="next"/.exec(page.headers.link ?? "")?.[1];
      if (next === path || page.text === "[]") break;
    }
    return pages;
  };

  const filters = [
    "",
    "&isAlive=false",
    "&isKing=true",
    "&placeId=12",
    "&name=an",
    "&name=%C3%B1&isAlive=true",
    "&ids=1,2,9,300,699,12",
  ];
  for (const sort of ["id", "-id", "name", "-name"]) {
    test(`lists in order of ${sort}`, async () => {
      for (const filter of filters) {
        await walk(`/v1/people?limit=150&count=exact&sort=${sort}${filter}`);
      }
      assert.ok((await walk(`/v1/people?limit=50&sort=${sort}`)) >= 14);
      await same(`/v1/people?limit=3&sort=${sort}`);
    });
  }

  test("each person, and nobody who is not there", async () => {
    for (const id of [1, 2, 5, 9, 12, 300, 699, 700, 701, 99_999]) {
      await same(`/v1/people/${id}`);
      const history = `/v1/people/${id}/history?limit=2`;
      if ((await one.join.get(history)).status === 404) await same(history);
      else assert.deepEqual(await feed(three.join, history), await feed(one.join, history));
    }
  });

  test("the join, page by page and place by place", async () => {
    for (const query of [
      "",
      "?limit=5",
      "?limit=1&peopleLimit=3",
      "?limit=13&peopleLimit=200",
      "?limit=40",
    ]) {
      await walk(`/v1/people-per-place${query}`);
    }
    for (let id = 1; id <= 41; id += 1) await same(`/v1/people-per-place/${id}?peopleLimit=7`);
    await same("/v1/people/by-place?limit=17&peopleLimit=9");
    await same("/v1/people/by-place?placeId=25");
    await same("/v1/people/by-place?after=693939");
  });

  test("statistics, now and then", async () => {
    for (const sort of ["id", "living", "-living", "total", "-total"]) {
      await walk(`/v1/statistics/places?limit=7&sort=${sort}`);
      await walk(`/v1/people/population?limit=7&sort=${sort}`);
      await walk(`/v1/people/population?limit=9&sort=${sort}&least=3&asOf=${midway}`);
    }
    await same(`/v1/statistics/places?asOf=${midway}`);
    await same("/v1/statistics/places", { accept: "text/csv" });
  });

  test("the feeds of changes", async () => {
    for (const path of ["/v1/people/changes?limit=300", "/v1/changes?limit=300"]) {
      const [wanted, found] = await Promise.all([feed(one.join, path), feed(three.join, path)]);
      assert.ok(wanted.length > 700);
      assert.deepEqual(found, wanted, path);
    }
  });

  test("every form, and whole exports", async () => {
    for (const accept of ["text/csv", "application/x-ndjson"]) {
      await walk("/v1/people?limit=200&sort=name", { accept });
      await same("/v1/people?name=none", { accept });
      await same("/v1/people/export", { accept });
      await same("/v1/people/export?isAlive=false", { accept });
    }
    await same("/v1/people-per-place", { accept: "application/x-ndjson" });
    await same("/v1/people?name=none");
    await same("/v1/people/by-place?after=693939393939");
  });

  test("the report on integrity", async () => {
    const report = await same("/v1/integrity");
    assert.equal(report.json.isSound, true);
  });

  test("what cannot be asked", async () => {
    for (const path of [
      "/v1/people?limit=0",
      "/v1/people?x=1",
      "/v1/people/0",
      "/v1/people/changes?since=x",
    ]) {
      await same(path);
    }
  });

  test("a tag holds while nothing changes", async () => {
    for (const path of [
      "/v1/people?limit=5",
      "/v1/people/12",
      "/v1/people/by-place",
      "/v1/people-per-place",
      "/v1/people/population",
    ]) {
      const { etag } = await three.join.get(path);
      assert.equal((await three.join.get(path, { "if-none-match": etag })).status, 304, path);
    }
    const { etag } = await three.join.get("/v1/people?limit=5");
    const change =
      "INSERT INTO person_change (at, kind, person_id, version, name, is_alive, is_king, place_id, exists_then) VALUES (1, 'created', 9999, 1, 'x', 1, 0, 30, 1)";
    await three.ofPeople[2]?.exec(change);
    const other = await three.join.get("/v1/people?limit=5", { "if-none-match": etag });
    assert.deepEqual([other.status, other.etag === etag], [200, false]);
    await three.ofPeople[2]?.exec("DELETE FROM person_change WHERE person_id = 9999");
  });
});

test("a layout that cannot be answers nobody", async () => {
  for (const shards of ["DB, DB2", "DB2 from 5", "DB, DB2 from 9, DB3 from 3"]) {
    await using system = await start({ owners: { SHARDS: shards } });
    const { status } = await system.people.get("/v1/people");
    assert.equal(status, 500, shards);
  }
});
