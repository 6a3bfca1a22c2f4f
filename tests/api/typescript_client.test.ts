// Tests the TypeScript client (clients/typescript) with the running system.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, suite, test } from "node:test";
import { promisify } from "node:util";
import openapi, { astToString } from "openapi-typescript";
import {
  body,
  connect,
  type PersonWithPlace,
  ProblemError,
} from "../../clients/typescript/src/index.ts";
import { startCompressingProxy } from "../support/compressing_proxy.ts";
import { tag } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";
import { tokenHash } from "../support/tokens.ts";

const root = resolve(import.meta.dirname, "../..");
const token = "a-token-for-the-client";
const admin = "an-admin-token-for-the-client";
const TOKENS = `write:anna:${tokenHash(token)},admin:ops:${tokenHash(admin)}`;
const system = await start({ seed: true, gatewaySettings: { TOKENS } });
after(() => system.dispose());

const base = system.join.url.origin;
const client = connect(base, { token });

/** A network that loses the first requests or responses, or returns other responses. */
function unreliable(...results: (Response | "request lost" | "response lost")[]) {
  const sent: Request[] = [];
  const send = async (request: Request) => {
    sent.push(request);
    const result = results.shift();
    if (result instanceof Response) return result;
    if (result === "request lost") throw new TypeError("fetch failed");
    const real = await fetch(request);
    if (result === "response lost") throw new TypeError("fetch failed");
    return real;
  };
  return { sent, fetch: send };
}

const problemResponse = (problem: object, status: number) =>
  Response.json(problem, {
    status,
    headers: { "content-type": "application/problem+json", "retry-after": "0" },
  });

test("the_client_types_equal_the_generated_ones", async () => {
  const generated = astToString(await openapi(new URL("../../openapi/join.json", import.meta.url)));
  const stored = readFileSync(`${root}/clients/typescript/src/api.ts`, "utf8");
  const storedTypes = stored.slice(stored.indexOf("export interface paths"));
  assert.equal(
    storedTypes,
    generated.slice(generated.indexOf("export interface paths")),
    "make openapi",
  );
});

test("the_client_sends_the_bookmark_that_the_server_returned_last", async () => {
  // After a restore, the new bookmark sorts before the old one.
  const results = ["b1.b5", "b2.b4", "b3.", "", ".b6"];
  const requests: (string | null)[] = [];
  const fetch = async ({ headers }: Request) => {
    requests.push(headers.get("x-d1-bookmark"));
    const bookmark = results.shift();
    return Response.json({}, bookmark ? { headers: { "x-d1-bookmark": bookmark } } : {});
  };
  const { api } = connect(base, { fetch });
  for (let n = 0; n < 6; n += 1) await api.GET("/v1/people/{id}", { params: { path: { id: 1 } } });
  // A response without a bookmark ends the session.
  assert.deepEqual(requests, [null, "b1.b5", "b2.b4", "b3.b4", null, ".b6"]);
});

test("a_late_response_does_not_replace_a_later_bookmark", async () => {
  const pending = new Map<string, (bookmark: string) => void>();
  const requests: (string | null)[] = [];
  const fetch = ({ headers, url }: Request) => {
    requests.push(headers.get("x-d1-bookmark"));
    return new Promise<Response>((resolve) => {
      const respond = (bookmark: string) =>
        resolve(Response.json({}, { headers: { "x-d1-bookmark": bookmark } }));
      pending.set(new URL(url).pathname, respond);
    });
  };
  const { api } = connect(base, { fetch });
  const get = (id: number) => api.GET("/v1/people/{id}", { params: { path: { id } } });
  const [slow, fast] = [get(1), get(2)];
  pending.get("/v1/people/2")?.("b2.b2");
  await fast;
  pending.get("/v1/people/1")?.("b1.b3");
  await slow;
  const last = get(3);
  pending.get("/v1/people/3")?.("b4.b4");
  await last;
  assert.deepEqual(requests, [null, null, "b2.b3"]);
});

test("the_client_reads_with_its_token_when_reads_are_closed", async () => {
  await using closed = await start({ seed: true, gatewaySettings: { TOKENS, READS: "closed" } });
  const path = { params: { path: { id: 1 } } };
  const withoutToken = connect(closed.join.url.origin);
  await assert.rejects(withoutToken.api.GET("/v1/people/{id}", path), (error) =>
    (error as ProblemError).is("token-required"),
  );
  const withToken = connect(closed.join.url.origin, { token });
  assert.equal((await body(withToken.api.GET("/v1/people/{id}", path))).id, 1);
});

