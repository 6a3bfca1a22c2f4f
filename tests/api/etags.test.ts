// Tests entity tags. A client that already has the current response gets a 304, which costs one
// query per database.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EPOCH, people, places, tag } from "../support/fixtures.ts";
import { type System, start, type WorkerClient } from "../support/harness.ts";

const lists = (system: System): [WorkerClient, string][] => [
  [system.places, "/v1/places"],
  [system.places, "/v1/places?sort=-name&limit=2&count=exact"],
  [system.people, "/v1/people"],
  [system.people, "/v1/people?isAlive=true&sort=name"],
  [system.people, "/v1/people/by-place"],
  [system.people, "/v1/people/by-place?placeId=3"],
  [system.join, "/v1/people?limit=1"],
  [system.join, "/v1/people-per-place"],
  [system.join, "/v1/people-per-place?limit=2&peopleLimit=1"],
  [system.join, "/v1/people-per-place?sort=-name&isAlive=true"],
  [system.join, "/v1/people-per-place?hasPeople=true"],
  [system.join, "/v1/people-per-place?hasPeople=false&name=n"],
  [system.join, "/v1/people-per-place?ids=77"],
  [system.join, "/v1/people-per-place/3?isKing=true"],
  [system.join, "/v1/people-per-place/3"],
];
const records = (system: System): [WorkerClient, string][] => [
  [system.places, "/v1/places/3"],
  [system.people, "/v1/people/3"],
  [system.join, "/v1/places/3"],
];
const lines = { accept: "application/x-ndjson" };

test("a_matching_entity_tag_gets_a_304_without_a_body", async () => {
  await using system = await start({ places, people });
  for (const [worker, path] of [...lists(system), ...records(system)]) {
    const { etag, headers } = await worker.get(path);
    assert.match(etag, /^(W\/)?"[\w.-]+"$/, path);
    for (const tags of [etag, `"x", ${etag}`, etag.replace("W/", "")]) {
      const second = await worker.get(path, { "if-none-match": tags });
      assert.deepEqual([second.status, second.text, second.etag], [304, "", etag], path);
      assert.equal(second.headers.vary, headers.vary);
      const head = await worker.request("HEAD", path, { "if-none-match": tags });
      assert.deepEqual([head.status, head.etag], [304, etag], path);
    }
    for (const otherForm of [
      'W/"1j999.1f09ab34"',
      'W/"1j999.1f09ab34-999.1f09ab34"',
      etag.replaceAll(EPOCH, "00000000"),
      '"x"',
      'W/"2j17.1f09ab34"',
    ]) {
      const { status } = await worker.get(path, { "if-none-match": otherForm });
      assert.equal(status, 200, `${path} ${otherForm}`);
    }
    const bad = await worker.get(path, { "if-none-match": "17" });
    assert.deepEqual([bad.status, bad.json.header], [400, "if-none-match"], path);
  }
});

test("if_none_match_any_gets_a_304_from_every_get_route", async () => {
  await using system = await start({ places, people });
  const others: [WorkerClient, string][] = [
    [system.join, "/v1/statistics/places"],
    [system.people, "/v1/people/population"],
    [system.places, "/v1/places/as-of?asOf=2000-01-01T00:00:00Z"],
    [system.join, "/v1/people?expand=place"],
    [system.join, "/v1/people/export"],
    [system.join, "/v1/changes"],
    [system.join, "/v1/people/1/history"],
    [system.join, "/v1/integrity"],
  ];
  const any = { "if-none-match": "*" };
  for (const [worker, path] of [...lists(system), ...records(system), ...others]) {
    const { etag } = await worker.get(path);
    for (const method of ["GET", "HEAD"]) {
      const response = await worker.request(method, path, any);
      const found = [response.status, response.text, response.etag];
      assert.deepEqual(found, [304, "", etag], `${method} ${path}`);
    }
  }
  for (const path of ["/v1/people/999", "/v1/people-per-place/999", "/v1/unknown"]) {
    assert.equal((await system.join.get(path, any)).status, 404, path);
  }
});

test("one_of_several_entity_tags_gets_a_304_whatever_their_epochs", async () => {
  await using system = await start({ places, people });
  for (const [worker, path] of [...lists(system), ...records(system)]) {
    const { etag = "" } = await worker.get(path);
    // A later state of a history that a restore has replaced.
    const lost = etag.replace(/(\d+)\.\w{8}/g, "9$1.00000000");
    for (const known of [`${lost}, ${etag}`, `"x", ${etag}, ${lost}`]) {
      for (const method of ["GET", "HEAD"]) {
        const response = await worker.request(method, path, { "if-none-match": known });
        const found = [response.status, response.text, response.etag];
        assert.deepEqual(found, [304, "", etag], `${method} ${path} ${known}`);
      }
    }
    assert.equal((await worker.get(path, { "if-none-match": lost })).status, 200, path);
  }
});

test("empty_elements_of_a_list_header_are_ignored", async () => {
  await using system = await start({ places, people });
  const get = (headers: Record<string, string>) => system.join.get("/v1/people/1", headers);
  assert.equal((await get({ "if-none-match": `, "a",, ,${tag(1)},` })).status, 304);
  assert.equal((await get({ "if-none-match": ", ," })).status, 200);
  const csv = await system.join.get("/v1/people", { accept: ",, text/csv ,," });
  assert.match(csv.headers["content-type"] ?? "", /^text\/csv/);
  const patch = (headers: Record<string, string>) =>
    system.join.send("PATCH", "/v1/people/1", { name: "Ana" }, headers);
  assert.equal((await patch({ "if-match": `,,${tag(1)}` })).status, 200);
  assert.equal((await patch({ "content-encoding": "identity," })).status, 200);
});

