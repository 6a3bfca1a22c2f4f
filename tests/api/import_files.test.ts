// Imports files as people have them: from spreadsheets in several languages, and with errors.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { CSV, countPeople, importFile, places, startFilled } from "../support/import_helpers.ts";

const root = resolve(import.meta.dirname, "../..");

test("files_of_spreadsheets_in_several_languages_are_imported_as_they_are", async () => {
  await using system = await startFilled();
  const files = [
    "name,isAlive,placeId\nAna,yes,1\nEva,no,\n",
    "NAME;ISALIVE;PLACEID\r\nAna;VERDADERO;1\r\nEva;FALSO;\r\n",
    "\ufeffName;isalive;placeid\r\nAna;sí;1\r\nEva;No;\r\n",
    "Name\tisAlive\tplaceId\nAna\tWAHR\t1\nEva\tFALSCH\t\n",
    "name,isAlive,placeId\nAna,1,1\nEva,0,\n",
    'name;isAlive;placeId\n"Ana";oui;1\n"Eva";non;\n',
  ];
  for (const file of files) {
    const { json: report, text } = await importFile(system, "people", file, CSV);
    assert.deepEqual([report.created, report.refusedTotal], [2, 0], `${file}${text}`);
    const { json } = await system.join.get("/v1/people?sort=-id&limit=2");
    const found = json.map((person: Record<string, unknown>) => [
      person.name,
      person.isAlive,
      person.placeId,
    ]);
    assert.deepEqual(
      found,
      [
        ["Eva", false, null],
        ["Ana", true, 1],
      ],
      file,
    );
  }
});

test("an_export_that_a_spreadsheet_has_saved_is_imported_as_it_is", async () => {
  await using system = await startFilled();
  for (const target of ["people", "people?expand=place", "places"]) {
    const [collection = "", query = ""] = target.split("?");
    const { text } = await system.join.get(`/v1/${collection}/export?${query}`);
    const [header = "", ...rows] = text.replaceAll("\r", "").replaceAll('"', "").trim().split("\n");
    assert.equal(rows.at(-1), "#complete");
    const columns = header.split(",").length;
    for (const separator of [",", ";", "\t"]) {
      for (const end of ["#complete", "#incomplete: /v1/people/export?after=69"]) {
        for (const quote of ["", '"']) {
          // A spreadsheet writes as many cells in each line as the header has.
          const cells = [header, ...rows.slice(0, -1), end].map((line) => {
            const texts = line.split(",");
            return [...texts, ...Array(columns - texts.length).fill("")];
          });
          const lines = cells.map((line) => line.map((cell) => quote + cell + quote));
          const file = `${lines.map((line) => line.join(separator)).join("\r\n")}\r\n`;
          const report = await importFile(system, `${collection}?mode=patch`, file, CSV);
          const { read, unchanged, refusedTotal } = report.json;
          const records = rows.length - 1;
          assert.deepEqual([read, unchanged, refusedTotal], [records, records, 0], report.text);
        }
      }
    }
  }
  // A name may be the text of the last line.
  const named = await importFile(system, "people", "name,isAlive\n#complete,\n", CSV);
  assert.equal(named.json.created, 1, named.text);
});

test("each_documented_word_for_yes_or_no_is_accepted_in_any_case", async () => {
  await using system = await startFilled();
  const documented = readFileSync(resolve(root, "docs/bulk.md"), "utf8");
  const row = /^\| yes or no, in any case \| (.*) \|$/m.exec(documented)?.[1] ?? "";
  const [yes = [], no = []] = row
    .split("; ")
    .map((list) => [...list.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word));
  assert.ok(yes.length > 10 && no.length >= 10, row);
  const lines = [...yes, ...no].flatMap((word) => [word, word.toUpperCase()]);
  const file = `name,isAlive,placeId\n${lines.map((word) => `W,${word},1\n`).join("")}`;
  const { json: report, text } = await importFile(system, "people", file, CSV);
  assert.deepEqual([report.created, report.refusedTotal], [lines.length, 0], text);
  const found = await system.join.get(`/v1/people?sort=-id&limit=${lines.length}`);
  const living = found.json.filter(({ isAlive }: { isAlive: boolean }) => isAlive);
  assert.equal(living.length, 2 * yes.length);
});

test("a_cell_with_the_other_separator_stays_one_cell", async () => {
  await using system = await startFilled();
  for (const [file, name] of [
    ["name;placeId\nAna, la Roja;1\n", "Ana, la Roja"],
    ['name,placeId\n"Ana; la Roja",1\n', "Ana; la Roja"],
  ] as const) {
    await importFile(system, "people", file, CSV);
    const { json } = await system.join.get("/v1/people?sort=-id&limit=1");
    assert.deepEqual([json[0].name, json[0].placeId], [name, 1]);
  }
});