suite("reads of the client", () => {
  test("a_response_has_the_type_of_its_path", async () => {
    const person = await body(client.api.GET("/v1/people/{id}", { params: { path: { id: 1 } } }));
    const name: string = person.name;
    assert.equal(name, "Sensei Lamister");
  });

  test("a_list_iterator_yields_each_record_once", async () => {
    const ids = [];
    for await (const { id } of client.all("/v1/people", { query: { limit: 10 } })) ids.push(id);
    assert.deepEqual(
      ids,
      Array.from({ length: 77 }, (_, n) => n + 1),
    );
    const selected = await Array.fromAsync(client.all("/v1/places", { query: { ids: [3, 1] } }));
    assert.deepEqual(
      selected.map(({ id }) => id),
      [1, 3],
    );
    const query = { q: "rey", isAlive: true, hasPeople: true, sort: "-name" } as const;
    const [rey] = await Array.fromAsync(client.all("/v1/people-per-place", { query }));
    assert.ok(rey?.people?.every(({ isAlive }) => isAlive));
    const history = client.all("/v1/people/{id}/history", { id: 4 });
    assert.equal((await Array.fromAsync(history)).length, 1);
  });

  test("people_have_their_places_if_expand_asks_for_them", async () => {
    const query = { isKing: true, expand: "place" } as const;
    const list: PersonWithPlace[] = await Array.fromAsync(client.all("/v1/people", { query }));
    assert.ok(list.length > 1 && list.every(({ place, placeId }) => place?.id === placeId));
    const exported = await Array.fromAsync(client.export("/v1/people/export", query));
    assert.deepEqual(exported, list);
    const params = { path: { id: 1 }, query: { expand: "place" } } as const;
    const person = await body(client.api.GET("/v1/people/{id}", { params }));
    assert.equal(person.place?.name, "Descaro del Rey");
  });

  test("the_change_feed_iterator_ends_after_the_last_change", async () => {
    const changes = client.all("/v1/changes", { query: { limit: 50 } });
    assert.ok((await Array.fromAsync(changes)).length >= 107);
  });
});

suite("errors of the client", () => {
  test("a_problem_response_throws_an_error_with_its_details", async () => {
    const missing = client.api.GET("/v1/people/{id}", { params: { path: { id: 999 } } });
    await assert.rejects(missing, (error) => {
      assert.ok(error instanceof ProblemError);
      assert.ok(error.is("not-found") && !error.is("name-taken", "internal"));
      assert.equal(error.problem.status, 404);
      assert.equal(error.message, "There is no such record. There is no person with the id 999.");
      return true;
    });
    await assert.rejects(connect(base).api.POST("/v1/places", { body: { name: "x" } }), (error) =>
      (error as ProblemError).is("token-required"),
    );
  });

  test("an_error_response_of_a_proxy_throws_an_error_with_its_status", async () => {
    const { fetch } = unreliable(new Response("<h1>Oops</h1>", { status: 418 }));
    const request = connect(base, { fetch }).api.GET("/v1");
    await assert.rejects(request, (error) => (error as ProblemError).problem.status === 418);
  });
});

