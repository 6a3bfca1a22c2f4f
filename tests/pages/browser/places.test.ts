// Writes places on the pages, on desktop and phone, with and without scripts.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { count, fieldError, follow, openSite, texts, visitors } from "../../support/browser.ts";

const site = await openSite({ places: [{ id: 1, name: "Sin Salida" }] });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

for (const visitor of visitors) {
  test(`a_place_can_be_added_inhabited_renamed_and_removed: ${visitor.name}`, async () => {
    const name = `Lugar ${visitor.name}`;
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    await page.getByRole("link", { name: "Add a place" }).click();
    await page.getByLabel("Name").fill("  SIN salida ");
    await page.getByRole("button", { name: "Add place" }).click();
    assert.match(await fieldError(page, "Name"), /has this name/);
    assert.equal(await page.getByLabel("Name").inputValue(), "SIN salida");
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Add place" }).click();
    await page.getByText(`Added ${name}.`).waitFor();
    await page.getByRole("heading", { name, exact: true }).waitFor();
    const id = page.url().match(/places\/(\d+)/)?.[1];

    await page.getByRole("link", { name: "Add a person here" }).click();
    assert.equal(await page.getByLabel("Place", { exact: true }).inputValue(), name);
    await page.getByLabel("Name").fill("Una");
    await page.getByLabel("King of the place").check();
    await page.getByRole("button", { name: "Add person" }).click();
    await page.getByRole("heading", { name: "Una" }).waitFor();
    const person = page.url().match(/people\/(\d+)/)?.[1];
    await follow(page.getByRole("link", { name, exact: true }));
    const numbers = await texts(page.locator(".totals > div"));
    assert.deepEqual(numbers, ["living\n1", "dead\n0", "king\n♛Una"]);

    await page.getByRole("link", { name: "Rename" }).click();
    await page.getByLabel("Name").fill(`${name} II`);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText(`Saved ${name} II.`).waitFor();
    const history = await texts(page.locator(".history li"));
    assert.match(history[0] ?? "", new RegExp(`renamed from “${name}” to “${name} II”$`));
    assert.match(history[1] ?? "", /Una was added as king$/);
    assert.match(history[2] ?? "", new RegExp(`added as “${name}” Return to this state`));
    for (const [entry, restored] of [
      [`added as “${name}”`, name],
      [`renamed from “${name}” to “${name} II”`, `${name} II`],
    ] as const) {
      const version = page.locator(".history li", { hasText: entry }).last();
      await version
        .getByRole("button", { name: new RegExp(`^Return to this state of .*: “${restored}”$`) })
        .click();
      await page.getByText(`Restored ${restored}.`).waitFor();
      assert.equal((await join.get(`/v1/places/${id}`)).json.name, restored);
    }

    await page.getByRole("link", { name: "Remove" }).click();
    await page.getByText("Living people here: 1. Dead people: 0.").waitFor();
    await page.getByText("There is no Undo").waitFor();
    const remove = page.getByRole("button", { name: "Remove place" });
    await remove.click();
    assert.match(await fieldError(page, "Move living people to"), /1 living person/);
    for (const nowhere of ["Ningures", "#999999"]) {
      await page.getByLabel("Move living people to").fill(nowhere);
      await follow(remove);
      assert.match(await fieldError(page, "Move living people to"), /no place|not exist/);
      const target = await page.getByLabel("Move living people to").inputValue();
      assert.equal(target, nowhere);
    }
    await page.getByLabel("Move living people to").fill("sin salida");
    await remove.click();
    await page.getByText(`Removed ${name} II.`).waitFor();
    await page.getByText("1 living person has moved to Sin Salida.").waitFor();
    await page.getByRole("link", { name: "See Sin Salida" }).waitFor();
    assert.equal((await join.get(`/v1/places/${id}`)).status, 404);
    assert.equal((await join.get(`/v1/people/${person}`)).json.placeId, 1);
    const response = await page.goto(`/ui/places/${id}`);
    assert.equal(response?.status(), 200);
    await page.getByText(/^This place was removed on .* UTC\./).waitFor();
    assert.equal(await count(page.getByRole("button", { name: "Restore" })), 0);
    assert.match((await texts(page.locator(".history li")))[0] ?? "", /UTC removed$/);
    assert.equal((await page.goto("/ui/places/999999"))?.status(), 404);
    await page.getByRole("link", { name: "To the places" }).click();
    await page.getByRole("heading", { name: "Population by place" }).waitFor();
  });
}

test("an_invalid_place_name_is_rejected_and_stays_in_the_field", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/places/new");
  const long = "x".repeat(201);
  await page.getByLabel("Name").fill(long);
  await page.getByRole("button", { name: "Add place" }).click();
  assert.match(await fieldError(page, "Name"), /^Enter a name/);
  assert.equal(await page.getByLabel("Name").inputValue(), long);
});

test("typing_a_place_suggests_places_by_any_word", async () => {
  await using visit = await site.visit();
  const names = Array.from({ length: 130 }, (_, at) => `Aldea ${at}`);
  const lines = names.map((name) => `${JSON.stringify({ name })}\n`).join("");
  const type = { "content-type": "application/x-ndjson" };
  await join.request("POST", "/v1/places/import", type, lines);
  const page = await visit.go("/ui/people/new");
  const suggested = page.waitForResponse(/\/v1\/places\?q=salida/);
  await page.getByLabel("Place", { exact: true }).pressSequentially("salida");
  await suggested;
  await page.locator('option[value="Sin Salida"]').waitFor({ state: "attached" });
  assert.equal(await count(page.locator("datalist option")), 1);
});
