// Tests the import page: trial, import, report and progress. Also tests the download links of
// exports.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { count, fieldError, follow, openSite, texts, visitors } from "../../support/browser.ts";
import { peopleCsvHeader } from "../../support/declared_fields.ts";

const places = [{ id: 1, name: "Uno" }];
const site = await openSite({ places });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

function csv(lines: string[]) {
  return { name: "file.csv", mimeType: "text/csv", buffer: Buffer.from(`${lines.join("\n")}\n`) };
}

/** The counts in the import report, by their labels. */
async function readCounts(page: Page): Promise<Record<string, number>> {
  await page.getByRole("heading", { name: "Result" }).waitFor();
  const rows = await texts(page.locator(".totals > div"));
  const counts = rows.map((row) => row.replaceAll(",", "").split("\n"));
  return Object.fromEntries(counts.map(([label, count]) => [label, Number(count)]));
}

async function countPeople(): Promise<number> {
  return Number((await join.get("/v1/people?count=exact&limit=1")).headers["x-total-count"]);
}

for (const visitor of visitors) {
  test(`a_file_can_be_tried_corrected_and_imported: ${visitor.name}`, async () => {
    const before = await countPeople();
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    await page.getByRole("link", { name: "Import" }).click();
    await page.getByRole("button", { name: "Check file" }).click();
    assert.match(await fieldError(page, "File"), /^Choose a file/);

    const lines = [
      "name,isAlive,placeId",
      `Ana ${visitor.name},true,1`,
      "Benito <i>,true,77",
      "Cruz,false,",
    ];
    await page.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
    await page.getByRole("button", { name: "Check file" }).click();
    assert.deepEqual(await readCounts(page), {
      read: 3,
      "would be added": 0,
      "would be changed": 0,
      unchanged: 0,
      "imported before": 0,
      invalid: 1,
      "valid but would not be imported": 2,
    });
    await page.getByRole("button", { name: "Import the 2 valid lines" }).waitFor();
    assert.equal(await count(page.getByRole("button", { name: "Import file" })), 0);
    const refusals = await texts(page.locator(".refusals tbody tr"));
    assert.match(refusals.join(), /^3\t.*place.*77/);
    assert.equal(await countPeople(), before);

    const corrected = lines.with(2, "Benito,true,1").join("\n");
    await page.getByLabel("Text of the file").fill(corrected);
    await page.getByRole("button", { name: "Check again" }).click();
    await page.getByText("This was a check. Nothing was changed.").waitFor();
    assert.equal((await readCounts(page))["would be added"], 3);
    assert.equal(await countPeople(), before);
    await page.getByRole("button", { name: "Import file" }).click();
    await page.getByRole("heading", { name: "Import", exact: true }).waitFor();
    assert.equal((await readCounts(page)).added, 3);
    assert.equal(await countPeople(), before + 3);
  });
}

