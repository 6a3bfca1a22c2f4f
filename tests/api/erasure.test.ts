// Tests erasures: `DELETE /v1/people/{id}?erase=true`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertIntegrity } from "../support/assert_integrity.ts";
import { SERVICE_SECRET, type System, start, type WorkerClient } from "../support/harness.ts";
import { adminToken, bearer, TOKENS, writeToken } from "../support/tokens.ts";
import { waitUntil } from "../support/wait_until.ts";

const admin = bearer(adminToken);
const writer = bearer(writeToken);
/** Part of each name of the person who is erased. No other record contains it. */
const NAME = "Zzyzx";
const ERASE = "?erase=true";

const startSystem = () =>
  start({
    seed: true,
    gatewaySettings: { TOKENS },
    backendSettings: { TOKENS, SERVICE_SECRET },
    switchableFaults: true,
  });

/** Adds a king of an empty place, with an idempotency key, and renames the king. */
async function addKing({ join }: System) {
  const place = await join.send("POST", "/v1/places", { name: "Bastión" }, writer);
  const king = { name: `${NAME} "the" Ñoño`, isAlive: true, isKing: true, placeId: place.json.id };
  const post = () =>
    join.send("POST", "/v1/people", king, { ...writer, "idempotency-key": "a-key" });
  const created = await post();
  assert.equal(created.status, 201, created.text);
  const path = `/v1/people/${created.json.id}`;
  const renamed = await join.send("PATCH", path, { name: `Sir ${NAME}` }, writer);
  assert.equal(renamed.status, 200, renamed.text);
  return { placeId: place.json.id as number, id: created.json.id as number, path, post };
}

