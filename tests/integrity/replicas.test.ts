// Tests read replicas that are older than the primary. A request with a bookmark reads nothing
// older than the bookmark. A write uses the primary for its reads, too.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { nextBookmark } from "../../clients/typescript/src/send.ts";
import { EPOCH, twoPeople as people, twoPlaces as places, versionOf } from "../support/fixtures.ts";
import { type ApiResponse, type System, start } from "../support/harness.ts";

type Headers = Record<string, string>;

const bookmarkOf = (response: ApiResponse) => response.allHeaders.get("x-d1-bookmark") ?? "";

/** A client that sends the bookmark of its last response, like the client in clients/typescript. */
class SessionClient {
  readonly system: System;
  #token = "";

  constructor(system: System) {
    this.system = system;
  }

  get headers(): Headers {
    return this.#token ? { "x-d1-bookmark": this.#token } : {};
  }

  #seen(response: ApiResponse): ApiResponse {
    this.#token = nextBookmark(this.#token, this.#token, bookmarkOf(response));
    return response;
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

const startWithReplicas = () => start({ withReplicas: true, places, people });

/** Every route that shows a person. */
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

suite("a lagging replica", () => {
  test("a_read_with_a_bookmark_sees_the_write_and_one_without_may_not", async () => {
    await using system = await startWithReplicas();
    const before = new Map<string, string>();
    for (const path of readsOfPeople) before.set(path, (await system.join.get(path)).text);
    const writer = new SessionClient(system);
    const written = await writer.send("PATCH", "/v1/people/1", { name: "Ana Nueva" });
    assert.equal(written.status, 200, written.text);
    for (const path of readsOfPeople) {
      const old = await system.join.get(path);
      assert.equal(old.text, before.get(path), `${path} is read from the replica`);
      const current = await writer.get(path);
      assert.match(current.text, /Ana Nueva/, path);
      assert.notEqual(current.text, before.get(path), path);
    }
    await system.replicate("people");
    for (const path of readsOfPeople) {
      assert.match((await system.join.get(path)).text, /Ana Nueva/, path);
    }
  });

  test("a_cached_response_is_revalidated_at_the_requests_bookmark", async () => {
    await using system = await startWithReplicas();
    const writer = new SessionClient(system);
    for (let n = 1; n <= 10; n += 1) {
      await writer.send("PATCH", "/v1/people/1", { name: `Ana ${n}` });
      const path = n % 2 ? "/v1/people-per-place" : "/v1/people/1";
      const requests = Array.from({ length: 12 }, async (_, index) => {
        const mine = index % 2 === 0;
        const response = mine ? await writer.get(path) : await system.join.get(path);
        return { mine, text: response.text };
      });
      for (const { mine, text } of await Promise.all(requests)) {
        if (mine) assert.match(text, new RegExp(`"Ana ${n}"`), path);
      }
      if (n % 3 === 0) await system.replicate("people");
    }
  });

  test("concurrent_requests_for_the_newest_state_get_it", async () => {
    await using system = await startWithReplicas();
    for (const path of ["/v1/people-per-place", "/v1/people"]) await system.join.get(path);
    for (let n = 1; n <= 10; n += 1) {
      await system.join.send("PATCH", "/v1/people/1", { name: `Ana ${n}` });
      const path = n % 2 ? "/v1/people-per-place" : "/v1/people";
      const requests = Array.from({ length: 12 }, async (_, index) => {
        const headers: Headers = index % 3 ? { "x-d1-bookmark": "first-primary" } : {};
        const { text } = await system.join.get(path, headers);
        return { isNewest: index % 3 > 0, text };
      });
      for (const { isNewest, text } of await Promise.all(requests)) {
        if (isNewest) assert.match(text, new RegExp(`"Ana ${n}"`), path);
      }
    }
  });

  test("a_read_with_a_bookmark_never_goes_back_in_time", async () => {
    await using system = await startWithReplicas();
    await system.join.send("PATCH", "/v1/people/1", { name: "Ana Nueva" });
    const reader = new SessionClient(system);
    const newest = await system.join.get("/v1/people/1", { "x-d1-bookmark": "first-primary" });
    assert.equal(newest.json.name, "Ana Nueva");
    assert.equal((await reader.get("/v1/people/1")).json.name, "Ana");
    const headers = { "x-d1-bookmark": bookmarkOf(newest) };
    const current = await system.join.get("/v1/people/1", headers);
    assert.equal(current.json.name, "Ana Nueva");
    const conditional = await system.join.get("/v1/people/1", {
      ...headers,
      "if-none-match": current.etag,
    });
    assert.equal(conditional.status, 304);
    assert.ok(bookmarkOf(conditional) >= bookmarkOf(newest));
  });

  test("a_bookmark_covers_both_databases", async () => {
    await using system = await startWithReplicas();
    const writer = new SessionClient(system);
    await writer.send("PATCH", "/v1/places/2", { name: "Dos Nuevo" });
    await writer.send("PATCH", "/v1/people/2", { name: "Bea Nueva" });
    const both = (await writer.get("/v1/people-per-place/2")).json;
    assert.deepEqual([both.name, both.people[0].name], ["Dos Nuevo", "Bea Nueva"]);
    assert.equal((await writer.get("/v1/places/2")).json.name, "Dos Nuevo");
    assert.equal((await writer.get("/v1/people/2")).json.name, "Bea Nueva");
    const old = (await system.join.get("/v1/people-per-place/2")).json;
    assert.deepEqual([old.name, old.people[0].name], ["Dos", "Bea"]);
  });

  test("the_bookmark_of_a_write_covers_its_effects_in_the_other_database", async () => {
    await using system = await startWithReplicas();
    const writer = new SessionClient(system);
    const deleted = await writer.delete("/v1/places/2?reassignTo=1");
    assert.equal(deleted.status, 204, deleted.text);
    assert.equal((await writer.get("/v1/people/2")).json.placeId, 1);
    assert.equal((await writer.get("/v1/places/2")).status, 404);
    const joined = (await writer.get("/v1/people-per-place")).json;
    assert.deepEqual(
      joined.map((place: { people: { id: number }[] }) => place.people.map(({ id }) => id)),
      [[1, 2]],
    );
  });

  test("a_write_is_decided_on_the_primary", async () => {
    await using system = await startWithReplicas();
    const { join } = system;
    const place = (await join.send("POST", "/v1/places", { name: "Tres" })).json;
    const person = { name: "Cruz", isAlive: true, isKing: true, placeId: place.id };
    const created = await join.send("POST", "/v1/people", person);
    assert.equal(created.status, 201, created.text);
    const second = await join.send("POST", "/v1/people", { ...person, name: "Dora" });
    assert.equal(second.json.type, "/problems/place-has-king");
    const rejectedDeletion = await join.request("DELETE", `/v1/places/${place.id}`);
    assert.equal(rejectedDeletion.json.type, "/problems/place-has-people");
    const changed = await join.send(
      "PATCH",
      `/v1/people/${created.json.id}`,
      { isAlive: false, isKing: false },
      {
        "if-match": created.etag,
      },
    );
    assert.equal(changed.status, 200, changed.text);
    const stale = await join.send(
      "PATCH",
      `/v1/people/${created.json.id}`,
      { name: "Cruz II" },
      {
        "if-match": created.etag,
      },
    );
    assert.equal(stale.status, 412);
    assert.equal((await join.request("DELETE", `/v1/places/${place.id}`)).status, 204);
    const report = await join.get("/v1/integrity");
    assert.equal(report.json.consistent, true, report.text);
  });

  test("reads_without_a_bookmark_use_the_replica_only", async () => {
    await using system = await startWithReplicas();
    const takeCounts = async () => (await system.people.get("/session-counts")).json;
    await takeCounts();
    for (const path of readsOfPeople) await system.join.get(path);
    const { primary, replica } = await takeCounts();
    assert.deepEqual([primary, replica >= readsOfPeople.length], [0, true]);
  });

  test("the_page_after_a_form_shows_the_write", async () => {
    await using system = await startWithReplicas();
    const { origin } = system.join.url;
    const sent = await fetch(new URL("/ui/places/1/rename", origin), {
      method: "POST",
      redirect: "manual",
      headers: { origin, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ name: "Uno Nuevo", version: `1.${EPOCH}` }),
    });
    const next = sent.headers.get("location") ?? "";
    assert.equal(sent.status, 303, await sent.text());
    assert.match(await (await fetch(new URL(next, origin))).text(), /Uno Nuevo/);
  });

  test("a_bookmark_of_an_unknown_form_reads_the_primary", async () => {
    await using system = await startWithReplicas();
    await system.join.send("PATCH", "/v1/people/1", { name: "Ana Nueva" });
    for (const token of ["first-unconstrained", "a", "a.b.c", "a b.c", "1.1"]) {
      for (const path of ["/v1/people/1", "/v1/people-per-place"]) {
        const response = await system.join.get(path, { "x-d1-bookmark": token });
        assert.equal(response.status, 200, `${path} ${token}`);
        assert.match(response.text, /Ana Nueva/, `${path} ${token}`);
      }
    }
  });
});

