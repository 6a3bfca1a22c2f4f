// Tests content negotiation: the media types of lists, and how the Accept header selects one.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, test } from "node:test";
import { peopleCsvHeader } from "../support/declared_fields.ts";
import {
  type ApiResponse,
  jsonArray,
  ndjson,
  nextLink,
  start,
  type WorkerClient,
} from "../support/harness.ts";
import {
  assertHeadEqualsGet,
  CSV_TYPE,
  csvLists,
  listRecords,
  nestedLists,
  PROBLEM_TYPE,
  singleRecords,
  TYPES,
  workersServing,
} from "../support/list_routes.ts";

const system = await start({ ...listRecords, countCosts: true });
after(() => system.dispose());
const { join } = system;

type Row = Record<string, unknown>;

/** A row as a CSV line: names in quotes, with formulas escaped. */
function line(row: Row, columns: string[]): string {
  const { king, ...plain } = row as { king?: { id: number; name: string } };
  const flat: Row = { ...plain, kingId: king?.id, kingName: king?.name };
  return columns
    .map((column) => {
      const value = flat[column] ?? "";
      if (typeof value !== "string" || value === "") return String(value);
      const prefix = /^'*[=+\-@＝＋－＠]/.test(value) ? "'" : "";
      return `"${prefix}${value.replaceAll('"', '""')}"`;
    })
    .join(",");
}

/** The headers of a page: links and totals. */
const pageHeaders = ({ headers }: ApiResponse) => {
  const names = ["link", "x-total-count", "x-total-living", "x-total-nowhere", "vary"];
  return names.map((name) => headers[name]);
};

test("a_list_has_the_same_records_and_page_in_every_media_type", async () => {
  const columnsOf = { ...csvLists, ...Object.fromEntries(nestedLists.map((path) => [path, null])) };
  for (const [path, columns] of Object.entries(columnsOf)) {
    for (const worker of workersServing(system, path)) {
      const json = await worker.get(path, { accept: TYPES.json });
      const rows: Row[] = json.json;
      assert.deepEqual([json.status, json.headers["content-type"]], [200, TYPES.json], path);
      assert.equal(json.text, jsonArray(rows));
      assert.equal(json.headers.vary, "accept");

      const lines = await worker.get(path, { accept: TYPES.ndjson });
      assert.equal(lines.headers["content-type"], TYPES.ndjson);
      assert.equal(lines.text, ndjson(rows), path);
      assert.deepEqual(pageHeaders(lines), pageHeaders(json), path);

      const csv = await worker.get(path, { accept: TYPES.csv });
      if (columns === null) {
        assert.equal(csv.status, 406, path);
        continue;
      }
      assert.deepEqual([csv.status, csv.headers["content-type"]], [200, CSV_TYPE], path);
      const expected = [columns.join(","), ...rows.map((row) => line(row, columns)), ""];
      assert.equal(csv.text, expected.join("\r\n"), path);
      assert.deepEqual(pageHeaders(csv), pageHeaders(json), path);
    }
  }
});

test("every_page_of_a_csv_list_has_the_header_line_and_the_next_link", async () => {
  for (const path of ["/v1/people?limit=4", "/v1/places?limit=3&sort=name"]) {
    const lines: string[] = [];
    const header = path.includes("people") ? peopleCsvHeader : "id,name";
    for (let next: string | undefined = path; next; ) {
      const page: ApiResponse = await join.get(next, { accept: TYPES.csv });
      const [first, ...rest] = page.text.trimEnd().split("\r\n");
      assert.equal(first, header);
      lines.push(...rest);
      next = nextLink(page);
    }
    const whole = await join.get(path.replace(/limit=\d/, "limit=1000"), { accept: TYPES.csv });
    assert.deepEqual(lines, whole.text.trimEnd().split("\r\n").slice(1));
  }
});

