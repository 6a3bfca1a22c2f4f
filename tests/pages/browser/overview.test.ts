// The overview and the list of people: totals, search, order and paging.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import {
  desktop,
  eventually,
  openSite,
  phone,
  type Visitor,
  visitors,
} from "../../support/browser.ts";

const site = await openSite({ seed: true });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

const names = (page: Page) => page.locator("tbody th").allInnerTexts();

type Shift = { value: number };
type Shifting = { shifts: number[] };

/** Checks the names shown after a choice. Without scripts the button submits it. */
async function assertShown(page: Page, visitor: Visitor, expected: string[]): Promise<void> {
  if (!visitor.scripts) await page.getByRole("button", { name: "Show" }).click();
  await eventually(async () => assert.deepEqual(await names(page), expected));
}

type Row = { name: string | null };
/** The names of the rows, except the row of people without a place. */
const namesOf = (rows: Row[]) => rows.flatMap(({ name }) => name ?? []);

/** The names of the places in the order of the API. */
async function expectedNames(query: string): Promise<string[]> {
  const { json } = await join.get(`/v1/statistics/places?limit=25&${query}`);
  return namesOf(json);
}

for (const visitor of visitors) {
  test(`the_overview_shows_totals_and_can_be_searched_ordered_and_paged: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    const totals = await page.locator(".totals > div").allInnerTexts();
    const expected = ["places\n30", "living\n53", "dead\n24", "dead without a place\n7"];
    assert.deepEqual(totals, expected);
    assert.deepEqual(await names(page), await expectedNames("sort=-living"));
    assert.equal(await page.locator(".bar").count(), 25);

    await page.getByLabel("Order").selectOption("Smallest total first");
    await assertShown(page, visitor, await expectedNames("sort=total"));
    await page.getByRole("link", { name: "Next page" }).click();
    await page.waitForURL(/after=/);
    const [, second] = await join.pages("/v1/statistics/places?limit=25&sort=total");
    assert.deepEqual(await names(page), namesOf(second?.json));

    await page.getByLabel("At least this many living").fill("3");
    await assertShown(page, visitor, await expectedNames("sort=total&least=3"));
    await page.getByLabel("At least this many living").fill("");
    await page.getByLabel("Name begins with").fill("VERA");
    await assertShown(page, visitor, ["Veranolandia"]);
    assert.match(page.url(), /[?&]name=VERA/);
    await page.getByRole("link", { name: "Veranolandia" }).click();
    await page.getByRole("heading", { name: "Veranolandia" }).waitFor();
  });

  test(`people_can_be_found_by_name_state_and_place: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people");
    await page.getByLabel("Name begins with").fill("neds");
    await assertShown(page, visitor, []);
    await page.getByLabel("Name begins with").fill("nerf");
    await assertShown(page, visitor, ["Nerf Stack"]);
    await page.getByLabel("Name begins with").fill("");
    await page.getByLabel("State").selectOption("Kings");
    const { json } = await join.get("/v1/people?isKing=true&sort=name");
    const kings: string[] = json.map(({ name }: { name: string }) => name);
    await assertShown(page, visitor, kings);
    const cells = page.locator("tbody tr").first().locator("th, td");
    assert.deepEqual(await cells.allInnerTexts(), ["Cercei Lamister", "♛ king", "Descaro del Rey"]);
    await page.getByRole("link", { name: "Descaro del Rey" }).click();
    await page.locator(".totals").getByText("Cercei Lamister").waitFor();
    await page.getByLabel("State").selectOption("Dead");
    await assertShown(page, visitor, ["Geofrito Barato", "Roberto Barato", "Tomasín Barato"]);
  });
}

test("an_invalid_filter_value_shows_an_error_beside_the_field", async () => {
  await using visit = await site.visit({ ...desktop, scripts: false });
  const page = await visit.go("/?least=0&name=%07");
  for (const label of ["At least this many living", "Name begins with"]) {
    const field = page.getByLabel(label);
    const id = await field.getAttribute("aria-describedby");
    assert.match((await page.locator(`#${id}`).textContent()) ?? "", /^Enter /);
  }
  assert.equal((await names(page)).length, 25);
});

test("a_filter_updates_in_place_announces_the_result_and_ignores_late_responses", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/");
  const loads: string[] = [];
  page.on("framenavigated", (frame) => loads.push(frame.url()));
  let release = () => {};
  const blocked = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(/name=v(&|$)/, async (route) => {
    await blocked;
    await route.continue().catch(() => {});
  });
  const firstRequest = page.waitForRequest(/name=v(&|$)/);
  await page.getByLabel("Name begins with").fill("v");
  await firstRequest;
  await page.getByLabel("Name begins with").fill("vera");
  await eventually(async () => assert.deepEqual(await names(page), ["Veranolandia"]));
  assert.equal(await page.getByRole("status").textContent(), "1 place.");
  release();
  await page.getByLabel("Name begins with").fill("verax");
  await eventually(async () =>
    assert.equal(await page.getByRole("status").textContent(), "No places match."),
  );
  assert.deepEqual(await names(page), []);
  // The filter is part of the address, so that the view can be bookmarked and reloaded.
  assert.equal(loads.filter((url) => !url.includes("name=")).length, 0);
  await page.reload();
  assert.equal(await page.getByLabel("Name begins with").inputValue(), "verax");
});

for (const visitor of [desktop, phone]) {
  test(`the_layout_does_not_shift_while_a_page_loads_or_is_filtered: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    await visit.page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) shifts.push((shift as never as Shift).value);
      }).observe({ type: "layout-shift", buffered: true });
    });
    for (const path of ["/", "/ui/people", "/ui/places/1", "/?name=v&least=900"]) {
      const page = await visit.go(path);
      for (const text of ["de", "dexx", ""]) {
        const filterResponse = page.waitForResponse(
          (response) => response.request().resourceType() === "fetch",
        );
        await page.getByLabel("Name begins with").fill(text);
        await filterResponse;
        await page.evaluate(() => new Promise((drawn) => setTimeout(drawn, 50)));
      }
      const shifts = await page.evaluate(() => (window as never as Shifting).shifts);
      assert.deepEqual(shifts, [], path);
    }
  });
}

test("the_first_page_view_loads_less_than_50_KB", async () => {
  await using visit = await site.visit();
  const sizes: Record<string, number> = {};
  visit.page.on("requestfinished", async (request) => {
    const body = await (await request.response())?.body();
    sizes[new URL(request.url()).pathname] = body?.length ?? 0;
  });
  await visit.page.goto("/", { waitUntil: "networkidle" });
  assert.deepEqual(Object.keys(sizes).sort(), ["/", "/icon.svg", "/site.css", "/site.js"]);
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  assert.ok(total < 50_000, `${total} bytes: ${JSON.stringify(sizes)}`);
});