for (const visitor of visitors) {
  test(`a_file_is_imported_again_only_by_choice: ${visitor.name}`, async () => {
    const before = await countPeople();
    const addedCount = async () => (await countPeople()) - before;
    // After a double click the first request continues although its response is not shown.
    const waitForAdded = async (page: Page, count: number) => {
      for (let tries = 0; (await addedCount()) < count && tries < 50; tries += 1) {
        await page.waitForTimeout(20);
      }
      assert.equal(await addedCount(), count);
    };
    const name = `Otra vez ${visitor.name}`;
    const lines = ["name,isAlive,placeId", `${name},true,1`, `${name},true,1`];
    await using visit = await site.visit(visitor);
    const send = async (button: string) => {
      const page = await visit.go("/ui/import");
      // The browser changes the line breaks, which does not make it another file.
      await page.getByLabel("Or paste it here").fill(lines.join("\n"));
      await page.getByRole("button", { name: button }).click();
      return { page, counts: await readCounts(page) };
    };
    /** Reloads the report, which sends its form again unless a script prevents that. */
    const reload = async (page: Page) => {
      await page.reload();
      if (visitor.scripts) await page.getByRole("button", { name: "Import file" }).waitFor();
      else assert.equal((await readCounts(page))["imported before"], 2);
    };

    const first = await visit.go("/ui/import");
    await first.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
    await first.getByRole("button", { name: "Import file" }).dblclick();
    await readCounts(first);
    await waitForAdded(first, 2);

    const trial = await send("Check file");
    assert.equal(trial.counts["imported before"], 2);
    await trial.page.getByText("What was imported before would not be added again.").waitFor();
    const { page, counts } = await send("Import file");
    assert.deepEqual([counts.added, counts["imported before"]], [0, 2]);
    await page.getByText("What was imported before was not added again.").waitFor();
    await reload(page);
    assert.equal(await addedCount(), 2);
    await send("Import file");
    await page.getByRole("button", { name: "Import again" }).dblclick();
    await readCounts(page);
    await waitForAdded(page, 4);
    // A reload does not import again even if the records have changed.
    const found = await join.get(`/v1/people?name=${encodeURIComponent(name)}`);
    const { id } = found.json.at(-1);
    await join.send("PATCH", `/v1/people/${id}`, { name: "Changed" });
    await reload(page);
    assert.equal(await addedCount(), 4);

    const checkedPage = await visit.go("/ui/import");
    await checkedPage.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
    await checkedPage.getByLabel("Add everything again, even what was imported before").check();
    await checkedPage.getByRole("button", { name: "Check file" }).click();
    assert.equal((await readCounts(checkedPage))["would be added"], 2);
    await checkedPage.getByRole("button", { name: "Import file" }).click();
    assert.equal((await readCounts(checkedPage)).added, 2);
    assert.equal(await addedCount(), 6);
  });
}

test("pasted_places_are_imported_and_updated_by_id", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  await page.getByLabel("Contents").selectOption("Places");
  await page.getByLabel("Or paste it here").fill('{"id":1,"name":"Uno II"}\n{"name":"Dos"}');
  await page.getByLabel("What the file does").selectOption("Adds and updates by id");
  await page.getByRole("button", { name: "Import file" }).click();
  const counts = await readCounts(page);
  assert.deepEqual([counts.added, counts.changed, counts.invalid], [1, 1, 0]);
  assert.equal((await join.get("/v1/places/1")).json.name, "Uno II");
});

for (const visitor of visitors) {
  test(`a_file_changes_given_columns_and_adds_places_by_choice: ${visitor.name}`, async () => {
    const person = { name: `Mudable ${visitor.name}`, isAlive: true, placeId: 1 };
    const { id } = (await join.send("POST", "/v1/people", person)).json;
    const villa = `Villa ${visitor.name}`;
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/import");
    const mode = page.getByLabel("What the file does");
    await mode.selectOption("Changes given columns by id");
    await page.getByLabel("Add places that do not exist").check();
    // The choices survive an error.
    await page.getByLabel("Or paste it here").fill("surname,age\nx,1");
    await follow(page.getByRole("button", { name: "Check file" }));
    assert.equal(await mode.inputValue(), "patch");
    assert.equal(await page.getByLabel("Add places that do not exist").isChecked(), true);
    await page.getByLabel("Or paste it here").fill("");
    const file = csv(["id,place", `${id},${villa}`]);
    await page.getByLabel("File", { exact: true }).setInputFiles(file);
    await page.getByRole("button", { name: "Check file" }).click();
    const check = await readCounts(page);
    assert.deepEqual([check["would be changed"], check["places would be added"]], [1, 1]);
    assert.equal((await join.get(`/v1/people/${id}`)).json.placeId, 1);
    await follow(page.getByRole("button", { name: "Import file" }));
    const result = await readCounts(page);
    assert.deepEqual([result.changed, result["places added"], result.invalid], [1, 1, 0]);
    const changed = (await join.get(`/v1/people/${id}?expand=place`)).json;
    assert.deepEqual([changed.name, changed.place.name], [person.name, villa]);
  });

  test(`a_missing_place_can_be_added_from_the_report: ${visitor.name}`, async () => {
    const aldea = `Aldea ${visitor.name}`;
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/import");
    const lines = ["name,isAlive,place", `Aldeana ${visitor.name},yes,${aldea}`];
    await page.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
    await page.getByRole("button", { name: "Check file" }).click();
    await page.getByText(`There is no place “${aldea}”. Choose another place, or tick`).waitFor();
    await page.getByLabel("Add places that do not exist").check();
    await follow(page.getByRole("button", { name: "Check again" }));
    assert.equal((await readCounts(page))["would be added"], 1);
    await follow(page.getByRole("button", { name: "Import file" }));
    assert.equal((await readCounts(page)).added, 1);
    const { json } = await join.get(`/v1/places?name=${encodeURIComponent(aldea)}`);
    assert.equal(json.length, 1);
  });
}

