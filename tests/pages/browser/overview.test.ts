// Tests the overview and the list of people: totals, search, order and paging.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import {
  count,
  desktop,
  eventually,
  openSite,
  phone,
  screens,
  texts,
  type Visitor,
  visitors,
} from "../../support/browser.ts";

const site = await openSite({ seed: true });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

const names = (page: Page) => texts(page.locator(":is(.ranking, .people) tbody th"));

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
    const totals = await texts(page.locator(".totals > div"));
    const expected = ["places\n30", "living\n53", "dead\n24", "dead without a place\n7"];
    assert.deepEqual(totals, expected);
    await page.getByText("1–25 of 30 places").waitFor();
    assert.deepEqual(await names(page), await expectedNames("sort=-living"));
    assert.equal(await count(page.locator(".bar")), 25);

    await page.getByLabel("Order").selectOption("Smallest total first");
    await assertShown(page, visitor, await expectedNames("sort=total"));
    await page.getByRole("link", { name: "Next page" }).click();
    await page.waitForURL(/after=/);
    const [, second] = await join.pages("/v1/statistics/places?limit=25&sort=total");
    assert.deepEqual(await names(page), namesOf(second?.json));
    await page.getByText("26–30 of 30 places").waitFor();
    await page.getByRole("link", { name: "Previous page" }).click();
    await page.getByText("1–25 of 30 places").waitFor();
    assert.deepEqual(await names(page), await expectedNames("sort=total"));
    await page.getByRole("link", { name: "First page" }).click();
    await page.waitForURL(/sort=total&limit=25&step=day$/);
    await page.getByLabel("Rows").selectOption("50");
    const all = await join.get("/v1/statistics/places?limit=50&sort=total");
    await assertShown(page, visitor, namesOf(all.json));
    await page.getByText("30 places", { exact: true }).first().waitFor();
    await page.getByLabel("Rows").selectOption("25");

    await page.getByLabel("At least this many living").fill("3");
    await assertShown(page, visitor, await expectedNames("sort=total&least=3"));
    await page.getByLabel("At least this many living").fill("");
    await page.getByLabel("Search").fill("VERA");
    await assertShown(page, visitor, ["Veranolandia"]);
    assert.match(page.url(), /[?&]q=VERA/);
    await page.getByRole("link", { name: "Veranolandia" }).click();
    await page.getByRole("heading", { name: "Veranolandia" }).waitFor();
  });

  test(`people_can_be_found_by_name_state_and_place: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people");
    await page.getByLabel("Search").fill("tack neds");
    await assertShown(page, visitor, []);
    await page.getByLabel("Search").fill("STACK nerf");
    await assertShown(page, visitor, ["Nerf Stack"]);
    await page.getByLabel("Search").fill("");
    await page.getByLabel("State").selectOption("Kings");
    const { json } = await join.get("/v1/people?isKing=true&sort=name");
    const kings: string[] = json.map(({ name }: { name: string }) => name);
    await assertShown(page, visitor, kings);
    const cells = page.locator(".people tbody tr").first().locator("th, td");
    // The first cell has a box.
    const expected = ["", "Cercei Lamister", "♛ king", "Descaro del Rey"];
    assert.deepEqual(await texts(cells), expected);
    await page.getByRole("link", { name: "Descaro del Rey" }).click();
    await page.locator(".totals").getByText("Cercei Lamister").waitFor();
    await page.getByLabel("State").selectOption("Dead");
    await assertShown(page, visitor, ["Geofrito Barato", "Roberto Barato", "Tomasín Barato"]);
  });
}

for (const visitor of visitors) {
  test(`a_link_shows_the_people_without_a_place: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    await page.locator(".totals").getByRole("link", { name: "7" }).click();
    await page.locator(".range", { hasText: /^7 people$/ }).waitFor();
    assert.equal(await page.getByLabel("Place").inputValue(), "none");
    const { json } = await join.get("/v1/people?placeId=none&sort=name");
    assert.deepEqual(await names(page), namesOf(json));
  });

  test(`a_list_of_people_is_paged_in_both_directions: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    for (const sort of ["name", "-id"]) {
      const page = await visit.go(`/ui/people?limit=25&sort=${sort}`);
      const shown: string[][] = [];
      for (const range of ["1–25 of 77", "26–50 of 77", "51–75 of 77", "76–77 of 77"]) {
        await page.getByText(`${range} people`).waitFor();
        shown.push(await names(page));
        if (shown.length < 4) await page.getByRole("link", { name: "Next page" }).click();
      }
      const { json } = await join.get(`/v1/people?limit=100&sort=${sort}`);
      assert.deepEqual(shown.flat(), namesOf(json));
      assert.equal(await count(page.getByRole("link", { name: "Next page" })), 0);
      for (const range of ["51–75 of 77", "26–50 of 77", "1–25 of 77"]) {
        await page.getByRole("link", { name: "Previous page" }).click();
        await page.getByText(`${range} people`).waitFor();
        assert.deepEqual(await names(page), shown[Math.floor(Number.parseInt(range, 10) / 25)]);
      }
      assert.equal(await count(page.getByRole("link", { name: "Previous page" })), 0);
    }
  });
}

test("the_overview_is_paged_in_both_directions_in_every_order", async () => {
  await using visit = await site.visit({ ...desktop, scripts: false });
  for (const key of ["id", "name", "living", "dead", "total", "share"]) {
    for (const sort of [key, `-${key}`]) {
      const page = await visit.go(`/?sort=${sort}`);
      const first = await names(page);
      await page.getByRole("link", { name: "Next page" }).click();
      await page.getByText("26–30 of 30 places").waitFor();
      const all = await join.get(`/v1/statistics/places?limit=30&sort=${sort}`);
      assert.deepEqual([...first, ...(await names(page))], namesOf(all.json), sort);
      await page.getByRole("link", { name: "Previous page" }).click();
      await page.getByText("1–25 of 30 places").waitFor();
      assert.deepEqual(await names(page), first, sort);
    }
  }
});

test("the_head_of_a_column_sorts_by_it", async () => {
  for (const scripts of [true, false]) {
    await using visit = await site.visit({ ...desktop, scripts });
    const page = await visit.go("/");
    for (const [head, ...sorts] of [
      ["Dead", "-dead", "dead"],
      ["Place", "name", "-name"],
      ["Share", "-share", "share"],
    ] as const) {
      for (const sort of sorts) {
        const column = page.getByRole("columnheader", { name: head });
        await column.getByRole("link").click();
        await page.waitForURL((url) => url.searchParams.get("sort") === sort);
        const direction = sort.startsWith("-") ? "descending" : "ascending";
        assert.equal(await column.getAttribute("aria-sort"), direction);
        assert.equal(await count(page.locator("[aria-sort]")), 1);
        assert.deepEqual(await names(page), await expectedNames(`sort=${sort}`));
      }
    }
    await page.goto("/ui/people");
    await page.getByRole("columnheader", { name: "Name" }).getByRole("link").click();
    await page.waitForURL(/sort=-name/);
    const { json } = await join.get("/v1/people?limit=50&sort=-name");
    assert.deepEqual(await names(page), namesOf(json));
  }
});

test("the_slash_key_moves_to_the_search", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/");
  await page.keyboard.press("/");
  await page.keyboard.type("a/b");
  assert.equal(await page.getByLabel("Search").inputValue(), "a/b");
});

for (const visitor of screens) {
  test(`a_short_list_leaves_no_gap: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people");
    await page.getByLabel("Search").fill("nerf");
    await page.locator(".range", { hasText: /^1 person$/ }).waitFor();
    const list = await page.locator(".selection").boundingBox();
    const links = await page.locator(".export").boundingBox();
    assert.ok(list && links && links.y - list.y - list.height < 60);
  });
}

