// Tests every list and export with every filter and order that the OpenAPI document declares. It
// compares them with a plain filter and sort of the same records (tests/support/list_models.ts). If
// a route, parameter or order is new, this test fails until its model is added there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { parseNdjson, start } from "../support/harness.ts";
import {
  generators,
  type ListModel,
  type ListRecord,
  models,
  type Values,
} from "../support/list_models.ts";
import { TYPES, workersServing } from "../support/list_routes.ts";
import { fillWorld } from "../support/list_world.ts";
import { Random } from "../support/random.ts";
import { nextLink, type WorkerClient } from "../support/worker_client.ts";

const SEED = Number(process.env.SEED ?? 20_261_126);
const RANDOM_CASES = 15;

const system = await start();
after(() => system.dispose());
const world = await fillWorld(system, new Random(SEED));

type Parameter = { name: string; in: string; schema: { enum?: string[] } };
type Operation = {
  parameters?: (Parameter | { $ref: string })[];
  responses: Record<string, { content?: Record<string, { schema: { type?: string } }> }>;
};
const document = JSON.parse(readFileSync("openapi/join.json", "utf8"));

type Route = {
  path: string;
  model: ListModel;
  types: string[];
  /** The parameters that select records. */
  filters: string[];
  /** The parameters that every request has. */
  required: string[];
  orders: string[];
  hasCount: boolean;
  isExport: boolean;
};

/** The parameters of a page, which select no records. */
const PAGE_PARAMETERS = ["limit", "after", "since", "count", "sort", "format"];

function resolveParameter(parameter: Parameter | { $ref: string }): Parameter {
  if (!("$ref" in parameter)) return parameter;
  return document.components.parameters[parameter.$ref.split("/").at(-1) ?? ""];
}

function routeOf(path: string, { parameters = [], responses }: Operation): Route | undefined {
  const content = responses["200"]?.content ?? {};
  const isExport = path.endsWith("/export");
  const isList = content[TYPES.json]?.schema.type === "array";
  if (!isList && !isExport && !(TYPES.csv in content)) return undefined;
  const model = models[path] ?? assert.fail(`teach this test about GET ${path}`);
  const declared = parameters.map(resolveParameter).filter((one) => one.in !== "header");
  const filters = declared
    .map(({ name }) => name)
    .filter((name) => !PAGE_PARAMETERS.includes(name));
  for (const name of filters) {
    const isKnown = name in model.filters || model.handles?.includes(name);
    assert.ok(isKnown && name in generators, `teach this test about ${name} of GET ${path}`);
  }
  const orders = declared.find(({ name }) => name === "sort")?.schema.enum ?? [];
  for (const order of orders) {
    const isKnown = order.replace(/^-/, "") in (model.orders ?? {});
    assert.ok(isKnown, `teach this test about sort=${order} of GET ${path}`);
  }
  const isRequired = (name: string) => path.includes(`{${name}}`) || name === "to";
  return {
    ...{ path, model, orders, isExport },
    // A stream of events does not end (tests/api/event_stream.test.ts).
    types: Object.keys(content).filter((type) => type !== "text/event-stream"),
    filters: filters.filter((name) => !isRequired(name)),
    required: filters.filter(isRequired),
    hasCount: declared.some(({ name }) => name === "count"),
  };
}

const operations = Object.entries(document.paths as Record<string, { get?: Operation }>);
const routes = operations.flatMap(([path, { get }]) => (get && routeOf(path, get)) ?? []);

type Case = { values: Values; sort: string | undefined };

function casesOf({ path, model, filters, required, orders }: Route, random: Random): Case[] {
  const choose = (names: string[]): Values =>
    Object.fromEntries(
      [...names, ...required].map((name) => [name, generators[name]?.(random, world, path) ?? ""]),
    );
  const withEachSort = (names: string[]) =>
    [undefined, ...orders].map((sort) => ({ sort, values: choose(names) }));
  const single = [[], ...filters.map((name) => [name])].flatMap(withEachSort);
  const several = Array.from({ length: RANDOM_CASES }, () => ({
    sort: random.pick([undefined, ...orders]),
    values: choose(filters.filter(() => random.chance(0.5))),
  }));
  const isAllowed = ({ sort, values }: Case) =>
    sort === undefined || !model.unsortedWith?.some((name) => name in values);
  return [...single, ...several].filter(isAllowed);
}

