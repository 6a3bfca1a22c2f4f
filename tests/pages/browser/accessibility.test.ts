// Tests the accessibility of every page: axe rules, keyboard use, small screens, and both colour
// schemes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import type axe from "axe-core";
import type { Page } from "playwright-core";
import { desktop, follow, openSite, phone } from "../../support/browser.ts";

const site = await openSite({ seed: true });
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

const longName = "Nombre".repeat(33);
const place = await join.send("POST", "/v1/places", { name: longName });
const person = { name: longName, isAlive: true, placeId: place.json.id, isKing: true };
const { id } = (await join.send("POST", "/v1/people", person)).json;
await join.send("PATCH", `/v1/people/${id}`, { isAlive: false, isKing: false });

const removed = await join.send("POST", "/v1/places", { name: "Sin Nadie" });
await join.request("DELETE", `/v1/places/${removed.json.id}`);

const pages = [
  "/",
  "/?least=0&q=%2E&asOf=x",
  "/?q=nobody",
  "/?asOf=2026-01-31&limit=50",
  "/ui/changes",
  "/ui/compare",
  "/ui/compare?ids=1&add=x",
  `/ui/compare?ids=1,${place.json.id}`,
  "/ui/compare?ids=1,2,3,4,5,6&step=hour",
  "/ui/enter",
  "/ui/people",
  "/ui/people?show=isAlive%3Dfalse",
  "/ui/people/10",
  `/ui/people/${id}`,
  "/ui/people/10/edit",
  `/ui/people/${id}/edit`,
  "/ui/people/1/crown",
  "/ui/people/1/remove",
  "/ui/people/new",
  "/ui/people/selected?action=bury&person=1&person=2",
  `/ui/people/selected?action=move&person=1&person=${id}`,
  "/ui/people/selected?action=remove&person=1",
  "/ui/places/1?done=saved",
  `/ui/places/${place.json.id}`,
  `/ui/places/${removed.json.id}`,
  "/ui/places/1?asOf=2020-01-31",
  "/ui/places/1/rename",
  "/ui/places/1/remove",
  `/ui/places/${place.json.id}/remove`,
  "/ui/places/new",
  "/ui/import",
  "/ui/nowhere",
];

/** Pages that respond to a form, each with the steps that lead to it. */
const formResponses: Record<string, (page: Page) => Promise<void>> = {
  "a rejected removal of a place": async (page) => {
    await page.goto("/ui/places/1/remove");
    await page.getByRole("button", { name: "Remove place" }).click();
    await page.locator(".error").waitFor();
  },
  "a place that has a king": async (page) => {
    await page.goto("/ui/people/1/crown");
    await page.locator("[name=depose]").evaluate((field) => field.remove());
    await page.getByRole("button", { name: "Crown" }).click();
    await page.locator(".error").waitFor();
  },
  "an edit conflict": async (page) => {
    await page.goto("/ui/people/1/edit");
    await page.locator("[name=version]").evaluate((field: HTMLInputElement) => {
      field.value = "77.1f09ab34";
    });
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".notice").waitFor();
  },
  "a refused batch": async (page) => {
    await page.goto("/ui/people/selected?action=remove&person=1&person=2");
    await page
      .locator("[name=person]")
      .first()
      .evaluate((field: HTMLInputElement) => {
        field.value = field.value.replace(/:\d+\./, ":77.");
      });
    await follow(page.getByRole("button", { name: "Remove 2 people" }));
    await page.locator(".selected .error").waitFor();
  },
  "ticked people": async (page) => {
    await page.goto("/ui/people?limit=25");
    await page.getByRole("checkbox").first().check();
  },
  "an import report": async (page) => {
    await page.goto("/ui/import");
    await page.getByLabel("Or paste it here").fill("name,isAlive,placeId\nA,true,1\nB,true,999");
    await page.getByRole("button", { name: "Check file" }).click();
    await page.locator(".refusals").waitFor();
  },
  "a check of people without a state, with lines that are left out": async (page) => {
    await page.goto("/ui/import");
    await page.getByLabel("Or paste it here").fill("name,placeId\nA,\nB,x\nC,x");
    await page.getByRole("button", { name: "Check file" }).click();
    await page.getByText("3 people would be recorded as dead").waitFor();
    await page.getByText("1 valid line would not be imported").waitFor();
  },
  "a workbook": async (page) => {
    await page.goto("/ui/import");
    const buffer = Buffer.from("PK\u0003\u0004");
    const file = { name: "a.xlsx", mimeType: "application/octet-stream", buffer };
    await page.getByLabel("File", { exact: true }).setInputFiles(file);
    await page.getByRole("button", { name: "Check file" }).click();
    await page.locator(".error").waitFor();
  },
  "an edit of a removed person": async (page) => {
    const { id } = (await join.send("POST", "/v1/people", { name: "Borrada" })).json;
    await page.goto(`/ui/people/${id}/edit`);
    await join.request("DELETE", `/v1/people/${id}`);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("was removed meanwhile").waitFor();
  },
  "ticked people who were removed": async (page) => {
    const { id } = (await join.send("POST", "/v1/people", { name: "Marcada" })).json;
    await join.request("DELETE", `/v1/people/${id}`);
    await page.goto(`/ui/people/selected?action=bury&person=1&person=${id}`);
    await page.getByText("removed meanwhile: Marcada").waitFor();
  },
  "a removed place": async (page) => {
    const { id } = (await join.send("POST", "/v1/places", { name: "Borrado" })).json;
    await join.request("DELETE", `/v1/places/${id}`);
    await page.goto(`/ui/places/${id}/remove?living=3&dead=1&to=1`);
    await page.getByText("Removed Borrado.").waitFor();
  },
};
const visitsByName: [string, (page: Page) => Promise<unknown>][] = [
  ...pages.map((path) => [path, (page: Page) => page.goto(path)] as const),
  ...Object.entries(formResponses),
].map(([name, go]) => [name, go]);

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);
const controls = "a, button, input:not([type=hidden]), select, textarea, summary";

