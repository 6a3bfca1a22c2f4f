// Tests the pages over HTTP: statuses, headers and forms. The tests in tests/pages/browser use a
// browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { EPOCH } from "../support/fixtures.ts";
import { type ServiceStub, start } from "../support/harness.ts";
import { ACCEPT_HTML, assertPage, sendFile, sendForm, titleOf } from "../support/page_helpers.ts";
import { bearer, readToken, TOKENS, tokenHash, writeToken } from "../support/tokens.ts";

const system = await start({ seed: true });
after(() => system.dispose());
const { join } = system;

const SELECTED = "/ui/people/selected";

const pages = [
  "/",
  "/?q=ver&sort=total&least=2&after=zz&utm=x",
  "/?sort=age&least=many&q=%00",
  "/?asOf=2026-01-31&step=month",
  "/?before=6933&from=26",
  "/ui/changes",
  "/ui/compare",
  "/ui/compare?ids=1,2&ids=3&add=Veranolandia&asOf=2026-01-31",
  "/ui/enter",
  "/ui/people",
  "/ui/people?show=isKing%3Dtrue&sort=-id&q=%C3%B1&after=zz",
  "/ui/people/new",
  "/ui/people?did=move&people=2&to=1",
  "/ui/places/1?did=move&people=0",
  "/ui/people/selected?action=bury&person=1&person=2&person=999&back=/ui/places/1",
  "/ui/people/selected?action=move&person=1",
  "/ui/people/selected?action=remove&person=999",
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
  "/problems",
  "/problems/place-has-king",
];

test("the_type_of_each_problem_is_the_address_of_its_page", async () => {
  const document = JSON.parse(readFileSync("openapi/join.json", "utf8"));
  const types: string[] = document.components.schemas.ProblemType.enum;
  assert.ok(types.length > 30);
  await using closed = await start({ gatewaySettings: { READS: "closed" } });
  for (const type of types) {
    for (const accept of ["text/html", "*/*", "application/json"]) {
      const page = await closed.join.get(type, { accept });
      assertPage(page, 200, type);
      assert.match(page.text, new RegExp(`<code>${type}</code>`));
    }
  }
  const rejected = await closed.join.request("POST", "/problems/not-found", ACCEPT_HTML);
  assert.deepEqual([rejected.status, rejected.headers.allow], [405, "GET, HEAD, OPTIONS"]);
});

test("a_form_that_is_not_utf_8_is_rejected_with_400", async () => {
  const type = "application/x-www-form-urlencoded";
  const headers = { origin: join.url.origin, "content-type": type, ...ACCEPT_HTML };
  const page = await join.request("POST", "/ui/places/new", headers, "name=%ff");
  assertPage(page, 400, "a form");
  assert.equal(titleOf(page), "Form not readable");
  const places = await join.get("/v1/places?sort=-id&limit=1");
  assert.equal(places.json[0].name.includes("\ufffd"), false);
});

test("a_page_whose_query_is_not_utf_8_is_rejected_with_400", async () => {
  for (const path of [
    "/?q=%ff",
    "/ui/people?q=a%c3",
    "/ui/compare?place=%ff",
    "/ui/changes?x=%ff",
  ]) {
    const page = await join.get(path, ACCEPT_HTML);
    assertPage(page, 400, path);
    assert.equal(titleOf(page), "Invalid address");
  }
  assert.equal((await join.get("/ui/people?q=%c3%b1", ACCEPT_HTML)).status, 200);
});

test("every_page_has_its_headers_for_get_and_head", async () => {
  for (const path of pages) {
    const page = await join.get(path, ACCEPT_HTML);
    assertPage(page, 200, path);
    const head = await join.request("HEAD", path, ACCEPT_HTML);
    assert.deepEqual([head.status, head.headers, head.text], [200, page.headers, ""], path);
  }
});

test("the_root_is_html_or_json_by_accept", async () => {
  assert.match((await join.get("/", ACCEPT_HTML)).headers.vary ?? "", /^accept$/i);
  const data = await join.get("/", { accept: "application/json" });
  assert.equal(data.headers["content-type"], "application/json");
});