suite("retries of the client", () => {
  const createOverNetwork = async (name: string, network: ReturnType<typeof unreliable>) => {
    const { api } = connect(base, { token, fetch: network.fetch });
    const place = await body(api.POST("/v1/places", { body: { name } }));
    const keys = network.sent.map((request) => request.headers.get("idempotency-key"));
    assert.equal(new Set(keys).size, 1);
    const matches = client.all("/v1/places", { query: { name } });
    assert.deepEqual(await Array.fromAsync(matches), [place]);
    return keys.length;
  };

  test("a_retried_creation_adds_one_record_wherever_the_network_failed", async () => {
    assert.equal(await createOverNetwork("Perdida", unreliable("request lost")), 2);
    assert.equal(
      await createOverNetwork("Hallada", unreliable("response lost", "request lost")),
      3,
    );
    assert.equal(
      await createOverNetwork("Caída", unreliable(problemResponse({ type: "x" }, 502))),
      2,
    );
  });

  test("a_temporary_conflict_is_retried_for_any_method", async () => {
    const busy = { type: "/problems/being-written" };
    const network = unreliable(problemResponse(busy, 409), problemResponse(busy, 409));
    const { api } = connect(base, { token, fetch: network.fetch });
    const params = { path: { id: 20 } };
    await api.PATCH("/v1/people/{id}", { params, body: { name: "Brinden" } });
    assert.equal(network.sent.length, 3);
  });

  test("a_batch_is_retried_and_done_once", async () => {
    const busy = { type: "/problems/batch-refused" };
    const network = unreliable(problemResponse(busy, 422), "response lost", "request lost");
    const { api } = connect(base, { token, fetch: network.fetch });
    const operation = { op: "create", body: { name: "Solo Una Vez" } } as const;
    const results = await body(api.POST("/v1/people/batch", { body: [operation] }));
    assert.equal(network.sent.length, 4);
    const found = [];
    for await (const { id } of client.all("/v1/people", { query: { name: "Solo Una" } })) {
      found.push(id);
    }
    assert.deepEqual(found, [results[0]?.id]);
    // Without `Retry-After`, the batch has to be corrected.
    const final = unreliable(Response.json(busy, { status: 422 }));
    const other = connect(base, { token, fetch: final.fetch });
    await assert.rejects(other.api.POST("/v1/people/batch", { body: [operation] }));
    assert.equal(final.sent.length, 1);
  });

  test("a_delete_with_a_lost_response_is_not_retried", async () => {
    const network = unreliable("response lost");
    const { api } = connect(base, { token, fetch: network.fetch });
    const params = { path: { id: 77 } };
    await assert.rejects(api.DELETE("/v1/people/{id}", { params }), TypeError);
    assert.equal(network.sent.length, 1);
  });

  test("an_erasure_can_be_sent_again_after_a_lost_response", async () => {
    const { data } = await client.api.POST("/v1/people", { body: { name: "Olvidable" } });
    const path = { id: data?.id ?? 0 };
    const network = unreliable("response lost");
    const { api } = connect(base, { token: admin, fetch: network.fetch });
    const erase = () => api.DELETE("/v1/people/{id}", { params: { path, query: { erase: true } } });
    await assert.rejects(erase(), TypeError);
    const { response } = await erase();
    assert.equal(response.status, 204);
    const { json } = await system.join.get(`/v1/people/${path.id}/history`);
    const kinds = json.map(({ kind }: { kind: string }) => kind);
    assert.deepEqual(kinds, ["created", "deleted", "erased"]);
  });

  test("the_number_of_retries_is_limited", async () => {
    const network = unreliable("request lost", "request lost", "request lost");
    const { api } = connect(base, { fetch: network.fetch, retries: 1 });
    await assert.rejects(api.GET("/v1"), TypeError);
    assert.equal(network.sent.length, 2);
  });

  test("a_lasting_conflict_is_not_retried", async () => {
    const network = unreliable();
    const { api } = connect(base, { token, fetch: network.fetch });
    await assert.rejects(api.POST("/v1/places", { body: { name: "veranolandia" } }), ProblemError);
    assert.equal(network.sent.length, 1);
  });
});

test("a_batch_has_typed_operations_and_a_result_for_each", async () => {
  const { data } = await client.api.POST("/v1/people/batch", {
    body: [
      { op: "update", id: 50, body: { name: "Renamed" } },
      { op: "create", body: { name: "Added" } },
    ],
  });
  assert.deepEqual(
    data?.map(({ status, version, etag }) => [status, version, etag]),
    [
      [200, 2, tag(2)],
      [201, 1, tag(1)],
    ],
  );
  const refused = client.api.POST("/v1/people/batch", { body: [{ op: "delete", id: 9999 }] });
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof ProblemError && error.is("batch-refused"));
    assert.equal(error.problem.results?.[0]?.problem?.pointer, "/0/id");
    return true;
  });
});

test("a_change_is_recomputed_when_the_record_has_a_newer_version", async () => {
  let calls = 0;
  const { record, etag } = await client.change("/v1/people/{id}", 46, (person) => {
    calls += 1;
    return { name: `${person.name} ${calls}` };
  });
  assert.deepEqual([record.name, etag], ["Sirio Fornel 1", tag(2)]);

  const names = Array.from({ length: 5 }, (_, n) => `-${n}`);
  const changes = names.map((name) =>
    client.change("/v1/people/{id}", 47, (person) => ({ name: person.name + name })),
  );
  await Promise.all(changes);
  const { json, etag: lastTag } = await system.join.get("/v1/people/47");
  for (const name of names) assert.ok(json.name.includes(name), json.name);
  assert.equal(lastTag, tag(6));
});

