// Compares the OpenAPI documents with the running system: parameters, media types, headers,
// examples.
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
const operationRow = `'operation:${"a".repeat(32)}', '', '{"status":"done","done":1,"remaining":0}'`;
await system.db.places.exec(
  `INSERT INTO idempotency (key, fingerprint, body) VALUES (${operationRow});`,
);

const documents = (["places", "people", "join"] as const).map((name) => {
  const text = readFileSync(`${import.meta.dirname}/../../openapi/${name}.json`, "utf8");
  return { name, worker: system[name], document: JSON.parse(text) as Document };
});

/** The operations of a document, each with the path of an existing record. */
function* operations(document: Document) {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const names = (operation.parameters ?? []).map(({ $ref }) => {
        const parameter = document.components.parameters[$ref.split("/").at(-1) ?? ""];
        assert.ok(parameter, $ref);
        return parameter;
      });
      const query = names.filter((parameter) => parameter.in === "query");
      const knownParameters = query.map((parameter) => parameter.name);
      yield {
        method: method.toUpperCase(),
        path,
        address: path.replace("{id}", "2").replace("{token}", "a".repeat(32)),
        operation,
        known: knownParameters,
      };
    }
  }
}

/** The gateway's document is a static file, for which the platform's rules apply. */
const isFile = (worker: WorkerClient, path: string) =>
  worker === system.join && path === "/v1/openapi.json";

/** Asks for a page with one record of a list, so that it has a next link. */
const firstPageQuery = (path: string) =>
  (path.endsWith("s") && !path.endsWith("series")) || path.endsWith("place") ? "?limit=1" : "";

const send = (
  worker: WorkerClient,
  method: string,
  path: string,
  headers = {},
): Promise<ApiResponse> => worker.request(method, path, headers);