test("a_missing_page_or_record_gives_an_error_page", async () => {
  for (const [path, status, title] of [
    ["/ui", 404, "Page not found"],
    ["/problems/no-such-type", 404, "Page not found"],
    ["/ui/nowhere", 404, "Page not found"],
    ["/ui/people/1/fly", 404, "Page not found"],
    ["/ui/places/1/bury", 404, "Page not found"],
    ["/ui/people/999", 404, "Not found"],
    ["/ui/people/999/edit", 404, "Not found"],
    ["/ui/places/999", 404, "Not found"],
    ["/ui/places/999/remove", 404, "Not found"],
    ["/ui/people/x", 404, "Page not found"],
    ["/ui/places/0", 404, "Page not found"],
  ] as const) {
    const response = await join.get(path, ACCEPT_HTML);
    assertPage(response, status, path);
    assert.equal(titleOf(response), title, path);
  }
  const list = await join.get("/ui/places?q=a", ACCEPT_HTML);
  assert.deepEqual([list.status, list.headers.location], [303, "/?q=a"]);
  const other = await join.get("/ui/forget", ACCEPT_HTML);
  assert.match(other.headers["content-type"] ?? "", /^text\/html/);
  assert.deepEqual([other.status, other.headers.allow], [405, "POST, OPTIONS"]);
});

test("a_browser_gets_a_page_for_a_mistyped_address_and_other_clients_a_problem", async () => {
  const accept = "text/html,application/xhtml+xml,*/*;q=0.8";
  // Below /v1 there are only API routes.
  const api = await join.get("/v1/nothing", { accept });
  assert.equal(api.json.type, "/problems/unknown-route");
  for (const path of ["/nothing/here", "/people-per-places"]) {
    const page = await join.get(path, { accept });
    assertPage(page, 404, path);
    assert.equal(titleOf(page), "Page not found");
    for (const accept of ["*/*", "application/json", ""]) {
      const problem = await join.get(path, { accept });
      assert.equal(problem.json.type, "/problems/unknown-route", path);
    }
  }
});

test("the_first_button_of_an_error_page_leads_to_the_list", async () => {
  for (const [path, text] of [
    ["/ui/people/999", "To the people"],
    ["/ui/places/999", "To the places"],
    ["/ui/nowhere", "To the places"],
  ] as const) {
    const page = await join.get(path, ACCEPT_HTML);
    const [, first] = /<a class="button" href="[^"]*">([^<]*)/.exec(page.text) ?? [];
    assert.equal(first, text);
  }
});

