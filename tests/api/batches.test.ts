// Tests batches of operations: `POST /v1/{collection}/batch`.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assertIntegrity } from "../support/assert_integrity.ts";
import { type ApiResponse, start } from "../support/harness.ts";
import {
  assertProblem,
  assertRecord,
  openWriteTarget,
  people,
  writeTargets,
} from "../support/write_helpers.ts";

type Result = {
  status: number;
  id?: number;
  version?: number;
  etag?: string;
  problem?: { type: string; pointer?: string; errors?: { pointer: string }[] };
};

/** The results: status, id, and the problem with its pointers. */
const results = (response: ApiResponse) => {
  const list: Result[] = response.json.results ?? response.json;
  return list.map(({ status, id, problem }) => [
    status,
    ...(id === undefined ? [] : [id]),
    ...(problem ? [problem.type.replace("/problems/", "")] : []),
    ...(problem?.errors ?? (problem?.pointer ? [problem] : [])).map(({ pointer }) => pointer),
  ]);
};

const update = (id: number, body: object, ifMatch?: string) => ({
  op: "update",
  id,
  body,
  ifMatch,
});
const create = (body: object, id?: number) => ({ op: "create", id, body });
const remove = (id: number, ifMatch?: string) => ({ op: "delete", id, ifMatch });