function compareKeys(one: (string | number)[], other: (string | number)[]): number {
  for (const [n, key] of one.entries()) {
    const otherKey = other[n] ?? 0;
    if (key !== otherKey) return key < otherKey ? -1 : 1;
  }
  return 0;
}

/** The records by a plain filter and sort. */
function expectedRecords({ model }: Route, { values, sort = "id" }: Case) {
  const matches = (record: ListRecord) =>
    Object.entries(values).every(([name, value]) => model.filters[name]?.(record, value) ?? true);
  const found = model.records(world, values).filter(matches);
  const key = model.orders?.[sort.replace(/^-/, "")];
  if (key) found.sort((one, other) => compareKeys(key(one), key(other)));
  if (sort.startsWith("-")) found.reverse();
  const last = model.lastRecords?.(world, values) ?? [];
  return { records: [...found, ...last].map(model.shown ?? ((record) => record)), found };
}

/** The rows of a CSV table as objects with texts. */
function parseCsv(text: string): ListRecord[] {
  const line = /((?:"(?:[^"]|"")*"|[^"\r\n])*)\r\n/g;
  const cellsOf = (line: string) =>
    [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^",]*),/g)].map(([, cell = ""]) =>
      cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
    );
  const [columns, ...rows] = [...text.matchAll(line)].map(([, line = ""]) => cellsOf(line));
  return rows.map((cells) => Object.fromEntries(columns?.map((name, n) => [name, cells[n]]) ?? []));
}

const asTexts = (record: ListRecord) =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, value == null ? "" : String(value)]),
  );

function parsePage(type: string, text: string): ListRecord[] {
  if (type === TYPES.csv) return parseCsv(text);
  return type === TYPES.json ? JSON.parse(text) : parseNdjson(text);
}

/** All records of an export. */
async function exported(client: WorkerClient, path: string, type: string): Promise<ListRecord[]> {
  const { status, text } = await client.get(path, { accept: type });
  assert.equal(status, 200, `${path}: ${text}`);
  const end = type === TYPES.csv ? "#complete\r\n" : '{"complete":true}\n';
  assert.ok(text.endsWith(end), `${path} is incomplete: ${text.slice(-200)}`);
  return parsePage(type, text.slice(0, -end.length));
}

/** All records of a list, page by page, and the total in its first page. */
async function listed(
  client: WorkerClient,
  { model }: Route,
  path: string,
  type: string,
): Promise<{ records: ListRecord[]; total: string | undefined }> {
  const records: ListRecord[] = [];
  let total: string | undefined;
  for (let next: string | undefined = path; next; ) {
    const page = await client.get(next, { accept: type });
    assert.equal(page.status, 200, `${next}: ${page.text}`);
    const found = parsePage(type, page.text);
    if (next === path) total = page.headers["x-total-count"];
    records.push(...found);
    const after = model.nextFrom?.(found);
    const link: string | undefined = model.nextFrom ? after && `${path}&${after}` : nextLink(page);
    // A list of changes always has a next page.
    next =
      link === next || (/[?&]since=/.test(link ?? "") && found.length === 0) ? undefined : link;
  }
  return { records, total };
}

function pathOf(route: Route, { values, sort }: Case): string {
  const query = new URLSearchParams();
  let { path } = route;
  for (const [name, value] of Object.entries(values)) {
    if (path.includes(`{${name}}`)) path = path.replace(`{${name}}`, value);
    else query.set(name, value);
  }
  if (sort !== undefined) query.set("sort", sort);
  return `${path}?${query}`;
}