test("no_page_contains_the_terms_of_the_api", async () => {
  const forms = [
    await sendForm(join, "/ui/people/new", { name: "", isAlive: "on" }),
    await sendForm(join, "/ui/people/new", { name: "A", isKing: "on", placeId: "#999" }),
    await sendForm(join, "/ui/people/2/edit", {
      name: "A",
      placeId: "#1",
      isKing: "on",
      isAlive: "on",
    }),
    await sendForm(join, "/ui/people/2/edit", { name: "A", isKing: "on" }),
    await sendForm(join, "/ui/people/1/crown", {}),
    await sendForm(join, "/ui/places/1/remove", {}),
    await sendForm(join, "/ui/places/1/remove", { reassignTo: "#1" }),
    await sendForm(join, "/ui/places/new", { name: "veranolandia" }),
    await sendForm(join, "/ui/people/1/bury", { version: `77.${EPOCH}` }),
    await sendForm(join, SELECTED, { action: "bury", person: `1:77.${EPOCH}:1` }),
    await sendForm(join, SELECTED, { action: "move", person: "1", placeId: "#999" }),
    await sendForm(join, SELECTED, { action: "remove", person: "999" }),
  ];
  const csv = "id,name,isAlive,placeId,isKing\n1,A,maybe,999,\nx,,true,,true\n0,B,false,1,true";
  const report = await sendFile(join, { collection: "people", text: csv, dryRun: "true" });
  assert.equal(report.status, 200);
  const texts = [await report.text(), ...forms.map(({ text }) => text)];
  for (const path of pages) {
    if (!path.startsWith("/problems")) texts.push((await join.get(path, ACCEPT_HTML)).text);
  }
  for (const html of texts) {
    // The file itself is the reader's own text.
    const text = html
      .replace(/<textarea.*?<\/textarea>|<table>.*?<\/table>/gs, "")
      .replace(/<p class="lead">Import a CSV.*?<\/p>/s, "")
      .replace(/<[^>]*>/g, " ");
    const term =
      /`|\/(isAlive|placeId|name|isKing|id)\b|\bid of\b|because the living|\\brecords?\\b|If-Match|Idempotency|scope|\bnull\b/.exec(
        text.replaceAll("To record a death", ""),
      );
    assert.equal(term?.[0], undefined, text);
  }
});

test("a_form_redirects_to_the_page_of_its_result", async () => {
  const added = await sendForm(join, "/ui/places/new", { name: "Isla", key: "one-key-of-a-form" });
  assert.equal(added.status, 303, added.text);
  const { location } = added.headers;
  assert.match(location ?? "", /^\/ui\/places\/\d+\?done=added$/);
  const second = await sendForm(join, "/ui/places/new", { name: "Isla", key: "one-key-of-a-form" });
  assert.equal(second.headers.location, location, "a form sent twice is done once");
  const other = await sendForm(join, "/ui/places/new", { name: "Otra", key: "one-key-of-a-form" });
  assertPage(other, 422, "/ui/places/new");
  assert.match(other.text, /This form was sent before/);
  assert.match(other.text, /name="key" value="[0-9a-f]{32}"/);
  assert.match(other.text, /name="name" type="text" value="Otra"/);
});

test("a_rejected_form_has_the_status_of_the_problem", async () => {
  for (const [path, fields, status] of [
    ["/ui/places/new", { name: "" }, 422],
    ["/ui/places/new", { name: "veranolandia" }, 409],
    ["/ui/people/1/crown", { version: `1.${EPOCH}` }, 409],
    ["/ui/people/1/bury", { version: `77.${EPOCH}` }, 412],
    ["/ui/places/1/remove", { version: `1.${EPOCH}` }, 409],
    [SELECTED, { action: "bury", person: `1:77.${EPOCH}:1` }, 422],
    [SELECTED, { action: "move", person: `1:1.${EPOCH}:1` }, 422],
    [SELECTED, { action: "move", person: `1:1.${EPOCH}:1`, placeId: "#999" }, 422],
    ["/ui/people/new", { name: "Yo", placeId: "Ningures", isAlive: "on" }, 422],
  ] as const) {
    const response = await sendForm(join, path, fields);
    assertPage(response, status, path);
    assert.match(response.text, /class="error"|class="notice warning"/, path);
  }
});

test("a_form_that_is_too_long_or_of_another_type_is_rejected", async () => {
  const long = await sendForm(join, "/ui/places/new", { name: "x".repeat(64 * 1024) });
  assertPage(long, 413, "too long");
  const json = { "content-type": "application/json" };
  assertPage(await sendForm(join, "/ui/places/new", {}, json), 415, "JSON");
  const bare = { "content-type": "multipart/form-data" };
  assertPage(await sendForm(join, "/ui/import", {}, bare), 415, "no boundary");
  const huge = await sendFile(join, {
    collection: "places",
    text: "x".repeat(10 * 1024 * 1024 + 5000),
  });
  assert.equal(huge.status, 413);
  assert.match(await huge.text(), /<h1>Too large<\/h1>/);
});

test("a_form_of_another_site_is_rejected", async () => {
  const host = join.url.host;
  const foreignRequests: [string, Record<string, string>][] = [
    ["another site", { origin: "https://evil.example" }],
    ["another port", { origin: `http://${join.url.hostname}:1` }],
    ["a host with our host as prefix", { origin: `http://${host}.evil.example` }],
    ["a sandbox", { origin: "null" }],
    ["a cross-site request", { "sec-fetch-site": "cross-site" }],
    ["a same-site request", { "sec-fetch-site": "same-site" }],
  ];
  for (const path of [
    "/ui/places/new",
    "/ui/people/1/bury",
    "/ui/places/2/remove",
    SELECTED,
    "/ui/forget",
  ]) {
    for (const [origin, foreignHeaders] of foreignRequests) {
      const response = await sendForm(
        join,
        path,
        { name: "Ajena", version: `1.${EPOCH}`, action: "bury", person: "1" },
        foreignHeaders,
      );
      assertPage(response, 403, `${path} from ${origin}`);
    }
    const type = { "content-type": "application/x-www-form-urlencoded" };
    assertPage(
      await join.request("POST", path, type, `name=Ajena&version=1.${EPOCH}`),
      403,
      `${path} without an origin`,
    );
  }
  assert.equal((await join.get("/v1/places?name=Ajena")).text, "[]");
  assert.equal((await join.get("/v1/people/1")).json.isAlive, true);
  assert.equal((await join.get("/v1/places/2")).status, 200);
});

