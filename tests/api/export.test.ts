// Tests exports, and imports them into another system.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
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
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [100_006, peopleCsvHeader, ""]);
  // No cell begins like a formula.
  assert.ok(lines.every((line) => !/^\d+,"[=+\-@＝]/.test(line)));

  // The header line and 20,999 people, imported into another system.
  const lineCount = 21_000;
  await using copy = await start({ places });
  const imported = await importFile(copy, "people", lines.slice(0, lineCount).join("\n"));
  assert.equal(imported.json.created, lineCount - 1, imported.text.slice(0, 500));
  const path = "/v1/people/export?format=ndjson";
  const [original, copied] = [await system.join.get(path), await copy.join.get(path)];
  const [copiedRecords] = splitEnd(copied.text);
  assert.ok(original.text.startsWith(copiedRecords));
  assert.equal(parseNdjson(copiedRecords).length, lineCount - 1);
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
  assert.deepEqual(parseNdjson(text), [people[0], { complete: true }]);
  const none = await system.join.get("/v1/people/export?name=nobody");
  assert.equal(none.text, `${peopleCsvHeader}\r\n#complete\r\n`);
  const invalid = await system.join.get("/v1/people/export?format=xlsx");
  assert.deepEqual([invalid.status, invalid.json.parameter], [400, "format"]);
  const all = await system.join.get("/v1/places/export?format=ndjson");
  assert.deepEqual(parseNdjson(all.text), [...places, { complete: true }]);
});

/** The lines of an export without the last one, and the last one. */
function splitEnd(text: string): [string, string] {
  const at = text.trimEnd().lastIndexOf("\n") + 1;
  return [text.slice(0, at), text.slice(at).trimEnd()];
}

const formats: [string, RegExp, RegExp][] = [
  ["csv", /^#complete$/, /^"#incomplete: (.*)"$/],
  ["ndjson", /^{"complete":true}$/, /^{"complete":false,"next":"(.*)"}$/],
];

test("the_last_line_of_an_export_says_that_it_is_complete", async () => {
  for (const [format, complete] of formats) {
    for (const query of ["", "&name=nobody"]) {
      const { text } = await system.join.get(`/v1/people/export?format=${format}${query}`);
      assert.match(splitEnd(text)[1], complete);
    }
  }
});

test("an_export_after_a_record_is_the_rest_of_the_whole_export", async () => {
  for (const [format, complete] of formats) {
    const path = `/v1/places/export?format=${format}`;
    const [whole] = splitEnd((await system.join.get(path)).text);
    const lines = whole.match(/[^\n]*\n/g) ?? [];
    for (const [n, { id }] of places.entries()) {
      const after = Buffer.from(`i${id}`).toString("hex");
      const { text } = await system.join.get(`${path}&after=${after}`);
      const [rest, end] = splitEnd(text);
      const begin = lines.length - places.length + n + 1;
      assert.equal(rest, lines.slice(begin).join(""));
      assert.match(end, complete);
    }
  }
  for (const after of ["x", Buffer.from("n1:a").toString("hex")]) {
    const { status, json } = await system.join.get(`/v1/places/export?after=${after}`);
    assert.deepEqual([status, json.parameter], [400, "after"]);
  }
});

test("an_export_that_may_make_no_more_calls_continues_with_the_rest", async () => {
  await using limited = await start({ places, plan: "free" });
  // So long that a part has less than 2,000 of them.
  const count = 60_000;
  await limited.db.people.exec(
    `WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT ${count})
     INSERT INTO person (id, name, name_key)
     SELECT id, 'P' || id || replace(hex(zeroblob(95)), '00', '😀'), 'p' || id FROM n;`,
  );
  for (const [format, complete, incomplete] of formats) {
    let [text, next, parts] = ["", `/v1/people/export?format=${format}`, 0];
    for (; next; parts += 1) {
      // The server may have closed the connection after a long response. Two turns of the event loop let
      // `fetch` notice that.
      await turn();
      await turn();
      const [part, end] = splitEnd((await limited.join.get(next)).text);
      text += part;
      next = complete.test(end) ? "" : (incomplete.exec(end)?.[1] ?? assert.fail(end));
    }
    assert.ok(parts > 1, `${parts} parts`);
    const ids = [...text.matchAll(/^(?:{"id":)?(\d+),/gm)].map(([, id]) => Number(id));
    assert.deepEqual(
      ids,
      Array.from({ length: count }, (_, n) => n + 1),
    );
    if (format === "csv") assert.equal(text.split(peopleCsvHeader).length, 2, "one header");
  }
  const { people: calls } = await limited.takeCalls();
  assert.equal(calls.rejected, 0);
});

test("exports_with_their_last_lines_are_imported_one_after_the_other", async () => {
  const read = async (query: string) => (await system.join.get(`/v1/people/export?${query}`)).text;
  const [csv, lines] = [await read("isKing=true"), await read("isKing=true&format=ndjson")];
  const kings = parseNdjson(lines).slice(0, -1);
  const [, ...csvLines] = csv.split("\r\n");
  for (const [file, type] of [
    [csv + csvLines.join("\r\n"), "text/csv"],
    [lines + lines, NDJSON],
  ] as const) {
    await using copy = await start({ places });
    const path = "/v1/people/import?mode=upsert";
    const { json, text } = await copy.join.request("POST", path, { "content-type": type }, file);
    // The second copy repeats the ids of the first one, so each of its lines is rejected.
    assert.deepEqual([json.read, json.refusedTotal], [2 * kings.length, kings.length], text);
  }
});
