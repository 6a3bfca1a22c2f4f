// Who may write, at the entry point.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { start } from "./harness.ts";

const hash = (token: string) => createHash("sha256").update(token).digest("hex");
const [old, next] = ["an-old-token-of-2025", "a-new-token-of-2026"];
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const place = { name: "Nueva" };

test("without_any_setting_writes_are_refused_and_reads_are_not", async () => {
  await using system = await start({ seed: true, settings: {} });
  const { join } = system;
  for (const [method, path] of [
    ["POST", "/v1/places"],
    ["POST", "/places/"],
    ["PUT", "/v1/people/1"],
    ["PATCH", "/v1/people/1"],
    ["DELETE", "/v1/people/1"],
    ["POST", "/v1/people/import"],
    ["POST", "/v1/integrity/repair"],
  ] as const) {
    const refused = await join.send(method, path, place);
    assert.equal(refused.status, 401, `${method} ${path}`);
    assert.equal(refused.json.type, "/problems/token-required");
    assert.equal(refused.headers["www-authenticate"], "Bearer");
    const guessed = await join.send(method, path, place, bearer("just-any-token-at-all"));
    assert.equal(guessed.json.type, "/problems/token-refused");
    assert.equal(guessed.headers["www-authenticate"], 'Bearer error="invalid_token"');
  }
  assert.equal((await join.send("POST", "/v1/places", place, bearer("short"))).status, 400);
  assert.equal((await join.get("/v1/people/1")).status, 200);
  assert.equal((await join.ask("OPTIONS", "/v1/people/1")).status, 204);
  assert.equal((await join.get("/v1/places/31")).status, 404);
});

test("two_tokens_are_live_while_one_is_rotated", async () => {
  const settings = { WRITE_TOKENS: `${hash(old)},${hash(next)}` };
  await using system = await start({ settings });
  const { join } = system;
  for (const [token, name] of [
    [old, "Vieja"],
    [next, "Nueva"],
  ] as const) {
    const created = await join.send("POST", "/v1/places", { name }, bearer(token));
    assert.equal(created.status, 201, created.text);
  }
  assert.equal((await join.send("POST", "/v1/places", { name: "Otra" })).status, 401);
});
