// The description of the API as a page: it needs nothing of other sites, runs under its policy
// without a complaint, and tries out what it describes.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openSite } from "../../support/browser.ts";

const site = await openSite({ seed: true });
after(() => site[Symbol.asyncDispose]());

test("the API is read, and tried out, where it is", async () => {
  await using visit = await site.visit();
  const { page } = visit;
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== site.origin) elsewhere.push(request.url());
  });
  await visit.go("/");
  await page.getByRole("link", { name: "API", exact: true }).click();
  await page.locator(".opblock").first().waitFor();
  assert.equal(await page.locator(".opblock").count(), 33);

  const reading = page.locator("#operations-people-readPerson");
  await reading.locator(".opblock-summary-control").click();
  await reading.locator("input[placeholder=id]").fill("46");
  const asked = page.waitForResponse(`${site.origin}/v1/people/46`);
  await reading.getByRole("button", { name: "Execute" }).click();
  assert.equal((await asked).status(), 200);
  await reading.locator(".live-responses-table", { hasText: "Sirio Fornel" }).waitFor();

  assert.deepEqual(elsewhere, []);
});
