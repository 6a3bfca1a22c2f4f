// Starts a real browser that visits the built workers. A test fails if a page reports an error or a
// warning, or if the page cannot load a resource.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { find, none } from "../../ops/dev/chromium.ts";
import { isComplete } from "./complete.ts";
import { type Options, type System, start } from "./harness.ts";

/** A device and its browser settings. */
export type Visitor = {
  name: string;
  width: number;
  height: number;
  scripts: boolean;
  theme?: "light" | "dark";
};

export const desktop = { name: "desktop", width: 1280, height: 800, scripts: true };
export const phone = { name: "phone", width: 390, height: 844, scripts: true };
/** Both screens. Without ALL=1, only the one on which more can go wrong. */
export const screens: Visitor[] = isComplete ? [desktop, phone] : [phone];
/** Both colour schemes. Without ALL=1, only the dark one. */
export const themes: ("light" | "dark")[] = isComplete ? ["light", "dark"] : ["dark"];
const desktopWithoutScripts = { ...desktop, name: "desktop without scripts", scripts: false };
const phoneWithoutScripts = { ...phone, name: "phone without scripts", scripts: false };
/** Both screens, with and without scripts. Without ALL=1, each of them once. */
export const visitors: Visitor[] = isComplete
  ? [desktop, phone, desktopWithoutScripts, phoneWithoutScripts]
  : [desktop, phoneWithoutScripts];

/** A tab in a browser context of its own, which shares no cookies with other visits. */
export class BrowserVisit {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly #faults: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    this.#watch(page);
    context.on("page", (other) => this.#watch(other));
  }

  static async start(browser: Browser, origin: string, visitor: Visitor): Promise<BrowserVisit> {
    const context = await browser.newContext({
      baseURL: origin,
      viewport: { width: visitor.width, height: visitor.height },
      colorScheme: visitor.theme ?? "light",
      javaScriptEnabled: visitor.scripts,
    });
    context.setDefaultTimeout(10_000);
    return new BrowserVisit(context, await context.newPage());
  }

  /** Loads a page and checks that its status is 200. */
  async go(path: string): Promise<Page> {
    const response = await this.page.goto(path);
    assert.equal(response?.status(), 200, path);
    return this.page;
  }

  #watch(page: Page): void {
    page.on("pageerror", (error) => this.#faults.push(`${error}`));
    page.on("console", (message) => {
      // Tests check the status of pages. The status of resources is checked below.
      if (/^Failed to load resource/.test(message.text())) return;
      if (/error|warning/.test(message.type())) this.#faults.push(message.text());
    });
    page.on("response", (response) => {
      const isPage = response.request().isNavigationRequest();
      if (!isPage && response.status() >= 400) {
        this.#faults.push(`${response.status()} ${response.url()}`);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    assert.deepEqual(this.#faults, []);
  }
}

/** A running system and a browser for it. */
export class Site {
  readonly system: System;
  readonly origin: string;
  readonly #browser: Browser;

  constructor(system: System, browser: Browser) {
    this.system = system;
    this.#browser = browser;
    // A browser accepts `Secure` cookies from `localhost` without TLS.
    this.origin = `http://localhost:${system.join.url.port}`;
  }

  visit(visitor: Visitor = desktop): Promise<BrowserVisit> {
    return BrowserVisit.start(this.#browser, this.origin, visitor);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.system.dispose();
  }
}

export async function openSite(options: Options = {}): Promise<Site> {
  const executablePath = find();
  if (!executablePath) throw new Error(none);
  const [system, browser] = await Promise.all([
    start(options),
    chromium.launch({ executablePath }),
  ]);
  return new Site(system, browser);
}

/** Retries an assertion for five seconds, because scripts update a page asynchronously. */
export async function eventually(holds: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    if (
      await holds().then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(20);
  }
  await holds();
}

/** Clicks a button or a link, and waits until the browser has loaded the next page. */
export async function follow(target: Locator): Promise<void> {
  await Promise.all([target.page().waitForEvent("load"), target.click()]);
}

/**
 * The texts of all elements that match, in order. Waits until the page is loaded: a click only waits
 * until the next page begins to arrive, and Playwright does not wait for lists.
 */
export async function texts(list: Locator): Promise<string[]> {
  await list.page().waitForLoadState();
  return list.allInnerTexts();
}

/** The number of elements that match. Waits until the page is loaded, for the same reason. */
export async function count(list: Locator): Promise<number> {
  await list.page().waitForLoadState();
  return list.count();
}

/** The error message of a field. Checks that the field refers to the message and has the focus. */
export async function fieldError(page: Page, label: string): Promise<string> {
  const field = page.getByLabel(label, { exact: true });
  await eventually(async () =>
    assert.equal(await field.getAttribute("aria-invalid"), "true", label),
  );
  const [id] = (await field.getAttribute("aria-describedby"))?.split(" ") ?? [];
  await eventually(async () => {
    const focused = await page.evaluate(() => document.activeElement?.id);
    assert.equal(focused, await field.getAttribute("id"));
  });
  return (await page.locator(`[id="${id}"]`).textContent()) ?? "";
}
