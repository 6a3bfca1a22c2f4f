// What the pages show while a service is down: all that the other one knows, and what is missing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { desk, open, phone } from "../../support/browser.ts";

const down = () => new Response("", { status: 500 });

test("while_people_are_down_the_places_are_shown_without_numbers", async () => {
  await using site = await open({ seed: true, replace: { people: down } });
  for (const visitor of [desk, phone]) {
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
    await page.getByText("How many live here cannot be told just now.").waitFor();
    await page.getByText("The list of people is unavailable right now.").waitFor();
    // A place can be given another name meanwhile.
    await page.getByRole("link", { name: "Rename" }).click();
    await page.getByLabel("Name").fill(`Descaro ${visitor.name}`);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText(`Saved Descaro ${visitor.name}.`).waitFor();
    await page.getByRole("link", { name: "Add a person here" }).click();
    await page.getByLabel("Name").fill("Nadie");
    await page.getByRole("button", { name: "Add the person" }).click();
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

test("while_places_are_down_the_people_are_shown_without_names_of_places", async () => {
  await using site = await open({ seed: true, replace: { places: down } });
  await using visit = await site.visit();
  const page = await visit.go("/");
  assert.match(
    (await page.getByRole("alert").textContent()) ?? "",
    /places.*The place names are unavailable right now\./,
  );
  const totals = await page.locator(".totals > div").allInnerTexts();
  assert.deepEqual(totals.slice(0, 2), ["places\nunknown", "living\n53"]);
  await page.getByLabel("Name begins with").fill("vera");
  await page.getByText("Which places there are cannot be told just now.").first().waitFor();
  await page.goto("/?least=4");
  assert.equal(await page.locator("tbody tr").count(), 3);
  await page.getByRole("link", { name: "Place 1", exact: true }).click();
  await page.getByRole("heading", { name: "Place 1" }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 7);
  await page.getByRole("link", { name: "Cercei Lamister" }).first().click();
  await page.getByRole("heading", { name: "Cercei Lamister" }).waitFor();
  await page.getByRole("link", { name: "place 1", exact: true }).waitFor();
  await page.getByRole("button", { name: "Bury" }).click();
  await page.getByText("Recorded the death of Cercei Lamister.").waitFor();
});

test("while_both_are_down_a_page_says_so", async () => {
  await using site = await open({ replace: { places: down, people: down } });
  await using visit = await site.visit();
  const page = await visit.go("/");
  assert.equal(await page.getByRole("alert").count(), 2);
  await page.getByText("Which places there are cannot be told just now.").waitFor();
  await page.getByRole("link", { name: "People", exact: true }).click();
  await page.getByText("Who is here cannot be told just now.").waitFor();
  assert.equal((await page.goto("/ui/people/1"))?.status(), 502);
  await page.getByRole("heading", { name: "This page is unavailable right now" }).waitFor();
});
