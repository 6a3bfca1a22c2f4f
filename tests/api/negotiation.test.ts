// The forms of lists, chosen by Accept; HEAD and OPTIONS on every route of the route tables.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { after, test } from "node:test";
import { people, places } from "../support/fixtures.ts";
import {
  type ApiResponse,
  jsonArray,
  nextLink,
  start,
  type WorkerClient,
} from "../support/harness.ts";

const odd = [
  { id: 20, name: "=1+1" },
  { id: 21, name: "'@x" },
  { id: 22, name: '\'plain, "quoted"' },
];
const king = { id: 30, name: "-Ann", isAlive: true, placeId: 20, isKing: true };
const all = { places: [...places, ...odd], people: [...people, king] };
const system = await start({ ...all, countCosts: true });
after(() => system.dispose());
const { places: atPlaces, people: atPeople, join } = system;

const forms = {
  json: "application/json",
  ndjson: "application/x-ndjson",
  csv: "text/csv",
} as const;
const table = "text/csv; charset=utf-8; header=present";
const problem = "application/problem+json";

/** The lists that can be a table, with its columns. */
const tables: Record<string, string[]> = {
  "/v1/places?limit=3&count=exact": ["id", "name"],
  "/v1/places?limit=1000&sort=-name": ["id", "name"],
  "/v1/places?name=nobody": ["id", "name"],
  "/v1/places?ids=20,21,22": ["id", "name"],
  "/v1/places/as-of?limit=4": ["id", "name"],
  "/v1/places/as-of?ids=20,21,22": ["id", "name"],
  "/v1/places/as-of?asOf=1999-12-31T23:59:59Z": ["id", "name"],
  "/v1/people?limit=5&count=exact": ["id", "name", "isAlive", "placeId", "isKing"],
  "/v1/people?isAlive=false&sort=name": ["id", "name", "isAlive", "placeId", "isKing"],
  "/v1/people?placeId=2": ["id", "name", "isAlive", "placeId", "isKing"],
  "/v1/people/population": ["placeId", "total", "living", "dead", "kingId", "kingName"],
  "/v1/people/population?sort=-living&limit=2&least=2": [
    ...["placeId", "total", "living", "dead", "kingId", "kingName"],
  ],
  "/v1/people/population?least=99": ["placeId", "total", "living", "dead", "kingId", "kingName"],
};
/** Those that cannot. */
const nested = [
  "/v1/people/by-place",
  "/v1/people-per-place?limit=2&count=exact",
  "/v1/changes?limit=3",
  "/v1/places/changes?limit=3",
  "/v1/people/changes?limit=3",
  "/v1/places/1/history",
  "/v1/people/1/history",
];
/** What is neither has one form. */
const single = [
  "/v1",
  "/v1/places/1",
  "/v1/people/1",
  "/v1/people-per-place/1",
  "/v1/integrity",
] as const;

function doors(path: string): WorkerClient[] {
  if (/^\/v1\/places\b/.test(path)) return [join, atPlaces];
  return /^\/v1\/people(?!-)\b/.test(path) ? [join, atPeople] : [join];
}

type Row = Record<string, unknown>;

/** A row as a line: names in quotes, and no formula among them. */
function line(row: Row, columns: string[]): string {
  const { king, ...plain } = row as { king?: { id: number; name: string } };
  const flat: Row = { ...plain, kingId: king?.id, kingName: king?.name };
  return columns
    .map((column) => {
      const value = flat[column] ?? "";
      if (typeof value !== "string" || value === "") return String(value);
      const armour = /^'*[=+\-@＝＋－＠]/.test(value) ? "'" : "";
      return `"${armour}${value.replaceAll('"', '""')}"`;
    })
    .join(",");
}

/** The headers that say how a page stands in its list. */
const ofPage = ({ headers }: ApiResponse) => {
  const names = ["link", "x-total-count", "x-total-living", "x-total-nowhere", "vary"];
  return names.map((name) => headers[name]);
};