test("a_cell_of_people_is_one_line_on_a_narrow_phone", async () => {
  await using visit = await site.visit({ ...phone, width: 320 });
  const page = await visit.go("/ui/people");
  const heights = await page
    .locator(".state")
    .evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().height));
  assert.ok(heights.length > 20 && heights.every((height) => height < 30), `${heights}`);
});

test("an_invalid_filter_value_shows_an_error_beside_the_field", async () => {
  await using visit = await site.visit({ ...desktop, scripts: false });
  const page = await visit.go("/?least=0&q=%2E");
  for (const label of ["At least this many living", "Search"]) {
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
  await page.route(/q=v(&|$)/, async (route) => {
    await blocked;
    await route.continue().catch(() => {});
  });
  const firstRequest = page.waitForRequest(/q=v(&|$)/);
  await page.getByLabel("Search").fill("v");
  await firstRequest;
  await page.getByLabel("Search").fill("vera");
  await eventually(async () => assert.deepEqual(await names(page), ["Veranolandia"]));
  assert.equal(await page.getByRole("status").textContent(), "1 place");
  release();
  await page.getByLabel("Search").fill("verax");
  await eventually(async () =>
    assert.equal(await page.getByRole("status").textContent(), "No places match."),
  );
  assert.deepEqual(await names(page), []);
  // The filter is part of the address, so that the view can be bookmarked and reloaded.
  assert.equal(loads.filter((url) => !url.includes("q=")).length, 0);
  await page.reload();
  assert.equal(await page.getByLabel("Search").inputValue(), "verax");
});

test("a_field_changed_before_the_script_is_loaded_filters_the_list", async () => {
  await using visit = await site.visit();
  const { page } = visit;
  const loading = Promise.withResolvers<void>();
  await page.route("**/site.js", async (route) => {
    await loading.promise;
    await route.continue();
  });
  await page.goto("/ui/people", { waitUntil: "commit" });
  await page.getByLabel("State").selectOption("Dead");
  loading.resolve();
  await page.waitForURL(/show=/);
  assert.equal(await count(page.locator(".people tbody tr")), 24);
});

for (const visitor of screens) {
  test(`the_layout_does_not_shift_while_a_page_loads_or_is_filtered: ${visitor.name}`, async () => {
    await using visit = await site.visit(visitor);
    await visit.page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) shifts.push((shift as never as Shift).value);
      }).observe({ type: "layout-shift", buffered: true });
    });
    for (const path of ["/", "/ui/people", "/ui/places/1", "/?q=v&least=900"]) {
      const page = await visit.go(path);
      for (const text of ["de", "dexx", ""]) {
        const filterResponse = page.waitForResponse(
          (response) => response.request().resourceType() === "fetch",
        );
        await page.getByLabel("Search").fill(text);
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
