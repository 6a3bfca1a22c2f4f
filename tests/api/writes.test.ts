// Writes places and people: tests the rules of the data, and the history of changes.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { completePerson } from "../support/declared_fields.ts";
import { versionOf } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";
import {
  assertProblem,
  assertRecord,
  MISSING_PLACE,
  openWriteTarget,
  people,
  places,
  writeTargets,
} from "../support/write_helpers.ts";

for (const target of writeTargets) {
  const open = () => openWriteTarget(target);

  suite(`writes, ${target}`, () => {
    test("a_record_can_be_created_read_changed_and_deleted", async () => {
      await using api = await open();
      const place = await api.places.send("POST", "/v1/places", { name: "  Nin\u0303o\u00a0 " });
      assertRecord(place, 201, { id: 4, name: "Niño" }, 1);
      assert.equal(place.headers.location, "/v1/places/4");
      const renamed = await api.places.send("PUT", "/v1/places/4", { id: 4, name: "Niña" });
      assertRecord(renamed, 200, { id: 4, name: "Niña" }, 2);
      assertRecord(await api.places.get("/v1/places/4"), 200, { id: 4, name: "Niña" }, 2);

      const living = { name: "Nuevo", isAlive: true, placeId: 4 };
      const born = await api.people.send("POST", "/v1/people", living);
      const record = completePerson({ id: 6, ...living, isKing: false });
      assertRecord(born, 201, record, 1);
      assert.equal(born.headers.location, "/v1/people/6");
      const crowned = await api.people.send("PATCH", "/v1/people/6", { isKing: true });
      assertRecord(crowned, 200, { ...record, isKing: true }, 2);
      const buried = { isAlive: false, isKing: null, placeId: null };
      const dead = completePerson({ ...record, isAlive: false, placeId: null });
      const patch = { "content-type": "application/merge-patch+json; charset=utf-8" };
      assertRecord(await api.people.send("PATCH", "/v1/people/6", buried, patch), 200, dead, 3);

      for (const path of ["/v1/people/6", "/v1/places/4"]) {
        const worker = path.includes("people") ? api.people : api.places;
        const gone = await worker.request("DELETE", path);
        assert.deepEqual([gone.status, gone.text], [204, ""]);
        assertProblem(await worker.get(path), 404, "not-found");
        assertProblem(await worker.request("DELETE", path), 404, "not-found");
        assertProblem(await worker.send("PATCH", path, {}), 404, "not-found");
      }
      // Neither id is assigned again.
      const next = await api.people.send("POST", "/v1/people", { name: "Next" });
      assert.equal(next.json.id, 7);
      const nextPlace = await api.places.send("POST", "/v1/places", { name: "Next" });
      assert.equal(nextPlace.json.id, 5);
    });

    test("a_write_without_a_change_keeps_the_version", async () => {
      await using api = await open();
      const [first] = people;
      for (const [method, body] of [
        ["PUT", first],
        ["PATCH", {}],
        ["PATCH", { name: " Sensei Lamister" }],
      ] as const) {
        const same = await api.people.send(method, "/v1/people/1", body);
        assertRecord(same, 200, first as object, 1);
      }
      assertRecord(await api.places.send("PATCH", "/v1/places/1", {}), 200, places[0] as object, 1);
    });

    test("put_creates_a_record_under_the_clients_id", async () => {
      await using api = await open();
      const create = { "if-none-match": "*" };
      const top = 4503599627370496;
      const put = await api.people.send("PUT", `/v1/people/${top}`, { name: "Top" }, create);
      assert.equal(put.status, 201);
      const second = await api.people.send("PUT", `/v1/people/${top}`, { name: "Top" }, create);
      assertProblem(second, 412, "precondition-failed", { version: 1 });
      assertProblem(
        await api.people.send("PUT", `/v1/people/${top + 1}`, { name: "Over" }),
        400,
        "invalid-parameter",
        { parameter: "id" },
      );
      // Larger ids can still be assigned.
      const next = await api.people.send("POST", "/v1/people", { name: "Next" });
      assert.equal(next.json.id, top + 1);
      // A recreated person continues its version numbers.
      await api.people.request("DELETE", `/v1/people/${top}`);
      const back = await api.people.send("PUT", `/v1/people/${top}`, { name: "Back" });
      assert.deepEqual([back.status, back.etag], [201, api.tag(3)]);
      // The id of a deleted place is never used again.
      assert.equal((await api.places.send("PUT", "/v1/places/50", { name: "Put" })).status, 201);
      assert.equal((await api.places.request("DELETE", "/v1/places/50")).status, 204);
      const reused = await api.places.send("PUT", "/v1/places/50", { name: "Put" });
      assertProblem(reused, 409, "id-retired", { id: 50 });
    });

    test("a_living_person_needs_an_existing_place", async () => {
      await using api = await open();
      const nowhere = { name: "x", isAlive: true };
      const errors = [
        { pointer: "/placeId", detail: "the id of a place, because a living person needs one" },
      ];
      for (const [method, path, body] of [
        ["POST", "/v1/people", nowhere],
        ["PUT", "/v1/people/1", nowhere],
        ["PATCH", "/v1/people/1", { placeId: null }],
        ["PATCH", "/v1/people/4", { isAlive: true }],
      ] as const) {
        assertProblem(await api.people.send(method, path, body), 422, "invalid-record", { errors });
      }
      const elsewhere = { placeId: MISSING_PLACE };
      for (const [method, path, body] of [
        ["POST", "/v1/people", { ...nowhere, ...elsewhere }],
        ["POST", "/v1/people", { name: "dead", ...elsewhere }],
        ["PUT", "/v1/people/1", { ...nowhere, ...elsewhere }],
        ["PUT", "/v1/people/1000", { ...nowhere, ...elsewhere }],
        ["PATCH", "/v1/people/1", elsewhere],
        ["PATCH", "/v1/people/4", elsewhere],
      ] as const) {
        const rejected = await api.people.send(method, path, body);
        assertProblem(rejected, 409, "no-such-place", { rule: 2, placeId: MISSING_PLACE });
      }
      assert.equal((await api.people.get("/v1/people?limit=1&count=exact")).json.length, 1);
      const changes = (await api.people.get("/v1/people/changes?limit=1000")).json;
      assert.equal(changes.length, people.length, "no rejected write appears in the change log");
    });

    test("a_place_has_at_most_one_king_and_depose_replaces_him", async () => {
      await using api = await open();
      const king = { id: 2, name: "Cercei Lamister" };
      for (const [method, path, body] of [
        ["PATCH", "/v1/people/1", { isKing: true }],
        ["PUT", "/v1/people/3", { name: "A", isAlive: true, placeId: 1, isKing: true }],
        ["POST", "/v1/people", { name: "A", isAlive: true, placeId: 1, isKing: true }],
      ] as const) {
        const rejected = await api.people.send(method, path, body);
        assertProblem(rejected, 409, "place-has-king", { rule: 3, king });
      }
      const moving = { placeId: 1, isKing: true };
      assertProblem(
        await api.people.send("PATCH", "/v1/people/3?depose=true", moving),
        422,
        "invalid-record",
      );
      const heir = await api.people.send("PATCH", "/v1/people/1?depose=true", { isKing: true });
      assert.deepEqual([heir.status, heir.json.isKing], [200, true]);
      const deposed = await api.people.get("/v1/people/2");
      assert.deepEqual([deposed.etag, deposed.json.isKing], [api.tag(2), false]);
      // A king who moves to a place without a king stays king.
      const moved = await api.people.send("PATCH", "/v1/people/1", { placeId: 2 });
      assert.deepEqual([moved.status, moved.json.isKing], [200, true]);
      const burial = await api.people.send("PATCH", "/v1/people/1", { isAlive: false });
      assertProblem(burial, 422, "invalid-record");
    });

    test("place_names_are_unique_ignoring_case", async () => {
      await using api = await open();
      for (const [method, path] of [
        ["POST", "/v1/places"],
        ["PUT", "/v1/places/1"],
        ["PUT", "/v1/places/1000"],
        ["PATCH", "/v1/places/1"],
      ] as const) {
        const rejected = await api.places.send(method, path, { name: "MA\u0301S ALLÁ del zumo " });
        assertProblem(rejected, 409, "name-taken", { rule: 4, id: 2 });
      }
      const recased = await api.places.send("PATCH", "/v1/places/2", { name: "MÁS ALLÁ" });
      assert.equal(recased.status, 200);
    });

    test("a_place_with_living_people_is_deleted_only_with_reassignment", async () => {
      await using api = await open();
      const occupied = await api.places.request("DELETE", "/v1/places/1");
      assertProblem(occupied, 409, "place-has-people", { rule: 5, living: 2 });
      assert.equal((await api.places.send("PATCH", "/v1/places/1", { name: "Free" })).status, 200);
      const itself = await api.places.request("DELETE", "/v1/places/1?reassignTo=1");
      assertProblem(itself, 400, "invalid-parameter", { parameter: "reassignTo" });
      const nowhere = await api.places.request(
        "DELETE",
        `/v1/places/1?reassignTo=${MISSING_PLACE}`,
      );
      assertProblem(nowhere, 409, "no-such-place", { placeId: MISSING_PLACE });

      const done = await api.places.request("DELETE", "/v1/places/1?reassignTo=3");
      assert.equal(done.status, 204, done.text);
      const moved = (await api.people.get("/v1/people?placeId=3")).json;
      assert.deepEqual(
        moved.map(({ id, isKing }: { id: number; isKing: boolean }) => [id, isKing]),
        [
          [1, false],
          [2, false],
          [3, false],
        ],
      );
      // The dead are detached from a deleted place.
      assert.equal((await api.places.request("DELETE", "/v1/places/2")).status, 204);
      assert.equal((await api.people.get("/v1/people/5")).json.placeId, null);
      const { db } = api.system;
      assert.deepEqual(await db.places.rows("SELECT * FROM tombstone"), []);
    });

    test("a_place_that_is_being_deleted_accepts_no_person_and_no_change", async () => {
      await using api = await open();
      await api.system.db.places.exec(
        "INSERT INTO tombstone (place_id, phase, reassign_to, since) VALUES (3, 'deleting', 2, 0)",
      );
      const moving = await api.people.send("PATCH", "/v1/people/1", { placeId: 3 });
      assertProblem(moving, 409, "place-is-going", { placeId: 3 });
      assert.equal(moving.headers["retry-after"], "1");
      const naming = await api.places.send("PATCH", "/v1/places/3", { name: "x" });
      assertProblem(naming, 409, "place-is-going");
      assertProblem(await api.places.request("DELETE", "/v1/places/3"), 409, "place-is-going");
      // The target of a pending reassignment cannot be deleted either.
      assertProblem(await api.places.request("DELETE", "/v1/places/2"), 409, "place-is-going");
      const chained = await api.places.request("DELETE", "/v1/places/1?reassignTo=3");
      assertProblem(chained, 409, "place-is-going", { placeId: 3 });
    });

    test("the_history_lists_every_version", async () => {
      await using api = await open();
      await api.people.send("PATCH", "/v1/people/3", { placeId: 2 });
      await api.people.send("PATCH", "/v1/people/3", { isAlive: false });
      await api.people.request("DELETE", "/v1/people/3");
      const pages = await api.people.pages("/v1/people/3/history?limit=3");
      const entries = pages.flatMap(({ json }) => json);
      const record = (isAlive: boolean, placeId: number) =>
        completePerson({ id: 3, name: "Aiba Stack", isAlive, placeId, isKing: false });
      assert.deepEqual(
        entries.map(({ kind, version, record }) => [kind, version, record]),
        [
          ["created", 1, record(true, 3)],
          ["updated", 2, record(true, 2)],
          ["updated", 3, record(false, 2)],
          ["deleted", 4, null],
        ],
      );
      assert.deepEqual(
        [pages.length, entries.map(({ at }) => at)],
        [2, entries.map(({ at }) => at).toSorted()],
      );
      assertProblem(await api.people.get(`/v1/people/${MISSING_PLACE}/history`), 404, "not-found");
      await api.places.send("PATCH", "/v1/places/3", { name: "Winter" });
      const place = (await api.places.get("/v1/places/3/history")).json;
      assert.deepEqual(
        place.map(({ version, record }: { version: number; record: object }) => [version, record]),
        [
          [1, { id: 3, name: "Veranolandia" }],
          [2, { id: 3, name: "Winter" }],
        ],
      );
    });
  });
}

