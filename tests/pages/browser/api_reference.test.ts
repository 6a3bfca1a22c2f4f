// Tests the page of the API reference. It works under its Content-Security-Policy, loads nothing
// from other sites, and can send requests.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import type axe from "axe-core";
import { count, desktop, openSite, screens, themes } from "../../support/browser.ts";

const site = await openSite({ seed: true });
after(() => site[Symbol.asyncDispose]());

test("the_api_reference_executes_a_request_without_loading_other_sites", async () => {
  await using visit = await site.visit();
  const { page } = visit;
  const externalRequests: string[] = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== site.origin)
      externalRequests.push(request.url());
  });
  await visit.go("/");
  await page.getByRole("link", { name: "API", exact: true }).click();
  await page.locator(".opblock").first().waitFor();
  const { paths } = JSON.parse(readFileSync("openapi/join.json", "utf8"));
  const operations = Object.values<object>(paths).flatMap(Object.keys);
  assert.equal(await count(page.locator(".opblock")), operations.length);

  const operation = page.locator("#operations-people-readPerson");
  await operation.locator(".opblock-summary-control").click();
  await operation.locator("input[placeholder=id]").fill("46");
  const apiResponse = page.waitForResponse(`${site.origin}/v1/people/46`);
  await operation.getByRole("button", { name: "Execute" }).click();
  assert.equal((await apiResponse).status(), 200);
  await operation.locator(".live-responses-table", { hasText: "Sirio Fornel" }).waitFor();

  assert.deepEqual(externalRequests, []);
});

test("the_api_reference_fills_in_no_preference", async () => {
  await using visit = await site.visit();
  // The page opens the operation that its fragment names.
  const page = await visit.go("/docs/#/people%20per%20place/readPeopleOfPlace");
  const operation = page.locator("#operations-people_per_place-readPeopleOfPlace");
  const preference = operation.locator("input[placeholder=Prefer]");
  await preference.waitFor({ timeout: 30_000 });
  assert.equal(await preference.inputValue(), "");
});

test("the_api_reference_is_dark_in_dark_mode_and_leads_back", async () => {
  for (const [theme, isDark] of [
    ["light", false],
    ["dark", true],
  ] as const) {
    await using visit = await site.visit({ ...desktop, theme });
    const page = await visit.go("/docs/");
    await page.locator(".opblock").first().waitFor({ timeout: 30_000 });
    const image = await page.screenshot({ clip: { x: 0, y: 0, width: 8, height: 8 }, type: "png" });
    // The colour of a pixel, as the browser itself decodes it.
    const brightness = await page.evaluate(async (base64) => {
      const bitmap = new Image();
      bitmap.src = `data:image/png;base64,${base64}`;
      await bitmap.decode();
      const context = document.createElement("canvas").getContext("2d");
      context?.drawImage(bitmap, 0, 0);
      return context?.getImageData(1, 1, 1, 1).data[0] ?? -1;
    }, image.toString("base64"));
    assert.equal(brightness < 60, isDark, `${theme}: ${brightness}`);
    assert.equal(brightness > 200, !isDark, `${theme}: ${brightness}`);
    await page.getByRole("link", { name: "People per place", exact: true }).click();
    await page.getByRole("heading", { name: "Population by place" }).waitFor();
  }
});

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

for (const visitor of screens) {
  for (const theme of themes) {
    test(`axe_finds_nothing_in_the_api_reference: ${visitor.name}, ${theme}`, async () => {
      await using visit = await site.visit({ ...visitor, theme });
      const page = await visit.go("/docs/");
      await page.locator(".opblock").first().waitFor({ timeout: 30_000 });
      const violations = async () => {
        await page.evaluate(axeSource);
        const { violations } = await page.evaluate(() =>
          (window as never as { axe: typeof axe }).axe.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
          }),
        );
        return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      };
      assert.deepEqual(await violations(), []);
      // An operation with choices, a body and an executed request.
      for (const id of ["people-listPeople", "people-createPerson"]) {
        const operation = page.locator(`#operations-${id}`);
        await operation.locator(".opblock-summary-control").click();
        await operation.locator("select").first().waitFor();
      }
      const operation = page.locator("#operations-people-listPeople");
      await operation.getByRole("button", { name: "Execute" }).click();
      await operation.locator(".live-responses-table").waitFor();
      assert.deepEqual(await violations(), []);
    });
  }
}
