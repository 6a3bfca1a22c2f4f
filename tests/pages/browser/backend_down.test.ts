// While a backend is down, pages show the other backend's data and say what is missing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, openSite, screens, texts } from "../../support/browser.ts";
import type { System } from "../../support/harness.ts";
import { waitUntil } from "../../support/wait_until.ts";

const down = () => new Response("", { status: 500 });

test("places_are_shown_without_counts_while_people_is_down", async () => {
  await using site = await openSite({ seed: true, stubs: { people: down } });
  for (const visitor of screens) {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/");
    const [banner, ...others] = await texts(page.getByRole("alert"));
    assert.deepEqual(others, []);
    assert.match(banner ?? "", /people.*The counts are unavailable right now\./);
    const totals = await texts(page.locator(".totals > div"));
    assert.deepEqual(totals.slice(0, 2), ["places\n30", "living\nunknown"]);
    assert.equal(await count(page.locator(":is(.ranking, .people) tbody tr")), 25);
    assert.equal(await page.locator(".ranking td.count").first().textContent(), "unknown");
    await page.getByRole("link", { name: "Descaro del Rey" }).click();
    await page.getByRole("heading", { name: "Descaro del Rey" }).waitFor();
    await page.getByText("The population is unavailable right now.").waitFor();
    await page.getByText("The list of people is unavailable right now.").first().waitFor();
    // A place can still be renamed.
    await page.getByRole("link", { name: "Rename" }).click();
    await page.getByLabel("Name").fill(`Descaro ${visitor.name}`);
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText(`Saved Descaro ${visitor.name}.`).waitFor();
    await page.getByRole("link", { name: "Add a person here" }).click();
    await page.getByLabel("Name").fill("Nadie");
    await page.getByRole("button", { name: "Add person" }).click();
    await page.locator(".notice.warning").waitFor();
    assert.equal(await page.getByLabel("Name").inputValue(), "Nadie");
    await page.goto("/");
    await page.getByLabel("Search").fill("descaro");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("link", { name: `Descaro ${visitor.name}` }).click();
    await page.getByRole("link", { name: "Rename" }).click();
    await page.getByLabel("Name").fill("Descaro del Rey");
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByText("Saved Descaro del Rey.").waitFor();
    await page.goto("/ui/changes");
    await page.getByText(/Some changes are unavailable right now\./).waitFor();
    const changes = await texts(page.locator(".history li"));
    assert.match(changes[0] ?? "", /Descaro del Rey renamed from/);
  }
});

test("people_are_shown_without_place_names_while_places_is_down", async () => {
  await using site = await openSite({ seed: true, stubs: { places: down } });
  await using visit = await site.visit();
  const page = await visit.go("/");
  assert.match(
    (await page.getByRole("alert").textContent()) ?? "",
    /places.*The place names are unavailable right now\./,
  );
  const totals = await texts(page.locator(".totals > div"));
  assert.deepEqual(totals.slice(0, 2), ["places\nunknown", "living\n53"]);
  await page.getByLabel("Search").fill("vera");
  await page.getByText("The list of places is unavailable right now.").first().waitFor();
  await page.goto("/?least=4");
  assert.equal(await count(page.locator(":is(.ranking, .people) tbody tr")), 3);
  await page.getByRole("link", { name: "Place 1", exact: true }).click();
  await page.getByRole("heading", { name: "Place 1" }).waitFor();
  assert.equal(await count(page.locator(":is(.ranking, .people) tbody tr")), 7);
  await page.getByRole("link", { name: "Cercei Lamister" }).first().click();
  await page.getByRole("heading", { name: "Cercei Lamister" }).waitFor();
  await page.getByRole("link", { name: "place 1", exact: true }).waitFor();
  await page.getByRole("button", { name: "Record death" }).click();
  await page.getByText("Recorded the death of Cercei Lamister.").waitFor();
});

test("a_page_states_that_both_backends_are_down", async () => {
  await using site = await openSite({ stubs: { places: down, people: down } });
  await using visit = await site.visit();
  const page = await visit.go("/");
  assert.equal(await count(page.getByRole("alert")), 2);
  await page.getByText("The list of places is unavailable right now.").waitFor();
  await page.getByRole("link", { name: "People", exact: true }).click();
  await page.getByText("The list of people is unavailable right now.").first().waitFor();
  assert.equal((await page.goto("/ui/people/1"))?.status(), 502);
  await page.getByRole("heading", { name: "Unavailable right now" }).waitFor();
});

/** Waits until the data of a page is saved. */
async function waitForSavedPage(system: System, path: string): Promise<void> {
  await waitUntil(`${path} is saved`, async () => {
    const keys = await system.db.join.rows(`SELECT key FROM snapshot WHERE key LIKE '% ${path}?%'`);
    return keys.length > 0;
  });
}

const time = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC";

