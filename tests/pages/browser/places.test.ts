// What is done to places: each in a journey, by every kind of visitor.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { open, visitors, wrong } from "../../support/browser.ts";

const site = await open({ places: [{ id: 1, name: "Sin Salida" }] });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

for (const visitor of visitors) {
  test(`${visitor.name} a place is added, peopled, renamed and removed`, async () => {
    const name = `Lugar ${visitor.name}`;
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    await page.getByRole("link", { name: "Add a place" }).click();
    await page.getByLabel("Name").fill("  SIN salida ");
    await page.getByRole("button", { name: "Add the place" }).click();
    assert.match(await wrong(page, "Name"), /has this name|is the name/i);
    assert.equal(await page.getByLabel("Name").inputValue(), "SIN salida");
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Add the place" }).click();
    await page.getByText(`Added ${name}.`).waitFor();
    await page.getByRole("heading", { name, exact: true }).waitFor();
    const id = page.url().match(/places\/(\d+)/)?.[1];

    await page.getByRole("link", { name: "Add a person here" }).click();
    assert.equal(await page.getByLabel("Place", { exact: true }).inputValue(), name);
    await page.getByLabel("Name").fill("Una");
    await page.getByLabel("King of the place").check();
    await page.getByRole("button", { name: "Add the person" }).click();
    await page.getByRole("heading", { name: "Una" }).waitFor();
    const person = page.url().match(/people\/(\d+)/)?.[1];
    await page.getByRole("link", { name, exact: true }).click();
    const numbers = await page.locator(".totals > div").allInnerTexts();
    assert.deepEqual(numbers, ["living\n1", "dead\n0", "king\n♛Una"]);

    await page.getByRole("link", { name: "Rename" }).click();
    await page.getByLabel("Name").fill(`${name} II`);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText(`Saved ${name} II.`).waitFor();
    const history = await page.locator(".history li").allInnerTexts();
    assert.match(history[0] ?? "", new RegExp(`renamed from “${name}” to “${name} II”$`));
    assert.match(history[1] ?? "", new RegExp(`added as “${name}”$`));

    await page.getByRole("link", { name: "Remove" }).click();
    const remove = page.getByRole("button", { name: "Remove the place" });
    await remove.click();
    assert.match(await wrong(page, "Its living people move to"), /1 living person|living people/);
    for (const nowhere of ["Ningures", "#999999"]) {
      await page.getByLabel("Its living people move to").fill(nowhere);
      await remove.click();
      await page.waitForLoadState();
      assert.match(await wrong(page, "Its living people move to"), /no place|not exist/);
      const kept = await page.getByLabel("Its living people move to").inputValue();
      assert.equal(kept, nowhere);
    }
    await page.getByLabel("Its living people move to").fill("sin salida");
    await remove.click();
    await page.getByText("Removed the place.").waitFor();
    assert.equal((await join.get(`/v1/places/${id}`)).status, 404);
    assert.equal((await join.get(`/v1/people/${person}`)).json.placeId, 1);
    const gone = await page.goto(`/ui/places/${id}`);
    assert.equal(gone?.status(), 404);
    await page.getByRole("link", { name: "To the places" }).click();
    await page.getByRole("heading", { name: "How many live where" }).waitFor();
  });
}

test("a_name_that_cannot_be_is_refused_and_kept", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/places/new");
  const long = "x".repeat(201);
  await page.getByLabel("Name").fill(long);
  await page.getByRole("button", { name: "Add the place" }).click();
  assert.match(await wrong(page, "Name"), /^Must be /);
  assert.equal(await page.getByLabel("Name").inputValue(), long);
});

test("the_script_suggests_the_places_that_begin_as_what_is_typed", async () => {
  await using visit = await site.visit();
  const names = Array.from({ length: 130 }, (_, at) => `Aldea ${at}`);
  const lines = names.map((name) => `${JSON.stringify({ name })}\n`).join("");
  const type = { "content-type": "application/x-ndjson" };
  await join.ask("POST", "/v1/places/import", type, lines);
  const page = await visit.go("/ui/people/new");
  const suggested = page.waitForResponse(/\/v1\/places\?name=sin/);
  await page.getByLabel("Place", { exact: true }).pressSequentially("sin");
  await suggested;
  await page.locator('option[value="Sin Salida"]').waitFor({ state: "attached" });
  assert.equal(await page.locator("datalist option").count(), 1);
});
