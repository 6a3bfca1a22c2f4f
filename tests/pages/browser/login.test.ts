// Who writes from the pages: a token asked for once, and no form of another site.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { desk, open, visitors, wrong } from "../../support/browser.ts";

const token = "a-token-that-may-write";
const hash = createHash("sha256").update(token).digest("hex");
const site = await open({
  places: [{ id: 1, name: "Uno" }],
  settings: { TOKENS: `write:${hash}` },
});
after(() => site[Symbol.asyncDispose]());
const { join } = site.system;

async function places(): Promise<string[]> {
  const { json } = await join.get("/v1/places");
  return json.map(({ name }: { name: string }) => name);
}

for (const visitor of visitors) {
  test(`${visitor.name} a token is asked for once, kept and forgotten`, async () => {
    const [first, second] = [`Primera ${visitor.name}`, `Segunda ${visitor.name}`];
    await using visit = await site.visit(visitor);
    const page = await visit.go("/ui/places/new");
    const add = page.getByRole("button", { name: "Add the place" });
    await page.getByLabel("Name").fill(first);
    for (const guess of ["short", "a-token-that-is-guessed"]) {
      await page.getByLabel("Token").fill(guess);
      await add.click();
      await page.waitForLoadState();
      assert.match(await wrong(page, "Token"), /^Must be |not a token/);
      assert.equal(await page.getByLabel("Token").inputValue(), "");
      assert.equal(await page.getByLabel("Name").inputValue(), first);
      assert.deepEqual(await visit.context.cookies(), []);
    }
    await page.getByLabel("Token").fill(token);
    await add.click();
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
    assert.equal(await page.getByLabel("Token").count(), 0);
    await page.getByLabel("Name").fill(second);
    await add.click();
    await page.getByText(`Added ${second}.`).waitFor();

    await page.getByRole("button", { name: "Forget my token" }).click();
    await page.getByText("This browser has forgotten its token.").waitFor();
    assert.deepEqual(await visit.context.cookies(), []);
    await visit.go("/ui/places/new");
    assert.equal(await page.getByLabel("Token").count(), 1);
    assert.deepEqual(
      (await places()).filter((name) => name.endsWith(` ${visitor.name}`)),
      [first, second],
    );
  });
}

test("what_is_pasted_or_chosen_survives_a_wrong_token", async () => {
  await using visit = await site.visit();
  const page = await visit.go("/ui/import");
  await page.getByLabel("Token").fill("a-token-that-is-guessed");
  const buffer = Buffer.from("name\nTres");
  const file = { name: "places.csv", mimeType: "text/csv", buffer };
  await page.getByLabel("The file has").selectOption("Places");
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "Import it" }).click();
  assert.match(await wrong(page, "Token"), /not a token/);
  assert.equal(await page.getByLabel("Or paste it here").inputValue(), "name\nTres");
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Import it" }).click();
  await page.getByRole("heading", { name: "What came of it" }).waitFor();
  assert.ok((await places()).includes("Tres"));
});

test("a_button_without_a_form_of_its_own_asks_for_the_token_too", async () => {
  const person = { name: "Viva", isAlive: true, placeId: 1 };
  const bearer = { authorization: `Bearer ${token}` };
  const { id } = (await join.send("POST", "/v1/people", person, bearer)).json;
  await using visit = await site.visit();
  const page = await visit.go(`/ui/people/${id}`);
  await page.getByRole("button", { name: "Bury" }).click();
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Bury" }).click();
  await page.getByText("Recorded the death of Viva.").waitFor();
});

/** Another site of the same machine: to a browser it is of the same site, and its requests
 * carry the cookie. */
async function elsewhere(html: string): Promise<{ origin: string; close: () => void }> {
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
    '<input name="register" value="places"><input name="dryRun" value="false"><textarea name="text">{"name":"Ajena"}</textarea>',
  ],
  ["text/plain", '<input name="name=Ajena&x" value="">'],
]) {
  test(`a form of another site is refused, cookie or not: ${kind}`, async () => {
    const path = kind === "multipart/form-data" ? "/ui/import" : "/ui/places/new";
    const other = await elsewhere(
      `<form method="post" action="${site.origin}${path}" enctype="${kind}">${fields}<button>Win</button></form>`,
    );
    await using visit = await site.visit({ ...desk, scripts: false });
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
          const { cookie: kept = "" } = await request.allHeaders();
          // The proof that it is not the cookie's SameSite alone that keeps the other one out.
          const isSent = cookies.length > 0 && host.includes("localhost");
          assert.equal(kept.includes(token), isSent, `${host} sent ${kept}`);
        }
      }
    } finally {
      other.close();
    }
    assert.ok(!(await places()).includes("Ajena"));
  });
}