for (const visitor of visitors) {
  test(`the_report_names_the_valid_lines_that_are_not_imported: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/import");
    const lines = Array.from({ length: 30_000 }, (_, at) => `Tanda ${visitor.name} ${at},no,`);
    const file = csv(["name,isAlive,placeId", ...lines.with(15_000, "Tanda,yes,77")]);
    await page.getByLabel("File", { exact: true }).setInputFiles(file);
    await page.getByRole("button", { name: "Import file" }).click();
    const counts = await readCounts(page);
    assert.deepEqual(
      [counts.added, counts.invalid, counts["valid but not imported"]],
      [20_000, 1, 9_999],
    );
    await page.getByText("9,999 valid lines were not imported, because").waitFor();
    await page.getByText(": lines 10,002 to 20,001. Fix the invalid lines").waitFor();
    // The progress keeps the batch that was not imported, and ends with the whole file.
    assert.deepEqual(await texts(page.locator(".progress li:visible")), [
      "Lines 10,002 to 20,001 of 30,001: not imported because of invalid lines",
      "All 30,001 lines read",
    ]);
    assert.equal(await count(page.locator("progress:visible")), 1);
  });

  test(`people_without_a_state_are_announced_before_they_are_imported_as_dead: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/import");
    await page
      .getByLabel("Or paste it here")
      .fill(`name,place\nSin ${visitor.name},\nCon ${visitor.name},`);
    await follow(page.getByRole("button", { name: "Check file" }));
    await page
      .getByText("The file has no column isAlive: 2 people would be recorded as dead")
      .waitFor();
    await follow(page.getByRole("button", { name: "Import file" }));
    await page.getByText("The file has no column isAlive: 2 people are recorded as dead").waitFor();
  });
}

test("a_check_of_a_large_file_leads_to_the_form_with_the_same_choices", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  await page.getByLabel("What the file does").selectOption("Adds and updates by id");
  await page.getByLabel("Add places that do not exist").check();
  const lines = Array.from({ length: 30_000 }, (_, at) => `${at + 900_000},Grande ${at},no`);
  await page.getByLabel("File", { exact: true }).setInputFiles(csv(["id,name,isAlive", ...lines]));
  await page.getByRole("button", { name: "Check file" }).click();
  assert.equal((await readCounts(page))["would be added"], 30_000);
  await follow(page.getByRole("link", { name: "Choose the file again" }));
  assert.equal(await page.getByLabel("What the file does").inputValue(), "upsert");
  assert.equal(await page.getByLabel("Add places that do not exist").isChecked(), true);
});

test("a_workbook_gets_a_message_and_its_bytes_are_not_shown", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  const buffer = Buffer.from("PK\u0003\u0004binary");
  const file = { name: "people.xlsx", mimeType: "application/octet-stream", buffer };
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "Check file" }).click();
  assert.match(await fieldError(page, "File"), /^This is a spreadsheet.*“CSV UTF-8”/);
  assert.equal(await page.getByLabel("Or paste it here").inputValue(), "");
});

test("a_place_that_is_twice_in_a_file_names_the_first_line", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  await page.getByLabel("Contents").selectOption("Places");
  await page.getByLabel("Or paste it here").fill("name\nNueva A\nnueva a\nNUEVA A");
  await page.getByRole("button", { name: "Check file" }).click();
  await page.getByText("name: Line 2 has the same name. Each place needs its own name.").waitFor();
  const rows = await texts(page.locator(".refusals tbody th"));
  assert.deepEqual(rows, ["3, 4"]);
});

