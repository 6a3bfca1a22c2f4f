// Exports, and their import into another system.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { peopleCsvHeader } from "../support/declared_fields.ts";
import { ndjson, parseNdjson, start } from "../support/harness.ts";
import { importFile, NDJSON, people, places, startFilled } from "../support/import_helpers.ts";

const system = await start({ places, people });
after(() => system.dispose());

test("a_hundred_thousand_people_are_imported_exported_and_imported_again", async (t) => {
  const names = ["=1+1", "'=1", "-a", "@b", "+c", '"q"', "a,b", "＝x", "'plain"];
  const person = (n: number) => {
    const name = names[n] ?? `Person ${n}`;
    return { name, isAlive: n % 3 > 0, placeId: 1 + (n % 30) };
  };
  const file = ndjson(Array.from({ length: 100_000 }, (_, n) => person(n)));
  const began = performance.now();
  const { json: report, text } = await importFile(system, "people", file, NDJSON);
  const seconds = (performance.now() - began) / 1000;
  t.diagnostic(`100,000 people imported in ${seconds.toFixed(1)} s`);
  assert.deepEqual([report.created, report.refusedTotal], [100_000, 0], text.slice(0, 500));
  assert.ok(seconds < 30, `${seconds} s`);

  const { text: exported, headers } = await system.join.get("/v1/people/export");
  assert.equal(headers["content-disposition"], 'attachment; filename="people.csv"');
  assert.match(headers["content-type"] ?? "", /^text\/csv/);
  const lines = exported.split("\r\n");
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [100_005, peopleCsvHeader, ""]);
  // No cell begins like a formula.
  assert.ok(lines.every((line) => !/^\d+,"[=+\-@＝]/.test(line)));

  // The header line and 20,999 people, imported into another system.
  const lineCount = 21_000;
  await using copy = await start({ places });
  const imported = await importFile(copy, "people", lines.slice(0, lineCount).join("\n"));
  assert.equal(imported.json.created, lineCount - 1, imported.text.slice(0, 500));
  const path = "/v1/people/export?format=ndjson";
  const [original, copied] = [await system.join.get(path), await copy.join.get(path)];
  assert.ok(original.text.startsWith(copied.text));
  assert.equal(parseNdjson(copied.text).length, lineCount - 1);
});

test("an_export_of_long_names_stays_within_the_text_limit_of_D1", async () => {
  await using system = await startFilled();
  const row = (n: number) => `${String(n).padStart(4, "0")}${"😀".repeat(196)}\n`;
  const rows = Array.from({ length: 4000 }, (_, n) => row(n));
  // Together they are longer than the longest text that D1 can build.
  assert.ok(rows.join("").length > 1_500_000);
  for (const half of [rows.slice(0, 2500), rows.slice(2500)]) {
    const report = await importFile(system, "people", `name\n${half.join("")}`);
    assert.equal(report.json.created, half.length, report.text.slice(0, 500));
  }
  for (const format of ["csv", "ndjson"]) {
    const { text } = await system.join.get(`/v1/people/export?format=${format}`);
    const numbers = [...text.matchAll(/"(\d{4})😀/g)].map(([, number]) => Number(number));
    assert.deepEqual(numbers, [...rows.keys()], `${format} ${text.slice(-200)}`);
  }
});

test("an_export_accepts_the_filters_of_the_list", async () => {
  const { text } = await system.join.get("/v1/people/export?isKing=true", { accept: NDJSON });
  assert.deepEqual(JSON.parse(text), people[0]);
  const none = await system.join.get("/v1/people/export?name=nobody");
  assert.equal(none.text, `${peopleCsvHeader}\r\n`);
  const invalid = await system.join.get("/v1/people/export?format=xlsx");
  assert.deepEqual([invalid.status, invalid.json.parameter], [400, "format"]);
  const all = await system.join.get("/v1/places/export?format=ndjson");
  assert.deepEqual(parseNdjson(all.text), places);
});
