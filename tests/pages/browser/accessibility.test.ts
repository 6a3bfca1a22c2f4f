// Every page, for whoever comes with whatever: no eyes, no mouse, a small screen, a dark one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import type axe from "axe-core";
import type { Page } from "playwright-core";
import { desktop, openSite, phone } from "../../support/browser.ts";

const site = await openSite({ seed: true });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

const long = "Nombre".repeat(33);
const place = await join.send("POST", "/v1/places", { name: long });
const person = { name: long, isAlive: true, placeId: place.json.id, isKing: true };
const { id } = (await join.send("POST", "/v1/people", person)).json;
await join.send("PATCH", `/v1/people/${id}`, { isAlive: false, isKing: false });

const pages = [
  "/",
  "/?least=0&name=%07",
  "/?name=nobody",
  "/ui/people",
  "/ui/people?show=isAlive%3Dfalse",
  "/ui/people/10",
  `/ui/people/${id}`,
  "/ui/people/10/edit",
  "/ui/people/1/crown",
  "/ui/people/1/remove",
  "/ui/people/new",
  "/ui/places/1?done=saved",
  `/ui/places/${place.json.id}`,
  "/ui/places/1/rename",
  "/ui/places/1/remove",
  "/ui/places/new",
  "/ui/import",
  "/ui/nowhere",
];

/** Pages that answer a form: each is gone to by sending it. */
const answers: Record<string, (page: Page) => Promise<void>> = {
  "a place that cannot be removed": async (page) => {
    await page.goto("/ui/places/1/remove");
    await page.getByRole("button", { name: "Remove the place" }).click();
    await page.locator(".error").waitFor();
  },
  "a king in the way": async (page) => {
    await page.goto("/ui/people/1");
    await page.getByRole("button", { name: "Crown" }).click();
    await page.locator(".error").waitFor();
  },
  "a change that another has made": async (page) => {
    await page.goto("/ui/people/1/edit");
    await page.locator("[name=version]").evaluate((field: HTMLInputElement) => {
      field.value = "77";
    });
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".notice").waitFor();
  },
  "a report": async (page) => {
    await page.goto("/ui/import");
    await page.getByLabel("Or paste it here").fill("name,isAlive,placeId\nA,true,1\nB,true,999");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.locator(".refusals").waitFor();
  },
};
const tours: [string, (page: Page) => Promise<unknown>][] = [
  ...pages.map((path) => [path, (page: Page) => page.goto(path)] as const),
  ...Object.entries(answers),
].map(([name, go]) => [name, go]);

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);
const controls = "a, button, input:not([type=hidden]), select, textarea, summary";

/** What axe finds, and where. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() =>
    (window as never as { axe: typeof axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** What a Content-Security-Policy would have to allow. */
function inline(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const written = document.querySelectorAll("style, script:not([src]), [style]");
    const handlers = [...document.querySelectorAll("*")].filter((one) =>
      one.getAttributeNames().some((attribute) => attribute.startsWith("on")),
    );
    return [...written, ...handlers].map((one) => one.outerHTML);
  });
}

/** What is too wide for the screen, or too small for a finger. */
function misfits(page: Page): Promise<string[]> {
  return page.evaluate((controls) => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const wide = scrollWidth > clientWidth ? [`${scrollWidth} wide`] : [];
    const small = [...document.querySelectorAll(controls)].filter((one) => {
      const { width, height } = one.getBoundingClientRect();
      // A link in the midst of a text is as high as its line.
      const text = one.closest("p:not(.actions), li");
      const isInText = one.matches("a") && text && text.textContent !== one.textContent;
      return !isInText && !one.matches(".skip") && (width < 24 || height < 24);
    });
    return [...wide, ...small.map((one) => one.outerHTML)];
  }, controls);
}

/** Goes through the page by the Tab key: what it misses, or does not show. */
async function unreached(page: Page): Promise<string[]> {
  // From the very beginning, wherever the page has put the focus.
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
  });
  const expected = await page.evaluate((controls) => {
    const all = [...document.querySelectorAll<HTMLElement>(controls)];
    return all.filter((one) => one.checkVisibility()).map((one) => one.outerHTML);
  }, controls);
  for (const html of expected) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const one = document.activeElement as HTMLElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      const { left, right, top, bottom } = one.getBoundingClientRect();
      const isInView = left >= 0 && right <= innerWidth && bottom > 0 && top < innerHeight;
      const isOutlined = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
      return { html: one.outerHTML, isSeen: isInView && isOutlined };
    });
    if (focused.html !== html) return [`${focused.html} in place of ${html}`];
    if (!focused.isSeen) return [`unseen: ${html}`];
  }
  return [];
}

for (const [visitor, theme] of [
  [desktop, "light"],
  [phone, "dark"],
] as const) {
  test(`${visitor.name}, ${theme}, every page is for everybody`, async () => {
    await using visit = await site.visit({ ...visitor, theme });
    const { page } = visit;
    const asked = new Set<string>();
    page.on("request", (request) => asked.add(new URL(request.url()).origin));
    for (const [name, go] of tours) {
      await go(page);
      assert.deepEqual(await inline(page), [], name);
      assert.deepEqual(await violations(page), [], name);
      if (visitor === phone) {
        assert.deepEqual(await misfits(page), [], name);
        await page.setViewportSize({ width: 320, height: phone.height });
        assert.deepEqual(await misfits(page), [], `${name} at 320`);
        await page.setViewportSize(phone);
      }
      assert.deepEqual(await unreached(page), [], name);
    }
    assert.deepEqual([...asked], [site.origin], "nothing is from elsewhere");
  });
}

test("the_skip_link_leads_to_the_content_and_a_place_is_added_by_keys_alone", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  assert.ok(((await skip.boundingBox())?.x ?? -1) >= 0);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/ui/places/new");
  while ((await page.evaluate(() => document.activeElement?.id)) !== "name") {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.type("Teclado");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Teclado" }).waitFor();
});
