// Writing places and people, at their owners and through the join: every rule, and every way
// in which a write is refused.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type ApiResponse, type System, start, type WorkerClient } from "../support/harness.ts";

const places = [
  { id: 1, name: "Descaro del Rey" },
  { id: 2, name: "Más allá del Zumo" },
  { id: 3, name: "Veranolandia" },
];
const people = [
  { id: 1, name: "Sensei Lamister", isAlive: true, placeId: 1, isKing: false },
  { id: 2, name: "Cercei Lamister", isAlive: true, placeId: 1, isKing: true },
  { id: 3, name: "Aiba Stack", isAlive: true, placeId: 3, isKing: false },
  { id: 4, name: "Dedo Gordo", isAlive: false, placeId: null, isKing: false },
  { id: 5, name: "Roberto Barato", isAlive: false, placeId: 2, isKing: false },
];
const missing = 99;

function is_refused(answer: ApiResponse, status: number, slug: string, members: object = {}): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.equal(answer.json.type, `/problems/${slug}`);
  for (const [name, value] of Object.entries(members)) {
    assert.deepEqual(answer.json[name], value, answer.text);
  }
}

function is_record(answer: ApiResponse, status: number, record: object, version: number): void {
  assert.equal(answer.status, status, answer.text);
  assert.deepEqual(answer.json, record);
  assert.equal(answer.etag, `"${version}"`);
  assert.equal(answer.headers["content-type"], "application/json");
}

const doors: [string, (system: System, owner: "places" | "people") => WorkerClient][] = [
  ["at their owners", (system, owner) => system[owner]],
  ["through the join", (system) => system.join],
];

