// Names in every Unicode normalization form, and the names that are rejected.
import assert from "node:assert/strict";
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
      assert.deepEqual(json.map((record: { name: string }) => record.name), [composed], query);
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