test("each_list_comes_in_each_form_with_the_same_records_and_page", async () => {
  const columnsOf = { ...tables, ...Object.fromEntries(nested.map((path) => [path, null])) };
  for (const [path, columns] of Object.entries(columnsOf)) {
    for (const worker of doors(path)) {
      const json = await worker.get(path, { accept: forms.json });
      const rows: Row[] = json.json;
      assert.deepEqual([json.status, json.headers["content-type"]], [200, forms.json], path);
      assert.equal(json.text, jsonArray(rows));
      assert.equal(json.headers.vary, "accept");

      const lines = await worker.get(path, { accept: forms.ndjson });
      assert.equal(lines.headers["content-type"], forms.ndjson);
      assert.equal(lines.text, rows.map((row) => `${JSON.stringify(row)}\n`).join(""), path);
      assert.deepEqual(ofPage(lines), ofPage(json), path);

      const csv = await worker.get(path, { accept: forms.csv });
      if (columns === null) {
        assert.equal(csv.status, 406, path);
        continue;
      }
      assert.deepEqual([csv.status, csv.headers["content-type"]], [200, table], path);
      const expected = [columns.join(","), ...rows.map((row) => line(row, columns)), ""];
      assert.equal(csv.text, expected.join("\r\n"), path);
      assert.deepEqual(ofPage(csv), ofPage(json), path);
    }
  }
});

test("a_table_goes_on_by_its_link_and_each_page_has_the_header", async () => {
  for (const path of ["/v1/people?limit=4", "/v1/places?limit=3&sort=name"]) {
    const lines: string[] = [];
    const header = path.includes("people") ? "id,name,isAlive,placeId,isKing" : "id,name";
    for (let next: string | undefined = path; next; ) {
      const page: ApiResponse = await join.get(next, { accept: forms.csv });
      const [first, ...rest] = page.text.trimEnd().split("\r\n");
      assert.equal(first, header);
      lines.push(...rest);
      next = nextLink(page);
    }
    const whole = await join.get(path.replace(/limit=\d/, "limit=1000"), { accept: forms.csv });
    assert.deepEqual(lines, whole.text.trimEnd().split("\r\n").slice(1));
  }
});

test("each_form_has_a_tag_of_its_own", async () => {
  for (const path of [...Object.keys(tables), "/v1/people/by-place", "/v1/people-per-place"]) {
    for (const worker of doors(path)) {
      const offered = path in tables ? Object.values(forms) : [forms.json, forms.ndjson];
      const tags = new Map<string, string>();
      for (const accept of offered) tags.set((await worker.get(path, { accept })).etag, accept);
      assert.equal(tags.size, offered.length, path);
      for (const [etag, accept] of tags) {
        for (const other of offered) {
          const known = { accept: other, "if-none-match": etag };
          const again = await worker.get(path, known);
          assert.equal(again.status, other === accept ? 304 : 200, `${path} ${etag} ${other}`);
          assert.equal(again.headers.vary, "accept");
        }
      }
    }
  }
});

/** What an Accept header gets from a list with a table, and from one without. */
const accepted: [string, keyof typeof forms | 406, keyof typeof forms | 406][] = [
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
  // What cannot be read says nothing.
  ["", "json", "json"],
  ["nonsense;;q=", "json", "json"],
  ["text/csv;q=2", "json", "json"],
  ["text/csv;q=2, application/x-ndjson", "ndjson", "ndjson"],
  // What is refused, or is not there.
  ["text/html", 406, 406],
  ["application/json;q=0", 406, 406],
  ["application/x-ndjson;q=0", 406, 406],
  ["*/*;q=0", 406, 406],
  ["*/*;q=0, text/csv", "csv", 406],
  ["image/png, text/csv;q=0.0, application/xml", 406, 406],
  ["application/problem+json", 406, 406],
];

test("accept_is_read_as_rfc_9110_says", async () => {
  const lists = [
    ["/v1/places", 1],
    ["/v1/people/by-place", 2],
    ["/v1/people-per-place", 2],
    ["/v1/statistics/places", 1],
  ] as const;
  for (const [path, column] of lists) {
    for (const accept of accepted) {
      const answer = await join.get(path, { accept: accept[0] });
      const form = accept[column];
      const what = `${path} ${accept[0]}`;
      if (form === 406) {
        assert.deepEqual([answer.status, answer.headers["content-type"]], [406, problem], what);
      } else {
        const type = form === "csv" ? table : forms[form];
        assert.deepEqual([answer.status, answer.headers["content-type"]], [200, type], what);
      }
      assert.equal(answer.headers.vary, "accept", what);
    }
  }
});