for (const [door, through] of doors) {
  const open = async () => {
    const system = await start({ places, people });
    return {
      system,
      places: through(system, "places"),
      people: through(system, "people"),
      [Symbol.asyncDispose]: () => system.dispose(),
    };
  };

  suite(`writes, ${door}`, () => {
    test("a_record_is_created_read_changed_and_deleted", async () => {
      await using at = await open();
      const place = await at.places.send("POST", "/v1/places", { name: "  Nin\u0303o\u00a0 " });
      is_record(place, 201, { id: 4, name: "Niño" }, 1);
      assert.equal(place.headers.location, "/v1/places/4");
      const renamed = await at.places.send("PUT", "/v1/places/4", { id: 4, name: "Niña" });
      is_record(renamed, 200, { id: 4, name: "Niña" }, 2);
      is_record(await at.places.get("/v1/places/4"), 200, { id: 4, name: "Niña" }, 2);

      const living = { name: "Nuevo", isAlive: true, placeId: 4 };
      const born = await at.people.send("POST", "/v1/people", living);
      const record = { id: 6, ...living, isKing: false };
      is_record(born, 201, record, 1);
      assert.equal(born.headers.location, "/v1/people/6");
      const crowned = await at.people.send("PATCH", "/v1/people/6", { isKing: true });
      is_record(crowned, 200, { ...record, isKing: true }, 2);
      const buried = { isAlive: false, isKing: null, placeId: null };
      const dead = { id: 6, name: "Nuevo", isAlive: false, placeId: null, isKing: false };
      const patch = { "content-type": "application/merge-patch+json; charset=utf-8" };
      is_record(await at.people.send("PATCH", "/v1/people/6", buried, patch), 200, dead, 3);

      for (const path of ["/v1/people/6", "/v1/places/4"]) {
        const worker = path.includes("people") ? at.people : at.places;
        const gone = await worker.request("DELETE", path);
        assert.deepEqual([gone.status, gone.text], [204, ""]);
        is_refused(await worker.get(path), 404, "not-found");
        is_refused(await worker.request("DELETE", path), 404, "not-found");
        is_refused(await worker.send("PATCH", path, {}), 404, "not-found");
      }
      // Neither id is given to anybody else.
      const next = await at.people.send("POST", "/v1/people", { name: "Next" });
      assert.equal(next.json.id, 7);
      const nextPlace = await at.places.send("POST", "/v1/places", { name: "Next" });
      assert.equal(nextPlace.json.id, 5);
    });

    test("a_write_of_what_is_there_already_changes_nothing", async () => {
      await using at = await open();
      const [first] = people;
      for (const [method, body] of [
        ["PUT", first],
        ["PATCH", {}],
        ["PATCH", { name: " Sensei Lamister" }],
      ] as const) {
        const same = await at.people.send(method, "/v1/people/1", body);
        is_record(same, 200, first as object, 1);
      }
      is_record(await at.places.send("PATCH", "/v1/places/1", {}), 200, places[0] as object, 1);
    });

    test("put_creates_under_an_id_of_the_clients_choice", async () => {
      await using at = await open();
      const create = { "if-none-match": "*" };
      const top = 4503599627370496;
      const put = await at.people.send("PUT", `/v1/people/${top}`, { name: "Top" }, create);
      assert.equal(put.status, 201);
      const again = await at.people.send("PUT", `/v1/people/${top}`, { name: "Top" }, create);
      is_refused(again, 412, "precondition-failed", { version: 1 });
      is_refused(
        await at.people.send("PUT", `/v1/people/${top + 1}`, { name: "Over" }),
        400,
        "invalid-parameter",
        { parameter: "id" },
      );
      // The register still has ids to give.
      const next = await at.people.send("POST", "/v1/people", { name: "Next" });
      assert.equal(next.json.id, top + 1);
      // A person's versions go on where they ended.
      await at.people.request("DELETE", `/v1/people/${top}`);
      const back = await at.people.send("PUT", `/v1/people/${top}`, { name: "Back" });
      assert.deepEqual([back.status, back.etag], [201, '"3"']);
      // A place's id is never used again.
      assert.equal((await at.places.send("PUT", "/v1/places/50", { name: "Put" })).status, 201);
      assert.equal((await at.places.request("DELETE", "/v1/places/50")).status, 204);
      const reused = await at.places.send("PUT", "/v1/places/50", { name: "Put" });
      is_refused(reused, 409, "id-retired", { id: 50 });
    });

    test("a_living_person_needs_an_existing_place", async () => {
      await using at = await open();
      const nowhere = { name: "x", isAlive: true };
      const errors = [
        { pointer: "/placeId", detail: "the id of a place, because the living have one" },
      ];
      for (const [method, path, body] of [
        ["POST", "/v1/people", nowhere],
        ["PUT", "/v1/people/1", nowhere],
        ["PATCH", "/v1/people/1", { placeId: null }],
        ["PATCH", "/v1/people/4", { isAlive: true }],
      ] as const) {
        is_refused(await at.people.send(method, path, body), 422, "invalid-record", { errors });
      }
      const elsewhere = { placeId: missing };
      for (const [method, path, body] of [
        ["POST", "/v1/people", { ...nowhere, ...elsewhere }],
        ["POST", "/v1/people", { name: "dead", ...elsewhere }],
        ["PUT", "/v1/people/1", { ...nowhere, ...elsewhere }],
        ["PUT", "/v1/people/1000", { ...nowhere, ...elsewhere }],
        ["PATCH", "/v1/people/1", elsewhere],
        ["PATCH", "/v1/people/4", elsewhere],
      ] as const) {
        const refused = await at.people.send(method, path, body);
        is_refused(refused, 409, "no-such-place", { rule: 2, placeId: missing });
      }
      assert.equal((await at.people.get("/v1/people?limit=1&count=exact")).json.length, 1);
      const changes = (await at.people.get("/v1/people/changes?limit=1000")).json;
      assert.equal(changes.length, people.length, "nothing has been written, not for a moment");
    });

    test("a_place_has_one_king_until_another_deposes_him", async () => {
      await using at = await open();
      const king = { id: 2, name: "Cercei Lamister" };
      for (const [method, path, body] of [
        ["PATCH", "/v1/people/1", { isKing: true }],
        ["PUT", "/v1/people/3", { name: "A", isAlive: true, placeId: 1, isKing: true }],
        ["POST", "/v1/people", { name: "A", isAlive: true, placeId: 1, isKing: true }],
      ] as const) {
        const refused = await at.people.send(method, path, body);
        is_refused(refused, 409, "place-has-king", { rule: 3, king });
      }
      const moving = { placeId: 1, isKing: true };
      is_refused(
        await at.people.send("PATCH", "/v1/people/3?depose=true", moving),
        422,
        "invalid-record",
      );
      const heir = await at.people.send("PATCH", "/v1/people/1?depose=true", { isKing: true });
      assert.deepEqual([heir.status, heir.json.isKing], [200, true]);
      const deposed = await at.people.get("/v1/people/2");
      assert.deepEqual([deposed.etag, deposed.json.isKing], ['"2"', false]);
      // The crown goes along where a king moves and nobody wears it.
      const moved = await at.people.send("PATCH", "/v1/people/1", { placeId: 2 });
      assert.deepEqual([moved.status, moved.json.isKing], [200, true]);
      const burial = await at.people.send("PATCH", "/v1/people/1", { isAlive: false });
      is_refused(burial, 422, "invalid-record");
    });

    test("names_of_places_are_unique_whatever_their_case", async () => {
      await using at = await open();
      for (const [method, path] of [
        ["POST", "/v1/places"],
        ["PUT", "/v1/places/1"],
        ["PUT", "/v1/places/1000"],
        ["PATCH", "/v1/places/1"],
      ] as const) {
        const refused = await at.places.send(method, path, { name: "MA\u0301S ALLÁ del zumo " });
        is_refused(refused, 409, "name-taken", { rule: 4, id: 2 });
      }
      const recased = await at.places.send("PATCH", "/v1/places/2", { name: "MÁS ALLÁ" });
      assert.equal(recased.status, 200);
    });

    test("a_place_with_living_people_is_not_deleted_unless_they_move", async () => {
      await using at = await open();
      const kept = await at.places.request("DELETE", "/v1/places/1");
      is_refused(kept, 409, "place-has-people", { rule: 5, living: 2 });
      assert.equal((await at.places.send("PATCH", "/v1/places/1", { name: "Free" })).status, 200);
      const itself = await at.places.request("DELETE", "/v1/places/1?reassignTo=1");
      is_refused(itself, 400, "invalid-parameter", { parameter: "reassignTo" });
      const nowhere = await at.places.request("DELETE", `/v1/places/1?reassignTo=${missing}`);
      is_refused(nowhere, 409, "no-such-place", { placeId: missing });

      const done = await at.places.request("DELETE", "/v1/places/1?reassignTo=3");
      assert.equal(done.status, 204, done.text);
      const moved = (await at.people.get("/v1/people?placeId=3")).json;
      assert.deepEqual(
        moved.map(({ id, isKing }: { id: number; isKing: boolean }) => [id, isKing]),
        [
          [1, false],
          [2, false],
          [3, false],
        ],
      );
      // The dead keep no place that is gone.
      assert.equal((await at.places.request("DELETE", "/v1/places/2")).status, 204);
      assert.equal((await at.people.get("/v1/people/5")).json.placeId, null);
      const { db } = at.system;
      assert.deepEqual(await db.places.rows("SELECT * FROM tombstone"), []);
    });

    test("a_place_on_its_way_out_takes_nobody_in_and_is_not_changed", async () => {
      await using at = await open();
      await at.system.db.places.exec(
        "INSERT INTO tombstone (place_id, phase, reassign_to, since) VALUES (3, 'deleting', 2, 0)",
      );
      const moving = await at.people.send("PATCH", "/v1/people/1", { placeId: 3 });
      is_refused(moving, 409, "place-is-going", { placeId: 3 });
      assert.equal(moving.headers["retry-after"], "1");
      const naming = await at.places.send("PATCH", "/v1/places/3", { name: "x" });
      is_refused(naming, 409, "place-is-going");
      is_refused(await at.places.request("DELETE", "/v1/places/3"), 409, "place-is-going");
      // Nor does the one go that takes its people in.
      is_refused(await at.places.request("DELETE", "/v1/places/2"), 409, "place-is-going");
      const chained = await at.places.request("DELETE", "/v1/places/1?reassignTo=3");
      is_refused(chained, 409, "place-is-going", { placeId: 3 });
    });

    test("every_wrong_field_is_named_at_once", async () => {
      await using at = await open();
      const wrong = { name: " ", isAlive: 1, placeId: "1", isKing: "no", age: 3, id: 9 };
      const pointers = ["/name", "/id", "/isAlive", "/isKing", "/placeId", "/age"];
      const refused = await at.people.send("POST", "/v1/people", wrong);
      is_refused(refused, 422, "invalid-record");
      const named = refused.json.errors.map(({ pointer }: { pointer: string }) => pointer);
      assert.deepEqual(named.toSorted(), pointers.toSorted());
      for (const name of ["", "a\u0000b", "a\nb", "x".repeat(201), 7, null, [], {}]) {
        const place = await at.places.send("POST", "/v1/places", { name });
        is_refused(place, 422, "invalid-record");
        assert.equal(place.json.errors[0].pointer, "/name");
      }
      const longest = await at.places.send("POST", "/v1/places", { name: "👑".repeat(200) });
      assert.equal(longest.status, 201, longest.text);
      const other = await at.places.send("PUT", "/v1/places/1", { id: 2, name: "x" });
      is_refused(other, 422, "invalid-record");
      const strange = await at.places.send("POST", "/v1/places", { name: "x", "<script>": 1 });
      assert.ok(!strange.text.includes("script"));
    });

    test("a_body_that_is_no_json_is_refused_with_where", async () => {
      await using at = await open();
      const type = { "content-type": "application/json" };
      for (const [body, line, column] of [
        ["", 1, 0],
        ['{"name":\n}', 2, 1],
        ["[]", 1, 0],
        ['{"name":"x"} x', 1, 14],
        ['{"name":"x","name":"y"}', 1, 23],
        ['{"name":NaN}', 1, 9],
        ['{"name":"\\ud800"}', 1, 16],
        ["\ufeff{}", 1, 1],
      ] as const) {
        const refused = await at.places.request("POST", "/v1/places", type, body);
        is_refused(refused, 400, "malformed-body", { line, column });
      }
      const bytes = Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]);
      is_refused(await at.places.request("POST", "/v1/places", type, bytes), 400, "malformed-body");
      const deep = "[".repeat(60_000);
      is_refused(await at.places.request("POST", "/v1/places", type, deep), 400, "malformed-body");
    });

    test("a_body_of_another_type_or_too_long_is_refused", async () => {
      await using at = await open();
      const accepted = ["application/json"];
      for (const type of ["text/plain", "application/jsonx", "application/x-www-form-urlencoded"]) {
        const headers = { "content-type": type };
        const refused = await at.places.request("POST", "/v1/places", headers, "{}");
        is_refused(refused, 415, "unsupported-media-type", { accepted });
      }
      const zipped = { "content-encoding": "gzip" };
      const refused = await at.places.send("POST", "/v1/places", { name: "x" }, zipped);
      is_refused(refused, 415, "unsupported-media-type");
      const patch = await at.people.request("PATCH", "/v1/people/1", {}, new Uint8Array(2));
      const both = ["application/merge-patch+json", "application/json"];
      is_refused(patch, 415, "unsupported-media-type", { accepted: both });
      const long = { name: "x".repeat(64 * 1024) };
      const tooLong = await at.places.send("POST", "/v1/places", long);
      is_refused(tooLong, 413, "body-too-large", { limit: 65536 });
      const fits = `{"name":"fits"${" ".repeat(64 * 1024 - 15)}}`;
      const json = { "content-type": "application/json" };
      assert.equal((await at.places.request("POST", "/v1/places", json, fits)).status, 201);
    });

    test("a_write_is_of_the_version_that_it_names", async () => {
      await using at = await open();
      const name = (name: string, tags: Record<string, string>) =>
        at.places.send("PATCH", "/v1/places/1", { name }, tags);
      is_record(await name("A", { "if-match": '"1"' }), 200, { id: 1, name: "A" }, 2);
      is_refused(await name("B", { "if-match": '"1"' }), 412, "precondition-failed", {
        version: 2,
      });
      is_refused(await name("B", { "if-match": 'W/"2"' }), 412, "precondition-failed");
      is_refused(await name("B", { "if-none-match": '"2"' }), 412, "precondition-failed");
      is_refused(await name("B", { "if-match": "2" }), 400, "invalid-header", {
        header: "if-match",
      });
      is_record(await name("B", { "if-match": '"7", "2"' }), 200, { id: 1, name: "B" }, 3);
      is_record(await name("C", { "if-match": "*" }), 200, { id: 1, name: "C" }, 4);
      const absent = await at.places.send(
        "PUT",
        "/v1/places/70",
        { name: "x" },
        {
          "if-match": "*",
        },
      );
      is_refused(absent, 412, "precondition-failed", { version: null });
      for (const [worker, path] of [
        [at.places, "/v1/places/2"],
        [at.people, "/v1/people/1"],
      ] as const) {
        const stale = await worker.request("DELETE", path, { "if-match": '"9"' });
        is_refused(stale, 412, "precondition-failed");
        assert.equal((await worker.request("DELETE", path, { "if-match": '"1"' })).status, 204);
      }
    });

    test("of_many_who_change_one_version_one_succeeds", async () => {
      await using at = await open();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          at.people.send("PATCH", "/v1/people/3", { name: `Name ${n}` }, { "if-match": '"1"' }),
        ),
      );
      const statuses = answers.map(({ status }) => status).toSorted();
      assert.deepEqual(statuses, [200, ...Array(19).fill(412)]);
    });

    test("a_post_under_a_key_is_done_once", async () => {
      await using at = await open();
      const key = { "idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324" };
      const body = { name: "Once", isAlive: true, placeId: 2 };
      const post = () => at.people.send("POST", "/v1/people", body, key);
      const answers = await Promise.all(Array.from({ length: 10 }, post));
      const done = answers.filter(({ status }) => status === 201);
      assert.ok(done.length > 0);
      for (const answer of answers) {
        // Who comes while the first is on its way is told so.
        if (answer.status !== 201) is_refused(answer, 409, "request-in-flight");
        else assert.equal(answer.text, done[0]?.text);
      }
      const late = await post();
      assert.equal(late.headers["idempotency-replayed"], "true");
      assert.deepEqual(
        [late.status, late.text, late.etag, late.headers.location],
        [201, done[0]?.text, '"1"', "/v1/people/6"],
      );
      const other = await at.people.send("POST", "/v1/people", { ...body, name: "Other" }, key);
      is_refused(other, 422, "idempotency-key-reused");
      assert.equal((await at.people.get("/v1/people?name=once")).json.length, 1);
      const place = { name: "Once" };
      const first = await at.places.send("POST", "/v1/places", place, key);
      const second = await at.places.send("POST", "/v1/places", place, key);
      assert.deepEqual([second.status, second.text], [first.status, first.text]);
      for (const bad of ["a b", "x".repeat(256)]) {
        const headers = { "idempotency-key": bad };
        const refused = await at.places.send("POST", "/v1/places", place, headers);
        is_refused(refused, 400, "invalid-header", { header: "idempotency-key" });
      }
    });

    test("a_replay_is_the_first_answer_whatever_became_of_the_record", async () => {
      await using at = await open();
      for (const [service, register, body] of [
        [at.people, "people", { name: "First", isAlive: true, placeId: 2 }],
        [at.places, "places", { name: "First" }],
      ] as const) {
        const post = () =>
          service.send("POST", `/v1/${register}`, body, { "idempotency-key": `of-${register}` });
        const first = await post();
        const path = first.headers.location ?? "";
        const is_replayed = async () => {
          const { status, text, etag, headers } = await post();
          assert.deepEqual(
            [status, text, etag, headers.location, headers["idempotency-replayed"]],
            [201, first.text, '"1"', path, "true"],
          );
        };
        await service.send("PATCH", path, { name: "Changed" });
        await is_replayed();
        assert.equal((await service.get(path)).json.name, "Changed");
        assert.equal((await service.request("DELETE", path)).status, 204);
        await is_replayed();
        assert.equal((await service.get(path)).status, 404);
      }
    });

    test("history_tells_every_version", async () => {
      await using at = await open();
      await at.people.send("PATCH", "/v1/people/3", { placeId: 2 });
      await at.people.send("PATCH", "/v1/people/3", { isAlive: false });
      await at.people.request("DELETE", "/v1/people/3");
      const pages = await at.people.pages("/v1/people/3/history?limit=3");
      const told = pages.flatMap(({ json }) => json);
      const record = { id: 3, name: "Aiba Stack", isKing: false };
      assert.deepEqual(
        told.map(({ kind, version, record }) => [kind, version, record]),
        [
          ["created", 1, { ...record, isAlive: true, placeId: 3 }],
          ["updated", 2, { ...record, isAlive: true, placeId: 2 }],
          ["updated", 3, { ...record, isAlive: false, placeId: 2 }],
          ["deleted", 4, null],
        ],
      );
      assert.deepEqual(
        [pages.length, told.map(({ at }) => at)],
        [2, told.map(({ at }) => at).toSorted()],
      );
      is_refused(await at.people.get(`/v1/people/${missing}/history`), 404, "not-found");
      await at.places.send("PATCH", "/v1/places/3", { name: "Winter" });
      const place = (await at.places.get("/v1/places/3/history")).json;
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

test("nothing_of_what_happened_can_be_changed", async () => {
  await using system = await start({ places, people });
  for (const sql of ["UPDATE person_change SET name = 'x'", "DELETE FROM person_change"]) {
    await assert.rejects(system.db.people.exec(sql), /the change log is append-only/);
  }
  const sneaky = "UPDATE person SET name = 'x' WHERE id = 1";
  await assert.rejects(system.db.people.exec(sneaky), /adds one to the version/);
});

test("names_that_are_given_at_the_same_time_are_each_written_once", async () => {
  const crowd = Array.from({ length: 20 }, (_, n) => ({
    id: n + 1,
    name: `Person ${n + 1}`,
    isAlive: n % 2 === 0,
    placeId: n % 2 === 0 ? 1 : null,
    isKing: false,
  }));
  await using system = await start({ places, people: crowd });
  // Each person gets four names at once, one of them what it is called already; one is missing.
  const names = crowd.flatMap(({ id, name }) => [name, `${id} a`, `${id} b`, `${id} c`]);
  const all = names.map((name, n) =>
    system.people.send("PATCH", `/v1/people/${1 + Math.floor(n / 4)}`, { name }),
  );
  const nobody = system.people.send("PATCH", `/v1/people/${missing}`, { name: "x" });
  const wrong = system.people.send("PATCH", "/v1/people/1", { name: " " });
  const answers = await Promise.all(all);
  is_refused(await nobody, 404, "not-found");
  is_refused(await wrong, 422, "invalid-record");
  for (const [n, answer] of answers.entries()) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.name, names[n]);
  }
  for (const { id } of crowd) {
    const written = await system.db.people.rows(
      `SELECT version, name FROM person_change WHERE person_id = ${id} ORDER BY version`,
    );
    const versions = written.map(({ version }) => version);
    assert.deepEqual(
      versions,
      [...versions.keys()].map((n) => n + 1),
    );
    for (const letter of ["a", "b", "c"]) {
      assert.equal(written.filter((one) => one.name === `${id} ${letter}`).length, 1);
    }
    // What each was told is what the history has under that version.
    for (const { etag, json } of answers.slice(4 * (id - 1), 4 * id)) {
      const version = Number(etag.replaceAll('"', ""));
      assert.equal(written[version - 1]?.name, json.name);
    }
  }
});
