// The TypeScript client, against the running system.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, suite, test } from "node:test";
import { promisify } from "node:util";
import openapi, { astToString } from "openapi-typescript";
import { body, connect, ProblemError } from "../../clients/typescript/src/index.ts";
import { start } from "../support/harness.ts";

const root = resolve(import.meta.dirname, "../..");
const token = "a-token-for-the-client";
const TOKENS = `write:${createHash("sha256").update(token).digest("hex")}`;
const system = await start({ seed: true, gatewaySettings: { TOKENS } });
after(() => system.dispose());

const base = system.join.url.origin;
const registry = connect(base, { token });

/** A network on which the answers to the first requests are lost, or are others. */
function unreliable(...answers: (Response | "lost before" | "lost behind")[]) {
  const sent: Request[] = [];
  const send = async (request: Request) => {
    sent.push(request);
    const answer = answers.shift();
    if (answer instanceof Response) return answer;
    if (answer === "lost before") throw new TypeError("fetch failed");
    const real = await fetch(request);
    if (answer === "lost behind") throw new TypeError("fetch failed");
    return real;
  };
  return { sent, fetch: send };
}

const refused = (problem: object, status: number) =>
  Response.json(problem, {
    status,
    headers: { "content-type": "application/problem+json", "retry-after": "0" },
  });

test("its types are those of the document", async () => {
  const made = astToString(await openapi(new URL("../../openapi/join.json", import.meta.url)));
  const kept = readFileSync(`${root}/clients/typescript/src/api.ts`, "utf8");
  const behindHeader = kept.slice(kept.indexOf("export interface paths"));
  assert.equal(behindHeader, made.slice(made.indexOf("export interface paths")), "make openapi");
});

test("what was seen is sent along, the later of each register", async () => {
  const answers = ["b1.b5", "b2.b4", "", "b3."];
  const asked: (string | null)[] = [];
  const fetch = async ({ headers }: Request) => {
    asked.push(headers.get("x-d1-bookmark"));
    const seen = answers.shift();
    return Response.json({}, seen ? { headers: { "x-d1-bookmark": seen } } : {});
  };
  const { api } = connect(base, { fetch });
  for (let n = 0; n < 5; n += 1) await api.GET("/v1/people/{id}", { params: { path: { id: 1 } } });
  assert.deepEqual(asked, [null, "b1.b5", "b2.b5", "b2.b5", "b3.b5"]);
});

test("reads with its token where reading is not open to all", async () => {
  await using closed = await start({ seed: true, gatewaySettings: { TOKENS, READS: "closed" } });
  const path = { params: { path: { id: 1 } } };
  const stranger = connect(closed.join.url.origin);
  await assert.rejects(stranger.api.GET("/v1/people/{id}", path), (error) =>
    (error as ProblemError).is("token-required"),
  );
  const known = connect(closed.join.url.origin, { token });
  assert.equal((await body(known.api.GET("/v1/people/{id}", path))).id, 1);
});

suite("reading", () => {
  test("an answer has the type of its address", async () => {
    const person = await body(registry.api.GET("/v1/people/{id}", { params: { path: { id: 1 } } }));
    const name: string = person.name;
    assert.equal(name, "Sensei Lamister");
  });

  test("every page of a list, once", async () => {
    const ids = [];
    for await (const { id } of registry.all("/v1/people", { query: { limit: 10 } })) ids.push(id);
    assert.deepEqual(
      ids,
      Array.from({ length: 77 }, (_, n) => n + 1),
    );
    const some = await Array.fromAsync(registry.all("/v1/places", { query: { ids: [3, 1] } }));
    assert.deepEqual(
      some.map(({ id }) => id),
      [1, 3],
    );
    const history = registry.all("/v1/people/{id}/history", { id: 4 });
    assert.equal((await Array.fromAsync(history)).length, 1);
  });

  test("a feed of changes ends with what there is", async () => {
    const changes = registry.all("/v1/changes", { query: { limit: 50 } });
    assert.ok((await Array.fromAsync(changes)).length >= 107);
  });
});

