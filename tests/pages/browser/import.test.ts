// Files of many records: tried, imported, reported on, and got back.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { fieldError, openSite, visitors } from "../../support/browser.ts";

const places = [{ id: 1, name: "Uno" }];
const site = await openSite({ places });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

function csv(lines: string[]) {
  return { name: "file.csv", mimeType: "text/csv", buffer: Buffer.from(`${lines.join("\n")}\n`) };
}

/** The counts of the report, by their labels. */
async function report(page: Page): Promise<Record<string, number>> {
  await page.getByRole("heading", { name: "What came of it" }).waitFor();
  const rows = await page.locator(".totals > div").allInnerTexts();
  const counts = rows.map((row) => row.replaceAll("\u202f", "").split("\n"));
  return Object.fromEntries(counts.map(([label, count]) => [label, Number(count)]));
}

async function living(): Promise<number> {
  return Number((await join.get("/v1/people?count=exact&limit=1")).headers["x-total-count"]);
}

for (const visitor of visitors) {
  test(`${visitor.name} a file is tried, mended and imported`, async () => {
    const before = await living();
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    await page.getByRole("link", { name: "Import" }).click();
    await page.getByRole("button", { name: "Try it" }).click();
    assert.match(await fieldError(page, "File"), /^Choose a file/);

    const lines = [
      "name,isAlive,placeId",
      `Ana ${visitor.name},true,1`,
      "Benito <i>,true,77",
      "Cruz,false,",
    ];
    await page.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
    await page.getByRole("button", { name: "Try it" }).click();
    assert.deepEqual(await report(page), {
      read: 3,
      "would be added": 0,
      "would be changed": 0,
      "there already, as they are": 0,
      "imported before": 0,
      refused: 1,
    });
    const refusals = await page.locator(".refusals tbody tr").allInnerTexts();
    assert.match(refusals.join(), /^3\t.*place.*77/);
    assert.equal(await living(), before);

    const mended = lines.with(2, "Benito,true,1").join("\n");
    await page.getByLabel("What was sent").fill(mended);
    await page.getByRole("button", { name: "Try it again" }).click();
    await page.getByText("This was a trial: nothing has been written.").waitFor();
    assert.equal((await report(page))["would be added"], 3);
    assert.equal(await living(), before);
    await page.getByRole("button", { name: "Import it" }).click();
    await page.getByRole("heading", { name: "Import", exact: true }).waitFor();
    assert.equal((await report(page)).added, 3);
    assert.equal(await living(), before + 3);
  });
}

for (const visitor of visitors) {
  test(`${visitor.name} a file is imported again by choice, and never by accident`, async () => {
    const before = await living();
    const added = async () => (await living()) - before;
    // The first of two requests goes on without its reader.
    const settled = async (page: Page, count: number) => {
      for (let tries = 0; (await added()) < count && tries < 50; tries += 1) {
        await page.waitForTimeout(20);
      }
      assert.equal(await added(), count);
    };
    const name = `Otra vez ${visitor.name}`;
    const lines = ["name,isAlive,placeId", `${name},true,1`, `${name},true,1`];
    await using visit = await site.visit(visitor);
    const send = async (button: string) => {
      const page = await visit.go("/ui/import");
      // Sent with line breaks of the browser's own, it is the same file.
      await page.getByLabel("Or paste it here").fill(lines.join("\n"));
      await page.getByRole("button", { name: button }).click();
      return { page, counts: await report(page) };
    };
    /** Sends the report's form once more, as far as no script prevents it. */
    const reload = async (page: Page) => {
      await page.reload();
      if (visitor.scripts) await page.getByRole("button", { name: "Import it" }).waitFor();
      else assert.equal((await report(page))["imported before"], 2);
    };

    const first = await visit.go("/ui/import");
    await first.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
    await first.getByRole("button", { name: "Import it" }).dblclick();
    await report(first);
    await settled(first, 2);

    const trial = await send("Try it");
    assert.equal(trial.counts["imported before"], 2);
    await trial.page.getByText("What was imported before would not be added again.").waitFor();
    const { page, counts } = await send("Import it");
    assert.deepEqual([counts.added, counts["imported before"]], [0, 2]);
    await page.getByText("What was imported before has not been added again.").waitFor();
    await reload(page);
    assert.equal(await added(), 2);
    await send("Import it");
    await page.getByRole("button", { name: "Import again" }).dblclick();
    await report(page);
    await settled(page, 4);
    // Whatever becomes of the records.
    const found = await join.get(`/v1/people?name=${encodeURIComponent(name)}`);
    const { id } = found.json.at(-1);
    await join.send("PATCH", `/v1/people/${id}`, { name: "Changed" });
    await reload(page);
    assert.equal(await added(), 4);

    const ticked = await visit.go("/ui/import");
    await ticked.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
    await ticked.getByLabel("Import again what has been imported before").check();
    await ticked.getByRole("button", { name: "Try it" }).click();
    assert.equal((await report(ticked))["would be added"], 2);
    await ticked.getByRole("button", { name: "Import it" }).click();
    assert.equal((await report(ticked)).added, 2);
    assert.equal(await added(), 6);
  });
}

