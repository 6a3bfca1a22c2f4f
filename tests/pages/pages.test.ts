// The pages as what they are on the wire: statuses, headers and forms. How they look and feel
// is the matter of tests/pages/browser.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { type Answer, type StandIn, start, type Worker } from "../support/harness.ts";

const system = await start({ seed: true });
after(() => system.dispose());
const { join } = system;

const asPage = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const headers = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};
const pages = [
  "/",
  "/?name=ver&sort=total&least=2&after=zz&utm=x",
  "/?sort=age&least=many&name=%00",
  "/ui/people",
  "/ui/people?show=isKing%3Dtrue&sort=-id&name=%C3%B1&after=zz",
  "/ui/people/new",
  "/ui/people/new?placeId=%231",
  "/ui/people/1",
  "/ui/people/1/edit",
  "/ui/people/1/crown",
  "/ui/people/10/uncrown",
  "/ui/people/1/bury",
  "/ui/people/1/remove",
  "/ui/places/new",
  "/ui/places/1",
  "/ui/places/1/rename",
  "/ui/places/1/remove",
  "/ui/import",
];

const titleOf = ({ text }: Answer) => /<h1>(.*?)<\/h1>/.exec(text)?.[1];

function isPage(answer: Answer, status: number, path: string): void {
  const { vary: _, ...found } = answer.headers;
  assert.deepEqual([answer.status, found], [status, headers], path);
  assert.match(answer.text, /^<!DOCTYPE html><html lang="en">.*<\/html>$/s, path);
}

/** Sends a form as a page of our own does. */
function send(
  worker: Worker,
  path: string,
  fields: Record<string, string>,
  more: Record<string, string> = {},
): Promise<Answer> {
  const type = "application/x-www-form-urlencoded";
  const own = { origin: worker.url.origin, "content-type": type, ...asPage, ...more };
  return worker.ask("POST", path, own, `${new URLSearchParams(fields)}`);
}

/** Sends a file as the page of the import does. */
function file(worker: Worker, fields: Record<string, string>): Promise<Response> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const { origin } = worker.url;
  return fetch(`${origin}/ui/import`, { method: "POST", headers: { origin, ...asPage }, body });
}

test("every_page_has_its_headers_and_HEAD_has_the_same", async () => {
  for (const path of pages) {
    const page = await join.get(path, asPage);
    isPage(page, 200, path);
    const head = await join.ask("HEAD", path, asPage);
    assert.deepEqual([head.status, head.headers, head.text], [200, page.headers, ""], path);
  }
});

test("the_root_is_a_page_for_who_asks_for_one_and_data_for_who_asks_for_data", async () => {
  assert.match((await join.get("/", asPage)).headers.vary ?? "", /^accept$/i);
  const data = await join.get("/", { accept: "application/json" });
  assert.equal(data.headers["content-type"], "application/json");
});

test("what_is_not_there_is_a_page_that_says_so", async () => {
  for (const [path, status, title] of [
    ["/ui", 404, "Page not found"],
    ["/ui/nowhere", 404, "Page not found"],
    ["/ui/people/1/fly", 404, "Page not found"],
    ["/ui/places/1/bury", 404, "Page not found"],
    ["/ui/people/999", 404, "Page not found"],
    ["/ui/people/999/edit", 404, "Page not found"],
    ["/ui/places/999", 404, "Page not found"],
    ["/ui/places/999/remove", 404, "Page not found"],
    ["/ui/people/x", 400, "A parameter has a value that cannot be used"],
    ["/ui/places/0", 400, "A parameter has a value that cannot be used"],
  ] as const) {
    const answer = await join.get(path, asPage);
    isPage(answer, status, path);
    assert.equal(titleOf(answer), title, path);
  }
  const other = await join.get("/ui/forget", asPage);
  assert.deepEqual([other.status, other.headers.allow], [405, "POST, OPTIONS"]);
});

test("a_form_leads_on_to_what_it_has_done", async () => {
  const added = await send(join, "/ui/places/new", { name: "Isla", key: "one-key-of-a-form" });
  assert.equal(added.status, 303, added.text);
  const { location } = added.headers;
  assert.match(location ?? "", /^\/ui\/places\/\d+\?done=added$/);
  const again = await send(join, "/ui/places/new", { name: "Isla", key: "one-key-of-a-form" });
  assert.equal(again.headers.location, location, "sent twice it is done once");
  const other = await send(join, "/ui/places/new", { name: "Otra", key: "one-key-of-a-form" });
  isPage(other, 422, "/ui/places/new");
  assert.match(other.text, /This form has been sent before/);
  assert.match(other.text, /name="key" value="[0-9a-f]{32}"/);
  assert.match(other.text, /name="name" type="text" value="Otra"/);
});

