// Tests requests that write: invalid bodies, preconditions and idempotency keys.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { tag } from "../support/fixtures.ts";
import {
  assertProblem,
  assertRecord,
  openWriteTarget,
  writeTargets,
} from "../support/write_helpers.ts";

for (const target of writeTargets) {
  const open = () => openWriteTarget(target);

  suite(`write requests, ${target}`, () => {
    test("all_invalid_fields_are_reported_together", async () => {
      await using api = await open();
      const invalid = { name: " ", isAlive: 1, placeId: "1", isKing: "no", age: 3, id: 9 };
      const pointers = ["/name", "/id", "/isAlive", "/isKing", "/placeId", "/age"];
      const rejected = await api.people.send("POST", "/v1/people", invalid);
      assertProblem(rejected, 422, "invalid-record");
      const named = rejected.json.errors.map(({ pointer }: { pointer: string }) => pointer);
      assert.deepEqual(named.toSorted(), pointers.toSorted());
      for (const name of ["", "a\u0000b", "a\nb", "x".repeat(201), 7, null, [], {}]) {
        const place = await api.places.send("POST", "/v1/places", { name });
        assertProblem(place, 422, "invalid-record");
        assert.equal(place.json.errors[0].pointer, "/name");
      }
      const longest = await api.places.send("POST", "/v1/places", { name: "👑".repeat(200) });
      assert.equal(longest.status, 201, longest.text);
      const other = await api.places.send("PUT", "/v1/places/1", { id: 2, name: "x" });
      assertProblem(other, 422, "invalid-record");
      const strange = await api.places.send("POST", "/v1/places", { name: "x", "<script>": 1 });
      assert.ok(!strange.text.includes("script"));
    });

    test("a_malformed_body_is_rejected_with_line_and_column", async () => {
      await using api = await open();
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
        const rejected = await api.places.request("POST", "/v1/places", type, body);
        assertProblem(rejected, 400, "malformed-body", { line, column });
      }
      const bytes = Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]);
      assertProblem(
        await api.places.request("POST", "/v1/places", type, bytes),
        400,
        "malformed-body",
      );
      const deep = "[".repeat(60_000);
      assertProblem(
        await api.places.request("POST", "/v1/places", type, deep),
        400,
        "malformed-body",
      );
    });

    test("a_body_with_a_wrong_media_type_or_length_is_rejected", async () => {
      await using api = await open();
      const accepted = ["application/json"];
      for (const type of ["text/plain", "application/jsonx", "application/x-www-form-urlencoded"]) {
        const headers = { "content-type": type };
        const rejected = await api.places.request("POST", "/v1/places", headers, "{}");
        assertProblem(rejected, 415, "unsupported-media-type", { accepted });
      }
      const zipped = { "content-encoding": "gzip" };
      const rejected = await api.places.send("POST", "/v1/places", { name: "x" }, zipped);
      assertProblem(rejected, 415, "unsupported-media-type");
      const patch = await api.people.request("PATCH", "/v1/people/1", {}, new Uint8Array(2));
      const both = ["application/merge-patch+json", "application/json"];
      assertProblem(patch, 415, "unsupported-media-type", { accepted: both });
      const long = { name: "x".repeat(64 * 1024) };
      const tooLong = await api.places.send("POST", "/v1/places", long);
      assertProblem(tooLong, 413, "body-too-large", { limit: 65536 });
      const fits = `{"name":"fits"${" ".repeat(64 * 1024 - 15)}}`;
      const json = { "content-type": "application/json" };
      assert.equal((await api.places.request("POST", "/v1/places", json, fits)).status, 201);
    });

    test("a_conditional_write_needs_the_present_version", async () => {
      await using api = await open();
      const name = (name: string, tags: Record<string, string>) =>
        api.places.send("PATCH", "/v1/places/1", { name }, tags);
      assertRecord(await name("A", { "if-match": api.tag(1) }), 200, { id: 1, name: "A" }, 2);
      assertProblem(await name("B", { "if-match": api.tag(1) }), 412, "precondition-failed", {
        version: 2,
        etag: tag(2),
      });
      for (const other of ['"2"', '"2.00000000"', `W/${tag(1)}`, 'W/"1j2.1f09ab34"']) {
        assertProblem(await name("B", { "if-match": other }), 412, "precondition-failed");
      }
      assertProblem(await name("B", { "if-none-match": tag(2) }), 412, "precondition-failed");
      assertProblem(await name("B", { "if-match": "2" }), 400, "invalid-header", {
        header: "if-match",
      });
      assertRecord(
        await name("B", { "if-match": `${api.tag(7)}, ${api.tag(2)}` }),
        200,
        { id: 1, name: "B" },
        3,
      );
      assertRecord(await name("C", { "if-match": "*" }), 200, { id: 1, name: "C" }, 4);
      // A proxy that compresses a response weakens its tag.
      const weak = { "if-match": `W/${tag(4)}` };
      assertRecord(await name("D", weak), 200, { id: 1, name: "D" }, 5);
      const absent = await api.places.send(
        "PUT",
        "/v1/places/70",
        { name: "x" },
        {
          "if-match": "*",
        },
      );
      assertProblem(absent, 412, "precondition-failed", { version: null, etag: null });
      for (const [worker, path] of [
        [api.places, "/v1/places/2"],
        [api.people, "/v1/people/1"],
      ] as const) {
        const stale = await worker.request("DELETE", path, { "if-match": api.tag(9) });
        assertProblem(stale, 412, "precondition-failed");
        assert.equal(
          (await worker.request("DELETE", path, { "if-match": api.tag(1) })).status,
          204,
        );
      }
    });

    test("one_of_many_concurrent_conditional_writes_succeeds", async () => {
      await using api = await open();
      const responses = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          api.people.send(
            "PATCH",
            "/v1/people/3",
            { name: `Name ${n}` },
            { "if-match": api.tag(1) },
          ),
        ),
      );
      const statuses = responses.map(({ status }) => status).toSorted();
      assert.deepEqual(statuses, [200, ...Array(19).fill(412)]);
    });

    test("a_post_with_an_idempotency_key_is_done_once", async () => {
      await using api = await open();
      const key = { "idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324" };
      const body = { name: "Once", isAlive: true, placeId: 2 };
      const post = () => api.people.send("POST", "/v1/people", body, key);
      const responses = await Promise.all(Array.from({ length: 10 }, post));
      const done = responses.filter(({ status }) => status === 201);
      assert.ok(done.length > 0);
      for (const response of responses) {
        // A request that arrives during the first one is rejected.
        if (response.status !== 201) assertProblem(response, 409, "request-in-flight");
        else assert.equal(response.text, done[0]?.text);
      }
      const late = await post();
      assert.equal(late.headers["idempotency-replayed"], "true");
      assert.deepEqual(
        [late.status, late.text, late.etag, late.headers.location],
        [201, done[0]?.text, api.tag(1), "/v1/people/6"],
      );
      const other = await api.people.send("POST", "/v1/people", { ...body, name: "Other" }, key);
      assertProblem(other, 422, "idempotency-key-reused");
      assert.equal((await api.people.get("/v1/people?name=once")).json.length, 1);
      const place = { name: "Once" };
      const first = await api.places.send("POST", "/v1/places", place, key);
      const second = await api.places.send("POST", "/v1/places", place, key);
      assert.deepEqual([second.status, second.text], [first.status, first.text]);
      for (const invalid of ["a b", "x".repeat(256)]) {
        const headers = { "idempotency-key": invalid };
        const rejected = await api.places.send("POST", "/v1/places", place, headers);
        assertProblem(rejected, 400, "invalid-header", { header: "idempotency-key" });
      }
    });

    test("a_king_posted_twice_at_once_with_one_key_is_added_once_and_replayed", async () => {
      await using api = await open();
      const king = { name: "Rey", isAlive: true, placeId: 2, isKing: true };
      const post = (n: number) =>
        api.people.send("POST", "/v1/people", king, { "idempotency-key": `king-${n}` });
      for (let n = 0; n < 20; n += 1) {
        // The second insert breaks the rule of one king before it reaches the key.
        const [first, second] = await Promise.all([post(n), post(n)]);
        assert.deepEqual([first.status, second.status], [201, 201]);
        assert.equal(first.text, second.text);
        await api.people.request("DELETE", first.headers.location ?? "");
      }
    });

    test("a_replayed_response_equals_the_first_even_after_later_changes", async () => {
      await using api = await open();
      for (const [service, collection, body] of [
        [api.people, "people", { name: "First", isAlive: true, placeId: 2 }],
        [api.places, "places", { name: "First" }],
      ] as const) {
        const post = () =>
          service.send("POST", `/v1/${collection}`, body, {
            "idempotency-key": `of-${collection}`,
          });
        const first = await post();
        const path = first.headers.location ?? "";
        const assertReplayed = async () => {
          const { status, text, etag, headers } = await post();
          assert.deepEqual(
            [status, text, etag, headers.location, headers["idempotency-replayed"]],
            [201, first.text, api.tag(1), path, "true"],
          );
        };
        await service.send("PATCH", path, { name: "Changed" });
        await assertReplayed();
        assert.equal((await service.get(path)).json.name, "Changed");
        assert.equal((await service.request("DELETE", path)).status, 204);
        await assertReplayed();
        assert.equal((await service.get(path)).status, 404);
      }
    });
  });
}