suite("errors", () => {
  test("are thrown, with what the API says of them", async () => {
    const asked = registry.api.GET("/v1/people/{id}", { params: { path: { id: 999 } } });
    await assert.rejects(asked, (error) => {
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

  test("of whoever stands between are told of, too", async () => {
    const { fetch } = unreliable(new Response("<h1>Oops</h1>", { status: 418 }));
    const asked = connect(base, { fetch }).api.GET("/v1");
    await assert.rejects(asked, (error) => (error as ProblemError).problem.status === 418);
  });
});

suite("another try", () => {
  const added = async (name: string, network: ReturnType<typeof unreliable>) => {
    const { api } = connect(base, { token, fetch: network.fetch });
    const place = await body(api.POST("/v1/places", { body: { name } }));
    const keys = network.sent.map((request) => request.headers.get("idempotency-key"));
    assert.equal(new Set(keys).size, 1);
    const found = registry.all("/v1/places", { query: { name } });
    assert.deepEqual(await Array.fromAsync(found), [place]);
    return keys.length;
  };

  test("adds a record once, wherever the network broke", async () => {
    assert.equal(await added("Perdida", unreliable("lost before")), 2);
    assert.equal(await added("Hallada", unreliable("lost behind", "lost before")), 3);
    assert.equal(await added("Caída", unreliable(refused({ type: "x" }, 502))), 2);
  });

  test("is made of what was refused for a moment, whatever it was", async () => {
    const busy = { type: "/problems/being-written" };
    const network = unreliable(refused(busy, 409), refused(busy, 409));
    const { api } = connect(base, { token, fetch: network.fetch });
    const params = { path: { id: 20 } };
    await api.PATCH("/v1/people/{id}", { params, body: { name: "Brinden" } });
    assert.equal(network.sent.length, 3);
  });

  test("is not made where it could do something twice, nor for ever", async () => {
    const lost = unreliable("lost behind");
    const params = { path: { id: 77 } };
    await assert.rejects(
      connect(base, { token, fetch: lost.fetch }).api.DELETE("/v1/people/{id}", { params }),
      TypeError,
    );
    assert.equal(lost.sent.length, 1);
    const network = unreliable("lost before", "lost before", "lost before");
    const reading = connect(base, { fetch: network.fetch, retries: 1 });
    await assert.rejects(reading.api.GET("/v1"), TypeError);
    assert.equal(network.sent.length, 2);
    const taken = unreliable();
    const { api } = connect(base, { token, fetch: taken.fetch });
    await assert.rejects(api.POST("/v1/places", { body: { name: "veranolandia" } }), ProblemError);
    assert.equal(taken.sent.length, 1);
  });
});

test("a change is of the version that it was decided by", async () => {
  let decided = 0;
  const { record, etag } = await registry.change("/v1/people/{id}", 46, (person) => {
    decided += 1;
    return { name: `${person.name} ${decided}` };
  });
  assert.deepEqual([record.name, etag], ["Sirio Fornel 1", '"2"']);

  const names = Array.from({ length: 5 }, (_, n) => `-${n}`);
  const all = names.map((name) =>
    registry.change("/v1/people/{id}", 47, (person) => ({ name: person.name + name })),
  );
  await Promise.all(all);
  const { json, etag: last } = await system.join.get("/v1/people/47");
  for (const name of names) assert.ok(json.name.includes(name), json.name);
  assert.equal(last, '"6"');
});

for (const [readme, printed] of [
  ["README.md", /^Cercei Lamister\n(.*\n){5,}$/],
  ["clients/typescript/README.md", /^Cercei Lamister\n(.*\n){5,}4 people still live there\n$/],
] as const) {
  test(`the example of ${readme} runs`, async () => {
    const text = readFileSync(`${root}/${readme}`, "utf8");
    const example = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
    const here = example
      .replace('"people-per-place"', '"./clients/typescript/src/index.ts"')
      .replace("http://localhost:5003", base);
    const args = ["--input-type=module-typescript", "--eval", here];
    const options = { cwd: root, env: { ...process.env, TOKEN: token } };
    const { stdout } = await promisify(execFile)(process.execPath, args, options);
    assert.match(stdout, printed);
  });
}
