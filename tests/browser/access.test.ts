// Every page, for whoever comes with whatever: no eyes, no mouse, a small screen, a dark one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import type axe from "axe-core";
import type { Page } from "playwright-core";
import { desk, open, phone } from "./browser.ts";

const site = await open({ seed: true });
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

for (const [visitor, theme] of [
  [desk, "light"],
  [phone, "dark"],
] as const) {
  test(`${visitor.name}, ${theme}, axe finds nothing on any page`, async () => {
    await using visit = await site.visit({ ...visitor, theme });
    for (const [name, go] of tours) {
      await go(visit.page);
      await visit.page.evaluate(axeSource);
      const { violations } = await visit.page.evaluate(() =>
        (window as never as { axe: typeof axe }).axe.run(document, {
          runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        }),
      );
      const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
      assert.deepEqual(found, [], name);
    }
  });
}

test("nothing_is_wider_than_the_screen_and_all_is_big_enough_to_touch", async () => {
  for (const width of [390, 320]) {
    await using visit = await site.visit({ ...phone, width });
    for (const [name, go] of tours) {
      await go(visit.page);
      const { wide, small } = await visit.page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        const touched = document.querySelectorAll(
          "a, button, input:not([type=hidden]), select, textarea, summary",
        );
        const small = [...touched].flatMap((one) => {
          const { width, height } = one.getBoundingClientRect();
          // A link in the midst of a text is as high as its line.
          const isInText =
            one.matches("a") &&
            one.parentElement?.matches("p, li") &&
            one.parentElement.textContent !== one.textContent;
          const isSkip = one.matches(".skip");
          return isInText || isSkip || (width >= 24 && height >= 24)
            ? []
            : [`${one.outerHTML} ${width}x${height}`];
        });
        return { wide: scrollWidth - clientWidth, small };
      });
      assert.deepEqual({ wide, small }, { wide: 0, small: [] }, `${name} at ${width}`);
    }
  }
});

test("nothing_is_inline_and_all_comes_from_here", async () => {
  await using visit = await site.visit();
  const asked = new Set<string>();
  visit.page.on("request", (request) => asked.add(new URL(request.url()).origin));
  for (const [name, go] of tours) {
    await go(visit.page);
    const inline = await visit.page.evaluate(() => {
      const written = document.querySelectorAll("style, script:not([src]), [style]");
      const handlers = [...document.querySelectorAll("*")].filter((one) =>
        one.getAttributeNames().some((attribute) => attribute.startsWith("on")),
      );
      return [...written, ...handlers].map((one) => one.outerHTML);
    });
    assert.deepEqual(inline, [], name);
  }
  assert.deepEqual([...asked], [site.origin]);
});

/** Where the focus is, and how it is seen. */
function focus(page: Page) {
  return page.evaluate(() => {
    const one = document.activeElement as HTMLElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    const { left, right, top, bottom } = one.getBoundingClientRect();
    const isInView = left >= 0 && right <= innerWidth && bottom > 0 && top < innerHeight;
    const all = [
      ...document.querySelectorAll<HTMLElement>(
        "a, button, input:not([type=hidden]), select, textarea, summary",
      ),
    ];
    const reachable = all.filter((control) => control.checkVisibility());
    return {
      at: reachable.indexOf(one),
      of: reachable.length,
      isSeen: isInView && outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2,
      html: one.outerHTML.slice(0, 200),
    };
  });
}

for (const visitor of [desk, phone]) {
  test(`${visitor.name} a keyboard reaches every control, in order, and one sees where it is`, async () => {
    await using visit = await site.visit(visitor);
    const { page } = visit;
    for (const [name, go] of tours.filter(([name]) => name !== "/ui/people")) {
      await go(page);
      // From the very beginning, wherever the page has put the focus.
      await page.evaluate(() => {
        document.body.tabIndex = -1;
        document.body.focus();
      });
      for (let at = 0; ; at += 1) {
        await page.keyboard.press("Tab");
        const focused = await focus(page);
        assert.deepEqual([focused.at, focused.isSeen], [at, true], `${name}: ${focused.html}`);
        if (at === focused.of - 1) break;
      }
    }
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
