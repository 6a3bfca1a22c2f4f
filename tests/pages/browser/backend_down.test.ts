// Pages while a backend is down: they show the other backend's data and state what is missing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { desktop, openSite, phone } from "../../support/browser.ts";

const down = () => new Response("", { status: 500 });

test("places_are_shown_without_counts_while_people_is_down", async () => {
  await using site = await openSite({ seed: true, stubs: { people: down } });
  for (const visitor of [desktop, phone]) {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    const [banner, ...others] = await page.getByRole("alert").allInnerTexts();
    assert.deepEqual(others, []);
    assert.match(banner ?? "", /people.*The counts are unavailable right now\./);
    const totals = await page.locator(".totals > div").allInnerTexts();
    assert.deepEqual(totals.slice(0, 2), ["places\n30", "living\nunknown"]);
    assert.equal(await page.locator("tbody tr").count(), 25);
    assert.equal(await page.locator("tbody td.count").first().textContent(), "unknown");
    await page.getByRole("link", { name: "Descaro del Rey" }).click();
    await page.getByRole("heading", { name: "Descaro del Rey" }).waitFor();
    await page.getByText("The population is unavailable right now.").waitFor();
    await page.getByText("The list of people is unavailable right now.").first().waitFor();
    // A place can still be renamed.
    await page.getByRole("link", { name: "Rename" }).click();
    await page.getByLabel("Name").fill(`Descaro ${visitor.name}`);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText(`Saved Descaro ${visitor.name}.`).waitFor();
    await page.getByRole("link", { name: "Add a person here" }).click();
    await page.getByLabel("Name").fill("Nadie");
    await page.getByRole("button", { name: "Add person" }).click();
    await page.locator(".notice.warning").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), "Nadie");
    await page.goto("/");
    await page.getByLabel("Name begins with").fill("descaro");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("link", { name: `Descaro ${visitor.name}` }).click();
    await page.getByRole("link", { name: "Rename" }).click();
    await page.getByLabel("Name").fill("Descaro del Rey");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText("Saved Descaro del Rey.").waitFor();
  }
});

test("people_are_shown_without_place_names_while_places_is_down", async () => {
  await using site = await openSite({ seed: true, stubs: { places: down } });
  await using visit = await site.visit();
  const page = await visit.go("/");
  assert.match(
    (await page.getByRole("alert").textContent()) ?? "",
    /places.*The place names are unavailable right now\./,
  );
  const totals = await page.locator(".totals > div").allInnerTexts();
  assert.deepEqual(totals.slice(0, 2), ["places\nunknown", "living\n53"]);
  await page.getByLabel("Name begins with").fill("vera");
  await page.getByText("The list of places is unavailable right now.").first().waitFor();
  await page.goto("/?least=4");
  assert.equal(await page.locator("tbody tr").count(), 3);
  await page.getByRole("link", { name: "Place 1", exact: true }).click();
  await page.getByRole("heading", { name: "Place 1" }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 7);
  await page.getByRole("link", { name: "Cercei Lamister" }).first().click();
  await page.getByRole("heading", { name: "Cercei Lamister" }).waitFor();
  await page.getByRole("link", { name: "place 1", exact: true }).waitFor();
  await page.getByRole("button", { name: "Record death" }).click();
  await page.getByText("Recorded the death of Cercei Lamister.").waitFor();
});

test("a_page_states_that_both_backends_are_down", async () => {
  await using site = await openSite({ stubs: { places: down, people: down } });
  await using visit = await site.visit();
  const page = await visit.go("/");
  assert.equal(await page.getByRole("alert").count(), 2);
  await page.getByText("The list of places is unavailable right now.").waitFor();
  await page.getByRole("link", { name: "People", exact: true }).click();
  await page.getByText("The list of people is unavailable right now.").first().waitFor();
  assert.equal((await page.goto("/ui/people/1"))?.status(), 502);
  await page.getByRole("heading", { name: "Unavailable right now" }).waitFor();
});
