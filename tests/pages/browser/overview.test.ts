// The overview: how many live where, searched, ordered and leafed through.
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

/** Has what is chosen shown: by itself where scripts run, else by the button. */
async function shown(page: Page, visitor: Visitor, expected: string[]): Promise<void> {
  if (!visitor.scripts) await page.getByRole("button", { name: "Show" }).click();
  await eventually(async () => assert.deepEqual(await names(page), expected));
}

type Row = { name: string | null };
/** All but the row of those who are of no place. */
const named = (rows: Row[]) => rows.flatMap(({ name }) => name ?? []);

/** The names of the places as the API has them. */
async function ranking(query: string): Promise<string[]> {
  const { json } = await join.get(`/v1/statistics/places?limit=25&${query}`);
  return named(json);
}

for (const visitor of visitors) {
  test(`${visitor.name} one sees how many there are, and searches, orders and leafs`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    const totals = await page.locator(".totals > div").allInnerTexts();
    const expected = ["places\n30", "living\n53", "dead\n24", "dead of no place\n7"];
    assert.deepEqual(totals, expected);
    assert.deepEqual(await names(page), await ranking("sort=-living"));
    assert.equal(await page.locator(".bar").count(), 25);

    await page.getByLabel("Order").selectOption("Fewest in all first");
    await shown(page, visitor, await ranking("sort=total"));
    await page.getByRole("link", { name: "Further places" }).click();
    await page.waitForURL(/after=/);
    const [, second] = await join.pages("/v1/statistics/places?limit=25&sort=total");
    assert.deepEqual(await names(page), named(second?.json));

    await page.getByLabel("At least so many living").fill("3");
    await shown(page, visitor, await ranking("sort=total&least=3"));
    await page.getByLabel("At least so many living").fill("");
    await page.getByLabel("Name begins with").fill("VERA");
    await shown(page, visitor, ["Veranolandia"]);
    assert.match(page.url(), /[?&]name=VERA/);
    await page.getByRole("link", { name: "Veranolandia" }).click();
    await page.getByRole("heading", { name: "Veranolandia" }).waitFor();
  });

  test(`${visitor.name} one finds people by name, state and place`, async () => {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people");
    await page.getByLabel("Name begins with").fill("neds");
    await shown(page, visitor, []);
    await page.getByLabel("Name begins with").fill("nerf");
    await shown(page, visitor, ["Nerf Stack"]);
    await page.getByLabel("Name begins with").fill("");
    await page.getByLabel("Who").selectOption("Kings");
    const { json } = await join.get("/v1/people?isKing=true&sort=name");
    const kings: string[] = json.map(({ name }: { name: string }) => name);
    await shown(page, visitor, kings);
    const cells = page.locator("tbody tr").first().locator("th, td");
    assert.deepEqual(await cells.allInnerTexts(), ["Cercei Lamister", "♛ king", "Descaro del Rey"]);
    await page.getByRole("link", { name: "Descaro del Rey" }).click();
    await page.locator(".totals").getByText("Cercei Lamister").waitFor();
    await page.getByLabel("Who").selectOption("The dead");
    await shown(page, visitor, ["Geofrito Barato", "Roberto Barato", "Tomasín Barato"]);
  });
}

test("what_a_filter_cannot_use_is_said_beside_it", async () => {
  await using visit = await site.visit({ ...desktop, scripts: false });
  const page = await visit.go("/?least=0&name=%07");
  for (const label of ["At least so many living", "Name begins with"]) {
    const field = page.getByLabel(label);
    const id = await field.getAttribute("aria-describedby");
    assert.match((await page.locator(`#${id}`).textContent()) ?? "", /^Must be /);
  }
  assert.equal((await names(page)).length, 25);
});

test("a_filter_loads_no_page_says_what_it_found_and_passes_over_what_comes_late", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/");
  const loads: string[] = [];
  page.on("framenavigated", (frame) => loads.push(frame.url()));
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(/name=v(&|$)/, async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  const asked = page.waitForRequest(/name=v(&|$)/);
  await page.getByLabel("Name begins with").fill("v");
  await asked;
  await page.getByLabel("Name begins with").fill("vera");
  await eventually(async () => assert.deepEqual(await names(page), ["Veranolandia"]));
  assert.equal(await page.getByRole("status").textContent(), "One place.");
  release();
  await page.getByLabel("Name begins with").fill("verax");
  await eventually(async () =>
    assert.equal(await page.getByRole("status").textContent(), "No place is like that."),
  );
  assert.deepEqual(await names(page), []);
  // The address changes with it, so that it can be kept and loaded again.
  assert.equal(loads.filter((url) => !url.includes("name=")).length, 0);
  await page.reload();
  assert.equal(await page.getByLabel("Name begins with").inputValue(), "verax");
});

for (const visitor of [desktop, phone]) {
  test(`${visitor.name} nothing moves while a page loads or is filtered`, async () => {
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
        const answer = page.waitForResponse((one) => one.request().resourceType() === "fetch");
        await page.getByLabel("Name begins with").fill(text);
        await answer;
        await page.evaluate(() => new Promise((drawn) => setTimeout(drawn, 50)));
      }
      const shifts = await page.evaluate(() => (window as never as Shifting).shifts);
      assert.deepEqual(shifts, [], path);
    }
  });
}

test("the_first_view_is_under_50_KB", async () => {
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
