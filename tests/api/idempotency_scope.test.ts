// Tests the scope of an idempotency key: it is valid for one token and one kind of request.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { SERVICE_SECRET, start } from "../support/harness.ts";
import { batchOutcome } from "../support/import_helpers.ts";
import { sendForm } from "../support/page_helpers.ts";
import { bearer, tokenHash } from "../support/tokens.ts";

const [anna, otto] = ["the-token-of-anna", "the-token-of-otto"];
const TOKENS = `write:anna:${tokenHash(anna)},write:otto:${tokenHash(otto)}`;
const system = await start({
  seed: true,
  gatewaySettings: { TOKENS },
  backendSettings: { TOKENS, SERVICE_SECRET },
});
after(() => system.dispose());
const { join } = system;

const person = { name: "Nueva", isAlive: true, placeId: 1 };
const post = (token: string, key: string, headers = {}, worker = join) =>
  worker.send("POST", "/v1/people", person, {
    "idempotency-key": key,
    ...bearer(token),
    ...headers,
  });

test("a_stored_response_is_replayed_only_to_the_token_that_made_the_request", async () => {
  const first = await post(anna, "k");
  assert.equal(first.status, 201);
  const other = await post(otto, "k");
  assert.equal(other.status, 201);
  assert.notEqual(other.json.id, first.json.id);
  assert.equal(other.headers["idempotency-replayed"], undefined);
  const replayed = await post(anna, "k");
  assert.equal(replayed.json.id, first.json.id);
  assert.equal(replayed.headers["idempotency-replayed"], "true");
});

test("a_key_is_the_same_through_the_gateway_and_at_the_backend", async () => {
  const first = await post(anna, "twice");
  const direct = await post(anna, "twice", {}, system.people);
  assert.equal(direct.json.id, first.json.id);
  assert.notEqual((await post(otto, "twice", {}, system.people)).json.id, first.json.id);
});

test("a_client_cannot_name_the_caller_of_another_token", async () => {
  const first = await post(anna, "forged");
  const caller = { "x-gateway-caller": tokenHash(anna).slice(0, 16) };
  for (const worker of [join, system.people]) {
    const forged = await post(otto, "forged", caller, worker);
    assert.equal(forged.status, 201);
    assert.notEqual(forged.json.id, first.json.id);
  }
});

test("a_form_key_belongs_to_the_token_of_the_session", async () => {
  const send = (token: string) =>
    sendForm(
      join,
      "/ui/people/new",
      { name: "De formulario", key: "one-key" },
      { cookie: `__Host-token=${token}` },
    );
  const first = await send(anna);
  assert.equal(first.status, 303, first.text);
  assert.notEqual((await send(otto)).headers.location, first.headers.location);
  assert.equal((await send(anna)).headers.location, first.headers.location);
});

test("an_import_key_belongs_to_one_token", async () => {
  const importFile = async (token: string) => {
    const headers = { "content-type": "text/csv", "idempotency-key": "file", ...bearer(token) };
    const path = "/v1/people/import";
    return batchOutcome(await join.request("POST", path, headers, "name\nImportada\n"));
  };
  const written = await importFile(anna);
  const other = await importFile(otto);
  const repeated = await importFile(anna);
  assert.deepEqual(other, written);
  assert.notDeepEqual(repeated, written);
});

test("the_key_of_a_request_does_not_mark_an_import_as_written", async () => {
  const importInto = (worker: typeof join) =>
    worker.request(
      "POST",
      "/v1/people/import",
      { "content-type": "text/csv" },
      "name\nImportada\n",
    );
  await using original = await start({ seed: true });
  await using attacked = await start({ seed: true });
  const written = await importInto(original.join);
  assert.equal(written.status, 200, written.text);
  const [receipt] = await original.db.people.rows("SELECT key FROM idempotency");
  const key = { "idempotency-key": String(receipt?.key) };
  assert.equal((await attacked.join.send("POST", "/v1/people", person, key)).status, 201);
  assert.equal((await importInto(attacked.join)).text, written.text);
});