test("a_304_needs_the_entity_tag_of_the_same_media_type", async () => {
  for (const path of [...Object.keys(csvLists), "/v1/people/by-place", "/v1/people-per-place"]) {
    for (const worker of workersServing(system, path)) {
      const hasCsv = path !== "/v1/people/by-place";
      const offeredTypes = hasCsv ? Object.values(TYPES) : [TYPES.json, TYPES.ndjson];
      const tags = new Map<string, string>();
      for (const accept of offeredTypes)
        tags.set((await worker.get(path, { accept })).etag, accept);
      assert.equal(tags.size, offeredTypes.length, path);
      for (const [etag, accept] of tags) {
        for (const otherType of offeredTypes) {
          const tagged = { accept: otherType, "if-none-match": etag };
          const second = await worker.get(path, tagged);
          assert.equal(
            second.status,
            otherType === accept ? 304 : 200,
            `${path} ${etag} ${otherType}`,
          );
          assert.equal(second.headers.vary, "accept");
        }
      }
    }
  }
});

/** Accept headers, and the media types that they select from a list with CSV and from one without. */
const acceptCases: [string, keyof typeof TYPES | 406, keyof typeof TYPES | 406][] = [
  ["*/*", "json", "json"],
  ["application/*", "json", "json"],
  ["text/*", "csv", 406],
  ["text/csv", "csv", 406],
  ["text/csv, */*", "csv", "json"],
  ["text/csv, */*;q=0.1", "csv", "json"],
  ["text/csv;q=0.5, */*", "json", "json"],
  ["application/x-ndjson;q=0.9, text/csv;q=0.8", "ndjson", "ndjson"],
  ["application/json;q=0.5, Application/X-NDJSON;q=0.6", "ndjson", "ndjson"],
  ["application/json;q=0, */*", "ndjson", "ndjson"],
  ["application/json;q=0, application/x-ndjson;q=0, */*;q=0.001", "csv", 406],
  ["*/*, application/json;q=0.2, application/x-ndjson;q=0.3", "csv", "ndjson"],
  ["application/x-ndjson ; q=1.000 ,application/json;q=0.999", "ndjson", "ndjson"],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json", "json"],
  ["application/json, text/plain, */*", "json", "json"],
  ["application/json; charset=utf-8", "json", "json"],
  ["text/csv; header=present, application/json;q=0.9", "csv", "json"],
  ["text/csv; header=absent, application/json;q=0.9", "json", "json"],
  ['text/csv;x="a,b;q=0", application/json;q=0.9', "csv", "json"],
  // A malformed Accept header is ignored.
  ["", "json", "json"],
  ["nonsense;;q=", "json", "json"],
  ["text/csv;q=2", "json", "json"],
  ["text/csv;q=2, application/x-ndjson", "ndjson", "ndjson"],
  // Excluded or unavailable media types.
  ["text/html", 406, 406],
  ["application/json;q=0", 406, 406],
  ["application/x-ndjson;q=0", 406, 406],
  ["*/*;q=0", 406, 406],
  ["*/*;q=0, text/csv", "csv", 406],
  ["image/png, text/csv;q=0.0, application/xml", 406, 406],
  ["application/problem+json", 406, 406],
];

test("an_accept_header_selects_the_media_type_as_rfc_9110_defines", async () => {
  const lists = [
    ["/v1/places", 1],
    ["/v1/people/by-place", 2],
    ["/v1/people-per-place", 1],
    ["/v1/statistics/places", 1],
  ] as const;
  for (const [path, acceptColumn] of lists) {
    for (const accept of acceptCases) {
      const response = await join.get(path, { accept: accept[0] });
      const form = accept[acceptColumn];
      const message = `${path} ${accept[0]}`;
      if (form === 406) {
        assert.deepEqual(
          [response.status, response.headers["content-type"]],
          [406, PROBLEM_TYPE],
          message,
        );
      } else {
        const type = form === "csv" ? CSV_TYPE : TYPES[form];
        assert.deepEqual([response.status, response.headers["content-type"]], [200, type], message);
      }
      assert.equal(response.headers.vary, "accept", message);
    }
  }
});