test("an_empty_list_in_if_match_rejects_the_write", async () => {
  await using system = await start({ places, people });
  for (const empty of [",", ", ,"]) {
    const headers = { "if-match": empty };
    const changed = await system.join.send("PATCH", "/v1/people/1", { name: "Ana" }, headers);
    assert.equal(changed.status, 412, empty);
    assert.equal((await system.join.request("DELETE", "/v1/people/1", headers)).status, 412);
  }
  assert.equal((await system.join.get("/v1/people/1")).etag, tag(1));
});

test("a_post_to_a_collection_rejects_preconditions", async () => {
  await using system = await start({ places, people });
  const { join, db } = system;
  const create = JSON.stringify({ name: "Nueva", isAlive: true, placeId: 1 });
  for (const [header, value] of [
    ["If-Match", '"1.1f09ab34"'],
    ["If-Match", "17"],
    ["If-None-Match", "*"],
  ] as const) {
    for (const [path, body, type] of [
      ["/v1/people", create, "application/json"],
      ["/v1/people/batch", `[{"op":"create","body":${create}}]`, "application/json"],
      ["/v1/people/import", "name,isAlive,placeId\nNueva,true,1\n", "text/csv"],
    ] as const) {
      const headers = { "content-type": type, [header]: value };
      const { status, json } = await join.request("POST", path, headers, body);
      const found = [status, json.type, json.header];
      assert.deepEqual(found, [400, "/problems/invalid-header", header], `${path} ${value}`);
    }
  }
  const [added] = await db.people.rows("SELECT count(*) AS n FROM person WHERE name = 'Nueva'");
  assert.equal(added?.n, 0);
});

test("each_media_type_has_its_own_entity_tag", async () => {
  await using system = await start({ places, people });
  for (const [worker, path] of lists(system)) {
    if (path.startsWith("/v1/people-per-place/3")) continue;
    const array = await worker.get(path);
    const otherForm = await worker.get(path, { ...lines, "if-none-match": array.etag });
    assert.equal(otherForm.status, 200, path);
    assert.notEqual(otherForm.etag, array.etag);
    const same = await worker.get(path, { ...lines, "if-none-match": otherForm.etag });
    assert.equal(same.status, 304, path);
  }
});

test("every_write_changes_the_entity_tag_and_no_tag_is_reused", async () => {
  await using system = await start({ places, people });
  const seenTags = new Map<string, Set<string>>();
  const writes = [
    () => system.join.send("PATCH", "/v1/people/2", { name: "New" }),
    () => system.join.send("PATCH", "/v1/people/2", { name: "Aiba Stack" }),
    () => system.join.send("POST", "/v1/people", { name: "Other", isAlive: true, placeId: 3 }),
    () => system.join.request("DELETE", "/v1/people/4"),
    () => system.join.send("PATCH", "/v1/places/3", { name: "Winter" }),
    () => system.join.send("PATCH", "/v1/places/3", { name: "Veranolandia" }),
  ];
  const paths = ["/v1/people-per-place", "/v1/people-per-place/3"];
  for (const write of [async () => undefined, ...writes]) {
    await write();
    for (const path of paths) {
      const { etag, text } = await system.join.get(path);
      const tags = seenTags.get(path) ?? new Set();
      assert.ok(!tags.has(etag), `${path} ${etag}`);
      for (const old of tags) {
        const response = await system.join.get(path, { "if-none-match": old });
        assert.deepEqual([response.status, response.text], [200, text]);
      }
      seenTags.set(path, tags.add(etag));
    }
  }
  const { etag } = await system.join.get(paths[0] as string);
  const noChange = await system.join.send("PATCH", "/v1/people/2", {});
  assert.equal(noChange.status, 200);
  assert.equal((await system.join.get(paths[0] as string)).etag, etag);
});

test("a_304_costs_one_query_per_database", async () => {
  await using system = await start({ places, people, countCosts: true });
  for (const path of ["/v1/people-per-place", "/v1/people-per-place/3"]) {
    const { etag } = await system.join.get(path);
    await system.takeRoundTrips();
    assert.equal((await system.join.get(path, { "if-none-match": etag })).status, 304);
    assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 });
    // After a change, the same query returns the new part. The other part has not changed.
    await system.join.send("PATCH", "/v1/people/2", { name: path });
    await system.takeRoundTrips();
    assert.equal((await system.join.get(path, { "if-none-match": etag })).status, 200);
    assert.deepEqual(await system.takeRoundTrips(), { places: 1, people: 1, join: 0 });
  }
});

test("the_schedule_completes_interrupted_writes_and_deletes_old_idempotency_keys", async () => {
  await using system = await start({ places, people });
  const key = (name: string) => ({ "idempotency-key": name });
  const post = (name: string) => system.join.send("POST", "/v1/people", { name: "K" }, key(name));
  const old = await post("old");
  assert.equal((await post("old")).json.id, old.json.id);
  const young = await post("young");
  const day = 24 * 60 * 60 * 1000;
  await system.db.people.exec(
    `UPDATE idempotency SET at = at - ${day + 1000} WHERE record_id = ${old.json.id};
     INSERT INTO pending_write (token, place_id, since) VALUES ('t', 2, 0)`,
  );
  await system.db.places.exec(
    "INSERT INTO tombstone (place_id, phase, since) VALUES (2, 'deleting', 0)",
  );
  await system.runSchedule("places");
  await system.runSchedule("people");
  const stored = await system.db.people.rows("SELECT record_id FROM idempotency");
  assert.deepEqual(stored, [{ record_id: young.json.id }]);
  assert.equal((await post("young")).text, young.text);
  assert.equal((await system.join.get("/v1/places/2")).status, 404);
  const { json } = await system.join.get("/v1/integrity");
  assert.deepEqual([json.deleting, json.pending], [[], []]);
});