/** A bookmark of another database, which sorts after all of this one. */
const foreignPart = `ffffffff-00000000-00004c6d-${"0".repeat(32)}`;
const foreign = { "x-d1-bookmark": `${foreignPart}.${foreignPart}` };

suite("bookmarks of a database that was restored into another one", () => {
  for (const reaction of ["reject", "wait"]) {
    const startRestored = async () => {
      const system = await startWithReplicas();
      for (const name of ["places", "people"] as const) {
        await system[name].request("POST", `/unknown-bookmarks?${reaction}`);
      }
      return system;
    };

    test(`a_read_with_an_old_bookmark_is_repeated_at_the_primary_if_databases_${reaction}`, async () => {
      await using system = await startRestored();
      await system.join.send("PATCH", "/v1/people/1", { name: "Ana Nueva" });
      for (const path of readsOfPeople) {
        const response = await system.join.get(path, foreign);
        assert.equal(response.status, 200, `${path}: ${response.text}`);
        assert.match(response.text, /Ana Nueva/, path);
        assert.ok(!bookmarkOf(response).includes(foreignPart), path);
        // The bookmark of the response works.
        const next = { "x-d1-bookmark": bookmarkOf(response) };
        assert.match((await system.join.get(path, next)).text, /Ana Nueva/, path);
      }
      const written = await system.join.send("PATCH", "/v1/people/1", { name: "Otra" }, foreign);
      assert.equal(written.status, 200, written.text);
      assert.ok(!bookmarkOf(written).includes(foreignPart));
    });

    test(`an_old_bookmark_affects_no_other_client_if_databases_${reaction}`, async () => {
      await using system = await startRestored();
      const path = "/v1/people-per-place";
      const expected = (await system.join.get(path)).text;
      for (let round = 0; round < 5; round += 1) {
        const requests = Array.from({ length: 20 }, async (_, index) => {
          const isForeign = index % 4 === 0;
          const response = await system.join.get(path, isForeign ? foreign : {});
          return { isForeign, response };
        });
        for (const { response } of await Promise.all(requests)) {
          assert.deepEqual([response.status, response.text], [200, expected]);
          assert.match(bookmarkOf(response), /./);
          assert.ok(!bookmarkOf(response).includes(foreignPart));
        }
      }
      // The circuit breaker is closed, and the replica still serves others.
      await system.people.get("/session-counts");
      const response = await system.join.get("/v1/people?limit=1");
      assert.equal(response.status, 200);
      const { primary, replica } = (await system.people.get("/session-counts")).json;
      assert.deepEqual([primary, replica], [0, 1]);
    });
  }

  test("a_service_that_fails_on_an_old_bookmark_stays_available_to_others", async () => {
    const failing = (request: Request) => {
      const bookmark = request.headers.get("x-d1-bookmark");
      if (bookmark && bookmark !== "first-primary") return new Response("", { status: 500 });
      const id = { "x-request-id": request.headers.get("x-request-id") ?? "" };
      return new Response("[]", { headers: { ...id, "content-type": "application/json" } });
    };
    await using system = await start({ stubs: { people: failing } });
    for (let n = 0; n < 12; n += 1) {
      const response = await system.join.get("/v1/people", foreign);
      assert.deepEqual([response.status, response.text], [200, "[]"]);
      assert.equal((await system.join.get("/v1/people")).status, 200);
    }
  });
});