/** Asks as a client that sends no Accept at all, which `fetch` never does. */
function plainly(worker: WorkerClient, path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${worker.url.origin}${path}`, (answer) => {
      answer.resume().on("end", () => resolve(answer.headers["content-type"]));
    });
    sent.on("error", reject).end();
  });
}

test("without_accept_the_first_form_is_given", async () => {
  for (const path of [...Object.keys(tables), ...nested, ...single]) {
    for (const worker of doors(path)) assert.equal(await plainly(worker, path), forms.json, path);
  }
  assert.equal(await plainly(join, "/v1/people/export"), table);
  assert.equal(await plainly(join, "/v1/statistics/places"), forms.json);
});

test("what_is_not_on_offer_is_refused_with_what_is", async () => {
  const offers = [
    ["/v1/places", Object.values(forms)],
    ["/v1/people", Object.values(forms)],
    ["/v1/people/population", Object.values(forms)],
    ["/v1/statistics/places", Object.values(forms)],
    ["/v1/people-per-place", [forms.json, forms.ndjson]],
    ["/v1/people/1/history", [forms.json, forms.ndjson]],
    ["/v1/people/export", [forms.csv, forms.ndjson]],
    ["/v1/places/export", [forms.csv, forms.ndjson]],
  ] as const;
  for (const [path, offered] of offers) {
    const { status, headers, json } = await join.get(path, { accept: "text/html" });
    const expected = {
      type: "/problems/not-acceptable",
      title: "The answer has no form that `Accept` allows",
      status: 406,
      detail: `\`Accept\` must allow ${offered.join(" or ")}.`,
      offered,
    };
    assert.deepEqual(json, expected, path);
    const secure = { "content-type": problem, "x-content-type-options": "nosniff" };
    assert.deepEqual([status, headers], [406, { ...secure, vary: "accept" }], path);
  }
});

test("a_form_that_the_query_names_is_given_whatever_accept_says", async () => {
  for (const path of ["/v1/statistics/places", "/v1/people/export"]) {
    const { status, headers } = await join.get(`${path}?format=csv`, { accept: "text/html" });
    assert.deepEqual([status, headers["content-type"]], [200, table]);
    // Then it does not vary by what was not looked at.
    assert.equal(headers.vary, undefined);
  }
});

test("what_has_one_form_and_every_error_has_it_whatever_accept_says", async () => {
  for (const accept of ["text/csv", "text/html", "application/json;q=0"]) {
    for (const path of single) {
      const { status, headers } = await join.get(path, { accept });
      const given = [status, headers["content-type"], headers.vary];
      assert.deepEqual(given, [200, forms.json, undefined], path);
    }
    for (const path of ["/v1/x", "/v1/people/999", "/v1/places?limit=0", "/v1/people/x"]) {
      const { status, headers } = await join.get(path, { accept });
      assert.ok(status === 400 || status === 404);
      assert.equal(headers["content-type"], problem);
    }
    const made = await join.send("PATCH", "/v1/people/1", {}, { accept });
    assert.deepEqual([made.status, made.headers["content-type"]], [200, forms.json]);
  }
});

