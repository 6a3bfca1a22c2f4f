// Tests the history of a place, which has its own changes and those of its people.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { count, follow, openSite, texts, visitors } from "../../support/browser.ts";
import { bearer, tokenHash } from "../../support/tokens.ts";

const token = "the-token-of-anna";
const site = await openSite({
  places: [
    { id: 1, name: "Uno" },
    { id: 2, name: "Dos" },
    { id: 3, name: "Tres" },
  ],
  gatewaySettings: { TOKENS: `write:anna:${tokenHash(token)}` },
});
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

async function write(method: string, path: string, body?: object): Promise<number> {
  const response = await join.send(method, path, body, bearer(token));
  assert.ok(response.status < 300, response.text);
  return response.text && response.json.id;
}

const entries = (page: Page) => texts(page.locator(".history li"));
/** The entries without their time. */
const sentences = async (page: Page) =>
  (await entries(page)).map((entry) =>
    entry.replace(/^.*? UTC /, "").replace(/(Return to this state)[\s\S]*$/, "$1"),
  );

for (const visitor of visitors) {
  test(`a_place_lists_arrivals_departures_deaths_and_crownings: ${visitor.name}`, async () => {
    const name = `Lugar ${visitor.name}`;
    const place = await write("POST", "/v1/places", { name });
    const person = { name: "Ana", isAlive: true, placeId: 2 };
    const id = await write("POST", "/v1/people", person);
    const other = await write("POST", "/v1/people", { ...person, name: "Blas", placeId: place });
    await write("PATCH", `/v1/people/${id}`, { placeId: place });
    await write("PATCH", `/v1/people/${id}`, { isKing: true });
    await write("PATCH", `/v1/people/${id}`, { name: "Ana II" });
    await write("PATCH", `/v1/people/${id}`, { isKing: false });
    await write("PATCH", `/v1/places/${place}`, { name: `${name} II` });
    await write("PATCH", `/v1/people/${other}`, { isAlive: false });
    await write("PATCH", `/v1/people/${id}`, { placeId: 3 });
    await write("DELETE", `/v1/people/${other}`);
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/places/${place}`);
    assert.deepEqual(await sentences(page), [
      "Blas was removed by anna",
      "Ana II left for Tres by anna",
      "Blas died by anna",
      `renamed from “${name}” to “${name} II” by anna`,
      "Ana II lost the crown by anna",
      "Ana was crowned by anna",
      "Ana arrived from Dos by anna",
      "Blas was added by anna",
      `added as “${name}” by anna Return to this state`,
    ]);
    await follow(page.getByRole("link", { name: "Ana II" }).first());
    await page.getByRole("heading", { name: "Ana II" }).waitFor();
  });
}

for (const visitor of visitors) {
  test(`older_history_is_on_further_pages: ${visitor.name}`, async () => {
    const place = await write("POST", "/v1/places", { name: `Largo ${visitor.name}` });
    const names = Array.from({ length: 45 }, (_, n) => `P${n}`);
    for (const name of names) await write("POST", "/v1/people", { name, placeId: place });
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/places/${place}?show=isAlive%3Dfalse`);
    const found = await sentences(page);
    assert.ok(found.length < 40, `${found.length} entries`);
    for (let older = true; older; ) {
      await follow(page.getByRole("link", { name: "Older history" }));
      assert.equal(await page.getByLabel("State").inputValue(), "isAlive=false");
      found.push(...(await sentences(page)));
      older = (await count(page.getByRole("link", { name: "Older history" }))) > 0;
    }
    assert.deepEqual(found, [
      ...names.toReversed().map((name) => `${name} was added, dead by anna`),
      `added as “Largo ${visitor.name}” by anna`,
    ]);
    await follow(page.getByRole("link", { name: "Latest history" }));
    assert.match((await sentences(page))[0] ?? "", /^P44 was added/);
  });
}

test("an_import_of_many_people_is_one_entry", async () => {
  const place = await write("POST", "/v1/places", { name: "Masivo" });
  const lines = Array.from(
    { length: 150 },
    (_, n) => `{"name":"M${n}","isAlive":${n > 0},"placeId":${place}}\n`,
  );
  const headers = { "content-type": "application/x-ndjson", ...bearer(token) };
  const { status } = await join.request("POST", "/v1/people/import", headers, lines.join(""));
  assert.equal(status, 200);
  await using visit = await site.visit();
  const page = await visit.go(`/ui/places/${place}`);
  assert.deepEqual(await sentences(page), [
    "many changes at once (149 living and 1 dead after them) by anna",
    "added as “Masivo” by anna",
  ]);
});