test("the_cookie_authorizes_only_forms", async () => {
  const token = "a-token-that-may-write";
  await using closed = await start({
    seed: true,
    gatewaySettings: { TOKENS: `write:anna:${tokenHash(token)}` },
  });
  const rejected = await sendForm(closed.join, "/ui/places/new", { name: "Isla" });
  assertPage(rejected, 401, "without a token");
  const cookie = { cookie: `__Host-token=${token}` };
  assert.equal((await closed.join.send("POST", "/v1/places", { name: "A" }, cookie)).status, 401);
  assert.equal((await closed.join.request("DELETE", "/v1/places/2", cookie)).status, 401);
  const written = await sendForm(closed.join, "/ui/places/new", { name: "Isla" }, cookie);
  assert.equal(written.status, 303);
  assert.equal(written.headers["set-cookie"], undefined, "an existing cookie is not set again");
  const guessed = { cookie: "__Host-token=a-token-that-is-guessed" };
  assert.equal((await sendForm(closed.join, "/ui/places/new", { name: "B" }, guessed)).status, 401);
});

test("where_reads_need_a_token_the_cookie_reads_the_api_from_our_own_pages_only", async () => {
  await using closed = await start({ seed: true, gatewaySettings: { TOKENS, READS: "token" } });
  const cookie = `__Host-token=${readToken}`;
  const ours = { "sec-fetch-site": "same-origin" };
  const guessed = "__Host-token=a-token-that-is-guessed";
  for (const path of [
    "/v1/people/export?format=csv",
    "/v1/statistics/series",
    "/v1/people/1",
    "/v1",
  ]) {
    const { headers } = await closed.join.get(path, { ...ours, cookie });
    assert.equal(headers["cache-control"], "no-store, no-transform", path);
    for (const [headers, status] of [
      [{ ...ours, cookie }, 200],
      [{ cookie }, 401],
      [{ cookie, "sec-fetch-site": "same-site" }, 401],
      [{ cookie, "sec-fetch-site": "cross-site" }, 401],
      [{ cookie, "sec-fetch-site": "none" }, 401],
      [{ ...ours, cookie: guessed }, 401],
      [{ ...ours, cookie, ...bearer("a-token-that-is-guessed") }, 401],
    ] as const) {
      const sent = JSON.stringify(headers);
      assert.equal((await closed.join.request("GET", path, headers)).status, status, sent);
    }
  }
  const write = `__Host-token=${writeToken}`;
  const rejected = await closed.join.send(
    "POST",
    "/v1/places",
    { name: "A" },
    { ...ours, cookie: write },
  );
  assert.equal(rejected.status, 401);
});

test("a_list_of_people_with_a_place_is_the_page_of_the_place", async () => {
  const path = "/ui/people?q=a&placeId=3&show=isAlive%3Dtrue";
  const response = await join.request("GET", path, ACCEPT_HTML);
  assert.equal(response.status, 303);
  const target = response.headers.location ?? "";
  assert.match(target, /^\/ui\/places\/3\?(?=.*q=a)(?=.*show=isAlive%3Dtrue)/);
  assertPage(await join.request("GET", target, ACCEPT_HTML), 200, target);
});

test("the_login_says_why_it_asks_for_a_token_and_requires_one", async () => {
  for (const [READS, lead] of [
    ["open", "With a token, you can make changes"],
    ["token", "You need a token to read"],
  ] as const) {
    await using system = await start({ gatewaySettings: { TOKENS, READS } });
    for (const [token, message] of [
      ["a-token-that-is-guessed", "not valid here"],
      ["", "Enter a token."],
    ] as const) {
      const page = await sendForm(system.join, "/ui/enter", { token });
      assert.ok(page.text.includes(lead) && page.text.includes(message), page.text);
      assert.equal(page.headers["set-cookie"], undefined);
    }
  }
});

