// Tests the pages that show changes over time: the date of a page, the chart, and the comparison of
// places.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import {
  eventually,
  fieldError,
  follow,
  openSite,
  texts,
  visitors,
} from "../../support/browser.ts";

const DAY = 86_400_000;
const living = (id: number, placeId: number, name = `P${id}`) => ({
  id,
  name,
  isAlive: true,
  isKing: false,
  placeId,
});
const site = await openSite({
  places: [
    { id: 1, name: "Uno" },
    { id: 2, name: "Dos" },
    { id: 3, name: "Tres" },
  ],
  people: [living(1, 1, "Ana"), living(2, 1), living(3, 1), living(4, 2), living(5, 2)],
});
after(() => site[Symbol.asyncDispose]());
const { join, db } = site.system;

// Everything so far was ten days ago. Since then, one person died and one moved.
for (const [database, table] of [
  [db.people, "population_history"],
  [db.people, "person_change"],
  [db.places, "place_change"],
] as const) {
  // The change log is append-only.
  await database.rows(`DROP TRIGGER IF EXISTS ${table}_is_never_updated`);
  await database.rows(`UPDATE ${table} SET at = at - ${10 * DAY}`);
}
await join.send("PATCH", "/v1/people/1", { isAlive: false });
await join.send("PATCH", "/v1/people/2", { placeId: 3 });

const daysAgo = (days: number) => new Date(Date.now() - days * DAY).toISOString().slice(0, 10);
const totals = (page: Page) => texts(page.locator(".totals > div"));
const rows = (page: Page) => texts(page.locator(".ranking tbody th"));

for (const visitor of visitors) {
  test(`the_overview_shows_a_date_in_the_past: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    assert.deepEqual((await totals(page)).slice(1, 3), ["living\n4", "dead\n1"]);
    assert.deepEqual(await rows(page), ["Dos", "Tres", "Uno"]);
    await page.getByLabel("As of").fill(daysAgo(5));
    if (!visitor.scripts) await page.getByRole("button", { name: "Show" }).click();
    await page.getByText(`3 places, as of ${daysAgo(5)}`).waitFor();
    assert.deepEqual(await rows(page), ["Uno", "Dos", "Tres"]);
    assert.match(page.url(), new RegExp(`asOf=${daysAgo(5)}`));
    const past = ["places now\n3", "living\n5", "dead\n0", "dead without a place\n0"];
    await eventually(async () => assert.deepEqual(await totals(page), past));
    await page.reload();
    assert.deepEqual(await totals(page), past);
    assert.match(await page.title(), new RegExp(`^Population by place, as of ${daysAgo(5)} `));
    const csv = page.locator(".export").getByRole("link", { name: "CSV" }).first();
    assert.match((await csv.getAttribute("href")) ?? "", new RegExp(`asOf=${daysAgo(5)}`));
    await page.goto("/?asOf=2999-01-01");
    assert.match(await fieldError(page, "As of"), /not in the future/);
    await page.goto("/?asOf=2026-11");
    assert.match(await fieldError(page, "As of"), /^Enter a date such as/);
  });

  test(`a_place_shows_a_date_in_the_past_and_a_chart: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/places/1");
    const chart = page.getByRole("img", { name: /^Number of people from/ });
    const text = await chart.locator("desc").textContent();
    assert.match(text ?? "", /living: from 0 to 1\. dead: from 0 to 1\. /);
    const box = await chart.boundingBox();
    assert.ok(box && box.width > visitor.width / 2 && box.height > 100);
    await page.getByText("Numbers of the chart").click();
    const numbers = await texts(page.locator("details tbody tr"));
    assert.equal(numbers.length, 31);
    assert.match(numbers[0] ?? "", /^[\d-]{10}\s+1\s+1$/);
    assert.match(numbers[5] ?? "", /^[\d-]{10}\s+3\s+0$/);
    assert.match(numbers[20] ?? "", /^[\d-]{10}\s+0\s+0$/);

    await page.getByRole("link", { name: "30 weeks" }).click();
    await page.waitForURL(/step=week/);
    await page.getByLabel("As of").fill(daysAgo(5));
    await page.getByRole("button", { name: "Go to date" }).click();
    await page.getByText(`As of ${daysAgo(5)}:`).waitFor();
    assert.deepEqual(await totals(page), ["living\n3", "dead\n0", "king\nnone"]);
    assert.match(page.url(), /step=week/);
    // A filter of people keeps the date.
    await page.getByLabel("State").selectOption("Dead");
    if (!visitor.scripts) await page.getByRole("button", { name: "Show" }).click();
    await page.locator(".range", { hasText: /^1 person$/ }).waitFor();
    assert.match(page.url(), /asOf=.*show=|show=.*asOf=/);
  });

  test(`places_are_compared_in_one_chart: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/places/1?step=month&asOf=${daysAgo(5)}`);
    await page.getByRole("link", { name: "Compare places" }).click();
    await page.waitForURL(/step=month&asOf=/);
    assert.equal(await page.getByLabel("As of").inputValue(), daysAgo(5));
    await page.goto("/ui/compare?ids=1");
    await page.getByLabel("Add a place").fill("tres");
    await follow(page.getByRole("button", { name: "Show" }));
    const text = () => page.locator(".chart desc").textContent();
    assert.equal(await text(), "Uno: from 0 to 1. Tres: from 0 to 1. ");
    const dashes = await page
      .locator(".chart polyline")
      .evaluateAll((lines) => lines.map((line) => getComputedStyle(line).strokeDasharray));
    assert.equal(new Set(dashes).size, 2, "lines differ in more than their colour");
    await page.getByLabel("Uno").uncheck();
    await page.getByLabel("Period").selectOption("30 weeks");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForURL(/step=week/);
    assert.equal(await text(), "Tres: from 0 to 1. ");
    await page.getByLabel("Add a place").fill("Ningures");
    await page.getByRole("button", { name: "Show" }).click();
    assert.match(await fieldError(page, "Add a place"), /^There is no place/);
    await page.goto("/ui/compare");
    assert.equal(await text(), "Uno: from 0 to 1. Dos: from 0 to 2. Tres: from 0 to 1. ");
    await page.getByRole("link", { name: "Dos", exact: true }).click();
    await page.getByRole("heading", { name: "Dos" }).waitFor();
  });
}

