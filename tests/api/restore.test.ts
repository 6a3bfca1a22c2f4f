// Restores earlier states of records: `POST /v1/{collection}/{id}/restore`.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assertIntegrity } from "../support/assert_integrity.ts";
import { tag } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";
import { adminToken, bearer, readToken, TOKENS, writeToken } from "../support/tokens.ts";
import {
  assertProblem,
  assertRecord,
  openWriteTarget,
  people,
  places,
  writeTargets,
} from "../support/write_helpers.ts";

for (const target of writeTargets) {
  suite(`restores, ${target}`, () => {
    test("a_deleted_person_gets_their_last_state_again", async () => {
      await using api = await openWriteTarget(target);
      const renamed = await api.people.send("PATCH", "/v1/people/2", { name: "Cersei" });
      assert.equal(renamed.status, 200);
      assert.equal((await api.people.request("DELETE", "/v1/people/2")).status, 204);
      const restored = await api.people.request("POST", "/v1/people/2/restore");
      const cersei = { ...people[1], name: "Cersei" };
      assertRecord(restored, 201, cersei, 4);
      assert.equal(restored.headers.location, "/v1/people/2");
      assertRecord(await api.people.get("/v1/people/2"), 200, cersei, 4);
      const history = await api.people.get("/v1/people/2/history");
      assert.deepEqual(
        history.json.map(({ kind, version }: { kind: string; version: number }) => [kind, version]),
        [
          ["created", 1],
          ["updated", 2],
          ["deleted", 3],
          ["created", 4],
        ],
      );
      await assertIntegrity(api.system);
    });

    test("an_earlier_version_of_a_record_becomes_a_new_version", async () => {
      await using api = await openWriteTarget(target);
      await api.people.send("PATCH", "/v1/people/3", { name: "Aiba", placeId: 2 });
      await api.people.send("PATCH", "/v1/people/3", { isAlive: false });
      const restore = (id: string, version: number) =>
        api.people.send("POST", `/v1/people/${id}/restore`, { version });
      assertRecord(await restore("3", 1), 200, people[2] ?? {}, 4);
      // The state of the present version changes nothing.
      assertRecord(await restore("3", 4), 200, people[2] ?? {}, 4);
      assertRecord(await restore("3", 2), 200, { ...people[2], name: "Aiba", placeId: 2 }, 5);
      await api.people.request("DELETE", "/v1/people/3");
      assertRecord(await restore("3", 1), 201, people[2] ?? {}, 7);

      await api.places.send("PATCH", "/v1/places/3", { name: "Veranolandia Nueva" });
      const place = await api.places.send("POST", "/v1/places/3/restore", { version: 1 });
      assertRecord(place, 200, places[2] ?? {}, 3);
      await assertIntegrity(api.system);
    });

    test("a_restore_that_breaks_a_rule_now_is_rejected_and_changes_nothing", async () => {
      await using api = await openWriteTarget(target);
      const restore = (id: number, query = "") =>
        api.people.request("POST", `/v1/people/${id}/restore${query}`);
      // Another king.
      await api.people.request("DELETE", "/v1/people/2");
      await api.people.send("PATCH", "/v1/people/1", { isKing: true });
      const king = { id: 1, name: "Sensei Lamister" };
      assertProblem(await restore(2), 409, "place-has-king", { king, rule: 3 });
      // A place that no longer exists.
      await api.people.request("DELETE", "/v1/people/3");
      assert.equal((await api.places.request("DELETE", "/v1/places/3")).status, 204);
      assertProblem(await restore(3), 409, "no-such-place");
      for (const id of [2, 3])
        assertProblem(await api.people.get(`/v1/people/${id}`), 404, "not-found");
      // A name that another place has now.
      await api.places.send("PATCH", "/v1/places/2", { name: "Más acá" });
      await api.places.send("POST", "/v1/places", { name: "Más allá del Zumo" });
      const place = await api.places.send("POST", "/v1/places/2/restore", { version: 1 });
      assertProblem(place, 409, "name-taken");
      assert.equal((await api.places.get("/v1/places/2")).json.name, "Más acá");
      await assertIntegrity(api.system);
    });

    test("a_deleted_place_cannot_be_restored", async () => {
      await using api = await openWriteTarget(target);
      const path = "/v1/places/2?reassignTo=1";
      assert.equal((await api.places.request("DELETE", path)).status, 204);
      const restored = await api.places.request("POST", "/v1/places/2/restore");
      assertProblem(restored, 409, "id-retired", { id: 2 });
      const ofVersion = await api.places.send("POST", "/v1/places/2/restore", { version: 1 });
      assertProblem(ofVersion, 409, "id-retired", { id: 2 });
    });

    test("a_state_that_never_existed_is_rejected", async () => {
      await using api = await openWriteTarget(target);
      const restore = (id: number, body: object) =>
        api.people.send("POST", `/v1/people/${id}/restore`, body);
      const errorOf = async (body: object) => {
        const response = await restore(1, body);
        assertProblem(response, 422, "invalid-record");
        return response.json.errors.map(({ pointer }: { pointer: string }) => pointer);
      };
      // Without a version, a restore is for a deleted record.
      assert.deepEqual(await errorOf({}), ["/version"]);
      for (const version of [0, -1, 1.5, "1", 2, 2 ** 53]) {
        assert.deepEqual(await errorOf({ version }), ["/version"]);
      }
      assert.deepEqual(await errorOf({ version: 1, name: "x" }), ["/name"]);
      assertProblem(await restore(99, {}), 404, "not-found");
      assertProblem(await restore(99, { version: 1 }), 404, "not-found");
      await api.people.request("DELETE", "/v1/people/1");
      // The version of the deletion has no state.
      assert.deepEqual(await errorOf({ version: 2 }), ["/version"]);
      assertRecord(await restore(1, {}), 201, people[0] ?? {}, 3);
      assert.deepEqual(await errorOf({}), ["/version"]);
    });

    test("a_restore_obeys_preconditions", async () => {
      await using api = await openWriteTarget(target);
      await api.people.send("PATCH", "/v1/people/1", { name: "Otro" });
      const restore = (headers: Record<string, string>) =>
        api.people.send("POST", "/v1/people/1/restore", { version: 1 }, headers);
      const stale = await restore({ "if-match": tag(1) });
      assertProblem(stale, 412, "precondition-failed");
      assertRecord(await restore({ "if-match": api.tag(2) }), 200, people[0] ?? {}, 3);
    });
  });
}

