// Names in every Unicode normalization form, and the names that are rejected.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { start } from "../support/harness.ts";
import { sendForm } from "../support/page_helpers.ts";

const [composed, decomposed] = ["Ñandú", "N\u0303andu\u0301"];

test("a_name_is_found_in_every_normalization_form", async () => {
  await using system = await start();
  const { join } = system;
  assert.equal((await join.send("POST", "/v1/places", { name: decomposed })).status, 201);
  const person = { name: decomposed, isAlive: true, placeId: 1 };
  assert.equal((await join.send("POST", "/v1/people", person)).status, 201);
  for (const list of ["places", "people"]) {
    for (const name of [composed, decomposed, decomposed.toUpperCase(), decomposed.slice(0, 4)]) {
      const query = `name=${encodeURIComponent(name)}`;
      const { json } = await join.get(`/v1/${list}?${query}`);
      assert.deepEqual(
        json.map((record: { name: string }) => record.name),
        [composed],
        query,
      );
      const file = await join.get(`/v1/${list}/export?format=ndjson&${query}`);
      assert.match(file.text, /Ñandú/, query);
    }
  }
  const search = `name=${encodeURIComponent(decomposed)}`;
  assert.match((await join.get(`/ui/people?${search}`)).text, /Ñandú<\/a>/);
  // The form of a person finds a place by its name.
  const fields = { name: "Ana", isAlive: "on", placeId: decomposed };
  assert.equal((await sendForm(join, "/ui/people/new", fields)).status, 303);
  const longest = "n\u0303".repeat(200);
  assert.equal((await join.send("POST", "/v1/places", { name: longest })).status, 201);
  const found = await join.get(`/v1/places?name=${encodeURIComponent(longest)}`);
  assert.equal(found.json.length, 1, found.text);
});

test("the_schema_of_a_name_accepts_the_names_that_the_service_accepts", async () => {
  await using system = await start();
  const document = JSON.parse(readFileSync("openapi/join.json", "utf8"));
  const pattern = new RegExp(document.components.schemas.WrittenName.pattern, "u");
  const accepted = [" x", "x\n", "\u00a0\t x \u3000", "x".repeat(200), ` ${"👑".repeat(200)} `];
  const visible = ["x\u200d", "👨\u200d👩", "\u0301", "🏔\ufe0f", "a b", "x\u0085"];
  const rejected = ["", " ", "\ufeff", "\u200b\u200d", "\u202ex", " \u00ad ", "\ufe0f", "\u2800"];
  const tooLong = ["x".repeat(201), `x${" ".repeat(199)}y`];
  for (const [names, status] of [
    [[...accepted, ...visible], 201],
    [[...rejected, ...tooLong, "a\tb", "a\u0085b", "\0"], 422],
  ] as const) {
    for (const name of names) {
      const added = await system.join.send("POST", "/v1/people", { name });
      assert.equal(added.status, status, JSON.stringify(name));
      assert.equal(pattern.test(name), status === 201, JSON.stringify(name));
    }
  }
});

test("a_stored_name_that_could_no_longer_be_written_can_be_changed", async () => {
  const name = "\u200bAna";
  await using system = await start({
    people: [{ id: 1, name, isAlive: false, placeId: null, isKing: false }],
  });
  const changed = await system.join.send("PUT", "/v1/people/1", { name: "Ana" });
  assert.deepEqual([changed.status, changed.json.name], [200, "Ana"], changed.text);
});
