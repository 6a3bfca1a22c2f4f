// What is done to people: each in a journey, by every kind of visitor.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { desk, open, visitors, wrong } from "../../support/browser.ts";

const places = visitors.map((_, at) => ({ id: at + 1, name: `Lugar ${at + 1}` }));
const site = await open({ places: [...places, { id: 9, name: "Más allá" }] });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

/** Somebody of the place 9, or of what is given. */
async function somebody(name: string, more: object = {}): Promise<number> {
  const person = { name, isAlive: true, placeId: 9, ...more };
  return (await join.send("POST", "/v1/people", person)).json.id;
}

for (const [at, visitor] of visitors.entries()) {
  test(`${visitor.name} a person is added, moved, crowned, buried and removed`, async () => {
    const home = `Lugar ${at + 1}`;
    const king = await somebody(`Rey ${at}`, { placeId: at + 1, isKing: true });
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people");
    await page.getByRole("link", { name: "Add a person" }).click();
    await page.getByLabel("Name").fill("Óscar <b>");
    await page.getByLabel("Place", { exact: true }).fill("Ningures");
    await page.getByRole("button", { name: "Add the person" }).click();
    assert.equal(await wrong(page, "Place"), "There is no place with this name. Choose another.");
    assert.equal(await page.getByLabel("Name").inputValue(), "Óscar <b>");
    assert.equal(await page.getByLabel("Place", { exact: true }).inputValue(), "Ningures");
    await page.getByLabel("Place", { exact: true }).fill("MÁS allá");
    await page.getByRole("button", { name: "Add the person" }).click();
    await page.getByRole("heading", { name: "Óscar <b>" }).waitFor();
    const id = page.url().match(/people\/(\d+)/)?.[1];

    await page.getByRole("link", { name: "Change or move" }).click();
    await page.getByLabel("Name").fill("Óscar");
    await page.getByLabel("Place", { exact: true }).fill(`#${at + 1}`);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved Óscar.").waitFor();
    await page.getByRole("heading", { name: "Óscar", exact: true }).waitFor();

    await page.getByRole("button", { name: "Crown" }).click();
    await page.getByText(`The place has a king already, Rey ${at}.`).waitFor();
    await page.getByLabel(`Take the crown from Rey ${at}`).check();
    await page.getByRole("button", { name: "Crown" }).click();
    await page.getByText("Crowned Óscar.").waitFor();
    assert.equal((await join.get(`/v1/people/${king}`)).json.isKing, false);

    await page.getByRole("button", { name: "Take the crown" }).click();
    await page.getByText("Removed the crown from Óscar.").waitFor();
    await page.getByRole("button", { name: "Bury" }).click();
    await page.getByText("Recorded the death of Óscar.").waitFor();
    const facts = await page.locator(".totals > div").allInnerTexts();
    assert.deepEqual(facts, ["state\n† dead", `place\n${home}`, `number\n${id}`]);
    const history = await page.locator(".history li").allInnerTexts();
    assert.deepEqual(
      history.map((entry) => entry.replace(/^.* UTC /, "")),
      [
        "died",
        "lost the crown",
        "was crowned",
        `renamed from “Óscar <b>” to “Óscar”, moved from Más allá to ${home}`,
        "added as “Óscar <b>”, alive, of Más allá",
      ],
    );

    await page.getByRole("link", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove from the register" }).click();
    await page.getByText("Removed the person.").waitFor();
    assert.equal((await join.get(`/v1/people/${id}`)).status, 404);
    assert.equal((await page.goto(`/ui/people/${id}`))?.status(), 404);
  });

  test(`${visitor.name} a king is in the way of an edit, until deposed`, async () => {
    const placeId = at + 1;
    await somebody("Otro", { placeId });
    const { json } = await join.get(`/v1/people?placeId=${placeId}&isKing=true`);
    const king = json[0]?.name ?? "Reina";
    if (!json[0]) await somebody(king, { placeId, isKing: true });
    const id = await somebody("Aspirante");
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/people/${id}/edit`);
    await page.getByLabel("Place", { exact: true }).fill(`lugar ${placeId}`);
    await page.getByLabel("King of the place").check();
    await page.getByRole("button", { name: "Save" }).click();
    assert.match(await wrong(page, "King of the place"), /has a king already/);
    assert.equal(await page.getByLabel("Place", { exact: true }).inputValue(), `lugar ${placeId}`);
    assert.equal(await page.getByLabel("Take the crown").count(), 0);
    await page.getByText("save it without the crown, then crown.").waitFor();
    await page.getByLabel("King of the place").uncheck();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved Aspirante.").waitFor();
    await page.getByRole("link", { name: "Change or move" }).click();
    await page.getByLabel("King of the place").check();
    await page.getByRole("button", { name: "Save" }).click();
    assert.match(await wrong(page, "King of the place"), /has a king already/);
    await page.getByLabel(`Take the crown from ${king}`).check();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved Aspirante.").waitFor();
    assert.deepEqual((await join.get(`/v1/people/${id}`)).json.isKing, true);
  });

  test(`${visitor.name} of two who change a person the later hears of the earlier`, async () => {
    const id = await somebody("Disputada");
    await using visit = await site.visit(visitor);
    const [one, other] = [visit.page, await visit.context.newPage()];
    for (const page of [one, other]) await page.goto(`/ui/people/${id}/edit`);
    await one.getByLabel("Name").fill("De una");
    await one.getByRole("button", { name: "Save" }).click();
    await one.getByText("Saved De una.").waitFor();
    await other.getByLabel("Name").fill("De otra");
    const refused = other.waitForResponse((answer) => answer.status() === 412);
    await other.getByRole("button", { name: "Save" }).click();
    await refused;
    await other.getByText("Somebody has changed this meanwhile.").waitFor();
    await other.getByText("By now: De una, ● alive, of Más allá.").waitFor();
    assert.equal(await other.getByLabel("Name").inputValue(), "De otra");
    assert.equal((await join.get(`/v1/people/${id}`)).json.name, "De una");
    const focused = await other.evaluate(() => document.activeElement?.textContent);
    assert.match(focused ?? "", /^Somebody has changed/);
    await other.getByRole("button", { name: "Save" }).click();
    await other.getByText("Saved De otra.").waitFor();
    assert.equal((await join.get(`/v1/people/${id}`)).json.name, "De otra");
  });

  test(`${visitor.name} a form whose button is pressed twice adds one person`, async () => {
    const name = `Única ${visitor.name}`;
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people/new?placeId=%239");
    const sent: string[] = [];
    page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Add the person" }).dblclick();
    await page.getByRole("heading", { name }).waitFor();
    if (visitor.scripts) assert.equal(sent.length, 1);
    const found = await join.get(`/v1/people?name=${encodeURIComponent(name)}&count=exact`);
    assert.equal(found.headers["x-total-count"], "1");
  });
}

test("who_goes_back_can_send_a_form_again", async () => {
  await using visit = await site.visit(desk);
  const page = await visit.go("/ui/people/new?placeId=%239");
  for (const name of ["Primera", "Segunda"]) {
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Add the person" }).click();
    await page.getByRole("heading", { name }).waitFor();
    await page.goBack();
  }
});

test("the_living_need_a_place", async () => {
  await using visit = await site.visit({ ...desk, scripts: false });
  const page = await visit.go("/ui/people/new");
  await page.getByLabel("Name").fill("Apátrida");
  await page.getByRole("button", { name: "Add the person" }).click();
  assert.match(await wrong(page, "Place"), /^Must be /);
  await page.getByLabel("Alive").uncheck();
  await page.getByRole("button", { name: "Add the person" }).click();
  await page.getByRole("heading", { name: "Apátrida" }).waitFor();
});
