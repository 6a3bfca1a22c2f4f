// Tests names in every Unicode normalization form, and names that are rejected.
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
  const { pattern, not } = document.components.schemas.WrittenName;
  const isAccepted = (name: string) =>
    new RegExp(pattern, "u").test(name) && !new RegExp(not.pattern, "u").test(name);
  const accepted = [" x", "x\n", "\u00a0\t x \u3000", "x".repeat(200), ` ${"👑".repeat(200)} `];
  const visible = ["👨\u200d👩", "\u0301", "🏔\ufe0f", "a b", "x\u0085", "می\u200cخواهم"];
  const rejected = ["", " ", "\ufeff", "\u200b\u200d", "\u202ex", " \u00ad ", "\ufe0f", "\u2800"];
  const zeroWidth = ["x\u200by", "x\u2060", "x\ufeffy", "x\u00ad", "x\u180ey"];
  const directions = ["x\u202ey", "x\u200e", "x\u2066y\u2069", "x\u061cy"];
  const strayJoiners = [
    "x\u200d",
    "x\u200c ",
    "x \u200dy",
    "x\u200d\u200cy",
    "x\u200d1",
    "x.\u200cy",
  ];
  const tooLong = ["x".repeat(201), `x${" ".repeat(199)}y`];
  for (const [names, status] of [
    [[...accepted, ...visible], 201],
    [[...rejected, ...tooLong, "a\tb", "a\u0085b", "\0"], 422],
    [[...zeroWidth, ...directions, ...strayJoiners], 422],
  ] as const) {
    for (const name of names) {
      const added = await system.join.send("POST", "/v1/people", { name });
      assert.equal(added.status, status, JSON.stringify(name));
      assert.equal(isAccepted(name), status === 201, JSON.stringify(name));
    }
  }
});

test("names_that_differ_only_in_joiners_are_the_same_name", async () => {
  await using system = await start({ places: [{ id: 1, name: "नेपाल क्षेत्र" }] });
  const name = "नेपाल क्\u200dषेत्र";
  const added = await system.join.send("POST", "/v1/places", { name });
  assert.deepEqual(
    [added.status, added.json.type, added.json.id],
    [409, "/problems/name-taken", 1],
  );
  const found = await system.join.get(`/v1/places?name=${encodeURIComponent(name)}`);
  assert.equal(found.json[0]?.id, 1, found.text);
});

test("an_import_and_a_form_reject_a_zero_width_character", async () => {
  await using system = await start();
  const csv = { "content-type": "text/csv" };
  const report = await system.join.request("POST", "/v1/places/import", csv, "name\nCa\u200bsa\n");
  assert.deepEqual([report.json.created, report.json.refusedTotal], [0, 1]);
  const [error] = report.json.refused[0].problem.errors;
  assert.match(error.detail, /no control or zero-width characters/);
  const form = await sendForm(system.join, "/ui/places/new", { name: "Ca\u200bsa" });
  assert.equal(form.status, 422);
  assert.match(form.text, /invisible/);
});

test("a_stored_name_that_could_no_longer_be_written_can_be_changed", async () => {
  const name = "\u200bAna";
  await using system = await start({
    people: [{ id: 1, name, isAlive: false, placeId: null, isKing: false }],
  });
  const changed = await system.join.send("PUT", "/v1/people/1", { name: "Ana" });
  assert.deepEqual([changed.status, changed.json.name], [200, "Ana"], changed.text);
});