test("places_are_imported_from_what_is_pasted_and_changed_by_their_ids", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  await page.getByLabel("The file has").selectOption("Places");
  await page.getByLabel("Or paste it here").fill('{"id":1,"name":"Uno II"}\n{"name":"Dos"}');
  await page.getByLabel("Change the records whose id is there already").check();
  await page.getByRole("button", { name: "Import it" }).click();
  const counts = await report(page);
  assert.deepEqual([counts.added, counts.changed, counts.refused], [1, 1, 0]);
  assert.equal((await join.get("/v1/places/1")).json.name, "Uno II");
});

test("a_file_that_cannot_be_read_is_shown_again_with_what_is_wrong", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  const lines = ["surname,age", "x,1"];
  await page.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
  await page.getByRole("button", { name: "Import it" }).click();
  await page.locator(".notice.warning").waitFor();
  assert.equal(await page.getByLabel("Or paste it here").inputValue(), lines.join("\n"));
});

test("a_file_that_is_too_long_is_said_to_be", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  const file = csv(["name", "x".repeat(11 * 1024 * 1024)]);
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "Try it" }).click();
  await page.getByRole("heading", { name: "The body is too long" }).waitFor();
});

test("a_big_file_is_seen_to_progress", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  const lines = Array.from({ length: 35_000 }, (_, at) => `P${at},true,1`);
  const file = csv(["name,isAlive,placeId", ...lines]);
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  // Each state of the bar, as it is drawn.
  await page.addInitScript(() => {
    const seen = new Set<number>();
    Object.assign(window, { seen });
    new MutationObserver(() => {
      for (const bar of document.querySelectorAll("progress")) seen.add(bar.value);
    }).observe(document, { childList: true, subtree: true });
  });
  const before = await living();
  await page.getByRole("button", { name: "Import it" }).click();
  assert.equal((await report(page)).added, 35_000);
  assert.equal(await living(), before + 35_000);
  const seen = await page.evaluate(() => [...(window as never as { seen: number[] }).seen]);
  assert.ok(seen.length >= 4, `${seen}`);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  const bars = page.locator("progress:visible");
  assert.equal(await bars.count(), 1);
  assert.equal(await bars.getAttribute("value"), "35001");
  assert.equal(await page.getByLabel("What was sent").count(), 1);
});

for (const [path, link, name, first] of [
  ["/", "Statistics as CSV", "statistics.csv", /^id,name,total,living,/],
  ["/", "All places as CSV", "places.csv", /^id,name\r\n1,"?Uno/],
  ["/", "All people as CSV", "people.csv", /^id,name,isAlive,placeId,isKing\r\n/],
  ["/ui/people", "All people as CSV", "people.csv", /^id,name,isAlive,placeId,isKing\r\n/],
  ["/ui/places/1", "Its people as CSV", "people.csv", /^id,name,isAlive,placeId,isKing\r\n/],
] as const) {
  test(`${path} lets download ${link}`, async () => {
    await using visit = await site.visit();
    const page = await visit.go(path);
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: link }).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), name);
    assert.match(await readFile(await download.path(), "utf8"), first);
  });
}