test("a_change_is_written_through_a_proxy_that_weakens_entity_tags", async () => {
  const proxy = await startCompressingProxy(system.join.url);
  try {
    const { origin } = proxy.url;
    const weak = await fetch(`${origin}/v1/people/48`);
    assert.equal(weak.headers.get("etag"), `W/${tag(1)}`);
    const behindProxy = connect(origin, { token });
    const { record, etag } = await behindProxy.change("/v1/people/{id}", 48, () => ({
      name: "Tras el proxy",
    }));
    assert.deepEqual([record.name, etag], ["Tras el proxy", tag(2)]);
  } finally {
    proxy.close();
  }
});

test("a_change_without_an_entity_tag_is_not_written", async () => {
  const methods: string[] = [];
  const network = async (request: Request) => {
    methods.push(request.method);
    const response = await fetch(request);
    const headers = new Headers(response.headers);
    headers.delete("etag");
    return new Response(response.body, { status: response.status, headers });
  };
  const changed = connect(base, { token, fetch: network }).change("/v1/people/{id}", 49, () => ({
    name: "Nunca",
  }));
  await assert.rejects(changed, /no ETag/);
  assert.deepEqual(methods, ["GET"]);
});

test("a_change_that_always_conflicts_ends_with_the_problem", async () => {
  let attempts = 0;
  const conflict = problemResponse({ type: "/problems/precondition-failed" }, 412);
  conflict.headers.delete("retry-after");
  const network = async (request: Request) => {
    if (request.method === "GET") return fetch(request);
    attempts += 1;
    return conflict.clone();
  };
  const began = performance.now();
  const changed = connect(base, { token, fetch: network }).change("/v1/people/{id}", 49, () => ({
    name: "Nunca",
  }));
  await assert.rejects(changed, (error) => (error as ProblemError).is("precondition-failed"));
  assert.equal(attempts, 10);
  assert.ok(performance.now() - began > 100, "the attempts are apart");
});

for (const [readme, expectedOutput] of [
  ["README.md", /^Cercei Lamister\n(.*\n){5,}$/],
  ["clients/typescript/README.md", /^Cercei Lamister\n(.*\n){5,}4 people still live there\n$/],
] as const) {
  test(`the_example_in_${readme}_prints_its_output`, async () => {
    const text = readFileSync(`${root}/${readme}`, "utf8");
    const example = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
    const program = example
      .replace('"people-per-place"', '"./clients/typescript/src/index.ts"')
      .replace("http://localhost:5003", base);
    const args = ["--input-type=module-typescript", "--eval", program];
    const options = { cwd: root, env: { ...process.env, TOKEN: token } };
    const { stdout } = await promisify(execFile)(process.execPath, args, options);
    assert.match(stdout, expectedOutput);
  });
}

test("the_client_reads_all_parts_of_an_export_and_rejects_one_that_breaks_off", async () => {
  const part = (text: string) => new Response(text);
  const [one, two] = ['{"id":1,"name":"A"}\n', '{"id":2,"name":"B"}\n'];
  const next = "/v1/places/export?format=ndjson&name=x&after=6931";
  const network = unreliable(
    part(`${one}{"complete":false,"next":"${next}"}\n`),
    part(`${two}{"complete":true}\n`),
    part(one),
  );
  const exporter = connect(base, network);
  const names: string[] = [];
  for await (const { name } of exporter.export("/v1/places/export", { name: "x" }))
    names.push(name);
  assert.deepEqual(names, ["A", "B"]);
  assert.deepEqual(
    network.sent.map(({ url }) => url.slice(base.length)),
    ["/v1/places/export?format=ndjson&name=x", next],
  );
  await assert.rejects(async () => {
    for await (const _ of exporter.export("/v1/places/export"));
  }, /broke off/);
  const real = [];
  for await (const person of client.export("/v1/people/export", { isKing: true }))
    real.push(person);
  assert.ok(real.length > 1 && real.every(({ isKing }) => isKing));
});

test("the_client_waits_until_a_long_deletion_is_done", async () => {
  const location = `/v1/operations/${"a".repeat(32)}`;
  const status = (status: string) => Response.json({ status, done: 1, remaining: 0 });
  const accepted = () => new Response(null, { status: 202, headers: { location } });
  const network = unreliable(accepted(), status("done"), accepted(), status("failed"));
  const deleter = connect(base, network);
  await deleter.deletePlace(3, { reassignTo: 1 });
  await assert.rejects(deleter.deletePlace(3), /was not deleted/);
  assert.deepEqual(
    network.sent.map(({ method, url }) => `${method} ${url.slice(base.length)}`),
    [
      "DELETE /v1/places/3?reassignTo=1",
      `GET ${location}`,
      "DELETE /v1/places/3",
      `GET ${location}`,
    ],
  );
});