test("an_invalid_filter_shows_its_error_while_the_user_types", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/");
  const date = page.getByLabel("As of");
  const error = async () => (await page.locator("#asOf-error").allTextContents()).join();
  await date.fill("2999-01-01");
  await eventually(async () =>
    assert.equal(await error(), "Enter a date that is not in the future."),
  );
  assert.equal(await date.getAttribute("aria-invalid"), "true");
  assert.equal(await date.getAttribute("aria-describedby"), "asOf-error");
  assert.match((await page.getByRole("status").textContent()) ?? "", /^Enter a date .* 3 places$/);
  await date.fill(daysAgo(5));
  await eventually(async () => assert.equal(await error(), ""));
  assert.equal(await date.getAttribute("aria-invalid"), null);
  const least = page.getByLabel("At least this many living");
  await least.fill("0");
  const text = "Enter a whole number from 1.";
  await eventually(async () => assert.deepEqual(await texts(page.locator(".error")), [text]));
  await least.fill("3");
  await eventually(async () => assert.deepEqual(await texts(page.locator(".error")), []));
});

test("recent_changes_are_listed_newest_first", async () => {
  for (const visitor of visitors) {
    const name = `Nueva ${visitor.name}`;
    const added = await join.send("POST", "/v1/people", { name, isAlive: false });
    await join.request("DELETE", `/v1/people/${added.json.id}`);
    const place = await join.send("POST", "/v1/places", { name });
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    await follow(page.getByRole("link", { name: "Changes" }));
    const sentences = await texts(page.locator(".history li"));
    const [first, second, third] = sentences.map((text) => text.replace(/^.* UTC /, ""));
    assert.deepEqual(
      [first, second, third],
      [`added place ${name}`, `removed person ${name}`, `added person ${name}`],
    );
    await join.send("PATCH", "/v1/people/4", { placeId: 3, isAlive: false });
    await join.send("PATCH", `/v1/places/${place.json.id}`, { name: `${name} II` });
    await join.send("PATCH", "/v1/people/4", { placeId: 2, isAlive: true });
    await page.reload();
    const later = await texts(page.locator(".history li"));
    assert.deepEqual(
      later.slice(0, 3).map((text) => text.replace(/^.* UTC /, "")),
      [
        "P4 moved from Tres to Dos, recorded as alive",
        `${name} II renamed from “${name}” to “${name} II”`,
        "P4 moved from Dos to Tres, died",
      ],
    );
    assert.equal(
      await page.getByRole("link", { name: "Changes", exact: true }).getAttribute("aria-current"),
      "page",
    );
    await page.getByRole("link", { name, exact: true }).first().click();
    await page.waitForURL(`**/ui/places/${place.json.id}`);
  }
  // More changes than fit on the page: the latest ones are shown.
  const lines = Array.from(
    { length: 60 },
    (_, at) => `{"name":"Serie ${100 + at}","isAlive":false}\n`,
  );
  const type = { "content-type": "application/x-ndjson" };
  await join.request("POST", "/v1/people/import", type, lines.join(""));
  await using visit = await site.visit();
  const page = await visit.go("/ui/changes");
  const items = await texts(page.locator(".history li"));
  assert.equal(items.length, 50);
  assert.match(items[0] ?? "", /added person Serie 159$/);
  assert.match(items[49] ?? "", /added person Serie 110$/);
});
