// Moves, buries and removes the people who are ticked in a list, on desktop and phone, with and
// without scripts.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import {
  count,
  desktop,
  fieldError,
  follow,
  openSite,
  texts,
  visitors,
} from "../../support/browser.ts";
import { bearer, tokenHash } from "../../support/tokens.ts";

const site = await openSite({
  places: [
    { id: 1, name: "Uno" },
    { id: 2, name: "Dos" },
  ],
});
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

/** Creates living people, whose names begin with the same word, in place 1. Returns their ids. */
async function createPeople(word: string, names: string[], fields: object = {}): Promise<number[]> {
  const body = names.map((name) => ({
    op: "create",
    body: { name: `${word} ${name}`, isAlive: true, placeId: 1, ...fields },
  }));
  const { json } = await join.send("POST", "/v1/people/batch", body);
  return json.map(({ id }: { id: number }) => id);
}

const read = async (id: number) => (await join.get(`/v1/people/${id}`)).json;

async function tick(page: Page, names: string[]): Promise<void> {
  for (const name of names) await page.getByRole("checkbox", { name, exact: true }).check();
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

for (const [index, visitor] of visitors.entries()) {
  const word = `Grupo${index}`;
  const [ana, bea, carlos, dora] = ["Ana", "Bea", "Carlos", "Dora"].map(
    (name) => `${word} ${name}`,
  ) as [string, string, string, string];

  test(`ticked_people_are_moved_buried_and_removed: ${visitor.name}`, async () => {
    const ids = await createPeople(word, ["Ana", "Bea", "Carlos", "Dora"]);
    const [anaId, beaId, carlosId, doraId] = ids as [number, number, number, number];
    await join.send("PATCH", `/v1/people/${anaId}`, { isKing: true });
    await using visit = await site.visit(visitor);
    const list = `/ui/people?q=${word}&limit=25`;
    const page = await visit.go(list);

    await follow(button(page, "Move"));
    await page.getByText("Nobody is ticked. Tick the boxes of some people first.").waitFor();
    assert.equal(await page.getByLabel("Search").inputValue(), word);

    await tick(page, [ana, bea, carlos]);
    await follow(button(page, "Move"));
    await page.getByRole("heading", { name: "Move 3 people", exact: true }).waitFor();
    await page.getByText(`A king who moves loses the crown: ${ana}.`).waitFor();
    await page.getByLabel("Move to").fill("Ningures");
    await follow(button(page, "Move 3 people"));
    assert.equal(
      await fieldError(page, "Move to"),
      "There is no place with this name. Choose another.",
    );
    await page.getByLabel("Move to").fill("uno");
    await follow(button(page, "Move 3 people"));
    assert.match(
      await fieldError(page, "Move to"),
      /^They lived in this place when the page was opened/,
    );
    await page.getByLabel("Move to").fill("dos");
    await follow(button(page, "Move 3 people"));
    await page.getByText("Moved 3 people to Dos.").waitFor();
    assert.match(page.url(), new RegExp(`/ui/people\\?q=${word}&`));
    assert.deepEqual(
      (await Promise.all(ids.map(read))).map(({ placeId, isKing }) => [placeId, isKing]),
      [
        [2, false],
        [2, false],
        [2, false],
        [1, false],
      ],
    );

    await tick(page, [bea, carlos]);
    await follow(button(page, "Record death"));
    await page.getByRole("heading", { name: "Record the death of 2 people?" }).waitFor();
    assert.deepEqual(await texts(page.locator(".selected a")), [bea, carlos]);
    await follow(button(page, "Record the death of 2 people"));
    await page.getByText("Recorded the death of 2 people.").waitFor();
    assert.deepEqual(
      (await Promise.all(ids.map(read))).map(({ isAlive }) => isAlive),
      [true, false, false, true],
    );

    // A list of one place, which it returns to.
    await visit.go(`/ui/places/2?q=${word}`);
    await tick(page, [ana, bea]);
    await follow(button(page, "Record death"));
    await page.getByText(`Dead already: ${bea}.`).waitFor();
    await follow(page.getByRole("link", { name: "Cancel" }));
    await tick(page, [ana, bea, carlos]);
    await follow(button(page, "Remove"));
    await page.getByRole("heading", { name: "Remove 3 people?" }).waitFor();
    await follow(button(page, "Remove 3 people"));
    await page.getByText("Removed 3 people.").waitFor();
    await page.getByRole("heading", { name: "Dos" }).waitFor();
    const statuses = ids.map(async (id) => (await join.get(`/v1/people/${id}`)).status);
    assert.deepEqual(await Promise.all(statuses), [404, 404, 404, 200]);
    assert.equal((await read(doraId)).name, dora);
    // All of them are one batch.
    const histories = [beaId, carlosId].map((id) => join.get(`/v1/people/${id}/history`));
    const batches = (await Promise.all(histories)).map(({ json }) => json.at(-1).batch);
    assert.equal(batches[0], batches[1]);
  });

  test(`a_person_who_was_changed_meanwhile_is_reported_and_nobody_is_changed: ${visitor.name}`, async () => {
    const other = `Otro${index}`;
    const ids = await createPeople(other, ["Ana", "Bea", "Carlos"]);
    const [anaId, beaId, carlosId] = ids as [number, number, number];
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/people?q=${other}`);
    await tick(page, [`${other} Ana`, `${other} Bea`, `${other} Carlos`]);
    await follow(button(page, "Record death"));
    await join.send("PATCH", `/v1/people/${beaId}`, { placeId: 2 });
    await join.request("DELETE", `/v1/people/${carlosId}`);
    await follow(button(page, "Record the death of 3 people"));
    await page.getByText("Nothing was changed. Look at the reasons next to the names.").waitFor();
    const bea = page.locator(".selected li", { hasText: `${other} Bea` });
    assert.match(
      (await bea.textContent()) ?? "",
      /in DosSomebody else has changed this person\. This page shows the new state\.$/,
    );
    await page
      .getByText(`${other} Carlos: Somebody else has removed this person.`, { exact: true })
      .waitFor();
    assert.equal((await read(anaId)).isAlive, true);
    await follow(button(page, "Record the death of 2 people"));
    await page.getByText("Recorded the death of 2 people.").waitFor();
    assert.deepEqual([(await read(anaId)).isAlive, (await read(beaId)).placeId], [false, 2]);
  });
}

test("ticked_people_who_were_removed_meanwhile_are_named", async () => {
  const word = "Ausente";
  const names = ["Ana", "Bea", "Carlos"].map((name) => `${word} ${name}`);
  const ids = await createPeople(word, ["Ana", "Bea", "Carlos"]);
  const [anaId, beaId, carlosId] = ids as [number, number, number];
  await using visit = await site.visit();
  const page = await visit.go(`/ui/people?q=${word}`);
  await tick(page, names);
  for (const id of [beaId, carlosId]) await join.request("DELETE", `/v1/people/${id}`);
  await follow(button(page, "Move"));
  await page.getByRole("heading", { name: "Move 1 person" }).waitFor();
  const notice = page.getByRole("alert");
  assert.equal(
    await notice.textContent(),
    `2 of the 3 ticked people were removed meanwhile: ${names[1]}, ${names[2]}.`,
  );
  const link = notice.getByRole("link", { name: names[2] });
  assert.equal(await link.getAttribute("href"), `/ui/people/${carlosId}`);
  await join.request("DELETE", `/v1/people/${anaId}`);
  await page.reload();
  await page.getByText("3 of the 3 ticked people were removed meanwhile").waitFor();
  await page.getByText("There is nothing to do for these people.").waitFor();
});

test("a_double_click_changes_the_ticked_people_once", async () => {
  for (const scripts of [true, false]) {
    const word = `Doble${scripts}`;
    const ids = await createPeople(word, ["Ana", "Bea"]);
    await using visit = await site.visit({ ...desktop, scripts });
    const page = await visit.go(`/ui/people?q=${word}`);
    await tick(page, [`${word} Ana`, `${word} Bea`]);
    await follow(button(page, "Move"));
    await page.getByLabel("Move to").fill("Dos");
    await button(page, "Move 2 people").dblclick();
    await page.getByText("Moved 2 people to Dos.").waitFor();
    for (const id of ids) {
      const { json } = await join.get(`/v1/people/${id}/history`);
      assert.equal(json.length, 2);
    }
  }
});

test("the_ticked_people_are_changed_after_a_token_is_entered", async () => {
  const token = "a-token-that-may-write";
  await using closed = await openSite({
    seed: true,
    gatewaySettings: { TOKENS: `write:anna:${tokenHash(token)}` },
  });
  for (const visitor of visitors) {
    const name = `Llave ${visitor.name}`;
    const person = { name, isAlive: true, placeId: 1 };
    await closed.system.join.send("POST", "/v1/people", person, bearer(token));
    await using visit = await closed.visit(visitor);
    const page = await visit.go(`/ui/people?q=${encodeURIComponent(name)}&sort=id`);
    await tick(page, [name]);
    await follow(button(page, "Remove"));
    await page.getByLabel("Token").fill("a-token-that-is-guessed");
    await follow(button(page, "Remove 1 person"));
    assert.match(await fieldError(page, "Token"), /not valid here/);
    await page.getByLabel("Token").fill(token);
    await follow(button(page, "Remove 1 person"));
    await page.getByText("Removed 1 person.").waitFor();
  }
});

test("the_boxes_of_a_list_fit_a_phone", async () => {
  const word = "Ancho";
  await createPeople(word, ["Nombre largo ".repeat(8), "Corto", `${"Nombre".repeat(20)}`]);
  for (const width of [320, 390]) {
    await using visit = await site.visit({ ...desktop, width, name: `${width} px` });
    const page = await visit.go(`/ui/people?q=${word}`);
    const boxes = await page.getByRole("checkbox").all();
    assert.equal(boxes.length, 3);
    for (const [index, box] of boxes.entries()) {
      await box.check();
      const name = page.locator("tbody tr").nth(index).getByRole("link").first();
      const [left, right] = [await box.boundingBox(), await name.boundingBox()];
      assert.ok(left && right && left.x + left.width < right.x, `${width} px: the box is beside`);
    }
    assert.equal(await count(page.getByRole("table")), 1);
    const overflow = "document.documentElement.scrollWidth - innerWidth";
    assert.equal(await page.evaluate(overflow), 0, `${width} px`);
    await follow(button(page, "Record death"));
    assert.equal(await page.evaluate(overflow), 0, `${width} px`);
  }
});
