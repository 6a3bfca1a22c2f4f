// The page of recent changes shows later changes within seconds, if scripts run.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Page } from "playwright-core";
import {
  count,
  eventually,
  follow,
  openSite,
  screens,
  texts,
  visitors,
} from "../../support/browser.ts";
import { bearer, readToken, TOKENS, writeToken } from "../../support/tokens.ts";
import { waitUntil } from "../../support/wait_until.ts";

const sentences = async (page: Page) => {
  const entries = await texts(page.locator(".history li"));
  return entries.map((entry) => entry.replace(/^.* UTC /, ""));
};

/** The requests for events that the page has sent. */
function streams(page: Page): string[] {
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.resourceType() === "eventsource") sent.push(new URL(request.url()).search);
  });
  return sent;
}

test("later_changes_are_added_on_top_and_announced", async () => {
  await using site = await openSite({ places: [{ id: 1, name: "Uno" }] });
  const { join } = site.system;
  for (const visitor of visitors) {
    const add = async (name: string) => {
      const { status } = await join.send("POST", "/v1/people", { name: `${name} ${visitor.name}` });
      assert.equal(status, 201);
    };
    await using visit = await site.visit(visitor);
    const sent = streams(visit.page);
    const page = await visit.go("/ui/changes");
    const before = await sentences(page);
    await page.getByRole("link", { name: "Uno" }).focus();
    if (visitor.scripts) await waitUntil("a stream begins", () => sent.length === 1);
    await add("Ana");
    if (!visitor.scripts) {
      assert.deepEqual(await sentences(page), before);
      await page.reload();
    }
    const first = `added person Ana ${visitor.name}`;
    await eventually(async () => assert.deepEqual(await sentences(page), [first, ...before]));
    if (!visitor.scripts) continue;
    assert.equal(await page.getByRole("status").textContent(), "1 new change");
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    assert.equal(await focused(), "Uno", "the link keeps the focus");
    await Promise.all(["Blas", "Caro", "Dora"].map(add));
    await eventually(async () => {
      assert.equal((await sentences(page)).length, before.length + 4);
      assert.match((await page.getByRole("status").textContent()) ?? "", /^[123] new changes?$/);
    });
    assert.equal(sent.length, 1);
  }
});

test("a_page_with_no_changes_shows_the_first_one", async () => {
  await using site = await openSite();
  await using visit = await site.visit();
  const sent = streams(visit.page);
  const page = await visit.go("/ui/changes");
  await page.getByText("No changes.").waitFor();
  await waitUntil("a stream begins", () => sent.length === 1);
  await site.system.join.send("POST", "/v1/places", { name: "Primero" });
  await eventually(async () => assert.deepEqual(await sentences(page), ["added place Primero"]));
  assert.equal(await count(page.getByText("No changes.")), 0);
});

test("a_hidden_page_is_not_live_and_is_updated_when_it_is_shown_again", async () => {
  await using site = await openSite({ places: [{ id: 1, name: "Uno" }] });
  await using visit = await site.visit();
  const sent = streams(visit.page);
  const page = await visit.go("/ui/changes");
  await waitUntil("a stream begins", () => sent.length === 1);
  const setHidden = (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  const ended = page.waitForEvent("requestfailed");
  await setHidden(true);
  assert.equal((await ended).resourceType(), "eventsource");
  await site.system.join.send("POST", "/v1/places", { name: "Dos" });
  const later = await page.waitForRequest(/.*/, { timeout: 1500 }).catch(() => undefined);
  assert.equal(later, undefined, "a hidden page sends no request");
  await setHidden(false);
  await eventually(async () => assert.equal((await sentences(page))[0], "added place Dos"));
  await waitUntil("a stream begins", () => sent.length === 2);
  assert.notEqual(sent[1], sent[0], "the second stream begins after the changes that are shown");
  await site.system.join.send("POST", "/v1/places", { name: "Tres" });
  await eventually(async () => assert.equal((await sentences(page))[0], "added place Tres"));
});

test("a_page_that_needs_a_token_is_live_and_its_files_are_read_with_the_cookie", async () => {
  await using site = await openSite({
    places: [{ id: 1, name: "Uno" }],
    gatewaySettings: { TOKENS, READS: "token" },
  });
  for (const visitor of screens) {
    await using visit = await site.visit(visitor);
    const sent = streams(visit.page);
    const url = site.origin.replace("http:", "https:");
    await visit.context.addCookies([{ name: "__Host-token", value: readToken, url }]);
    const page = await visit.go("/ui/changes");
    const before = await sentences(page);
    assert.match(before.at(-1) ?? "", /^added place Uno/);
    const name = `Otro ${visitor.name}`;
    await site.system.join.send("POST", "/v1/places", { name }, bearer(writeToken));
    await eventually(async () =>
      assert.deepEqual(await sentences(page), [`added place ${name} by anna`, ...before]),
    );
    assert.equal(sent.length, 1);
    await page.goto("/");
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV" }).first().click(),
    ]);
    assert.match(await readFile(await file.path(), "utf8"), /^id,name/);
    await page.goto("/ui/changes");
    await follow(page.getByRole("link", { name: "All changes as JSON" }));
    assert.match((await page.locator("body").textContent()) ?? "", /"collection":"places"/);
  }
});
