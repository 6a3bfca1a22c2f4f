// The documents are of the running system: what they say it shows, takes and refuses, it does.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { after, suite, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { type ApiResponse, start, type WorkerClient } from "../support/harness.ts";

type Parameter = { name: string; in: string };
type Content = { examples?: Record<string, { summary: string; value: unknown }> };
type Response = { content?: Record<string, Content>; headers?: Record<string, unknown> };
type Operation = {
  operationId: string;
  requestBody?: { content: Record<string, { example: unknown }> };
  parameters?: { $ref: string }[];
  security?: unknown;
  responses: Record<string, Response>;
};
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { parameters: Record<string, Parameter> };
};

const system = await start({ seed: true });
after(() => system.dispose());

const documents = (["places", "people", "join"] as const).map((name) => {
  const text = readFileSync(`${import.meta.dirname}/../../openapi/${name}.json`, "utf8");
  return { name, worker: system[name], document: JSON.parse(text) as Document };
});

/** The operations of a document, each with the address of a record that there is. */
function* operations(document: Document) {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const names = (operation.parameters ?? []).map(({ $ref }) => {
        const parameter = document.components.parameters[$ref.split("/").at(-1) ?? ""];
        assert.ok(parameter, $ref);
        return parameter;
      });
      const query = names.filter((parameter) => parameter.in === "query");
      const known = query.map((parameter) => parameter.name);
      yield {
        method: method.toUpperCase(),
        path,
        address: path.replace("{id}", "2"),
        operation,
        known,
      };
    }
  }
}

/** The entry point serves its document as a file, by the platform's own rules. */
const isFile = (worker: WorkerClient, path: string) =>
  worker === system.join && path === "/v1/openapi.json";

/** Of a list the first page of many, so that there is a next one. */
const pageOf = (path: string) => (path.endsWith("s") || path.endsWith("place") ? "?limit=1" : "");

const ask = (
  worker: WorkerClient,
  method: string,
  path: string,
  headers = {},
): Promise<ApiResponse> => worker.request(method, path, headers);

for (const { name, worker, document } of documents) {
  suite(`the document of ${name}`, () => {
    test("is OpenAPI 3.1", async () => {
      const validator = new Validator();
      const { valid, errors } = await validator.validate(
        structuredClone<object>(document) as Record<string, unknown>,
      );
      assert.ok(valid, JSON.stringify(errors));
      assert.equal(validator.version, "3.1");
    });

    test("is served by the worker itself, with and without the version", async () => {
      for (const path of ["/openapi.json", "/v1/openapi.json"]) {
        const answer = await worker.get(path);
        assert.equal(answer.headers["content-type"], "application/json");
        assert.deepEqual(answer.json, document);
      }
    });

    test("names the parameters that each route knows", async () => {
      for (const { method, path, address, known } of operations(document)) {
        if (isFile(worker, path)) continue;
        const { status, json } = await ask(worker, method, `${address}?noSuchParameter=1`);
        assert.equal(status, 400, `${method} ${path}`);
        assert.deepEqual(json.known.toSorted(), known.toSorted(), `${method} ${path}`);
      }
    });

    test("names the forms that each list has", async () => {
      for (const { method, path, address, operation } of operations(document)) {
        const response = operation.responses["200"];
        const forms = Object.keys(response?.content ?? {});
        if (method !== "GET" || forms.length < 2) continue;
        for (const accept of forms) {
          const { status, headers } = await ask(worker, "GET", address, { accept });
          assert.equal(status, 200, path);
          assert.equal(headers["content-type"]?.split(";")[0], accept);
        }
        const refused = await ask(worker, "GET", address, { accept: "image/png" });
        assert.deepEqual(refused.json.offered.toSorted(), forms.toSorted(), path);
      }
    });

    test("names the headers that each answer has", async () => {
      const common = ["content-type", "x-content-type-options"];
      for (const { method, path, address, operation } of operations(document)) {
        if (method !== "GET" || isFile(worker, path)) continue;
        const { status, headers } = await ask(worker, "GET", `${address}${pageOf(path)}`);
        const said = Object.keys(operation.responses[status]?.headers ?? {});
        const known = [...common, ...said.map((name) => name.toLowerCase())];
        const others = Object.keys(headers).filter((header) => !known.includes(header));
        assert.deepEqual([status, others], [200, []], path);
      }
    });

    test("has examples of files that can be taken in", async () => {
      for (const { path, operation } of operations(document)) {
        if (!path.endsWith("/import")) continue;
        const files = Object.entries(operation.requestBody?.content ?? {});
        assert.equal(files.length, 3);
        for (const [type, { example }] of files) {
          const body = typeof example === "string" ? example : JSON.stringify(example);
          const headers = { "content-type": type };
          const { json } = await worker.request("POST", `${path}?dryRun=true`, headers, body);
          assert.deepEqual([json.read, json.created, json.refused], [2, 2, []], `${path} ${type}`);
        }
      }
    });

    test("shows what the seeded system answers", async () => {
      const still = (value: unknown) =>
        JSON.parse(JSON.stringify(value), (key, member) => (key === "at" ? "then" : member));
      for (const { path, operation } of operations(document)) {
        const { examples = {} } = operation.responses["200"]?.content?.["application/json"] ?? {};
        for (const { summary, value } of Object.values(examples)) {
          const [method = "", address = ""] = summary.split(" ");
          const answer = await ask(worker, method, address);
          assert.equal(answer.status, 200, summary);
          assert.deepEqual(still(answer.json), still(value), summary);
          const route = new RegExp(`^${path.replace("{id}", "[0-9]+")}([?]|$)`);
          assert.match(address, route);
        }
      }
    });
  });
}

test("who writes at the entry point needs a token, and the document says so", () => {
  const [, , whole] = documents;
  assert.ok(whole);
  for (const { method, operation } of operations(whole.document)) {
    assert.equal(operation.security !== undefined, method !== "GET", operation.operationId);
  }
});

suite("the page of the document", () => {
  const web = resolve(import.meta.dirname, "../../workers/join/web");

  test("and all that it needs are files of this site", async () => {
    const page = await system.join.get("/docs/");
    assert.match(page.headers["content-type"] ?? "", /^text\/html/);
    const needed = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
    assert.ok(needed.length >= 5);
    for (const path of needed) {
      const url = new URL(path, `${system.join.url.origin}/docs/`);
      assert.equal(url.origin, system.join.url.origin);
      assert.equal((await system.join.get(url.pathname)).status, 200, path);
    }
  });

  test("runs no script that stands in a page", async () => {
    for (const path of ["/docs/", "/docs/start.js"]) {
      const { headers } = await system.join.get(path);
      const policy = headers["content-security-policy"] ?? "";
      assert.match(policy, /default-src 'none'; script-src 'self'/);
      assert.doesNotMatch(policy, /unsafe/);
    }
  });

  const apart = ["_headers", "tsconfig.json"];

  test("every file of workers/join/web is reached, and its rules are not", async () => {
    const files = readdirSync(web, { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile() && !apart.includes(entry.name))) {
      const path = `${file.parentPath.slice(web.length)}/${file.name}`.replace("index.html", "");
      const answer = await system.join.get(path);
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers["x-content-type-options"], "nosniff");
    }
    for (const name of apart) assert.equal((await system.join.get(`/${name}`)).status, 404);
  });
});