/** The violations that axe finds, with the HTML of their elements. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() =>
    (window as never as { axe: typeof axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Inline styles, scripts and event handlers, which the Content-Security-Policy forbids. */
function inlineCode(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const written = document.querySelectorAll("style, script:not([src]), [style]");
    const handlers = [...document.querySelectorAll("*")].filter((element) =>
      element.getAttributeNames().some((attribute) => attribute.startsWith("on")),
    );
    return [...written, ...handlers].map((element) => element.outerHTML);
  });
}

/** A page that is too wide for the screen, and controls that are too small for a finger. */
function layoutViolations(page: Page): Promise<string[]> {
  return page.evaluate((controls) => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const wide = scrollWidth > clientWidth ? [`${scrollWidth} wide`] : [];
    const all = [...document.querySelectorAll(controls)];
    const small = all.filter((element) => {
      if (!element.checkVisibility()) return false;
      const { width, height } = element.getBoundingClientRect();
      // A link within a text is as high as its line.
      const text = element.closest("p:not(.actions), li");
      const isInText = element.matches("a") && text && text.textContent !== element.textContent;
      return !isInText && !element.matches(".skip") && (width < 24 || height < 24);
    });
    return [...wide, ...small.map((element) => element.outerHTML)];
  }, controls);
}

/** Moves through the page by the Tab key. Returns the first control missed or without a focus ring. */
async function keyboardViolations(page: Page): Promise<string[]> {
  // Starts at the top, although the page may have set the focus elsewhere.
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
  });
  const expected = await page.evaluate((controls) => {
    const all = [...document.querySelectorAll<HTMLElement>(controls)];
    const visible = all.filter((element) => element.checkVisibility());
    // Day, month, year and the calendar of a date are four stops.
    const stops = (element: HTMLElement) => (element.matches("[type=date]") ? 4 : 1);
    return visible.flatMap((element) => Array(stops(element)).fill(element.outerHTML) as string[]);
  }, controls);
  for (const html of expected) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const isInView = left >= 0 && right <= innerWidth && bottom > 0 && top < innerHeight;
      const isOutlined = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
      return { html: element.outerHTML, isSeen: isInView && isOutlined };
    });
    if (focused.html !== html) return [`${focused.html} instead of ${html}`];
    if (!focused.isSeen) return [`no visible focus: ${html}`];
  }
  return [];
}

for (const [visitor, theme] of [
  [desktop, "light"],
  [phone, "dark"],
] as const) {
  test(`every_page_is_accessible: ${visitor.name}, ${theme}`, async () => {
    await using visit = await site.visit({ ...visitor, theme });
    const { page } = visit;
    const origins = new Set<string>();
    page.on("request", (request) => origins.add(new URL(request.url()).origin));
    for (const [name, go] of visitsByName) {
      await go(page);
      // An element may appear before the stylesheet that gives it its size and colours.
      await page.waitForLoadState("load");
      assert.deepEqual(await inlineCode(page), [], name);
      assert.deepEqual(await violations(page), [], name);
      if (visitor === phone) {
        assert.deepEqual(await layoutViolations(page), [], name);
        await page.setViewportSize({ width: 320, height: phone.height });
        assert.deepEqual(await layoutViolations(page), [], `${name} at 320`);
        await page.setViewportSize(phone);
      }
      assert.deepEqual(await keyboardViolations(page), [], name);
    }
    assert.deepEqual([...origins], [site.origin], "all resources are from this site");
  });
}

test("the_skip_link_and_a_form_work_by_keyboard_only", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  assert.ok(((await skip.boundingBox())?.x ?? -1) >= 0);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  await page.keyboard.press("Tab");
  assert.match(
    await page.evaluate(() => document.activeElement?.getAttribute("href") ?? ""),
    /none/,
  );
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
