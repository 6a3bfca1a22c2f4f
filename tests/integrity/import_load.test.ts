// Imports of many records leave memory and time for the reads of other clients.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type System, start } from "../support/harness.ts";
import { CSV, importFile, people, places } from "../support/import_helpers.ts";
import { sendRaw } from "../support/raw_request.ts";

const MAX_RECORDS = 250_000;
const MAX_READ_MS = 3_000;
/** The time for a file that is rejected. It takes a fifth of a second, so the number of steps for a
 * record must not depend on the size of the file. */
const MAX_REJECTION_MS = 5_000;

/** A file with records of one letter each. */
const lines = (count: number) => `name\n${"a\n".repeat(count)}`;
const longest = lines(5 * 1024 * 1024 - 100);
const dryRun = (system: System, file: string) =>
  importFile(system, "people?dryRun=true", file, CSV);

test("reads_are_fast_and_current_while_imports_of_one_letter_names_run", async () => {
  await using system = await start({ places, people });
  const files = [lines(MAX_RECORDS), lines(MAX_RECORDS), longest, longest];
  let isRunning = true;
  const imports = Promise.all(files.map((file) => dryRun(system, file))).finally(() => {
    isRunning = false;
  });
  const slow: string[] = [];
  let reads = 0;
  while (isRunning || reads === 0) {
    for (const path of ["/v1/people?limit=5", "/v1/people-per-place?limit=5", "/v1/people/1"]) {
      const began = performance.now();
      // On a new connection: the server may close an idle one while the client sends.
      const { status, head } = await sendRaw(system.join.url, "GET", path);
      const milliseconds = performance.now() - began;
      assert.equal(status, 200, path);
      assert.doesNotMatch(head, /^age:/im, path);
      if (milliseconds > MAX_READ_MS) slow.push(`${path}: ${milliseconds} ms`);
      reads += 1;
    }
  }
  assert.deepEqual(slow, []);
  const [first, second, ...tooLong] = await imports;
  for (const report of [first, second]) {
    assert.deepEqual([report?.status, report?.json.created], [200, MAX_RECORDS], report?.text);
  }
  for (const { status, json } of tooLong) {
    assert.deepEqual(
      [status, json.type, json.limit],
      [413, "/problems/too-many-records", MAX_RECORDS],
    );
  }
});

test("a_file_with_more_records_than_the_limit_is_rejected_in_every_format", async () => {
  await using system = await start({ places, people });
  const count = MAX_RECORDS + 1;
  const files = [
    [CSV, lines(count)],
    ["application/x-ndjson", '{"name":"a"}\n'.repeat(count)],
    ["application/json", `[${'{"name":"a"},'.repeat(MAX_RECORDS)}{"name":"a"}]`],
  ] as const;
  for (const [type, file] of files) {
    const began = performance.now();
    const { status, json } = await importFile(system, "people?dryRun=true", file, type);
    assert.deepEqual([status, json.type], [413, "/problems/too-many-records"], type);
    const milliseconds = performance.now() - began;
    assert.ok(milliseconds < MAX_REJECTION_MS, `${type}: ${milliseconds} ms`);
  }
});

test("an_isolate_imports_a_limited_number_of_large_files_at_once", async () => {
  await using system = await start({ places, people });
  const responses = await Promise.all(Array.from({ length: 8 }, () => dryRun(system, longest)));
  const rejected = responses.filter(({ status }) => status === 429);
  assert.ok(rejected.length >= 1 && rejected.length <= 7, `${rejected.length}`);
  for (const { headers, json } of rejected) {
    assert.deepEqual([headers["retry-after"], json.type], ["5", "/problems/too-many-requests"]);
  }
  // The permits have been given back.
  assert.equal((await dryRun(system, longest)).status, 413);
  assert.equal((await dryRun(system, "name\na\n")).status, 200);
});

test("the_time_and_the_response_of_a_rejected_file_are_limited", async () => {
  await using system = await start({ places, people });
  const NDJSON = "application/x-ndjson";
  const members = (count: number) => Array.from({ length: count }, (_, n) => `"f${n}":0`).join();
  const files = [
    // Normalization sorts the marks of a character, in quadratic time.
    ["a name with many marks", CSV, `name\na${"\u0301\u0323".repeat(120_000)}\n`, 10],
    ["one record with many fields", NDJSON, `{"name":"a",${members(200_000)}}\n`, 10],
    ["many fields", NDJSON, `{"name":"a",${members(350)}}\n`.repeat(1000), 3_000],
    ["a long column", CSV, `name,${"x".repeat(2_000_000)}\na,b`, 10],
  ] as const;
  for (const [description, type, file, maxKilobytes] of files) {
    const began = performance.now();
    const { text } = await importFile(system, "people?dryRun=true", file, type);
    const milliseconds = performance.now() - began;
    assert.ok(milliseconds < MAX_REJECTION_MS, `${description}: ${milliseconds} ms`);
    assert.ok(text.length < maxKilobytes * 1000, `${description}: ${text.length} bytes`);
  }
});