test("a_malformed_file_is_shown_again_with_its_error", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  const lines = ["surname,age", "x,1"];
  await page.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
  await page.getByRole("button", { name: "Import file" }).click();
  await page.locator(".notice.warning").waitFor();
  assert.equal(await page.getByLabel("Or paste it here").inputValue(), lines.join("\n"));
});

test("a_file_above_the_limit_gives_an_error_page", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  const file = csv(["name", "x".repeat(11 * 1024 * 1024)]);
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "Check file" }).click();
  await page.getByRole("heading", { name: "Too large" }).waitFor();
});

test("the_progress_bar_advances_during_a_large_import", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  const lines = Array.from({ length: 35_000 }, (_, at) => `P${at},true,1`);
  const file = csv(["name,isAlive,placeId", ...lines]);
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  // Collects each value that the progress bar shows.
  await page.addInitScript(() => {
    const values = new Set<number>();
    Object.assign(window, { values });
    new MutationObserver(() => {
      for (const bar of document.querySelectorAll("progress")) values.add(bar.value);
    }).observe(document, { childList: true, subtree: true });
  });
  const before = await countPeople();
  await page.getByRole("button", { name: "Import file" }).click();
  assert.equal((await readCounts(page)).added, 35_000);
  assert.equal(await countPeople(), before + 35_000);
  const values = await page.evaluate(() => [...(window as never as { values: number[] }).values]);
  assert.ok(values.length >= 4, `${values}`);
  assert.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
  );
  const bars = page.locator("progress:visible");
  assert.equal(await count(bars), 1);
  assert.equal(await bars.getAttribute("value"), "35001");
  assert.equal(await count(page.getByLabel("Text of the file")), 1);
});

test("a_report_shows_the_first_lines_and_leads_to_the_new_people", async () => {
  for (const visitor of visitors) {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/import");
    const lines = ["NAME;isAlive", `Vista ${visitor.name};no`, "Otra;no"];
    await page.getByLabel("File", { exact: true }).setInputFiles(csv(lines));
    await page.getByRole("button", { name: "Check file" }).click();
    await page.getByRole("heading", { name: "First lines" }).waitFor();
    const heads = page.getByRole("columnheader");
    assert.deepEqual(await texts(heads), ["NAME", "isAlive"]);
    const cells = page.getByRole("cell");
    assert.deepEqual(await texts(cells), [`Vista ${visitor.name}`, "no", "Otra", "no"]);
    await page.getByRole("button", { name: "Import file" }).click();
    await page.getByRole("link", { name: "See the new people" }).click();
    const first = page.locator("tbody th").first();
    assert.equal(await first.textContent(), "Otra");
  }
});

const people = new RegExp(`^${peopleCsvHeader},placeName\r\n`);
for (const [path, link, name, first] of [
  ["/", 0, "statistics.csv", /^id,name,total,living,dead,share,kingId,kingName\r\n1,/],
  ["/", 1, "statistics.ndjson", /^\{"id":1,"name":"Uno/],
  ["/?asOf=2026-01-31", 0, "statistics-2026-01-31.csv", /^id,name/],
  ["/?q=nothing", 0, "statistics.csv", /^[^\n]*\n#complete/],
  ["/", 2, "people.csv", people],
  ["/ui/people", 0, "people.csv", people],
  ["/ui/people?q=nobody", 0, "people.csv", /^[^\n]*\n#complete/],
  ["/ui/places/1", 1, "people.ndjson", /^\{.*"place":\{"id":1,"name":"Uno/],
  ["/ui/places/1?show=isKing%3Dtrue", 0, "people.csv", /^[^\n]*\n#complete/],
] as const) {
  test(`a_page_offers_a_file_of_what_it_shows: ${path}, ${link}`, async () => {
    await using visit = await site.visit();
    const page = await visit.go(path);
    const downloading = page.waitForEvent("download");
    await page.locator(".export a").nth(link).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), name);
    assert.match(await readFile(await download.path(), "utf8"), first);
  });
}