test("a_refused_form_has_the_status_of_the_refusal", async () => {
  for (const [path, fields, status] of [
    ["/ui/places/new", { name: "" }, 422],
    ["/ui/places/new", { name: "veranolandia" }, 409],
    ["/ui/people/1/crown", { version: "1" }, 409],
    ["/ui/people/1/bury", { version: "77" }, 412],
    ["/ui/places/1/remove", { version: "1" }, 409],
    ["/ui/people/new", { name: "Yo", placeId: "Ningures", isAlive: "on" }, 422],
  ] as const) {
    const answer = await send(join, path, fields);
    isPage(answer, status, path);
    assert.match(answer.text, /class="error"|class="notice warning"/, path);
  }
});

test("a_form_that_is_too_long_or_none_is_refused", async () => {
  const long = await send(join, "/ui/places/new", { name: "x".repeat(64 * 1024) });
  isPage(long, 413, "too long");
  const json = { "content-type": "application/json" };
  isPage(await send(join, "/ui/places/new", {}, json), 415, "JSON");
  const bare = { "content-type": "multipart/form-data" };
  isPage(await send(join, "/ui/import", {}, bare), 415, "no boundary");
  const huge = await file(join, { register: "places", text: "x".repeat(10 * 1024 * 1024 + 5000) });
  assert.equal(huge.status, 413);
  assert.match(await huge.text(), /<h1>The body is too long<\/h1>/);
});

test("no_form_of_another_site_writes", async () => {
  const host = join.url.host;
  const foreign: [string, Record<string, string>][] = [
    ["another site", { origin: "https://evil.example" }],
    ["another port", { origin: `http://${join.url.hostname}:1` }],
    ["a name that begins alike", { origin: `http://${host}.evil.example` }],
    ["a sandbox", { origin: "null" }],
    ["a browser that says so", { "sec-fetch-site": "cross-site" }],
    ["a sibling", { "sec-fetch-site": "same-site" }],
  ];
  for (const path of ["/ui/places/new", "/ui/people/1/bury", "/ui/places/2/remove", "/ui/forget"]) {
    for (const [who, given] of foreign) {
      const answer = await send(join, path, { name: "Ajena", version: "1" }, given);
      isPage(answer, 403, `${path} by ${who}`);
    }
    const type = { "content-type": "application/x-www-form-urlencoded" };
    isPage(await join.ask("POST", path, type, "name=Ajena&version=1"), 403, `${path} by nobody`);
  }
  assert.equal((await join.get("/v1/places?name=Ajena")).text, "[]");
  assert.equal((await join.get("/v1/people/1")).json.isAlive, true);
  assert.equal((await join.get("/v1/places/2")).status, 200);
});

test("the_cookie_is_for_forms_alone", async () => {
  const token = "a-token-that-may-write";
  const hash = createHash("sha256").update(token).digest("hex");
  await using closed = await start({ seed: true, settings: { TOKENS: `write:${hash}` } });
  const refused = await send(closed.join, "/ui/places/new", { name: "Isla" });
  isPage(refused, 401, "without a token");
  const cookie = { cookie: `__Host-token=${token}` };
  assert.equal((await closed.join.send("POST", "/v1/places", { name: "A" }, cookie)).status, 401);
  assert.equal((await closed.join.ask("DELETE", "/v1/places/2", cookie)).status, 401);
  const written = await send(closed.join, "/ui/places/new", { name: "Isla" }, cookie);
  assert.equal(written.status, 303);
  assert.equal(written.headers["set-cookie"], undefined, "what is kept is not set anew");
  const guessed = { cookie: "__Host-token=a-token-that-is-guessed" };
  assert.equal((await send(closed.join, "/ui/places/new", { name: "B" }, guessed)).status, 401);
});

const failures: Record<string, StandIn> = {
  "answers 500": () => new Response("", { status: 500 }),
  "answers a page": () => new Response("<html>", { headers: { "content-type": "text/html" } }),
  throws: () => {
    throw new Error("down");
  },
};

for (const [failure, down] of Object.entries(failures)) {
  test(`no page is lost without need while a service ${failure}`, async () => {
    const partial = ["/", "/?name=v", "/ui/people", "/ui/people/new", "/ui/import"];
    for (const [replace, lost] of [
      [{ people: down }, ["/ui/people/1", "/ui/people/1/edit"]],
      [{ places: down }, ["/ui/places/1/rename"]],
      [{ people: down, places: down }, ["/ui/people/1", "/ui/places/1/rename"]],
    ] as const) {
      await using broken = await start({ seed: true, replace });
      const standing = [...partial, "/ui/places/1"];
      if (!("people" in replace)) standing.push("/ui/people/1", "/ui/people/1/edit");
      if (!("places" in replace)) standing.push("/ui/places/1/rename");
      for (const path of standing) isPage(await broken.join.get(path, asPage), 200, path);
      for (const path of lost) isPage(await broken.join.get(path, asPage), 502, path);
      const kept = await send(broken.join, "/ui/people/new", { name: "Nadie", placeId: "#1" });
      isPage(kept, 502, "a form");
      assert.match(kept.text, /value="Nadie"/);
    }
  });
}