test("the_root_is_a_page_or_the_dataset_and_with_its_version_the_dataset_alone", async () => {
  for (const [accept, form] of [
    ["*/*", "text/html; charset=utf-8"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"],
    ["application/json", forms.json],
    ["application/json, text/html;q=0.9", forms.json],
    ["text/html;q=0, */*", forms.json],
    ["text/csv", problem],
  ] as const) {
    const { status, headers } = await join.get("/", { accept });
    const given = [status, headers["content-type"], headers.vary];
    assert.deepEqual(given, [form === problem ? 406 : 200, form, "accept"], accept);
    const versioned = await join.get("/v1", { accept });
    assert.deepEqual([versioned.status, versioned.headers["content-type"]], [200, forms.json]);
    await is_the_same_as_get(join, "/", { accept });
  }
  const wrong = await join.get("/v1?x=1");
  assert.deepEqual([wrong.status, wrong.headers["content-type"]], [400, problem]);
});

test("an_import_whose_report_nobody_could_read_takes_nothing_in", async () => {
  const headers = { "content-type": forms.csv, accept: "text/html" };
  const refused = await join.request("POST", "/v1/places/import", headers, "name\nUnwanted\n");
  assert.deepEqual([refused.status, refused.json.offered], [406, [forms.json, forms.ndjson]]);
  assert.deepEqual((await join.get("/v1/places?name=Unwanted")).json, []);
});

const records = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
const reads = "GET, HEAD, OPTIONS";
const takes = { file: "text/csv, application/x-ndjson, application/json", json: forms.json };
/** Every address of the route tables, with what OPTIONS says of it. */
const routes: Record<string, [allow: string, post?: string]> = {
  "/": [reads],
  "/people-per-place": [reads],
  "/people-per-place/{id}": [reads],
  "/integrity": [reads],
  "/integrity/repair": ["POST, OPTIONS"],
  "/statistics/places": [reads],
  "/changes": [reads],
  "/openapi.json": [reads],
  "/ui/people": [reads],
  "/ui/people/{id}": [reads],
  "/ui/places/{id}": [reads],
  "/ui/enter": ["POST, OPTIONS"],
  "/ui/forget": ["POST, OPTIONS"],
  "/healthz": [reads],
  "/readyz": [reads],
  ...Object.fromEntries(
    ["people/new", "people/{id}/{action}", "places/new", "places/{id}/{action}", "import"].map(
      (page) => [`/ui/${page}`, ["GET, HEAD, POST, OPTIONS"]],
    ),
  ),
  ...Object.fromEntries(
    ["/places", "/people"].flatMap((register) => [
      [register, ["GET, HEAD, POST, OPTIONS", takes.json]],
      [`${register}/{id}`, [records]],
      [`${register}/{id}/history`, [reads]],
      [`${register}/import`, ["POST, OPTIONS", takes.file]],
      [`${register}/export`, [reads]],
      [`${register}/changes`, [reads]],
    ]),
  ),
  "/places/as-of": [reads],
  "/people/by-place": [reads],
  "/people/population": [reads],
  "/internal/statuses": [reads],
  "/internal/integrity": [reads],
  "/internal/counter": [reads],
  "/internal/repair": ["POST, OPTIONS"],
  "/internal/residents/{id}/close": ["POST, OPTIONS"],
  "/internal/residents/{id}/reassign": ["POST, OPTIONS"],
  "/internal/residents/{id}/detach-dead": ["POST, OPTIONS"],
};

/** Each worker with the addresses that it answers: the join those of its owners as well. */
function answered(): [WorkerClient, string][] {
  const ofTable = (file: string) => {
    const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    return [...source.matchAll(/\.route\(\s*"([^"]+)"/g)].map(([, address]) => address ?? "");
  };
  const tables = ["places", "people", "join"].map((name) => ofTable(`workers/${name}/src/lib.rs`));
  const [ofPlaces = [], ofPeople = [], ofJoin = []] = tables;
  // What is left over has the addresses of its owner, or is no page.
  const own = ofJoin.filter((address) => !/[/]{[*]rest}$|^[/]ui$/.test(address));
  // The document of the whole is a file.
  const isPassedOn = (address: string) => !/^\/(internal\/|openapi.json)/.test(address);
  const owned = [...ofPlaces, ...ofPeople].filter(isPassedOn);
  return [
    ...ofPlaces.map((address): [WorkerClient, string] => [atPlaces, address]),
    ...ofPeople.map((address): [WorkerClient, string] => [atPeople, address]),
    ...[...new Set([...own, ...owned])].map((address): [WorkerClient, string] => [join, address]),
  ];
}
const pathOf = (address: string) =>
  `/v1${address.replace("{id}", "1").replace("{action}", "remove").replace(/^\/$/, "")}`;

test("options_names_methods_and_bodies_of_every_route", async () => {
  const known = answered();
  assert.deepEqual(
    [...new Set(known.map(([, address]) => address))].sort(),
    Object.keys(routes).sort(),
  );
  for (const [worker, address] of known) {
    const path = pathOf(address);
    const [allow, post] = routes[address] ?? assert.fail(address);
    const patch = allow.includes("PATCH") && "application/merge-patch+json, application/json";
    const { status, headers, text } = await worker.request("OPTIONS", path);
    const expected = {
      "x-content-type-options": "nosniff",
      allow,
      ...(patch && { "accept-patch": patch }),
      ...(post && { "accept-post": post }),
    };
    assert.deepEqual([status, headers, text], [204, expected, ""], `OPTIONS ${path}`);
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
      if (allow.includes(method)) continue;
      const refused = await worker.request(method, path);
      const given = [refused.status, refused.headers.allow];
      assert.deepEqual(given, [405, allow], `${method} ${path}`);
    }
    // A body of another type is refused with those that are taken (RFC 5789, 2.2).
    for (const [method, taken] of [
      ["PATCH", patch],
      ["POST", post],
    ] as const) {
      if (!taken) continue;
      const refused = await worker.request(method, path, { "content-type": "text/x" }, "x");
      const given = [refused.status, refused.headers[`accept-${method.toLowerCase()}`]];
      assert.deepEqual(given, [415, taken], `${method} ${path}`);
    }
  }
  for (const path of ["/v1/x", "/v1/places/1/x", "/v1/internal/statuses"]) {
    assert.equal((await join.request("OPTIONS", path)).status, 404, path);
  }
});

/** A HEAD beside its GET: all headers but how long each took, and no length but the right one. */
async function is_the_same_as_get(
  worker: WorkerClient,
  path: string,
  headers: Record<string, string>,
): Promise<void> {
  const address = `${worker.url.origin}${path}`;
  const get = await fetch(address, { headers });
  const head = await fetch(address, { method: "HEAD", headers });
  const length = new TextEncoder().encode(await get.text()).length;
  const told = head.headers.get("content-length");
  const what = `HEAD ${path} ${JSON.stringify(headers)}`;
  assert.equal(await head.text(), "", what);
  assert.ok(told === null || told === String(length), `${what}: ${told}`);
  const kept = (answer: Response) => {
    const apart = ["content-length", "transfer-encoding", "date", "connection", "keep-alive"];
    apart.push("server-timing", "x-d1-bookmark", "x-request-id");
    return [...answer.headers].filter(([name]) => !apart.includes(name));
  };
  assert.deepEqual([head.status, kept(head)], [get.status, kept(get)], what);
}

test("head_is_get_without_a_body_on_every_route", async () => {
  const asked = answered().map(([worker, address]): [WorkerClient, string] => [
    worker,
    pathOf(address),
  ]);
  for (const path of [...Object.keys(tables), ...nested, "/v1/people-per-place?peopleLimit=1"]) {
    for (const worker of doors(path)) asked.push([worker, path]);
  }
  asked.push([join, "/v1/x"], [join, "/v1/people/999"], [join, "/v1/people-per-place/999"]);
  asked.push([join, "/v1/people?limit=0"], [join, "/v1/people-per-place?limit=0"]);
  asked.push([atPlaces, "/internal/statuses?ids=1,2"]);
  for (const [worker, path] of asked) {
    for (const accept of ["*/*", forms.ndjson, forms.csv, "text/html"]) {
      await is_the_same_as_get(worker, path, { accept });
    }
    const { etag } = await worker.get(path);
    if (etag) await is_the_same_as_get(worker, path, { "if-none-match": etag });
  }
});

test("a_head_reads_nothing_that_only_a_body_needs", async () => {
  const crowd = Array.from({ length: 25_000 }, (_, n) => {
    return { id: n + 1, name: `P${n}`, isAlive: true, placeId: 1 + (n % 100), isKing: false };
  });
  const many = Array.from({ length: 100 }, (_, n) => ({ id: n + 1, name: `Place ${n + 1}` }));
  await using crowded = await start({ places: many, people: crowd, countCosts: true });
  const statements = async (method: string, path: string) => {
    await crowded.takeRoundTrips();
    assert.equal((await crowded.join.request(method, path)).status, 200);
    return crowded.takeRoundTrips();
  };
  for (const [path, one] of [
    ["/v1/people/export", { places: 0, people: 0, join: 0 }],
    ["/v1/people/by-place", { places: 0, people: 1, join: 0 }],
    ["/v1/people-per-place", { places: 1, people: 1, join: 0 }],
  ] as const) {
    assert.deepEqual(await statements("HEAD", path), one, path);
    assert.ok((await statements("GET", path)).people > 1, path);
  }
});
