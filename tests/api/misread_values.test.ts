// If a parser could read a value differently than the client meant it, the value is rejected.
import assert from "node:assert/strict";
import { test } from "node:test";
import { people, places, tag } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";
import { assertProblem } from "../support/write_helpers.ts";

test("a_null_id_or_unknown_field_of_a_patch_is_rejected", async () => {
  await using system = await start({ places, people });
  for (const [patch, pointer] of [
    [{ id: null }, "/id"],
    [{ name: "Ana", age: null }, "/age"],
  ] as const) {
    const rejected = await system.join.send("PATCH", "/v1/people/1", patch);
    assertProblem(rejected, 422, "invalid-record");
    assert.equal(rejected.json.errors[0].pointer, pointer);
  }
  assert.equal((await system.join.get("/v1/people/1")).etag, tag(1));
});

test("a_number_that_would_lose_its_fraction_is_rejected", async () => {
  await using system = await start({ places, people });
  const type = { "content-type": "application/json" };
  const body = '{"name":"Ana","placeId":1.000000000000000005}';
  const rejected = await system.join.request("POST", "/v1/people", type, body);
  assertProblem(rejected, 400, "malformed-body", { line: 1, column: 25 });
  const report = await system.join.request("POST", "/v1/people/import", type, `[${body}]`);
  assert.equal(report.json.refusedTotal, 1, report.text);
});

test("a_body_in_another_charset_than_utf_8_is_rejected", async () => {
  await using system = await start({ places, people });
  const send = (contentType: string) =>
    system.join.request("POST", "/v1/places/import", { "content-type": contentType }, "name\nÑ");
  assertProblem(await send("text/csv; charset=iso-8859-1"), 415, "unsupported-media-type");
  assert.equal((await send('text/csv; charset="UTF-8"')).status, 200);
});

test("a_query_that_is_not_utf_8_is_rejected", async () => {
  await using system = await start({ places, people });
  for (const path of ["/v1/people?name=%ff", "/v1/places/export?name=a%c3"]) {
    assertProblem(await system.join.get(path), 400, "invalid-parameter", { parameter: "name" });
  }
  assert.equal((await system.join.get("/v1/places?name=%c3%b1")).json.length, 2);
});