suite("restores", () => {
  test("a_restore_with_depose_takes_the_crown_back", async () => {
    await using system = await start({ places, people });
    const { join } = system;
    await join.send("PATCH", "/v1/people/1?depose=true", { isKing: true });
    const restored = await join.send("POST", "/v1/people/2/restore?depose=true", { version: 1 });
    assertRecord(restored, 200, people[1] ?? {}, 3);
    assert.equal((await join.get("/v1/people/1")).json.isKing, false);
    await assertIntegrity(system);
  });

  test("a_restore_with_depose_crowns_a_person_who_was_deleted_or_lives_elsewhere", async () => {
    await using system = await start({ places, people });
    const { join } = system;
    const restore = (query: string, body?: object) =>
      join.send("POST", `/v1/people/2/restore${query}`, body);
    const heirs = async () =>
      (await join.get("/v1/people?placeId=1&isKing=true")).json.map(({ id }: { id: number }) => id);
    for (const [leave, body, status] of [
      [() => join.request("DELETE", "/v1/people/2"), undefined, 201],
      [() => join.request("DELETE", "/v1/people/2"), { version: 1 }, 201],
      [
        () => join.send("PATCH", "/v1/people/2", { placeId: 2, isKing: false }),
        { version: 1 },
        200,
      ],
    ] as const) {
      assert.ok((await leave()).status < 300);
      assert.equal((await join.send("PATCH", "/v1/people/1", { isKing: true })).status, 200);
      assertProblem(await restore("", body), 409, "place-has-king");
      assert.deepEqual(await heirs(), [1]);
      const restored = await restore("?depose=true", body);
      assert.equal(restored.status, status, restored.text);
      assert.deepEqual(await heirs(), [2]);
      // One transaction deposes one and crowns the other.
      const [crowned, deposed] = (await join.get("/v1/people/changes?order=desc&limit=2")).json;
      assert.deepEqual([crowned.record.id, crowned.record.isKing], [2, true]);
      assert.deepEqual([deposed.record.id, deposed.record.isKing], [1, false]);
    }
    await assertIntegrity(system);
  });

  test("a_restore_with_depose_names_a_place_that_is_gone_and_deposes_nobody", async () => {
    await using system = await start({ places, people });
    const { join } = system;
    await join.request("DELETE", "/v1/people/2");
    await join.send("PATCH", "/v1/people/1", { isKing: true });
    await join.request("DELETE", "/v1/people/3");
    assert.equal((await join.request("DELETE", "/v1/places/3")).status, 204);
    const gone = await join.request("POST", "/v1/people/3/restore?depose=true");
    assertProblem(gone, 409, "no-such-place");
    // A king may not replace another one while moving, except by a restore.
    const put = { name: "A", isAlive: true, placeId: 1, isKing: true };
    for (const id of [3, 77]) {
      const rejected = await join.send("PUT", `/v1/people/${id}?depose=true`, put);
      assertProblem(rejected, 422, "invalid-record");
    }
    assert.equal((await join.get("/v1/people/1")).json.isKing, true);
    await assertIntegrity(system);
  });

  test("an_erased_person_cannot_be_restored", async () => {
    await using system = await start({ places, people, gatewaySettings: { TOKENS } });
    const admin = bearer(adminToken);
    const erased = await system.join.request("DELETE", "/v1/people/1?erase=true", admin);
    assert.equal(erased.status, 204);
    for (const body of [{}, { version: 1 }]) {
      const response = await system.join.send("POST", "/v1/people/1/restore", body, admin);
      assertProblem(response, 410, "person-erased");
    }
  });

  test("a_restore_needs_a_token_that_may_write", async () => {
    await using system = await start({ places, people, gatewaySettings: { TOKENS } });
    const restore = (headers: Record<string, string>) =>
      system.join.send("POST", "/v1/people/1/restore", { version: 1 }, headers);
    assertProblem(await restore({}), 401, "token-required");
    assertProblem(await restore(bearer(readToken)), 403, "insufficient-scope");
    assert.equal((await restore(bearer(writeToken))).status, 200);
  });

  test("a_person_with_an_imported_id_can_be_restored", async () => {
    // PUT may not choose such an id.
    const id = 2 ** 52 + 5;
    await using system = await start({ places, people });
    const file = `id,name\n${id},Lejano\n`;
    const type = { "content-type": "text/csv" };
    const imported = await system.join.request("POST", "/v1/people/import", type, file);
    assert.equal(imported.json.created, 1, imported.text);
    assert.equal((await system.join.request("DELETE", `/v1/people/${id}`)).status, 204);
    const restored = await system.join.request("POST", `/v1/people/${id}/restore`);
    assert.deepEqual([restored.status, restored.json.name], [201, "Lejano"]);
  });

  test("of_concurrent_restores_of_a_deleted_person_one_creates_the_person", async () => {
    await using system = await start({ places, people });
    await system.join.request("DELETE", "/v1/people/1");
    const restores = Array.from({ length: 6 }, () =>
      system.join.request("POST", "/v1/people/1/restore"),
    );
    const statuses = (await Promise.all(restores)).map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, 422, 422, 422, 422, 422]);
    const history = await system.join.get("/v1/people/1/history");
    assert.equal(history.json.length, 3);
  });
});