/** Sends a request without an Accept header, which `fetch` cannot do. Returns the media type. */
function getWithoutAccept(worker: WorkerClient, path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${worker.url.origin}${path}`, (response) => {
      response.resume().on("end", () => resolve(response.headers["content-type"]));
    });
    sent.on("error", reject).end();
  });
}

test("a_request_without_accept_gets_the_default_media_type", async () => {
  for (const path of [...Object.keys(csvLists), ...nestedLists, ...singleRecords]) {
    for (const worker of workersServing(system, path))
      assert.equal(await getWithoutAccept(worker, path), TYPES.json, path);
  }
  assert.equal(await getWithoutAccept(join, "/v1/people/export"), CSV_TYPE);
  assert.equal(await getWithoutAccept(join, "/v1/statistics/places"), TYPES.json);
});

test("an_unacceptable_request_gets_a_406_that_lists_the_media_types", async () => {
  const offers = [
    ["/v1/places", Object.values(TYPES)],
    ["/v1/people", Object.values(TYPES)],
    ["/v1/people/population", Object.values(TYPES)],
    ["/v1/statistics/places", Object.values(TYPES)],
    ["/v1/people-per-place", Object.values(TYPES)],
    ["/v1/people/by-place", [TYPES.json, TYPES.ndjson]],
    ["/v1/people/1/history", [TYPES.json, TYPES.ndjson]],
    ["/v1/people/export", [TYPES.csv, TYPES.ndjson]],
    ["/v1/places/export", [TYPES.csv, TYPES.ndjson]],
  ] as const;
  for (const [path, offeredTypes] of offers) {
    const { status, headers, json } = await join.get(path, { accept: "text/html" });
    const expected = {
      type: "/problems/not-acceptable",
      title: "The response has no media type that `Accept` allows",
      status: 406,
      detail: `\`Accept\` must allow ${offeredTypes.join(" or ")}.`,
      offered: offeredTypes,
    };
    assert.deepEqual(json, expected, path);
    const nosniff = { "content-type": PROBLEM_TYPE, "x-content-type-options": "nosniff" };
    assert.deepEqual([status, headers], [406, { ...nosniff, vary: "accept" }], path);
  }
});

test("the_format_parameter_overrides_accept", async () => {
  for (const path of ["/v1/statistics/places", "/v1/people/export", "/v1/people-per-place"]) {
    const { status, headers } = await join.get(`${path}?format=csv`, { accept: "text/html" });
    assert.deepEqual([status, headers["content-type"]], [200, CSV_TYPE]);
    // Accept was not used, so the response does not vary by it.
    assert.equal(headers.vary, undefined);
  }
});

test("records_and_errors_are_json_whatever_accept_says", async () => {
  for (const accept of ["text/csv", "text/html", "application/json;q=0"]) {
    for (const path of singleRecords) {
      const { status, headers } = await join.get(path, { accept });
      const actual = [status, headers["content-type"], headers.vary];
      assert.deepEqual(actual, [200, TYPES.json, undefined], path);
    }
    for (const path of ["/v1/x", "/v1/people/999", "/v1/places?limit=0", "/v1/people/x"]) {
      const { status, headers } = await join.get(path, { accept });
      assert.ok(status === 400 || status === 404);
      assert.equal(headers["content-type"], PROBLEM_TYPE);
    }
    const patched = await join.send("PATCH", "/v1/people/1", {}, { accept });
    assert.deepEqual([patched.status, patched.headers["content-type"]], [200, TYPES.json]);
  }
});

test("the_root_is_html_or_json_by_accept_and_v1_is_always_json", async () => {
  for (const [accept, form] of [
    ["*/*", "text/html; charset=utf-8"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"],
    ["application/json", TYPES.json],
    ["application/json, text/html;q=0.9", TYPES.json],
    ["text/html;q=0, */*", TYPES.json],
    ["text/csv", PROBLEM_TYPE],
  ] as const) {
    const { status, headers } = await join.get("/", { accept });
    const actual = [status, headers["content-type"], headers.vary];
    assert.deepEqual(actual, [form === PROBLEM_TYPE ? 406 : 200, form, "accept"], accept);
    const versioned = await join.get("/v1", { accept });
    assert.deepEqual([versioned.status, versioned.headers["content-type"]], [200, TYPES.json]);
    await assertHeadEqualsGet(join, "/", { accept });
  }
  const invalid = await join.get("/v1?x=1");
  assert.deepEqual([invalid.status, invalid.headers["content-type"]], [400, PROBLEM_TYPE]);
});

test("an_import_with_an_unacceptable_report_type_writes_nothing", async () => {
  const headers = { "content-type": TYPES.csv, accept: "text/html" };
  const rejected = await join.request("POST", "/v1/places/import", headers, "name\nUnwanted\n");
  assert.deepEqual([rejected.status, rejected.json.offered], [406, [TYPES.json, TYPES.ndjson]]);
  assert.deepEqual((await join.get("/v1/places?name=Unwanted")).json, []);
});