test("an_import_is_shown_while_it_is_written", async () => {
  const lines = Array.from({ length: 30_000 }, (_, at) => `Persona ${at},true,1`);
  const text = ["name,isAlive,placeId", ...lines].join("\n");
  const answer = await file(join, { register: "people", dryRun: "false", text });
  const { "content-security-policy": policy } = headers;
  assert.deepEqual([answer.status, answer.headers.get("content-security-policy")], [200, policy]);
  const parts: string[] = [];
  const decoder = new TextDecoder();
  for await (const part of answer.body ?? []) parts.push(decoder.decode(part, { stream: true }));
  const batches = parts.filter((part) => part.includes("<progress"));
  assert.ok(batches.length > 1, "the batches come one by one");
  assert.ok(!parts[0]?.includes("</html>"));
  const page = parts.join("");
  assert.match(page, /<dt>added<\/dt><dd>30\u202f000<\/dd>/);
  assert.match(page, /<\/html>$/);
});

test("the_page_of_an_import_sends_the_choice_to_import_again_as_one_request", async () => {
  const name = "Repetida";
  const send = async (more: Record<string, string>, text = `name\n${name}`) => {
    const fields = { register: "people", dryRun: "false", text, ...more };
    const answer = await file(join, fields);
    assert.equal(answer.status, 200);
    const page = await answer.text();
    const count = (label: string) => page.match(`<dt>${label}</dt><dd>([^<]*)</dd>`)?.[1];
    return { page, counts: [count("added"), count("imported before")] };
  };
  const first = await send({});
  assert.deepEqual(first.counts, ["1", "0"]);
  assert.doesNotMatch(first.page, /nextKey/);
  const again = await send({});
  assert.deepEqual(again.counts, ["0", "1"]);
  const nextKey = again.page.match(/name="nextKey" value="([0-9a-f]{32})"/)?.[1] ?? "";
  assert.notEqual(nextKey, "");
  // The button sends no `dryRun`.
  const chosen = { nextKey, dryRun: "" };
  assert.deepEqual((await send(chosen)).counts, ["1", "0"]);
  const reloaded = await send(chosen);
  assert.deepEqual(reloaded.counts, ["0", "1"]);
  assert.ok(!reloaded.page.includes(`name="nextKey" value="${nextKey}"`));
  // A box is ticked where the page does not have the file any more.
  for (const [counts, key] of [
    [["1", "0"], "k1"],
    [["0", "1"], "k1"],
    [["1", "0"], "k2"],
  ] as const) {
    assert.deepEqual((await send({ again: "on", key })).counts, counts);
  }
  // A key that cannot be used is not sent.
  for (const key of ["", "a b", "a\r\nb: c", "ñ"]) {
    assert.deepEqual((await send({ again: "on", key })).counts, ["1", "0"], key);
  }
  const long = `name\n${`${"Larga".padEnd(200, "x")}\n`.repeat(3000)}`;
  await send({}, long);
  const { page } = await send({}, long);
  assert.match(page, /tick “Import again what has been imported before”/);
  assert.doesNotMatch(page, /nextKey/);
  assert.equal((await join.get(`/v1/people?name=${name}`)).json.length, 8);
});

test("an_import_that_breaks_off_ends_as_a_page_that_says_so", async () => {
  const breaksOff: StandIn = () => {
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
  await using broken = await start({ replace: { people: breaksOff } });
  const answer = await file(broken.join, {
    register: "people",
    dryRun: "false",
    text: "name\na\nb",
  });
  const page = await answer.text();
  assert.match(page, /The answer broke off\..*<\/html>$/s);
});

test("the_files_of_the_pages_are_served_and_nothing_else_of_their_folder", async () => {
  for (const [path, type] of [
    ["/site.css", "text/css; charset=utf-8"],
    ["/site.js", "text/javascript; charset=utf-8"],
    ["/icon.svg", "image/svg+xml"],
  ] as const) {
    const file = await join.get(path);
    assert.deepEqual(
      [file.status, file.headers["content-type"], file.headers["x-content-type-options"]],
      [200, type, "nosniff"],
      path,
    );
    const known = { "if-none-match": file.etag };
    assert.equal((await join.get(path, known)).status, 304, path);
  }
  for (const path of ["/_headers", "/tsconfig.json", "/docs/../_headers"]) {
    assert.equal((await join.get(path)).status, 404, path);
  }
});
