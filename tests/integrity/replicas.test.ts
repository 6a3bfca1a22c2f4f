// Databases with replicas that are behind: who brings a bookmark along reads nothing older than
// what was seen with it, whoever writes reads and writes at the primary, and the rules hold.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type ApiResponse, type System, start } from "../support/harness.ts";

type Headers = Record<string, string>;

const token = (answer: ApiResponse) => answer.allHeaders.get("x-d1-bookmark") ?? "";

/** Somebody who sends along what the last answer said, as the client in clients/typescript does. */
class Follower {
  readonly system: System;
  #token = "";

  constructor(system: System) {
    this.system = system;
  }

  get headers(): Headers {
    return this.#token ? { "x-d1-bookmark": this.#token } : {};
  }

  #seen(answer: ApiResponse): ApiResponse {
    this.#token = token(answer) || this.#token;
    return answer;
  }

  async get(path: string, headers: Headers = {}): Promise<ApiResponse> {
    return this.#seen(await this.system.join.get(path, { ...headers, ...this.headers }));
  }

  async send(method: string, path: string, body: object): Promise<ApiResponse> {
    return this.#seen(await this.system.join.send(method, path, body, this.headers));
  }

  async delete(path: string): Promise<ApiResponse> {
    return this.#seen(await this.system.join.request("DELETE", path, this.headers));
  }
}

const places = [
  { id: 1, name: "Uno" },
  { id: 2, name: "Dos" },
];
const people = [
  { id: 1, name: "Ana", isAlive: true, placeId: 1, isKing: false },
  { id: 2, name: "Bea", isAlive: true, placeId: 2, isKing: true },
];
const begin = () => start({ withReplicas: true, places, people });

/** Every way in which a person is read. */
const readsOfPeople = [
  "/v1/people/1",
  "/v1/people",
  "/v1/people?name=ana&count=exact",
  "/v1/people/export",
  "/v1/people-per-place",
  "/v1/people-per-place/1",
  "/v1/people/1/history",
  "/v1/people/changes",
  "/v1/changes",
];

suite("behind a replica that lags", () => {
  test("who brings a bookmark reads what was written, and who brings none need not", async () => {
    await using system = await begin();
    const before = new Map<string, string>();
    for (const path of readsOfPeople) before.set(path, (await system.join.get(path)).text);
    const writer = new Follower(system);
    const written = await writer.send("PATCH", "/v1/people/1", { name: "Ana Nueva" });
    assert.equal(written.status, 200, written.text);
    for (const path of readsOfPeople) {
      const old = await system.join.get(path);
      assert.equal(old.text, before.get(path), `${path} is that of the replica`);
      const given = await writer.get(path);
      assert.match(given.text, /Ana Nueva/, path);
      assert.notEqual(given.text, before.get(path), path);
    }
    await system.replicate("people");
    for (const path of readsOfPeople) {
      assert.match((await system.join.get(path)).text, /Ana Nueva/, path);
    }
  });

  test("the answers that an isolate holds are proved by one that has come as far", async () => {
    await using system = await begin();
    const writer = new Follower(system);
    for (let n = 1; n <= 10; n += 1) {
      await writer.send("PATCH", "/v1/people/1", { name: `Ana ${n}` });
      const path = n % 2 ? "/v1/people-per-place" : "/v1/people/1";
      const asked = Array.from({ length: 12 }, async (_, at) => {
        const mine = at % 2 === 0;
        const answer = mine ? await writer.get(path) : await system.join.get(path);
        return { mine, text: answer.text };
      });
      for (const { mine, text } of await Promise.all(asked)) {
        if (mine) assert.match(text, new RegExp(`"Ana ${n}"`), path);
      }
      if (n % 3 === 0) await system.replicate("people");
    }
  });

  test("what has been read once is not unread", async () => {
    await using system = await begin();
    await system.join.send("PATCH", "/v1/people/1", { name: "Ana Nueva" });
    const reader = new Follower(system);
    const newest = await system.join.get("/v1/people/1", { "x-d1-bookmark": "first-primary" });
    assert.equal(newest.json.name, "Ana Nueva");
    assert.equal((await reader.get("/v1/people/1")).json.name, "Ana");
    const headers = { "x-d1-bookmark": token(newest) };
    const again = await system.join.get("/v1/people/1", headers);
    assert.equal(again.json.name, "Ana Nueva");
    const known = await system.join.get("/v1/people/1", {
      ...headers,
      "if-none-match": again.etag,
    });
    assert.equal(known.status, 304);
    assert.ok(token(known) >= token(newest));
  });

  test("a token is of both registers", async () => {
    await using system = await begin();
    const writer = new Follower(system);
    await writer.send("PATCH", "/v1/places/2", { name: "Dos Nuevo" });
    await writer.send("PATCH", "/v1/people/2", { name: "Bea Nueva" });
    const both = (await writer.get("/v1/people-per-place/2")).json;
    assert.deepEqual([both.name, both.people[0].name], ["Dos Nuevo", "Bea Nueva"]);
    assert.equal((await writer.get("/v1/places/2")).json.name, "Dos Nuevo");
    assert.equal((await writer.get("/v1/people/2")).json.name, "Bea Nueva");
    const old = (await system.join.get("/v1/people-per-place/2")).json;
    assert.deepEqual([old.name, old.people[0].name], ["Dos", "Bea"]);
  });

  test("what one register did to the other is in the answer's token", async () => {
    await using system = await begin();
    const writer = new Follower(system);
    const deleted = await writer.delete("/v1/places/2?reassignTo=1");
    assert.equal(deleted.status, 204, deleted.text);
    assert.equal((await writer.get("/v1/people/2")).json.placeId, 1);
    assert.equal((await writer.get("/v1/places/2")).status, 404);
    const all = (await writer.get("/v1/people-per-place")).json;
    assert.deepEqual(
      all.map((place: { people: { id: number }[] }) => place.people.map(({ id }) => id)),
      [[1, 2]],
    );
  });

  test("a write is decided by the primary, whatever the replicas say", async () => {
    await using system = await begin();
    const { join } = system;
    const place = (await join.send("POST", "/v1/places", { name: "Tres" })).json;
    const person = { name: "Cruz", isAlive: true, isKing: true, placeId: place.id };
    const made = await join.send("POST", "/v1/people", person);
    assert.equal(made.status, 201, made.text);
    const second = await join.send("POST", "/v1/people", { ...person, name: "Dora" });
    assert.equal(second.json.type, "/problems/place-has-king");
    const kept = await join.request("DELETE", `/v1/places/${place.id}`);
    assert.equal(kept.json.type, "/problems/place-has-people");
    const changed = await join.send(
      "PATCH",
      `/v1/people/${made.json.id}`,
      { isAlive: false, isKing: false },
      {
        "if-match": made.etag,
      },
    );
    assert.equal(changed.status, 200, changed.text);
    const again = await join.send(
      "PATCH",
      `/v1/people/${made.json.id}`,
      { name: "Cruz II" },
      {
        "if-match": made.etag,
      },
    );
    assert.equal(again.status, 412);
    assert.equal((await join.request("DELETE", `/v1/places/${place.id}`)).status, 204);
    const report = await join.get("/v1/integrity");
    assert.equal(report.json.consistent, true, report.text);
  });

  test("reads without a bookmark spare the primary", async () => {
    await using system = await begin();
    const told = async () => (await system.people.get("/session-counts")).json;
    await told();
    for (const path of readsOfPeople) await system.join.get(path);
    const { primary, replica } = await told();
    assert.deepEqual([primary, replica >= readsOfPeople.length], [0, true]);
  });

  test("a form is seen to be done on the page behind it", async () => {
    await using system = await begin();
    const { origin } = system.join.url;
    const sent = await fetch(new URL("/ui/places/1/rename", origin), {
      method: "POST",
      redirect: "manual",
      headers: { origin, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ name: "Uno Nuevo", version: "1" }),
    });
    const next = sent.headers.get("location") ?? "";
    assert.equal(sent.status, 303, await sent.text());
    assert.match(await (await fetch(new URL(next, origin))).text(), /Uno Nuevo/);
  });

  test("what is no token is refused", async () => {
    await using system = await begin();
    for (const none of ["first-unconstrained", "a", "a.b.c", "a b.c", `${"1".repeat(200)}.`]) {
      for (const path of ["/v1/people/1", "/v1/people-per-place", "/v1/places"]) {
        const refused = await system.join.get(path, { "x-d1-bookmark": none });
        assert.deepEqual(
          [refused.status, refused.json.type, refused.json.header],
          [400, "/problems/invalid-header", "x-d1-bookmark"],
          none,
        );
      }
    }
  });
});