async function checkCase(route: Route, chosen: Case, random: Random): Promise<void> {
  const { records: expected, found } = expectedRecords(route, chosen);
  const type = random.pick(route.types) ?? TYPES.json;
  const anyClient = random.pick(workersServing(system, route.path)) ?? system.join;
  // Only the gateway knows places and people.
  const client = chosen.values.expand === undefined ? anyClient : system.join;
  const address = pathOf(route, chosen);
  const message = `${address} as ${type} from ${client.url.port}, SEED=${SEED}`;
  const rowsOf = route.model.rows ?? ((record: ListRecord) => [record]);
  const comparable = (records: ListRecord[]) =>
    type === TYPES.csv ? records.flatMap(rowsOf).map(asTexts) : records;
  if (route.isExport) {
    assert.deepEqual(await exported(client, address, type), comparable(expected), message);
    return;
  }
  // A series has no pages.
  const limit = route.path.endsWith("/series") ? "" : `&limit=${3 + random.below(60)}`;
  const isCounted = route.hasCount && chosen.values.hasPeople === undefined;
  const path = `${address}${limit}${isCounted ? "&count=exact" : ""}`;
  const { records, total } = await listed(client, route, path, type);
  const shown = type === TYPES.csv ? records : records.map(route.model.shown ?? ((one) => one));
  const columns = Object.keys(shown[0] ?? {});
  const texts = comparable(expected).map((row) =>
    type === TYPES.csv ? Object.fromEntries(columns.map((name) => [name, row[name] ?? ""])) : row,
  );
  assert.deepEqual(shown, texts, message);
  if (isCounted) assert.equal(total, String(found.length), `X-Total-Count of ${message}`);
}

for (const path of Object.keys(models)) {
  test(`the_responses_of_${path}_equal_a_plain_filter_and_sort`, async (t) => {
    const route = routes.find((route) => route.path === path);
    assert.ok(route, `no operation in the document is GET ${path}`);
    const random = new Random(SEED);
    const cases = casesOf(route, random);
    let nonEmpty = 0;
    for (const chosen of cases) {
      await checkCase(route, chosen, random);
      if (expectedRecords(route, chosen).found.length > 0) nonEmpty += 1;
    }
    t.diagnostic(`SEED=${SEED}: ${cases.length} requests, ${nonEmpty} with records`);
    assert.ok(nonEmpty * 3 >= cases.length, `only ${nonEmpty} of ${cases.length} find records`);
  });
}

/** The ids in the first column of a page for browsers, and of the pages that its links lead to. */
async function idsOfPages(path: string): Promise<number[]> {
  const ids: number[] = [];
  for (let next: string | undefined = path; next; ) {
    const { status, text } = await system.join.get(next, { accept: "text/html" });
    assert.equal(status, 200, next);
    const rows = text.matchAll(
      /<th scope="row"><a (?:id="p\d+" )?href="\/ui\/(?:people|places)\/(\d+)"/g,
    );
    ids.push(...[...rows].map(([, id]) => Number(id)));
    next = /<a rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
  }
  return ids;
}

type PageQuery = [string, Record<string, string[]>];

for (const [page, path, options] of [
  [
    "/ui/people",
    "/v1/people",
    {
      sort: ["name", "-name", "id", "-id"],
      show: ["", "isAlive=true", "isAlive=false", "isKing=true"],
    },
  ],
  [
    "/",
    "/v1/statistics/places",
    {
      sort: [
        "-living",
        "living",
        "-total",
        "total",
        "id",
        "-id",
        "name",
        "-name",
        "-dead",
        "share",
      ],
      least: ["", "2"],
    },
  ],
] as [string, ...PageQuery][]) {
  test(`the_page_${page}_shows_the_records_of_${path}`, async () => {
    const route = routes.find((route) => route.path === path);
    assert.ok(route);
    const random = new Random(SEED);
    const [[, sorts = []] = [], [filter = "", values = []] = []] = Object.entries(options);
    for (const sort of sorts) {
      for (const value of values) {
        for (const q of ["", generators.q?.(random, world, path).trim() ?? ""]) {
          const query = new URLSearchParams({ sort, [filter]: value, q });
          const [key = "", equal = ""] = filter === "show" ? value.split("=") : [filter, value];
          const chosen = { ...(equal && { [key]: equal }), ...(q && { q }) };
          const { found } = expectedRecords(route, { sort, values: chosen });
          const ids = found.map(({ id }) => id);
          assert.deepEqual(await idsOfPages(`${page}?${query}`), ids, `${page}?${query}`);
        }
      }
    }
  });
}