for (const target of writeTargets) {
  suite(`batches, ${target}`, () => {
    test("the_operations_of_a_batch_are_done_and_each_has_a_result", async () => {
      await using api = await openWriteTarget(target);
      const response = await api.people.send("POST", "/v1/people/batch", [
        create({ name: "Uno", isAlive: true, placeId: 2 }),
        update(3, { name: "Aiba" }),
        create({ name: "Dos" }),
        remove(2),
        create({ name: "Tres" }, 900),
        update(1, { name: people[0]?.name }),
      ]);
      assert.equal(response.status, 200, response.text);
      const list: Result[] = response.json;
      const [uno, aiba, dos, , tres] = list;
      assert.deepEqual(
        list.map(({ status }) => status),
        [201, 200, 201, 204, 201, 200],
      );
      assert.equal(dos?.id, (uno?.id ?? 0) + 1);
      assert.deepEqual([aiba?.id, aiba?.version, tres?.id, tres?.version], [3, 2, 900, 1]);
      assert.deepEqual(list[3], { status: 204, id: 2, version: 2 });
      assert.equal(list[5]?.version, 1);
      for (const { id, etag } of list.filter(({ status }) => status !== 204)) {
        const read = await api.people.get(`/v1/people/${id}`);
        assert.deepEqual([read.status, read.etag?.replace(/^W\//, "")], [200, etag]);
      }
      assert.equal((await api.people.get("/v1/people/2")).status, 404);
      assert.equal((await api.people.get(`/v1/people/${uno?.id}`)).json.name, "Uno");
      await assertIntegrity(api.system);
    });

    test("a_batch_with_an_operation_that_cannot_be_done_changes_nothing", async () => {
      await using api = await openWriteTarget(target);
      const before = (await api.system.join.get("/v1/changes?limit=1000")).json;
      const response = await api.people.send("POST", "/v1/people/batch", [
        create({ name: "Uno", isAlive: true, placeId: 2 }),
        update(1, { placeId: 999 }),
        update(3, {}, '"7.00000000"'),
        update(777, { name: "Nobody" }),
        remove(778),
      ]);
      assertProblem(response, 422, "batch-refused");
      assert.deepEqual(results(response), [
        [424],
        [424, 1],
        [412, 3, "precondition-failed", "/2/ifMatch"],
        [404, 777, "not-found", "/3/id"],
        [404, 778, "not-found", "/4/id"],
      ]);
      const rules = await api.people.send("POST", "/v1/people/batch", [
        create({ name: "Uno", isAlive: true, placeId: 2 }),
        update(1, { placeId: 999 }),
        update(3, { isAlive: true, placeId: null }),
      ]);
      assertProblem(rules, 422, "batch-refused");
      assert.deepEqual(results(rules), [
        [424],
        [424, 1],
        [422, 3, "invalid-record", "/2/body/placeId"],
      ]);
      const place = await api.people.send("POST", "/v1/people/batch", [
        create({ name: "Uno", isAlive: true, placeId: 2 }),
        update(1, { placeId: 999 }),
      ]);
      assert.deepEqual(results(place), [[424], [409, 1, "no-such-place", "/1/body/placeId"]]);
      // The pending write of the first operation is rolled back before the response.
      assert.deepEqual((await api.system.join.get("/v1/integrity")).json.pending, []);
      assert.deepEqual((await api.system.join.get("/v1/changes?limit=1000")).json, before);
    });
  });
}

test("a_crown_changes_hands_within_one_batch_whatever_the_order", async () => {
  await using system = await start({
    places: [1, 2].map((id) => ({ id, name: `Place ${id}` })),
    people: [
      { id: 1, name: "King", isAlive: true, placeId: 1, isKing: true },
      { id: 2, name: "Heir", isAlive: true, placeId: 1, isKing: false },
      { id: 3, name: "Neighbour", isAlive: true, placeId: 2, isKing: true },
    ],
  });
  const send = (...operations: object[]) =>
    system.join.send("POST", "/v1/people/batch", operations);
  const kings = async () =>
    (await system.join.get("/v1/people?isKing=true&sort=id")).json.map(
      ({ id, placeId }: { id: number; placeId: number }) => [id, placeId],
    );
  const crowned = await send(update(2, { isKing: true }), update(1, { isKing: false }));
  assert.equal(crowned.status, 200, crowned.text);
  assert.deepEqual(await kings(), [
    [2, 1],
    [3, 2],
  ]);
  // The king is deleted.
  const heir = create({ name: "New", isAlive: true, placeId: 1, isKing: true }, 9);
  assert.equal((await send(heir, remove(2))).status, 200);
  assert.deepEqual(await kings(), [
    [3, 2],
    [9, 1],
  ]);
  // Two kings exchange their places. Between them, both are without a crown for one version.
  const exchanged = await send(update(3, { placeId: 1 }), update(9, { placeId: 2 }));
  assert.equal(exchanged.status, 200, exchanged.text);
  assert.deepEqual(
    exchanged.json.map(({ version }: Result) => version),
    [3, 3],
  );
  assert.deepEqual(await kings(), [
    [3, 1],
    [9, 2],
  ]);
  const two = await send(update(1, { isKing: true }));
  assert.deepEqual(results(two), [[409, 1, "place-has-king", "/0/body/isKing"]]);
  const both = await send(
    update(3, { isKing: false }),
    update(1, { isKing: true }),
    create({ name: "Third", isAlive: true, placeId: 1, isKing: true }),
  );
  assert.deepEqual(
    results(both).map(([status]) => status),
    [424, 424, 422],
  );
  await assertIntegrity(system);
});

test("the_names_of_places_are_checked_after_all_operations", async () => {
  await using system = await start({
    places: [1, 2, 3].map((id) => ({ id, name: `Place ${id}` })),
    people: [{ id: 1, name: "Ghost", isAlive: false, placeId: 3, isKing: false }],
  });
  const send = (...operations: object[]) =>
    system.join.send("POST", "/v1/places/batch", operations);
  const names = async () =>
    (await system.join.get("/v1/places?sort=id")).json.map(
      ({ id, name }: { id: number; name: string }) => [id, name],
    );
  const chain = await send(
    create({ name: "Place 3" }),
    update(1, { name: "Place 2" }),
    update(2, { name: "Other" }),
    remove(3),
  );
  assert.equal(chain.status, 200, chain.text);
  assert.deepEqual(await names(), [
    [1, "Place 2"],
    [2, "Other"],
    [4, "Place 3"],
  ]);
  // The dead of the deleted place have no place, and its tombstone is removed.
  assert.equal((await system.join.get("/v1/people/1")).json.placeId, null);
  assert.deepEqual((await system.join.get("/v1/integrity")).json.deleting, []);
  const exchanged = await send(update(1, { name: "Other" }), update(2, { name: "Place 2" }));
  assert.deepEqual(results(exchanged), [
    [409, 1, "name-taken", "/0/body/name"],
    [409, 2, "name-taken", "/1/body/name"],
  ]);
  const taken = await send(create({ name: "OTHER" }), create({ name: "Place 3" }, 3));
  assert.deepEqual(results(taken), [
    [409, "name-taken", "/0/body/name"],
    [409, 3, "id-retired", "/1/id"],
  ]);
  await assertIntegrity(system);
});

test("a_batch_that_deletes_a_place_with_living_people_changes_nothing", async () => {
  await using system = await start({
    places: [1, 2].map((id) => ({ id, name: `Place ${id}` })),
    people: [{ id: 1, name: "Ana", isAlive: true, placeId: 1, isKing: false }],
  });
  const refused = await system.join.send("POST", "/v1/places/batch", [
    remove(2),
    remove(1),
    create({ name: "Place 1" }),
  ]);
  assertProblem(refused, 422, "batch-refused");
  assert.deepEqual(results(refused), [[424, 2], [409, 1, "place-has-people", "/1/id"], [424]]);
  assert.deepEqual((await system.join.get("/v1/integrity")).json.deleting, []);
  assert.equal((await system.join.get("/v1/places/2")).status, 200);
  // People can still move there.
  const moved = await system.join.send("PATCH", "/v1/people/1", { placeId: 2 });
  assertRecord(moved, 200, { id: 1, name: "Ana", isAlive: true, placeId: 2, isKing: false }, 2);
  const deleted = await system.join.send("POST", "/v1/places/batch", [remove(1)]);
  assert.deepEqual(results(deleted), [[204, 1]]);
  await assertIntegrity(system);
});

test("a_batch_that_is_refused_for_a_time_says_when_to_send_it_again", async () => {
  await using system = await start({
    places: [1, 2, 3].map((id) => ({ id, name: `Place ${id}` })),
    people: [{ id: 1, name: "Ana", isAlive: true, placeId: 1, isKing: false }],
  });
  await system.db.places.exec(
    "INSERT INTO tombstone (place_id, phase, since) VALUES (3, 'deleting', 9e15)",
  );
  const move = update(1, { placeId: 3 });
  const batches: [string, object[], string | undefined][] = [
    ["places", [remove(3), create({ name: "Nueva" })], "1"],
    ["people", [move, create({ name: "Nueva" })], "1"],
    // The second cause remains.
    ["people", [move, create({ name: "Nueva", isAlive: true, placeId: 999 })], undefined],
  ];
  for (const [collection, operations, expected] of batches) {
    for (const worker of [system.join, system[collection as "places" | "people"]]) {
      const refused = await worker.send("POST", `/v1/${collection}/batch`, operations);
      assertProblem(refused, 422, "batch-refused");
      assert.equal(refused.json.results[0].problem.type, "/problems/place-is-going");
      assert.equal(refused.headers["retry-after"], expected, refused.text);
    }
  }
  await system.db.places.exec("DELETE FROM tombstone");
  const done = await system.join.send("POST", "/v1/places/batch", [remove(3)]);
  assert.deepEqual(results(done), [[204, 3]]);
});

test("the_invalid_members_of_all_operations_are_named", async () => {
  await using system = await start();
  const send = (body: string) =>
    system.join.request("POST", "/v1/people/batch", { "content-type": "application/json" }, body);
  const response = await send(
    JSON.stringify([
      { op: "upsert", id: 1, body: {} },
      { op: "update", body: {} },
      { op: "delete", id: 1, body: null },
      { op: "create", ifMatch: "*", body: { name: "x" } },
      { op: "create" },
      { op: "create", body: { name: "", age: 3, isAlive: true } },
      { op: "update", id: 1, ifMatch: 7, body: {} },
      { op: "update", id: 7, body: { id: 8 }, more: true },
      { op: "update", id: 9, body: { name: "x" } },
    ]),
  );
  assertProblem(response, 422, "batch-refused");
  assert.deepEqual(results(response), [
    [422, 1, "invalid-record", "/0/op"],
    [422, "invalid-record", "/1/id"],
    [422, 1, "invalid-record", "/2/id", "/2/body"],
    [422, "invalid-record", "/3/ifMatch"],
    [422, "invalid-record", "/4/body"],
    [422, "invalid-record", "/5/body/name", "/5/body/placeId", "/5/body/age"],
    [422, 1, "invalid-record", "/6/id", "/6/ifMatch"],
    [422, 7, "invalid-record", "/7/more"],
    [424, 9],
  ]);
  for (const malformed of [
    "",
    "{}",
    "[null]",
    '[{"op":"create","body":{"name":"x","name":"y"}}]',
  ]) {
    assertProblem(await send(malformed), 400, "malformed-body");
  }
  const many = JSON.stringify(Array.from({ length: 1001 }, (_, id) => remove(id + 1)));
  assertProblem(await send(many), 413, "too-many-records");
  const none = await send("[]");
  assert.deepEqual([none.status, none.json], [200, []]);
});

test("a_repeated_batch_with_an_idempotency_key_gets_the_first_response", async () => {
  await using system = await start({
    places: [{ id: 1, name: "Place" }],
    people: [1, 2].map((id) => ({
      id,
      name: `Name ${id}`,
      isAlive: false,
      placeId: null,
      isKing: false,
    })),
  });
  const operations = [
    create({ name: "Uno" }),
    update(1, { name: "Renamed" }),
    create({ name: "Dos" }),
    remove(2),
  ];
  const send = (body: object) =>
    system.join.send("POST", "/v1/people/batch", body, { "idempotency-key": "k1" });
  const first = await send(operations);
  assert.equal(first.status, 200, first.text);
  await system.join.send("PATCH", "/v1/people/1", { name: "Changed since" });
  const second = await send(operations);
  assert.deepEqual([second.status, second.json], [200, first.json]);
  assert.equal(second.headers["idempotency-replayed"], "true");
  assertProblem(await send([]), 422, "idempotency-key-reused");
  const found = await system.join.get("/v1/people?q=uno");
  assert.equal(found.json.length, 1);
  // Of concurrent repetitions one writes.
  const others = await Promise.all(
    Array.from({ length: 5 }, () =>
      system.join.send("POST", "/v1/people/batch", [create({ name: "Once" })], {
        "idempotency-key": "k2",
      }),
    ),
  );
  assert.deepEqual(new Set(others.map(({ text }) => text)).size, 1);
  assert.equal((await system.join.get("/v1/people?q=once")).json.length, 1);
  await assertIntegrity(system);
});

test("each_pointer_of_a_refused_batch_names_a_part_of_the_request", async () => {
  await using system = await start({ places: [1, 2].map((id) => ({ id, name: `Place ${id}` })) });
  const king = { name: "King", isAlive: true, placeId: 1, isKing: true };
  const prepared = await system.join.send("POST", "/v1/people/batch", [create(king)]);
  assert.equal(prepared.status, 200, prepared.text);
  const id = prepared.json[0].id;
  const cases: [string, object[], string][] = [
    ["places", [create({ name: "Dup" }), create({ name: "DUP" })], "/1/body/name"],
    ["places", [create({ name: "Dup" }), update(1, { name: "dup" })], "/1/body/name"],
    ["places", [create({ name: "A" }), update(1, { name: "" })], "/1/body/name"],
    ["places", [create({ name: "A" }), update(1, { id: 2 })], "/1/body/id"],
    ["people", [create({ name: "A" }, 90), create({ name: "A", id: 3 }, 91)], "/1/body/id"],
    [
      "people",
      [create({ ...king, placeId: 2 }), create({ name: "A" }), create({ ...king, placeId: 2 })],
      "/2/body/isKing",
    ],
    ["people", [create({ name: "A" }), update(id, { isAlive: false })], "/1/body/isKing"],
    ["people", [update(id, { name: "B" }), remove(id)], "/1/id"],
  ];
  for (const [collection, operations, pointer] of cases) {
    const refused = await system.join.send("POST", `/v1/${collection}/batch`, operations);
    assertProblem(refused, 422, "batch-refused");
    const found = refused.json.results.flatMap(({ problem }: Result) => problem?.errors ?? []);
    assert.deepEqual(
      found.map((error: { pointer: string }) => error.pointer),
      [pointer],
      refused.text,
    );
    // The detail names the part of the operation.
    const last = refused.json.results.at(-1).problem;
    assert.ok(last.detail.startsWith(`\`${pointer.slice(2)}\` must be `), last.detail);
    assert.doesNotMatch(last.detail, /path/);
  }
});

test("a_batch_of_the_maximum_size_is_done", async () => {
  await using system = await start({ places: [{ id: 1, name: "Place" }], people: [] });
  const operations = Array.from({ length: 1000 }, (_, n) =>
    create({ name: `Name ${n}`, isAlive: true, placeId: 1 }),
  );
  const { status, json, text } = await system.join.send("POST", "/v1/people/batch", operations);
  assert.equal(status, 200, text);
  const names = (await system.join.get("/v1/people?limit=1000&sort=id")).json;
  assert.deepEqual(
    json.map(({ id }: Result) => id),
    names.map(({ id }: Result) => id),
  );
  assert.deepEqual(
    names.map(({ name }: { name: string }) => name),
    operations.map((_, n) => `Name ${n}`),
  );
  await assertIntegrity(system);
});