test("concurrent_clients_with_bookmarks_read_their_writes_monotonically", async () => {
  await using system = await startWithReplicas();
  let isOver = false;
  const replication = (async () => {
    for (let n = 0; !isOver; n += 1) await system.replicate(n % 2 ? "places" : "people");
  })();
  const versions = async (id: number, steps: number) => {
    const client = new SessionClient(system);
    let lastVersion = 0;
    for (let n = 0; n < steps; n += 1) {
      if (n % 3 === 0) {
        const written = await client.send("PATCH", `/v1/people/${id}`, { name: `P${id} ${n}` });
        lastVersion = versionOf(written.etag);
      }
      const read = await client.get(`/v1/people/${id}`);
      const version = versionOf(read.etag);
      assert.ok(version >= lastVersion, `${id}: version ${version} after ${lastVersion}`);
      lastVersion = version;
      const place = (await client.get("/v1/people-per-place/1")).json;
      const listed = place.people.find((person: { id: number }) => person.id === id);
      assert.equal(listed.name, read.json.name, "the joined list is as recent");
    }
  };
  const ids = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const body = { name: `P${index}`, isAlive: true, placeId: 1 };
      return (await system.join.send("POST", "/v1/people", body)).json.id as number;
    }),
  );
  try {
    await Promise.all(ids.map((id) => versions(id, 24)));
  } finally {
    isOver = true;
    await replication;
  }
});

test("every_response_has_a_bookmark_that_the_next_request_accepts", async () => {
  await using system = await start({ places, people });
  const client = new SessionClient(system);
  for (const path of [...readsOfPeople, "/v1/places", "/v1/statistics/places"]) {
    const response = await client.get(path);
    assert.equal(response.status, 200, response.text);
    assert.match(bookmarkOf(response), /^[0-9a-f-]*\.[0-9a-f-]*$/, path);
  }
  assert.equal((await client.send("PATCH", "/v1/people/1", { name: "Otra" })).status, 200);
  assert.equal((await client.get("/v1/people/1")).json.name, "Otra");
  assert.equal(bookmarkOf(await system.join.get("/v1/healthz")), "");
});
