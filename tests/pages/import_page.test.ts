// Tests the import page over HTTP: streaming, repeated imports and failures.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { makePlaces } from "../support/fixtures.ts";
import { type ServiceStub, start } from "../support/harness.ts";
import { ACCEPT_HTML, PAGE_HEADERS, sendFile } from "../support/page_helpers.ts";

const system = await start({ seed: true });
after(() => system.dispose());
const { join } = system;

test("the_page_of_an_import_is_streamed_during_the_import", async () => {
  const lines = Array.from({ length: 30_000 }, (_, at) => `Persona ${at},true,1`);
  const text = ["name,isAlive,placeId", ...lines].join("\n");
  const response = await sendFile(join, { collection: "people", dryRun: "false", text });
  const { "content-security-policy": policy } = PAGE_HEADERS;
  assert.deepEqual(
    [response.status, response.headers.get("content-security-policy")],
    [200, policy],
  );
  const parts: string[] = [];
  const decoder = new TextDecoder();
  for await (const part of response.body ?? []) parts.push(decoder.decode(part, { stream: true }));
  const batches = parts.filter((part) => part.includes("<progress"));
  assert.ok(batches.length > 1, "each batch is streamed separately");
  assert.ok(!parts[0]?.includes("</html>"));
  const page = parts.join("");
  assert.match(page, /<dt>added<\/dt><dd>30,000<\/dd>/);
  assert.match(page, /<\/html>$/);
});

test("an_import_from_the_page_continues_if_one_request_may_not_make_more_calls", async () => {
  await using free = await start({ plan: "free", places: makePlaces(500) });
  const lines = Array.from({ length: 60_000 }, (_, at) => `Persona ${at},true,${1 + (at % 500)}`);
  const text = ["name,isAlive,placeId", ...lines].join("\n");
  const response = await sendFile(free.join, { collection: "people", dryRun: "false", text });
  const page = await response.text();
  const calls = await free.takeCalls();
  for (const name of ["people", "join"] as const) assert.equal(calls[name].rejected, 0);
  for (const label of ["read", "added"]) {
    assert.match(page, new RegExp(`<dt>${label}</dt><dd>60,000</dd>`));
  }
  assert.doesNotMatch(page, /stopped|failed|interrupted/);
  const { headers } = await free.join.get("/v1/people?count=exact&limit=1");
  assert.equal(headers["x-total-count"], "60000");
});

test("importing_again_from_the_page_is_done_once_per_choice", async () => {
  const name = "Repetida";
  const sendImport = async (fields: Record<string, string>, text = `name\n${name}`) => {
    const form = { collection: "people", dryRun: "false", text, ...fields };
    const response = await sendFile(join, form);
    assert.equal(response.status, 200);
    const page = await response.text();
    const count = (label: string) => page.match(`<dt>${label}</dt><dd>([^<]*)</dd>`)?.[1];
    return { page, counts: [count("added"), count("imported before")] };
  };
  const first = await sendImport({});
  assert.deepEqual(first.counts, ["1", "0"]);
  assert.doesNotMatch(first.page, /nextKey/);
  const second = await sendImport({});
  assert.deepEqual(second.counts, ["0", "1"]);
  const nextKey = second.page.match(/name="nextKey" value="([0-9a-f]{32})"/)?.[1] ?? "";
  assert.notEqual(nextKey, "");
  // The button "Import again" sends no `dryRun`.
  const chosen = { nextKey, dryRun: "" };
  assert.deepEqual((await sendImport(chosen)).counts, ["1", "0"]);
  const reloaded = await sendImport(chosen);
  assert.deepEqual(reloaded.counts, ["0", "1"]);
  assert.ok(!reloaded.page.includes(`name="nextKey" value="${nextKey}"`));
  // The checkbox is used when the page no longer contains the file.
  for (const [counts, key] of [
    [["1", "0"], "k1"],
    [["0", "1"], "k1"],
    [["1", "0"], "k2"],
  ] as const) {
    assert.deepEqual((await sendImport({ again: "on", key })).counts, counts);
  }
  // The page does not send an invalid key.
  for (const key of ["", "a b", "a\r\nb: c", "ñ"]) {
    assert.deepEqual((await sendImport({ again: "on", key })).counts, ["1", "0"], key);
  }
  const long = `name\n${`${"Larga".padEnd(200, "x")}\n`.repeat(3000)}`;
  await sendImport({}, long);
  const { page } = await sendImport({}, long);
  assert.match(
    page,
    /import it with the choice “Add everything again, even what was imported before”/,
  );
  assert.doesNotMatch(page, /nextKey/);
  assert.equal((await join.get(`/v1/people?name=${name}`)).json.length, 8);
});

test("an_import_that_breaks_off_ends_with_an_error_page", async () => {
  const breaksOff: ServiceStub = () => {
    const line = '{"batch":0,"firstLine":2,"lastLine":3,"outcome":"written","refused":[]}\n';
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(line));
      },
      pull(controller) {
        controller.error(new Error("gone"));
      },
    });
    return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
  };
  await using broken = await start({ stubs: { people: breaksOff } });
  const response = await sendFile(broken.join, {
    collection: "people",
    dryRun: "false",
    text: "name\na\nb",
  });
  const page = await response.text();
  assert.match(page, /The import was interrupted\..*<\/html>$/s);
});

test("a_choice_that_the_page_does_not_offer_is_rejected_and_imports_nothing", async () => {
  const text = "name\nNobody Else\n";
  for (const fields of [
    { collection: "planets", mode: "" },
    { collection: "", mode: "" },
    { collection: "people", mode: "explode" },
    { collection: "people", mode: "replace" },
    { collection: "people", mode: "upsert&dryRun=false" },
  ]) {
    const response = await sendFile(join, { ...fields, dryRun: "false", text });
    assert.equal(response.status, 400, JSON.stringify(fields));
    assert.match(await response.text(), /<h1>Form not readable<\/h1>/);
  }
  assert.equal((await join.get("/v1/people?q=nobody")).text, "[]");
});

test("a_form_in_chunks_is_read_up_to_the_limit", async () => {
  const send = async (text: string) => {
    const body = new FormData();
    for (const [name, value] of Object.entries({ collection: "people", mode: "", text })) {
      body.append(name, value);
    }
    const form = new Response(body);
    const type = form.headers.get("content-type") ?? "";
    // A stream has no length.
    return fetch(`${join.url.origin}/ui/import`, {
      method: "POST",
      headers: { origin: join.url.origin, "content-type": type, ...ACCEPT_HTML },
      body: form.body,
      duplex: "half",
    } as RequestInit);
  };
  const checked = await send("name\nIn Chunks\n");
  assert.equal(checked.status, 200);
  assert.match(await checked.text(), /In Chunks/);
  const long = await send(`name\n${"x".repeat(10 * 1024 * 1024 + 8192)}`);
  assert.equal(long.status, 413);
  assert.ok((await long.text()).includes("<h1>Too large</h1>"));
});

test("a_long_text_that_is_rejected_is_not_shown_again", async () => {
  const text = `name\n${'"a'.repeat(400_000)}`;
  const page = await (await sendFile(join, { collection: "people", dryRun: "true", text })).text();
  assert.match(page, /Choose the file again\./);
  assert.ok(page.length < 20_000, `${page.length} bytes`);
});