test("a_place_page_shows_what_it_last_showed_while_a_backend_is_down", async () => {
  await using site = await openSite({ seed: true, switchableFaults: true });
  const { system } = site;
  for (const visitor of screens) {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/places/3");
    const shown = () =>
      texts(page.locator("h1, dl.totals, .range, .people tbody, [aria-labelledby=history]"));
    const before = await shown();
    assert.match(before.join(), /Veranolandia.*living\s+3.*Nerf Stack/s);
    await waitForSavedPage(system, "/ui/places/3");
    for (const [service, parts] of [
      ["people", "The population, the list of people, the chart and the history of the people"],
      ["places", "The name of the place and the history"],
    ] as const) {
      await system.setFault(service, "throws");
      await visit.go("/ui/places/3");
      assert.deepEqual(await shown(), before, service);
      const [banner, ...others] = await texts(page.getByRole("alert"));
      assert.match(
        banner ?? "",
        new RegExp(`^The ${service} service.* ${parts} are from ${time}\\.$`),
      );
      assert.deepEqual(others, []);
      await system.setFault(service);
      await waitUntil("the notice disappears", async () => {
        await visit.go("/ui/places/3");
        return (await count(page.getByRole("alert"))) === 0;
      });
    }
    // A search that was not saved shows what was, and states that.
    await system.setFault("people", "throws");
    await visit.go("/ui/places/3?show=isKing%3Dtrue&sort=-id");
    assert.deepEqual(await shown(), before);
    await page.getByText("The list has all people by name, because this search").waitFor();
    assert.equal(await page.getByLabel("State").inputValue(), "");
    assert.equal(await page.getByLabel("Order").inputValue(), "name");
    await system.setFault("people");
    await waitUntil("people is called again", async () => {
      await visit.go("/ui/places/3");
      return (await count(page.getByRole("alert"))) === 0;
    });
  }
});

test("the_overview_shows_its_last_totals_and_order_while_people_is_down", async () => {
  await using site = await openSite({ seed: true, switchableFaults: true });
  const { system } = site;
  await using visit = await site.visit();
  const page = await visit.go("/");
  const shown = () => texts(page.locator("dl.totals, .range, .ranking tbody, .chart desc"));
  const before = await shown();
  assert.match(before.join(), /places\s+30.*living\s+53/s);
  await waitForSavedPage(system, "/");
  await system.setFault("people", "throws");
  await visit.go("/");
  assert.deepEqual(await shown(), before);
  const [banner, ...others] = await texts(page.getByRole("alert"));
  assert.match(banner ?? "", new RegExp(`^The people service.* The counts are from ${time}\\.$`));
  assert.deepEqual(others, []);
  // An order that was not saved.
  await visit.go("/?sort=living");
  assert.deepEqual(await shown(), before);
  await page.getByText("in the order “Most living first”, because this view").waitFor();
  assert.equal(await page.getByLabel("Order").inputValue(), "-living");
  assert.equal(await count(page.getByRole("alert")), 1);
});

test("the_list_of_people_shows_what_it_last_showed_while_a_backend_is_down", async () => {
  await using site = await openSite({ seed: true, switchableFaults: true });
  const { system } = site;
  for (const visitor of screens) {
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/people");
    const shown = () => texts(page.locator(".range, .people tbody"));
    const before = await shown();
    assert.match(before.join(), /1–50 of 77 people.*Veranolandia/s);
    await waitForSavedPage(system, "/ui/people");
    for (const [service, part] of [
      ["people", "These people"],
      ["places", "The place names"],
    ] as const) {
      await system.setFault(service, "throws");
      await visit.go("/ui/people");
      assert.deepEqual(await shown(), before, service);
      const banners = await texts(page.getByRole("alert"));
      assert.equal(banners.length, 1);
      assert.match(
        banners[0] ?? "",
        new RegExp(`^The ${service} service.* ${part} are from ${time}\\.$`),
      );
      if (service === "people") {
        await visit.go("/ui/people?q=nobody&sort=-id");
        assert.deepEqual(await shown(), before);
        await page.getByText("All are listed by name, because this search is not saved.").waitFor();
        assert.equal(await page.getByLabel("Search").inputValue(), "");
      }
      await system.setFault(service);
      await waitUntil("the notice disappears", async () => {
        await visit.go("/ui/people");
        return (await count(page.getByRole("alert"))) === 0;
      });
    }
  }
});

test("a_person_is_shown_as_last_seen_while_a_backend_is_down", async () => {
  await using site = await openSite({ seed: true, switchableFaults: true });
  const { system } = site;
  // The dead person has no place, and had none.
  const placeless = (await system.join.get("/v1/people?placeId=none&limit=1")).json[0].id;
  await system.join.send("PATCH", "/v1/people/1", { name: "Sensei II" });
  for (const visitor of screens) {
    await using visit = await site.visit(visitor);
    for (const id of [1, placeless]) {
      const path = `/ui/people/${id}`;
      const page = await visit.go(path);
      const shown = () => texts(page.locator("h1, dl.totals, [aria-labelledby=history] li"));
      const before = await shown();
      assert.match(before.join(), id === 1 ? /Sensei II.*alive.*renamed from/s : /none/);
      await waitForSavedPage(system, path);
      for (const [service, part] of [
        ["people", "The data of this person is"],
        ["places", "The place names are"],
      ] as const) {
        await system.setFault(service, "throws");
        await visit.go(path);
        assert.deepEqual(await shown(), before, `${path} without ${service}`);
        const banners = await texts(page.getByRole("alert"));
        assert.equal(banners.length, 1);
        assert.match(
          banners[0] ?? "",
          new RegExp(`^The ${service} service.* ${part} from ${time}\\.$`),
        );
        await system.setFault(service);
        await waitUntil("the notice disappears", async () => {
          await visit.go(path);
          return (await count(page.getByRole("alert"))) === 0;
        });
      }
      // A page that was never shown is still an error.
      await system.setFault("people", "throws");
      assert.equal((await page.goto("/ui/people/5"))?.status(), 502);
      await page.getByRole("heading", { name: "Unavailable right now" }).waitFor();
      await system.setFault("people");
      await waitUntil("people is called again", async () => {
        const response = await page.goto(path);
        return response?.status() === 200 && (await count(page.getByRole("alert"))) === 0;
      });
    }
  }
});