test("readers and writers who follow their tokens see what they wrote, and never less than before", async () => {
  await using system = await begin();
  let isOver = false;
  const replication = (async () => {
    for (let n = 0; !isOver; n += 1) await system.replicate(n % 2 ? "places" : "people");
  })();
  const versions = async (id: number, steps: number) => {
    const me = new Follower(system);
    let last = 0;
    for (let n = 0; n < steps; n += 1) {
      if (n % 3 === 0) {
        const written = await me.send("PATCH", `/v1/people/${id}`, { name: `P${id} ${n}` });
        last = Number(written.etag.replaceAll('"', ""));
      }
      const read = await me.get(`/v1/people/${id}`);
      const version = Number(read.etag.replaceAll('"', ""));
      assert.ok(version >= last, `${id}: version ${version} behind ${last}`);
      last = version;
      const place = (await me.get("/v1/people-per-place/1")).json;
      const listed = place.people.find((one: { id: number }) => one.id === id);
      assert.equal(listed.name, read.json.name, "the join is as new");
    }
  };
  const own = await Promise.all(
    Array.from({ length: 6 }, async (_, at) => {
      const body = { name: `P${at}`, isAlive: true, placeId: 1 };
      return (await system.join.send("POST", "/v1/people", body)).json.id as number;
    }),
  );
  try {
    await Promise.all(own.map((id) => versions(id, 24)));
  } finally {
    isOver = true;
    await replication;
  }
});

test("without replicas each answer has a token that the next one takes", async () => {
  await using system = await start({ places, people });
  const me = new Follower(system);
  for (const path of [...readsOfPeople, "/v1/places", "/v1/statistics/places"]) {
    const answer = await me.get(path);
    assert.equal(answer.status, 200, answer.text);
    assert.match(token(answer), /^[0-9a-f-]*\.[0-9a-f-]*$/, path);
  }
  assert.equal((await me.send("PATCH", "/v1/people/1", { name: "Otra" })).status, 200);
  assert.equal((await me.get("/v1/people/1")).json.name, "Otra");
  assert.equal(token(await system.join.get("/v1/healthz")), "");
});