/** Each table of the three databases with all rows, as text. */
async function dump(system: System): Promise<Record<string, string>> {
  const dumped: Record<string, string> = {};
  for (const [name, database] of Object.entries(system.db)) {
    const tables = await database.rows(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    assert.ok(tables.length >= 3);
    for (const { name: table } of tables) {
      const rows = await database.rows(`SELECT * FROM "${table}"`);
      dumped[`${name}.${table}`] = JSON.stringify(rows);
    }
  }
  return dumped;
}

/** The tables whose rows contain the name. */
const tablesWithName = async (system: System) =>
  Object.entries(await dump(system)).flatMap(([table, rows]) =>
    rows.toLowerCase().includes(NAME.toLowerCase()) ? [table] : [],
  );

/** Every GET route of a worker's document, for this person and place, at present and in the past. */
function readPaths(document: string, id: number, placeId: number, asOf: string): string[] {
  const { paths } = JSON.parse(readFileSync(`openapi/${document}.json`, "utf8"));
  const paged = Object.entries<{ get?: { parameters?: { $ref: string }[] } }>(paths).flatMap(
    ([path, { get }]) => {
      if (!get) return [];
      const record = /people(?!-)/.test(path) ? id : placeId;
      const address = path.replace("{id}", String(record));
      const names = (get.parameters ?? []).map(({ $ref }) => $ref.split("/").at(-1));
      const queries = ["", ...(names.includes("limit") ? ["?limit=1000"] : [])];
      if (names.includes("asOf")) queries.push(`?asOf=${asOf}`, `?asOf=${asOf}&limit=1000`);
      if (names.includes("name")) queries.push(`?name=${NAME.toLowerCase()}`);
      return queries.map((query) => address + query);
    },
  );
  assert.ok(paged.length > 10);
  return paged;
}

const pages = (id: number, placeId: number) => [
  ...["/", "/ui/people", `/ui/people?q=${NAME}`, `/ui/people/${id}`, `/ui/places/${placeId}`],
];

/** The responses of all routes that contain the name. The address may. */
async function responsesWithName(system: System, id: number, placeId: number, asOf: string) {
  const found: string[] = [];
  const read = async (worker: WorkerClient, path: string, accept = "*/*") => {
    const { status, text } = await worker.get(path, { ...admin, accept });
    assert.ok(status < 500, `${path}: ${status} ${text}`);
    const withoutQuery = text.replaceAll(/(q|name)=zzyzx|value="zzyzx"/gi, "");
    if (withoutQuery.toLowerCase().includes(NAME.toLowerCase())) found.push(`${path} ${accept}`);
  };
  for (const [document, workers] of [
    ["join", [system.join]],
    ["people", [system.people]],
    ["places", [system.places]],
  ] as const) {
    for (const path of readPaths(document, id, placeId, asOf)) {
      for (const worker of workers) {
        for (const accept of ["*/*", "text/csv", "application/x-ndjson"]) {
          await read(worker, path, accept);
        }
      }
    }
  }
  for (const path of pages(id, placeId)) await read(system.join, path, "text/html");
  return found;
}

const statisticsAt = async ({ join }: System, asOf: string) =>
  (await join.get(`/v1/statistics/places?limit=1000&asOf=${asOf}`)).json.map(
    ({ king, ...counts }: { king?: { id: number } }) => ({ ...counts, king: king?.id }),
  );

test("after_an_erasure_no_database_and_no_route_contains_the_name_and_counts_stay", async () => {
  await using system = await startSystem();
  const { join } = system;
  const { id, placeId, path, post } = await addKing(system);
  await sleep(5);
  const asOf = new Date().toISOString();
  await sleep(5);
  const before = await responsesWithName(system, id, placeId, asOf);
  // Otherwise the test would not notice names in them.
  for (const expected of [`${path}/history`, "asOf", "per-place", "/ui/places", "export"]) {
    assert.ok(
      before.some((found) => found.includes(expected)),
      `${expected} does not contain the name before`,
    );
  }
  await waitUntil("snapshots contain the name", async () =>
    (await tablesWithName(system)).includes("join.snapshot_part"),
  );
  // The key of a snapshot has the text of a search. It may not be saved yet.
  const tables = (await tablesWithName(system)).filter((table) => table !== "join.snapshot");
  assert.deepEqual(tables, [
    ...["people.person", "people.person_search", "people.person_change", "join.snapshot_part"],
  ]);
  const counts = await statisticsAt(system, asOf);
  const erased = await join.request("DELETE", path + ERASE, admin);
  assert.deepEqual([erased.status, erased.text], [204, ""], erased.text);
  assert.deepEqual(await tablesWithName(system), []);
  assert.deepEqual(await responsesWithName(system, id, placeId, asOf), []);
  assert.deepEqual(await statisticsAt(system, asOf), counts);
  const history = (await join.get(`${path}/history`)).json;
  assert.deepEqual(
    history.map(({ kind, record }: { kind: string; record?: { name: null } }) => [
      kind,
      record?.name,
    ]),
    [
      ["created", null],
      ["updated", null],
      ["deleted", undefined],
      ["erased", undefined],
    ],
  );
  const retried = await post();
  assert.deepEqual([retried.status, retried.json.type], [410, "/problems/person-erased"]);
  await assertIntegrity(system);
  // While people is down, all responses are stale ones.
  await waitUntil("new snapshots are stored", async () => {
    await join.get("/v1/people-per-place");
    return (await system.db.join.rows("SELECT 1 FROM snapshot")).length > 0;
  });
  await system.setFault("people", "throws");
  for (const route of [
    "/v1/people-per-place",
    `/v1/people-per-place/${placeId}`,
    "/",
    "/v1/statistics/places",
  ]) {
    const stale = await join.get(route);
    assert.ok(!stale.text.includes(NAME), `${route}: ${stale.text}`);
  }
  assert.deepEqual(await tablesWithName(system), []);
});

test("an_erasure_needs_the_scope_admin_in_any_spelling", async () => {
  await using system = await startSystem();
  const { path } = await addKing(system);
  for (const worker of [system.join, system.people]) {
    for (const query of [ERASE, "?er%61se=tru%65", "?erase=false&erase=true", "?x=1&erase=true"]) {
      const rejected = await worker.request("DELETE", path + query, writer);
      assert.equal(rejected.status, 403, `${query}: ${rejected.text}`);
      assert.equal(rejected.json.type, "/problems/insufficient-scope");
      assert.equal(rejected.json.scope, "admin");
      const anonymous = await worker.request("DELETE", path + query);
      assert.deepEqual([anonymous.status, anonymous.json.scope], [401, "admin"]);
    }
    for (const query of ["?erase=yes", "?erase=", "?erase", "?erase=TRUE", "?erase=true%ff"]) {
      for (const token of [admin, writer]) {
        const invalid = await worker.request("DELETE", path + query, token);
        assert.deepEqual([invalid.status, invalid.json.parameter], [400, "erase"], query);
      }
      const anonymous = await worker.request("DELETE", path + query);
      assert.deepEqual([anonymous.status, anonymous.json.scope], [401, "write"], query);
    }
  }
  assert.equal((await system.join.get(`${path}/history`)).json.length, 2);
  // Another parameter of another route is not affected.
  const other = await system.join.request("GET", "/v1/people?erase=true", writer);
  assert.equal(other.json.type, "/problems/unknown-parameter");
  const deleted = await system.join.request("DELETE", `${path}?erase=false`, writer);
  assert.equal(deleted.status, 204);
  assert.equal((await system.join.get(`${path}/history`)).json[0].record.name.includes(NAME), true);
});

test("an_erasure_checks_preconditions_and_can_be_repeated", async () => {
  await using system = await startSystem();
  const { join } = system;
  const { id, path } = await addKing(system);
  const erase = (headers = {}, worker = join) =>
    worker.request("DELETE", path + ERASE, { ...admin, ...headers });
  const outdated = await erase({ "if-match": '"1"' });
  assert.deepEqual([outdated.status, outdated.json.version], [412, 2]);
  assert.ok((await join.get(path)).text.includes(NAME));
  const { etag } = await join.get(path);
  assert.equal((await erase({ "if-match": etag })).status, 204);
  const log = await dump(system);
  for (const worker of [join, system.people]) {
    assert.equal((await erase({}, worker)).status, 204);
    assert.equal((await erase({ "if-match": etag }, worker)).status, 412);
    const unknown = await worker.request("DELETE", `/v1/people/999${ERASE}`, admin);
    assert.equal(unknown.json.type, "/problems/not-found");
    assert.equal((await worker.request("DELETE", path, writer)).status, 404);
  }
  const again = await dump(system);
  assert.equal(
    again["people.person_change"],
    log["people.person_change"],
    "repeated without effect",
  );
  // The id may be used again, and the next person has a name.
  const next = { name: "Otra", isAlive: false };
  assert.equal((await join.send("PUT", path, next, writer)).status, 201);
  assert.equal((await join.get(path)).json.name, "Otra");
  assert.equal((await join.get(`${path}/history`)).json.at(-1).record.name, "Otra");
  assert.match((await join.get(`/ui/people/${id}`, admin)).text, /name erased/);
  await assertIntegrity(system);
});

test("the_search_index_keeps_no_term_of_an_erased_person", async () => {
  await using system = await startSystem();
  const { path } = await addKing(system);
  // The beginning of a term may be stored with the term before it.
  const end = NAME.slice(-3).toLowerCase();
  const blocksWithName = async () =>
    (
      await system.db.people.rows(
        `SELECT id FROM person_search_data WHERE instr(block, CAST('${end}' AS BLOB))`,
      )
    ).length;
  assert.ok((await blocksWithName()) > 0);
  assert.equal((await system.join.request("DELETE", path + ERASE, admin)).status, 204);
  assert.equal(await blocksWithName(), 0);
});

test("a_deleted_person_is_erased", async () => {
  await using system = await startSystem();
  const { path } = await addKing(system);
  assert.equal((await system.join.request("DELETE", path, writer)).status, 204);
  assert.deepEqual(await tablesWithName(system), ["people.person_change"]);
  assert.equal((await system.join.request("DELETE", path + ERASE, admin)).status, 204);
  assert.deepEqual(await tablesWithName(system), []);
  await assertIntegrity(system);
});

test("the_schedule_completes_an_erasure_that_bypassed_the_gateway", async () => {
  await using system = await startSystem();
  const { placeId, path } = await addKing(system);
  const perPlace = `/v1/people-per-place/${placeId}`;
  assert.ok((await system.join.get(perPlace)).text.includes(NAME));
  await waitUntil("a snapshot contains the name", async () =>
    (await tablesWithName(system)).includes("join.snapshot_part"),
  );
  assert.equal((await system.people.request("DELETE", path + ERASE, admin)).status, 204);
  await system.runSchedule("join");
  await waitUntil("the schedule has run", async () => (await tablesWithName(system)).length === 0);
});

test("an_isolate_does_not_send_a_stale_response_from_before_an_erasure", async () => {
  await using system = await startSystem();
  const { placeId } = await addKing(system);
  const perPlace = `/v1/people-per-place/${placeId}`;
  assert.ok((await system.join.get(perPlace)).text.includes(NAME));
  await waitUntil("a snapshot contains the name", async () =>
    (await tablesWithName(system)).includes("join.snapshot_part"),
  );
  // Another isolate of the gateway has served an erasure: this one only shares its database.
  await system.db.join.exec(
    "INSERT INTO erasure (id, people_seq) VALUES (1, 1000); DELETE FROM snapshot;",
  );
  await system.setFault("people", "throws");
  const stale = await system.join.get(perPlace);
  assert.deepEqual([stale.status, stale.json.people], [200, null], stale.text);
});
