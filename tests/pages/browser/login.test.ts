// Tests tokens on the pages: a user enters a token once, and forms of other sites are rejected.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { count, desktop, fieldError, follow, openSite, visitors } from "../../support/browser.ts";
import { bearer, tokenHash } from "../../support/tokens.ts";

const token = "a-token-that-may-write";
const site = await openSite({
  places: [{ id: 1, name: "Uno" }],
  gatewaySettings: { TOKENS: `write:anna:${tokenHash(token)}` },
});
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

async function places(): Promise<string[]> {
  const { json } = await join.get("/v1/places");
  return json.map(({ name }: { name: string }) => name);
}

for (const visitor of visitors) {
  test(`a_token_is_entered_once_remembered_and_forgotten: ${visitor.name}`, async () => {
    const [first, second] = [`Primera ${visitor.name}`, `Segunda ${visitor.name}`];
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/places/new");
    const addButton = page.getByRole("button", { name: "Add place" });
    await page.getByLabel("Name").fill(first);
    for (const guess of ["short", "a-token-that-is-guessed"]) {
      await page.getByLabel("Token").fill(guess);
      await follow(addButton);
      assert.match(await fieldError(page, "Token"), /^Must be |not valid here/);
      assert.equal(await page.getByLabel("Token").inputValue(), "");
      assert.equal(await page.getByLabel("Name").inputValue(), first);
      assert.deepEqual(await visit.context.cookies(), []);
    }
    await page.getByLabel("Token").fill(token);
    await addButton.click();
    await page.getByText(`Added ${first}.`).waitFor();
    const [cookie, ...others] = await visit.context.cookies();
    assert.deepEqual(others, []);
    const { name, httpOnly, secure, sameSite, path, domain } = cookie ?? {};
    assert.deepEqual(
      { name, httpOnly, secure, sameSite, path, domain },
      {
        name: "__Host-token",
        httpOnly: true,
        secure: true,
        sameSite: "Strict",
        path: "/",
        domain: "localhost",
      },
    );
    const days = ((cookie?.expires ?? 0) * 1000 - Date.now()) / 86_400_000;
    assert.ok(days > 170 && days < 190, `${days}`);

    await visit.go("/ui/places/new");
    assert.equal(await count(page.getByLabel("Token")), 0);
    await page.getByLabel("Name").fill(second);
    await addButton.click();
    await page.getByText(`Added ${second}.`).waitFor();

    await page.getByRole("link", { name: "Token" }).click();
    await page.getByRole("button", { name: "Forget my token" }).click();
    await page.getByText("This browser has forgotten its token.").waitFor();
    assert.deepEqual(await visit.context.cookies(), []);
    await follow(page.getByRole("link", { name: "Token" }));
    assert.equal(await count(page.getByRole("button", { name: "Forget my token" })), 0);
    assert.equal(await count(page.getByLabel("Token")), 1);
    await visit.go("/ui/places/new");
    assert.equal(await count(page.getByLabel("Token")), 1);
    assert.deepEqual(
      (await places()).filter((name) => name.endsWith(` ${visitor.name}`)),
      [first, second],
    );
  });
}

test("a_pasted_or_chosen_file_survives_a_wrong_token", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  await page.getByLabel("Token").fill("a-token-that-is-guessed");
  const buffer = Buffer.from("name\nTres");
  const file = { name: "places.csv", mimeType: "text/csv", buffer };
  await page.getByLabel("Contents").selectOption("Places");
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "Import file" }).click();
  assert.match(await fieldError(page, "Token"), /not valid here/);
  assert.equal(await page.getByLabel("Or paste it here").inputValue(), "name\nTres");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Import file" }).click();
  await page.getByRole("heading", { name: "Result" }).waitFor();
  assert.ok((await places()).includes("Tres"));
});

test("a_single_button_asks_for_the_token_too", async () => {
  const person = { name: "Viva", isAlive: true, placeId: 1 };
  const { id } = (await join.send("POST", "/v1/people", person, bearer(token))).json;
  await using visit = await site.visit();
  const page = await visit.go(`/ui/people/${id}`);
  await page.getByRole("button", { name: "Record death" }).click();
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Record death" }).click();
  await page.getByText("Recorded the death of Viva.").waitFor();
});

/** Serves a page from another port of localhost. To a browser it is the same site, so its requests
 * carry the cookie. */
async function serveOtherSite(html: string): Promise<{ origin: string; close: () => void }> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html").end(html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { origin: `http://localhost:${port}`, close: () => server.close() };
}

for (const [kind, fields] of [
  ["application/x-www-form-urlencoded", '<input name="name" value="Ajena">'],
  [
    "multipart/form-data",
    '<input name="collection" value="places"><input name="dryRun" value="false"><textarea name="text">{"name":"Ajena"}</textarea>',
  ],
  ["text/plain", '<input name="name=Ajena&x" value="">'],
]) {
  test(`a_form_of_another_site_is_rejected_with_and_without_the_cookie: ${kind}`, async () => {
    const path = kind === "multipart/form-data" ? "/ui/import" : "/ui/places/new";
    const other = await serveOtherSite(
      `<form method="post" action="${site.origin}${path}" enctype="${kind}">${fields}<button>Win</button></form>`,
    );
    await using visit = await site.visit({ ...desktop, scripts: false });
    const { page, context } = visit;
    const url = site.origin.replace("http:", "https:");
    const sameSite = "Strict" as const;
    const cookie = { name: "__Host-token", value: token, url, sameSite };
    try {
      for (const cookies of [[], [cookie]]) {
        await context.addCookies(cookies);
        for (const host of [other.origin, other.origin.replace("localhost", "127.0.0.1")]) {
          await page.goto(host);
          const sent = page.waitForRequest((request) => request.method() === "POST");
          await page.getByRole("button", { name: "Win" }).click();
          const request = await sent;
          assert.equal((await request.response())?.status(), 403);
          const { cookie: cookieHeader = "" } = await request.allHeaders();
          // The cookie is sent from the other port, so its SameSite attribute is not the only defence.
          const isSent = cookies.length > 0 && host.includes("localhost");
          assert.equal(cookieHeader.includes(token), isSent, `${host} sent ${cookieHeader}`);
        }
      }
    } finally {
      other.close();
    }
    assert.ok(!(await places()).includes("Ajena"));
  });
}