for (const { name, worker, document } of documents) {
  suite(`the OpenAPI document of ${name}`, () => {
    test("the_document_is_valid_openapi_3_1", async () => {
      const validator = new Validator();
      const { valid, errors } = await validator.validate(
        structuredClone<object>(document) as Record<string, unknown>,
      );
      assert.ok(valid, JSON.stringify(errors));
      assert.equal(validator.version, "3.1");
    });

    test("the_document_is_served_with_and_without_the_version_prefix", async () => {
      for (const path of ["/openapi.json", "/v1/openapi.json"]) {
        const response = await worker.get(path);
        assert.equal(response.headers["content-type"], "application/json");
        assert.deepEqual(response.json, document);
      }
    });

    test("the_document_lists_the_parameters_of_each_route", async () => {
      for (const { method, path, address, known: knownParameters } of operations(document)) {
        if (isFile(worker, path)) continue;
        const { status, json } = await send(worker, method, `${address}?noSuchParameter=1`);
        assert.equal(status, 400, `${method} ${path}`);
        assert.deepEqual(json.known.toSorted(), knownParameters.toSorted(), `${method} ${path}`);
      }
    });

    test("the_document_lists_the_media_types_of_each_list", async () => {
      for (const { method, path, address, operation } of operations(document)) {
        const response = operation.responses["200"];
        const forms = Object.keys(response?.content ?? {});
        if (method !== "GET" || forms.length < 2) continue;
        for (const accept of forms) {
          const closed = new AbortController();
          const url = new URL(address, worker.url);
          const { status, headers } = await fetch(url, {
            headers: { accept },
            signal: closed.signal,
          });
          // A stream of events does not end.
          closed.abort();
          assert.equal(status, 200, path);
          assert.equal(headers.get("content-type")?.split(";")[0], accept);
        }
        const rejected = await send(worker, "GET", address, { accept: "image/png" });
        assert.deepEqual(rejected.json.offered.toSorted(), forms.toSorted(), path);
      }
    });

    test("the_document_lists_the_headers_of_each_response", async () => {
      const common = ["content-type", "x-content-type-options"];
      for (const { method, path, address, operation } of operations(document)) {
        if (method !== "GET" || isFile(worker, path)) continue;
        const { status, headers } = await send(worker, "GET", `${address}${firstPageQuery(path)}`);
        const documented = Object.keys(operation.responses[status]?.headers ?? {});
        const knownParameters = [...common, ...documented.map((name) => name.toLowerCase())];
        const undocumented = Object.keys(headers).filter(
          (header) => !knownParameters.includes(header),
        );
        assert.deepEqual([status, undocumented], [200, []], path);
      }
    });

    test("the_example_files_of_an_import_can_be_imported", async () => {
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

    test("the_example_responses_are_those_of_the_seeded_system", async () => {
      const withoutTimes = (value: unknown) =>
        JSON.parse(JSON.stringify(value), (key, member) => (key === "at" ? "then" : member));
      for (const { path, operation } of operations(document)) {
        const { examples = {} } = operation.responses["200"]?.content?.["application/json"] ?? {};
        for (const { summary, value } of Object.values(examples)) {
          const [method = "", address = ""] = summary.split(" ");
          const response = await send(worker, method, address);
          assert.equal(response.status, 200, summary);
          assert.deepEqual(withoutTimes(response.json), withoutTimes(value), summary);
          const route = new RegExp(`^${path.replace("{id}", "[0-9]+")}([?]|$)`);
          assert.match(address, route);
        }
      }
    });
  });
}

test("the_document_allows_a_token_for_every_request_that_may_need_one", () => {
  const [, , gatewayDocument] = documents;
  assert.ok(gatewayDocument);
  const open = ["readHealth", "readReadiness", "readDocument"];
  for (const { method, operation } of operations(gatewayDocument.document)) {
    const { operationId, security, responses } = operation;
    const isOpen = open.includes(operationId);
    // A deployment can close reads, and can open writes.
    assert.deepEqual(security, isOpen ? [] : [{}, { token: [] }], operationId);
    assert.equal("401" in responses, !isOpen, operationId);
    assert.equal("403" in responses, method !== "GET", operationId);
  }
});

test("each_enum_of_problem_types_names_its_values", () => {
  const enums: { enum: string[]; "x-enum-varnames"?: string[] }[] = [];
  const collect = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    const { enum: values } = value as { enum?: unknown[] };
    if (String(values?.[0]).startsWith("/problems/")) enums.push(value as (typeof enums)[number]);
    for (const member of Object.values(value)) collect(member);
  };
  for (const { document } of documents) collect(document);
  assert.ok(enums.length > 100);
  for (const one of enums) {
    const names = one.enum.map((type) =>
      type.replace("/problems/", "").replaceAll("-", "_").toUpperCase(),
    );
    assert.deepEqual(one["x-enum-varnames"], names);
  }
});

suite("the API reference page", () => {
  const web = resolve(import.meta.dirname, "../../workers/join/web");

  test("the_api_reference_loads_only_files_of_this_site", async () => {
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

  test("the_api_reference_forbids_inline_scripts", async () => {
    for (const path of ["/docs/", "/docs/start.js"]) {
      const { headers } = await system.join.get(path);
      const policy = headers["content-security-policy"] ?? "";
      assert.match(policy, /default-src 'none'; script-src 'self'/);
      assert.doesNotMatch(policy, /unsafe/);
    }
  });

  const notServed = ["_headers", "tsconfig.json"];

  test("every_file_of_the_web_folder_is_served_except_its_configuration", async () => {
    const files = readdirSync(web, { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile() && !notServed.includes(entry.name))) {
      const path = `${file.parentPath.slice(web.length)}/${file.name}`.replace("index.html", "");
      const response = await system.join.get(path);
      assert.equal(response.status, 200, path);
      assert.equal(response.headers["x-content-type-options"], "nosniff");
    }
    for (const name of notServed) assert.equal((await system.join.get(`/${name}`)).status, 404);
  });
});

for (const { name, worker, document } of documents) {
  test(`each_status_and_header_of_a_read_in_any_state_is_declared: ${name}`, async () => {
    for (const { path, address, method, operation } of operations(document)) {
      if (method !== "GET" || isFile(worker, path)) continue;
      const assertDeclared = ({ status, headers }: ApiResponse) => {
        const declared = operation.responses[status];
        assert.ok(declared, `GET ${path}: ${status}`);
        for (const header of ["Age", "Cache-Status"].filter(
          (header) => header.toLowerCase() in headers,
        )) {
          assert.ok(header in (declared.headers ?? {}), `GET ${path}: ${status} ${header}`);
        }
        return status;
      };
      assert.equal(assertDeclared(await worker.get(address, { "if-none-match": "*" })), 304, path);
      assert.equal(
        assertDeclared(await worker.get(`${address}?q=${"x".repeat(15_500)}`)),
        414,
        path,
      );
      const cached = { "cache-control": "max-age=60" };
      assertDeclared(await worker.get(address, cached));
      assertDeclared(await worker.get(address, cached));
    }
  });
}

test("a_403_has_an_authentication_scheme_only_if_the_token_is_the_reason", () => {
  for (const { document } of documents) {
    for (const { path, operation } of operations(document)) {
      const scheme = operation.responses[403]?.headers?.["WWW-Authenticate"];
      if (!scheme) continue;
      const $ref = "#/components/headers/WWW-Authenticate-if-token";
      assert.deepEqual(scheme, { $ref }, path);
    }
  }
});
