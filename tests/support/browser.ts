// A real browser in front of the built workers. Whatever a page complains of on the way fails
// the test that visits it.
import assert from "node:assert/strict";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { find, none } from "../../ops/dev/chromium.ts";
import { type Options, type System, start } from "./harness.ts";

/** How somebody looks at the pages. */
export type Visitor = {
  name: string;
  width: number;
  height: number;
  scripts: boolean;
  theme?: "light" | "dark";
};

export const desk = { name: "at a desk", width: 1280, height: 800, scripts: true };
export const phone = { name: "on a phone", width: 390, height: 844, scripts: true };
export const visitors: Visitor[] = [
  desk,
  phone,
  { ...desk, name: "at a desk without scripts", scripts: false },
  { ...phone, name: "on a phone without scripts", scripts: false },
];

/** One tab of somebody's own: nothing of another visit is known to it. */
export class Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly #faults: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    this.#watch(page);
    context.on("page", (other) => this.#watch(other));
  }

  static async of(browser: Browser, origin: string, visitor: Visitor): Promise<Visit> {
    const context = await browser.newContext({
      baseURL: origin,
      viewport: { width: visitor.width, height: visitor.height },
      colorScheme: visitor.theme ?? "light",
      javaScriptEnabled: visitor.scripts,
    });
    context.setDefaultTimeout(10_000);
    return new Visit(context, await context.newPage());
  }

  /** Loads a page that must be there. */
  async go(path: string): Promise<Page> {
    const response = await this.page.goto(path);
    assert.equal(response?.status(), 200, path);
    return this.page;
  }

  #watch(page: Page): void {
    page.on("pageerror", (error) => this.#faults.push(`${error}`));
    page.on("console", (message) => {
      // The status of a page is its test's business; that of what it loads is looked at below.
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

/** The system, and a browser that visits it. */
export class Site {
  readonly system: System;
  readonly origin: string;
  readonly #browser: Browser;

  constructor(system: System, browser: Browser) {
    this.system = system;
    this.#browser = browser;
    // A browser trusts `localhost`: it keeps cookies that are for TLS alone.
    this.origin = `http://localhost:${system.join.url.port}`;
  }

  visit(visitor: Visitor = desk): Promise<Visit> {
    return Visit.of(this.#browser, this.origin, visitor);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.system.dispose();
  }
}

export async function open(options: Options = {}): Promise<Site> {
  const executablePath = find();
  if (!executablePath) throw new Error(none);
  const [system, browser] = await Promise.all([
    start(options),
    chromium.launch({ executablePath }),
  ]);
  return new Site(system, browser);
}

/** Tries until it holds: what a script shows comes when it comes. */
export async function eventually(holds: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    if (
      await holds().then(
        () => true,
        () => false,
      )
    )
      return;
  }
  await holds();
}

/** The message beside a field; the field is told of it, and whoever sent it stands there. */
export async function wrong(page: Page, label: string): Promise<string> {
  const field = page.getByLabel(label, { exact: true });
  assert.equal(await field.getAttribute("aria-invalid"), "true", label);
  const [id] = (await field.getAttribute("aria-describedby"))?.split(" ") ?? [];
  await eventually(async () => {
    const focused = await page.evaluate(() => document.activeElement?.id);
    assert.equal(focused, await field.getAttribute("id"));
  });
  return (await page.locator(`[id="${id}"]`).textContent()) ?? "";
}
