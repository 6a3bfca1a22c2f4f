// Tests removed and renamed places at an earlier date, and in a comparison.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { count, follow, openSite, texts, visitors } from "../../support/browser.ts";

const DAY = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY).toISOString().slice(0, 10);
const site = await openSite({
  places: [
    { id: 1, name: "Uno" },
    { id: 2, name: "Dos" },
    { id: 3, name: "Tres" },
  ],
});
after(() => site[Symbol.asyncDispose]());
const { join, db } = site.system;
// The change log is append-only.
await db.places.rows("DROP TRIGGER IF EXISTS place_change_is_never_updated");

for (const visitor of visitors) {
  test(`a_removed_or_renamed_place_has_a_page_at_an_earlier_date: ${visitor.name}`, async () => {
    const add = async (name: string) => {
      const place = await join.send("POST", "/v1/places", { name: `${name} ${visitor.name}` });
      return place.json.id as number;
    };
    const [removed, renamed] = [await add("Cuatro"), await add("Cinco")];
    await db.places.rows(
      `UPDATE place_change SET at = at - ${10 * DAY} WHERE place_id IN (${removed}, ${renamed})`,
    );
    await join.request("DELETE", `/v1/places/${removed}`);
    await join.send("PATCH", `/v1/places/${renamed}`, { name: `Seis ${visitor.name}` });
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/?asOf=${daysAgo(5)}`);
    await follow(page.getByRole("link", { name: `Cuatro ${visitor.name}` }));
    await page.getByText(/^This place was removed on .* UTC\./).waitFor();
    assert.deepEqual(await texts(page.locator(".totals > div")), [
      "living\n0",
      "dead\n0",
      "king\nnone",
    ]);
    for (const name of ["JSON", "CSV"]) {
      const link = page.locator(".more").getByRole("link", { name, exact: true }).first();
      const { status } = await join.get((await link.getAttribute("href")) ?? "");
      assert.equal(status, 200, name);
    }
    await page.goto(`/?asOf=${daysAgo(5)}`);
    await follow(page.getByRole("link", { name: `Cinco ${visitor.name}` }));
    await page.getByRole("heading", { name: `Cinco ${visitor.name}` }).waitFor();
    await page.getByText(`As of ${daysAgo(5)} (now “Seis ${visitor.name}”):`).waitFor();
    await page.goto(`/ui/places/${renamed}?asOf=${daysAgo(20)}`);
    await page.getByText(/this place did not exist\. It was added on/).waitFor();

    await page.goto(`/ui/compare?ids=1,${removed}`);
    const leftOut = `Left out: place ${removed}. It was removed, or never existed.`;
    await page.getByText(leftOut).waitFor();
    await page.goto(`/ui/compare?ids=1,2,3,${renamed},${removed},999`);
    await page.getByText("Only the first five places are compared.").waitFor();
    await join.request("DELETE", `/v1/places/${renamed}`);
  });

  test(`five_places_are_compared_with_their_files: ${visitor.name}`, async () => {
    const others = [];
    for (const name of ["A", "B"]) {
      const place = await join.send("POST", "/v1/places", { name: `${name} ${visitor.name}` });
      others.push(place.json.id);
    }
    await using visit = await site.visit(visitor);
    const page = await visit.go(`/ui/compare?step=hour&ids=1,2,3,${others}`);
    await page.getByText("To add another place, untick one of these five.").waitFor();
    assert.equal(await count(page.getByLabel("Add a place")), 0);
    assert.match((await texts(page.locator(".times span")))[0] ?? "", /^[\d-]{10} \d\d:\d\d UTC$/);
    const files = page.locator(".more").getByRole("link", { name: "CSV" });
    assert.equal(await count(files), 5);
    const csv = await join.get((await files.first().getAttribute("href")) ?? "");
    assert.match(csv.text, /^at,/);
    await page.getByText("Numbers of the chart").click();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(width, visitor.width);
    for (const id of others) await join.request("DELETE", `/v1/places/${id}`);
  });
}