test("a_form_with_an_invalid_hidden_field_is_rejected_and_changes_nothing", async () => {
  const before = (await join.get("/v1/people/1")).json;
  for (const [field, value] of [
    ["version", "1\r\nx-injected: 1"],
    ["version", "1\nx"],
    ["version", `1.${EPOCH}", "2.${EPOCH}`],
    ["version", "1"],
    ["version", "*"],
    ["version", `W/1.${EPOCH}`],
    ["version", "-1"],
    ["version", "ñ"],
    ["key", "a\r\nb"],
    ["key", "a b"],
    ["key", "ñ"],
    ["key", "x".repeat(256)],
  ] as const) {
    const changed = await sendForm(join, "/ui/people/1/edit", { name: "Otro", [field]: value });
    assertPage(changed, 400, `${field}=${value}`);
    assert.equal(titleOf(changed), "Form not readable");
    const removed = await sendForm(join, "/ui/people/1/remove", { [field]: value });
    assertPage(removed, 400, `${field}=${value}`);
    const created = await sendForm(join, "/ui/places/new", { name: "Nueva", [field]: value });
    assertPage(created, 400, `${field}=${value}`);
  }
  assert.deepEqual((await join.get("/v1/people/1")).json, before);
  assert.equal((await join.get("/v1/places?name=Nueva")).text, "[]");
});

test("a_removed_king_is_restored_by_the_remedy_that_the_form_offers", async () => {
  await using own = await start({ seed: true });
  const king = (await own.join.get("/v1/people?isKing=true&limit=1")).json[0];
  assert.equal((await own.join.request("DELETE", `/v1/people/${king.id}`)).status, 204);
  const next = { name: "Next", isAlive: true, placeId: king.placeId, isKing: true };
  const crowned = await own.join.send("POST", "/v1/people", next);
  assert.equal(crowned.status, 201, crowned.text);
  const rejected = await sendForm(own.join, `/ui/people/${king.id}/restore`, {});
  assertPage(rejected, 409, "restore");
  assert.match(rejected.text, /Remove the crown from Next/);
  const restored = await sendForm(own.join, `/ui/people/${king.id}/restore`, { depose: "on" });
  assert.equal(restored.status, 303, restored.text);
  const kings = await own.join.get(`/v1/people?isKing=true&placeId=${king.placeId}`);
  assert.deepEqual(
    kings.json.map(({ id }: { id: number }) => id),
    [king.id],
  );
});

test("ticked_people_are_only_read_from_a_form_that_a_page_sends", async () => {
  const before = (await join.get("/v1/people?limit=100")).json;
  const forms: Record<string, string>[] = [
    {},
    { action: "fly", person: "1" },
    { action: "bury", person: "x" },
    { action: "bury", person: `1:1.${EPOCH}", "2.${EPOCH}` },
    { action: "bury", person: "1:*" },
    { action: "bury", person: "1", key: "a\r\nb" },
  ];
  for (const fields of forms) {
    const sent = await sendForm(join, SELECTED, fields);
    assertPage(sent, 400, JSON.stringify(fields));
    assert.equal(titleOf(sent), "Form not readable");
    const query = `${new URLSearchParams(fields)}`;
    if (!("key" in fields)) {
      assertPage(await join.get(`${SELECTED}?${query}`, ACCEPT_HTML), 400, query);
    }
  }
  const many = Array.from({ length: 251 }, (_, index) => `person=${index + 1}`).join("&");
  assertPage(await join.get(`${SELECTED}?action=bury&${many}`, ACCEPT_HTML), 400, "251 people");
  for (const back of ["https://evil.example/", "//evil.example", "/ui/people\r\nx: y"]) {
    const nobody = await sendForm(join, SELECTED, { action: "move", back, placeId: "#1" });
    assert.equal(nobody.status, 303);
    assert.match(nobody.headers.location ?? "", /^\/ui\/people\?/);
  }
  assert.deepEqual((await join.get("/v1/people?limit=100")).json, before);
});