test("the_error_of_a_file_in_another_encoding_names_it", async () => {
  await using system = await startFilled();
  const before = await countPeople(system);
  const text = "name,isAlive\nÁngel,false\n";
  const utf16 = Buffer.from(`\ufeff${text}`, "utf16le");
  for (const [file, encoding] of [
    [utf16, /UTF-16/],
    [Buffer.from(utf16).swap16(), /UTF-16/],
    [Buffer.from("name\nAna\n", "utf16le"), /UTF-16/],
    [Buffer.from(text, "latin1"), /Latin-1/],
  ] as const) {
    const url = new URL("/v1/people/import", system.join.url);
    const body = new Uint8Array(file);
    const response = await fetch(url, { method: "POST", headers: { "content-type": CSV }, body });
    const problem = (await response.json()) as Record<string, string>;
    assert.deepEqual([response.status, problem.type], [400, "/problems/malformed-body"]);
    assert.match(problem.detail ?? "", encoding);
    assert.match(problem.encoding ?? "", encoding);
  }
  assert.equal(await countPeople(system), before);
});

test("invalid_lines_can_be_left_out_and_each_is_reported", async () => {
  await using system = await startFilled();
  const before = await countPeople(system);
  const file = [
    "id,name,isAlive,placeId",
    ",Good,true,2",
    ",,true,2",
    ",Nowhere,true,99",
    ",Also good,no,",
    "1,Taken,false,",
    ",Homeless,true,",
    "",
  ].join("\n");
  const run = async (query: string) =>
    (await system.join.request("POST", `/v1/people/import?${query}`, { "content-type": CSV }, file))
      .json;
  const lines = (report: { refused: { line: number }[] }) => report.refused.map(({ line }) => line);
  const refused = await run("");
  assert.deepEqual([refused.created, lines(refused)], [0, [3, 4, 6, 7]]);
  const checked = await run("skipInvalid=true&dryRun=true");
  assert.deepEqual([checked.created, lines(checked)], [2, [3, 4, 6, 7]]);
  assert.equal(checked.batches[0].outcome, "would be written");
  assert.equal(await countPeople(system), before);
  const written = await run("skipInvalid=true");
  assert.deepEqual([written.created, lines(written)], [2, [3, 4, 6, 7]]);
  assert.equal(written.batches[0].outcome, "written");
  assert.equal(await countPeople(system), before + 2);
  // A repetition adds nothing.
  const again = await run("skipInvalid=true");
  assert.deepEqual([again.created, again.alreadyWritten], [0, 6]);
  assert.equal(await countPeople(system), before + 2);
  // Without the parameter, the lines that were left out are reported.
  const strict = await run("");
  assert.deepEqual([strict.created, strict.alreadyWritten, lines(strict)], [0, 0, [3, 4, 6, 7]]);
  // No pending write is left.
  const { json } = await system.join.get("/v1/integrity");
  assert.deepEqual([json.consistent, json.pending], [true, []]);
});

test("batches_that_are_written_are_skipped_by_a_later_import_that_leaves_out_lines", async () => {
  await using system = await startFilled();
  const rows = Array.from(
    { length: 10_002 },
    (_, n) => `P${n},${n === 10_001 ? "maybe" : "false"}`,
  );
  const file = ["name,isAlive", ...rows].join("\n");
  const keys: Record<string, string>[] = [{}, { "idempotency-key": "k" }];
  for (const key of keys) {
    const headers = { "content-type": CSV, ...key };
    const before = await countPeople(system);
    const send = async (query: string) =>
      (await system.join.request("POST", `/v1/people/import${query}`, headers, file)).json;
    const first = await send("");
    assert.deepEqual([first.created, first.refusedTotal], [10_000, 1]);
    for (const [created, alreadyWritten] of [
      [1, 10_000],
      [0, 10_002],
    ]) {
      const report = await send("?skipInvalid=true");
      assert.deepEqual([report.created, report.alreadyWritten], [created, alreadyWritten]);
    }
    assert.equal(await countPeople(system), before + 10_001);
  }
});

test("a_place_whose_name_is_taken_can_be_left_out", async () => {
  await using system = await startFilled();
  const file = `name\nNuevo\n${places[0]?.name}\nNUEVO\nOtro\n`;
  const report = (
    await system.join.request(
      "POST",
      "/v1/places/import?skipInvalid=true",
      { "content-type": CSV },
      file,
    )
  ).json;
  assert.deepEqual([report.created, report.refusedTotal], [2, 2]);
});

test("the_templates_of_the_page_can_be_imported", async () => {
  await using system = await startFilled();
  for (const kind of ["places", "people"] as const) {
    const file = readFileSync(resolve(root, `workers/join/web/template-${kind}.csv`), "utf8");
    const { json: report, text } = await importFile(system, kind, file, CSV);
    assert.ok(report.created > 0 && report.refusedTotal === 0, text);
  }
});
