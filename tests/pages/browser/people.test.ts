// Writes people on the pages, on desktop and phone, with and without scripts.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { count, desktop, fieldError, openSite, texts, visitors } from "../../support/browser.ts";

const places = visitors.map((_, index) => ({ id: index + 1, name: `Lugar ${index + 1}` }));
const site = await openSite({ places: [...places, { id: 9, name: "Más allá" }] });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

/** Creates a living person, in place 9 unless the fields say otherwise. Returns the id. */
async function createPerson(name: string, fields: object = {}): Promise<number> {
  const person = { name, isAlive: true, placeId: 9, ...fields };
  return (await join.send("POST", "/v1/people", person)).json.id;
}

for (const [index, visitor] of visitors.entries()) {
  test(`a_person_can_be_added_moved_crowned_buried_removed_and_restored: ${visitor.name}`, async () => {
    const home = `Lugar ${index + 1}`;
    const king = await createPerson(`Rey ${index}`, { placeId: index + 1, isKing: true });
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people");
    await page.getByRole("link", { name: "Add a person" }).click();
    await page.getByLabel("Name").fill("Óscar <b>");
    await page.getByLabel("Place", { exact: true }).fill("Ningures");
    await page.getByRole("button", { name: "Add person" }).click();
    assert.equal(
      await fieldError(page, "Place"),
      "There is no place with this name. Choose another.",
    );
    assert.equal(await page.getByLabel("Name").inputValue(), "Óscar <b>");
    assert.equal(await page.getByLabel("Place", { exact: true }).inputValue(), "Ningures");
    await page.getByLabel("Place", { exact: true }).fill("MÁS allá");
    await page.getByRole("button", { name: "Add person" }).click();
    await page.getByRole("heading", { name: "Óscar <b>" }).waitFor();
    const id = page.url().match(/people\/(\d+)/)?.[1];
    await page.getByRole("link", { name: "Add another" }).click();
    assert.equal(await page.getByLabel("Place", { exact: true }).inputValue(), "Más allá");
    await page.goBack();

    await page.getByRole("link", { name: "Change or move" }).click();
    await page.getByLabel("Name").fill("Óscar");
    await page.getByLabel("Place", { exact: true }).fill(`#${index + 1}`);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved Óscar.").waitFor();
    await page.getByRole("heading", { name: "Óscar", exact: true }).waitFor();

    await page.getByRole("link", { name: "Crown" }).click();
    await page.getByText(`The king of ${home} is Rey ${index}.`).waitFor();
    await page.getByText(`Crowning Óscar removes the crown from Rey ${index}.`).waitFor();
    // Only the king whom the page names loses the crown.
    await join.send("PATCH", `/v1/people/${king}`, { name: `Rey ${index} II` });
    await page.getByRole("button", { name: "Crown Óscar" }).click();
    await page.getByText(`The king is now Rey ${index} II.`).waitFor();
    await page.getByRole("button", { name: "Crown Óscar" }).click();
    await page.getByText("Crowned Óscar.").waitFor();
    assert.equal((await join.get(`/v1/people/${king}`)).json.isKing, false);

    await page.getByRole("button", { name: "Remove the crown" }).click();
    await page.getByText("Removed the crown from Óscar.").waitFor();
    await page.getByRole("button", { name: "Record death" }).click();
    await page.getByText("Recorded the death of Óscar.").waitFor();
    const facts = await texts(page.locator(".totals > div"));
    assert.deepEqual(facts, ["state\n† dead", `place\n${home}`, `number\n${id}`]);
    const history = await texts(page.locator(".history li"));
    assert.deepEqual(
      history.map((entry) =>
        entry.replace(/^.*? UTC /, "").replace(/ Return to this state.*$/s, ""),
      ),
      [
        "died",
        "lost the crown",
        "was crowned",
        `renamed from “Óscar <b>” to “Óscar”, moved from Más allá to ${home}`,
        "added as “Óscar <b>”, alive, in Más allá",
      ],
    );

    await page.getByRole("link", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove person" }).click();
    await page.getByText("Removed Óscar.").waitFor();
    assert.equal((await join.get(`/v1/people/${id}`)).status, 404);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText(`Restored Óscar: dead, in ${home}.`).waitFor();
    const restored = (await join.get(`/v1/people/${id}`)).json;
    assert.deepEqual([restored.name, restored.isAlive], ["Óscar", false]);

    const first = page.locator(".history li", { hasText: "added as “Óscar <b>”" });
    const states = page.getByRole("button", { name: /^Return to this state of .* UTC: / });
    assert.equal(await count(states), 5);
    await first
      .getByRole("button", {
        name: /^Return to this state of .*: “Óscar <b>”, alive, in Más allá$/,
      })
      .click();
    await page.getByText("Restored Óscar <b>: alive, in Más allá.").waitFor();
    const earlier = (await join.get(`/v1/people/${id}`)).json;
    assert.deepEqual(
      [earlier.name, earlier.isAlive, earlier.placeId, earlier.isKing],
      ["Óscar <b>", true, 9, false],
    );

    await page.getByRole("link", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove person" }).click();
    await page.getByText("Removed Óscar <b>.").waitFor();
    // Later visitors of a removed person see the history, and can restore the person.
    assert.equal((await page.goto(`/ui/people/${id}`))?.status(), 404);
    await page.getByRole("heading", { name: "Óscar <b>" }).waitFor();
    await page.getByText("This person was removed.").waitFor();
    await page.locator(".actions").getByRole("button", { name: "Restore" }).click();
    await page.getByText("Restored Óscar <b>: alive, in Más allá.").waitFor();
  });

  test(`an_edit_cannot_crown_a_second_king_unless_it_deposes_the_first: ${visitor.name}`, async () => {
    const placeId = index + 1;
    await createPerson("Otro", { placeId });
    const { json } = await join.get(`/v1/people?placeId=${placeId}&isKing=true`);
    const king = json[0]?.name ?? "Reina";
    if (!json[0]) await createPerson(king, { placeId, isKing: true });
    const id = await createPerson("Aspirante");
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/people/${id}/edit`);
    await page.getByLabel("Place", { exact: true }).fill(`lugar ${placeId}`);
    await page.getByLabel("King of the place").check();
    await page.getByRole("button", { name: "Save" }).click();
    assert.match(await fieldError(page, "King of the place"), /already has a king/);
    assert.equal(await page.getByLabel("Place", { exact: true }).inputValue(), `lugar ${placeId}`);
    assert.equal(await count(page.getByLabel("Remove the crown")), 0);
    await page
      .getByText("Save this person without the crown first, then choose “Crown”.")
      .waitFor();
    await page.getByLabel("King of the place").uncheck();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved Aspirante.").waitFor();
    await page.getByRole("link", { name: "Change or move" }).click();
    await page.getByLabel("King of the place").check();
    await page.getByRole("button", { name: "Save" }).click();
    assert.match(await fieldError(page, "King of the place"), /already has a king/);
    await page.getByLabel(`Remove the crown from ${king}`).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved Aspirante.").waitFor();
    assert.deepEqual((await join.get(`/v1/people/${id}`)).json.isKing, true);
  });

  test(`the_later_of_two_edits_shows_the_conflict: ${visitor.name}`, async () => {
    const id = await createPerson("Disputada");
    await using visit = await site.visit(visitor);
    const [firstPage, secondPage] = [visit.page, await visit.context.newPage()];
    for (const page of [firstPage, secondPage]) await page.goto(`/ui/people/${id}/edit`);
    await firstPage.getByLabel("Name").fill("De una");
    await firstPage.getByRole("button", { name: "Save" }).click();
    await firstPage.getByText("Saved De una.").waitFor();
    await secondPage.getByLabel("Name").fill("De otra");
    const conflict = secondPage.waitForResponse((response) => response.status() === 412);
    await secondPage.getByRole("button", { name: "Save" }).click();
    await conflict;
    await secondPage.getByText("Somebody else has changed this person.").waitFor();
    await secondPage.getByText("Now saved: De una, ● alive, in Más allá.").waitFor();
    assert.equal(await secondPage.getByLabel("Name").inputValue(), "De otra");
    assert.equal((await join.get(`/v1/people/${id}`)).json.name, "De una");
    const focused = await secondPage.evaluate(() => document.activeElement?.textContent);
    assert.match(focused ?? "", /^Somebody else has changed/);
    await secondPage.getByRole("button", { name: "Save" }).click();
    await secondPage.getByText("Saved De otra.").waitFor();
    assert.equal((await join.get(`/v1/people/${id}`)).json.name, "De otra");
  });

  test(`a_conflict_does_not_revert_a_field_that_was_not_changed: ${visitor.name}`, async () => {
    const id = await createPerson("Davos");
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/people/${id}/edit`);
    await page.getByLabel("Place", { exact: true }).fill(`Lugar ${index + 1}`);
    await join.send("PATCH", `/v1/people/${id}`, { name: "Davos Seguro" });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Fields that you have not changed show the saved values.").waitFor();
    await page.getByText("Now saved: Davos Seguro, ● alive, in Más allá.").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), "Davos Seguro");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved Davos Seguro.").waitFor();
    const { name, placeId } = (await join.get(`/v1/people/${id}`)).json;
    assert.deepEqual([name, placeId], ["Davos Seguro", index + 1]);
  });

  test(`an_edit_of_a_removed_person_keeps_the_entries: ${visitor.name}`, async () => {
    const id = await createPerson("Marjori");
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/people/${id}/edit`);
    await page.getByLabel("Name").fill("Marjori II");
    await join.request("DELETE", `/v1/people/${id}`);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Marjori was removed meanwhile, so nothing was saved.").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), "Marjori II");
    const link = page.getByRole("link", { name: "The page of Marjori" });
    assert.equal(await link.getAttribute("href"), `/ui/people/${id}`);
    await join.request("POST", `/v1/people/${id}/restore`);
    for (const text of ["Somebody else has changed this person.", "Saved Marjori II."]) {
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText(text).waitFor();
    }
  });

  test(`the_death_of_a_dead_person_is_not_recorded_again: ${visitor.name}`, async () => {
    const id = await createPerson("Melisandra");
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/people/${id}`);
    await join.send("PATCH", `/v1/people/${id}`, { isAlive: false });
    await page.getByRole("button", { name: "Record death" }).click();
    await page.getByText("Melisandra is already recorded as dead.").waitFor();
    assert.equal(await count(page.getByRole("button", { name: "Record death" })), 0);
    await page.goto(`/ui/people/${id}/bury`);
    await page.getByText("Melisandra is already recorded as dead.").waitFor();
    await page.getByRole("link", { name: "Back", exact: true }).click();
    await page.getByRole("heading", { name: "Melisandra" }).waitFor();
  });

  test(`an_unknown_place_suggests_the_one_with_accents: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people/new");
    await page.getByLabel("Name").fill("Acentuada");
    await page.getByLabel("Place", { exact: true }).fill("mas alla");
    await page.getByRole("button", { name: "Add person" }).click();
    assert.equal(
      await fieldError(page, "Place"),
      "There is no place with this name. Did you mean “Más allá”?",
    );
  });

  test(`a_double_click_on_a_form_adds_one_person: ${visitor.name}`, async () => {
    const name = `Única ${visitor.name}`;
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people/new?placeId=%239");
    const sent: string[] = [];
    page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Add person" }).dblclick();
    await page.getByRole("heading", { name }).waitFor();
    if (visitor.scripts) assert.equal(sent.length, 1);
    const found = await join.get(`/v1/people?name=${encodeURIComponent(name)}&count=exact`);
    assert.equal(found.headers["x-total-count"], "1");
  });
}

test("a_form_can_be_sent_again_after_going_back", async () => {
  await using visit = await site.visit(desktop);
  const page = await visit.go("/ui/people/new?placeId=%239");
  for (const name of ["Primera", "Segunda"]) {
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Add person" }).click();
    await page.getByRole("heading", { name }).waitFor();
    await page.goBack();
  }
});

test("a_living_person_without_a_place_shows_an_error", async () => {
  await using visit = await site.visit({ ...desktop, scripts: false });
  const page = await visit.go("/ui/people/new");
  await page.getByLabel("Name").fill("Apátrida");
  await page.getByRole("button", { name: "Add person" }).click();
  assert.match(await fieldError(page, "Place"), /^A living person needs a place/);
  await page.getByLabel("Alive").uncheck();
  await page.getByRole("button", { name: "Add person" }).click();
  await page.getByRole("heading", { name: "Apátrida" }).waitFor();
});

test("the_state_of_a_person_stays_on_one_line_on_a_phone", async () => {
  await createPerson("Nombre largo ".repeat(8), { isAlive: false, placeId: 9 });
  for (const width of [320, 390]) {
    await using visit = await site.visit({
      name: `${width} px`,
      width,
      height: 800,
      scripts: true,
    });
    const page = await visit.go("/ui/people?show=isAlive%3Dfalse");
    const state = page.locator(".people .state").first();
    const lines = await state.evaluate(
      (element) => new Set([...element.getClientRects()].map(({ top }) => top)).size,
    );
    assert.equal(lines, 1, `${width} px`);
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    assert.equal(overflow, 0, `${width} px`);
  }
});