test("a_batch_of_ticked_people_is_done_once", async () => {
  const batch = [1, 2].map((n) => ({
    op: "create",
    body: { name: `Repetida ${n}`, isAlive: true, placeId: 1 },
  }));
  const { json } = await join.send("POST", "/v1/people/batch", batch);
  const ids: number[] = json.map(({ id }: { id: number }) => id);
  const fields = new URLSearchParams({
    action: "move",
    placeId: "#2",
    key: "one-key-of-ticked-people",
    back: "/ui/people?q=repetida&sort=-id",
  });
  for (const id of ids) fields.append("person", `${id}:1.${EPOCH}:1`);
  const headers = {
    origin: join.url.origin,
    "content-type": "application/x-www-form-urlencoded",
    ...ACCEPT_HTML,
  };
  const sent = await Promise.all(
    [1, 2, 3].map(() => join.request("POST", SELECTED, headers, `${fields}`)),
  );
  const again = await join.request("POST", SELECTED, headers, `${fields}`);
  for (const { status, headers } of [...sent, again]) {
    const location = "/ui/people?q=repetida&sort=-id&limit=50&did=move&people=2&to=2";
    assert.deepEqual([status, headers.location], [303, location]);
  }
  for (const id of ids) assert.equal((await join.get(`/v1/people/${id}/history`)).json.length, 2);
  // Another form with the same key.
  fields.set("action", "remove");
  const other = await join.request("POST", SELECTED, headers, `${fields}`);
  assertPage(other, 422, SELECTED);
  assert.match(other.text, /This form was sent before/);
});

test("only_a_known_token_is_stored_even_where_no_token_is_needed", async () => {
  const token = "a-token-that-may-read";
  const TOKENS = `read:rosa:${tokenHash(token)}`;
  const unknown = "any-text-of-16-characters";
  const allSettings: Record<string, string>[] = [
    { TOKENS },
    { TOKENS, WRITES: "open" },
    { WRITES: "open" },
  ];
  for (const settings of allSettings) {
    await using open = await start({ seed: true, gatewaySettings: settings });
    for (const [path, fields] of [
      ["/ui/enter", {}],
      ["/ui/places/new", { name: "Isla" }],
    ] as const) {
      const rejected = await sendForm(open.join, path, { ...fields, token: unknown });
      assertPage(rejected, 401, path);
      assert.equal(rejected.headers["set-cookie"], undefined, path);
    }
    const known = await sendForm(open.join, "/ui/enter", { token });
    assert.equal(known.status, "TOKENS" in settings ? 303 : 401);
    assert.equal(known.headers["set-cookie"]?.includes(token), "TOKENS" in settings || undefined);
  }
});

const failingStubs: Record<string, ServiceStub> = {
  responds_500: () => new Response("", { status: 500 }),
  responds_with_html: () => new Response("<html>", { headers: { "content-type": "text/html" } }),
  throws: () => {
    throw new Error("down");
  },
};

for (const [failure, down] of Object.entries(failingStubs)) {
  test(`pages_that_do_not_need_a_service_still_work_when_it_${failure}`, async () => {
    const resilientPages = ["/", "/?q=v", "/ui/people", "/ui/people/new", "/ui/import"];
    for (const [stubs, failingPages] of [
      [{ people: down }, ["/ui/people/1", "/ui/people/1/edit"]],
      [{ places: down }, ["/ui/places/1/rename"]],
      [{ people: down, places: down }, ["/ui/people/1", "/ui/places/1/rename"]],
    ] as const) {
      await using broken = await start({ seed: true, stubs });
      const workingPages = [...resilientPages, "/ui/places/1"];
      if (!("people" in stubs)) workingPages.push("/ui/people/1", "/ui/people/1/edit");
      if (!("places" in stubs)) workingPages.push("/ui/places/1/rename");
      for (const path of workingPages)
        assertPage(await broken.join.get(path, ACCEPT_HTML), 200, path);
      for (const path of failingPages)
        assertPage(await broken.join.get(path, ACCEPT_HTML), 502, path);
      const formPage = await sendForm(broken.join, "/ui/people/new", {
        name: "Nadie",
        placeId: "#1",
      });
      assertPage(formPage, 502, "a form");
      assert.match(formPage.text, /value="Nadie"/);
    }
  });
}

test("only_the_public_files_of_the_web_folder_are_served", async () => {
  for (const [path, type] of [
    ["/site.css", "text/css; charset=utf-8"],
    ["/site.js", "text/javascript; charset=utf-8"],
    ["/icon.svg", "image/svg+xml"],
  ] as const) {
    const sendFile = await join.get(path);
    assert.deepEqual(
      [
        sendFile.status,
        sendFile.headers["content-type"],
        sendFile.headers["x-content-type-options"],
      ],
      [200, type, "nosniff"],
      path,
    );
    const known = { "if-none-match": sendFile.etag };
    assert.equal((await join.get(path, known)).status, 304, path);
  }
  for (const path of ["/_headers", "/tsconfig.json", "/docs/../_headers"]) {
    assert.equal((await join.get(path)).status, 404, path);
  }
});