test("the_change_log_is_append_only", async () => {
  await using system = await start({ places, people });
  for (const sql of ["UPDATE person_change SET name = 'x'", "DELETE FROM person_change"]) {
    await assert.rejects(system.db.people.exec(sql), /the change log is append-only/);
  }
  const withoutVersion = "UPDATE person SET name = 'x' WHERE id = 1";
  await assert.rejects(system.db.people.exec(withoutVersion), /adds one to the version/);
});

test("concurrent_renames_are_each_written_once", async () => {
  const manyPeople = Array.from({ length: 20 }, (_, n) => ({
    id: n + 1,
    name: `Person ${n + 1}`,
    isAlive: n % 2 === 0,
    placeId: n % 2 === 0 ? 1 : null,
    isKing: false,
  }));
  await using system = await start({ places, people: manyPeople });
  // Each person gets four names at once, one of which is its present name.
  const names = manyPeople.flatMap(({ id, name }) => [name, `${id} a`, `${id} b`, `${id} c`]);
  const renames = names.map((name, n) =>
    system.people.send("PATCH", `/v1/people/${1 + Math.floor(n / 4)}`, { name }),
  );
  const missingPerson = system.people.send("PATCH", `/v1/people/${99}`, { name: "x" });
  const invalid = system.people.send("PATCH", "/v1/people/1", { name: " " });
  const responses = await Promise.all(renames);
  assertProblem(await missingPerson, 404, "not-found");
  assertProblem(await invalid, 422, "invalid-record");
  for (const [n, response] of responses.entries()) {
    assert.equal(response.status, 200, response.text);
    assert.equal(response.json.name, names[n]);
  }
  for (const { id } of manyPeople) {
    const written = await system.db.people.rows(
      `SELECT version, name FROM person_change WHERE person_id = ${id} ORDER BY version`,
    );
    const versions = written.map(({ version }) => version);
    assert.deepEqual(
      versions,
      [...versions.keys()].map((n) => n + 1),
    );
    for (const letter of ["a", "b", "c"]) {
      assert.equal(written.filter((change) => change.name === `${id} ${letter}`).length, 1);
    }
    // Each response shows the name that the change log has for its version.
    for (const { etag, json } of responses.slice(4 * (id - 1), 4 * id)) {
      const version = versionOf(etag);
      assert.equal(written[version - 1]?.name, json.name);
    }
  }
});
