// Tests the export of the statistics, and the orders and filters that need several reads.
// list_routes.test.ts compares the values of all combinations.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { parseNdjson, type System, start } from "../support/harness.ts";
import { CSV_TYPE } from "../support/list_routes.ts";

const path = "/v1/statistics/places";
const PLACES = 20_001;

/** Places that are called Plaza 1, 2 and so on. */
const insertPlaces = (count: number) => `
  WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT ${count})
  INSERT INTO place (id, name, name_key) SELECT id, 'Plaza ' || id, 'plaza ' || id FROM n;`;

/** One dead person in each of the first places. */
const insertPeople = (count: number) => `
  WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT ${count})
  INSERT INTO person (id, name, name_key, place_id) SELECT id, 'A', 'a', id FROM n;`;

async function startLarge(): Promise<System> {
  const system = await start();
  await system.db.places.exec(insertPlaces(PLACES));
  await system.db.people.exec(insertPeople(30));
  return system;
}

suite("statistics of more places than a request may sort", async () => {
  const system = await startLarge();
  after(() => system.dispose());
  const { join } = system;

  test("an_order_that_sorts_all_matches_is_rejected_with_the_remedy", async () => {
    const asOf = new Date().toISOString();
    for (const query of [
      "sort=dead",
      "sort=-dead&least=1",
      "q=plaza&sort=living",
      "q=pla&sort=-share",
      "q=plaza&sort=name",
      `sort=name&asOf=${asOf}`,
      `q=p&sort=total&asOf=${asOf}`,
    ]) {
      const { status, json, headers } = await join.get(`${path}?${query}`);
      assert.deepEqual([status, json.type], [422, "/problems/too-many-matches"], query);
      assert.deepEqual([json.limit, headers["content-type"]], [20_000, "application/problem+json"]);
      assert.match(json.detail, /only the order by id allows/);
    }
  });

  test("an_order_with_an_index_and_a_narrow_search_are_not_limited", async () => {
    const first = async (query: string) => {
      const { status, json, text } = await join.get(`${path}?limit=2&${query}`);
      assert.equal(status, 200, `${query}: ${text}`);
      return json.map(({ id }: { id: number }) => id);
    };
    assert.deepEqual(await first("sort=-name"), [9999, 9998]);
    assert.deepEqual(await first("q=plaza&sort=-id"), [20_001, 20_000]);
    assert.deepEqual(await first("sort=-total"), [30, 29]);
    assert.deepEqual(await first("q=2000&sort=-dead"), [20_001, 20_000]);
    assert.deepEqual(await first("q=2&sort=-dead"), [29, 28]);
  });

  test("an_export_has_every_place_once_in_order_of_id", async () => {
    const { headers, text } = await join.get("/v1/statistics/export");
    assert.equal(headers["content-type"], CSV_TYPE);
    assert.equal(headers["content-disposition"], 'attachment; filename="statistics.csv"');
    const lines = text.split("\r\n");
    assert.equal(lines[0], "id,name,total,living,dead,share,kingId,kingName");
    assert.deepEqual(lines.slice(-3), [",,0,0,0,0,,", "#complete", ""]);
    assert.deepEqual(
      lines.slice(1, -3).map((line) => Number(line.split(",")[0])),
      Array.from({ length: PLACES }, (_, n) => n + 1),
    );
  });

  test("the_rest_of_an_export_has_no_header", async () => {
    const whole = (await join.get("/v1/statistics/export?q=plaza")).text.split("\r\n");
    const rest = (await join.get("/v1/statistics/export?q=plaza&after=693230303030")).text;
    assert.deepEqual(rest.split("\r\n"), whole.slice(-3));
  });

  test("a_HEAD_of_an_export_reads_no_records", async () => {
    const { status, headers, text } = await join.request("HEAD", "/v1/statistics/export");
    assert.deepEqual([status, headers["content-type"], text], [200, CSV_TYPE, ""]);
  });
});

test("an_export_that_may_make_no_more_calls_continues_with_the_rest", async () => {
  await using limited = await start({ plan: "free" });
  const count = 30_000;
  await limited.db.places.exec(insertPlaces(count));
  for (const query of ["", "&q=plaza"]) {
    const ids: number[] = [];
    let [next, parts] = [`/v1/statistics/export?format=ndjson${query}`, 0];
    for (; next; parts += 1) {
      const { status, text } = await limited.join.get(next);
      assert.equal(status, 200, text);
      const records = parseNdjson(text);
      const end = records.pop();
      ids.push(...records.flatMap(({ id }) => id ?? []));
      next = end.complete ? "" : end.next;
    }
    assert.ok(parts > 1, `${parts} parts`);
    assert.deepEqual(
      ids,
      Array.from({ length: count }, (_, n) => n + 1),
    );
  }
  assert.equal((await limited.takeCalls()).join.rejected, 0);
});

test("a_failed_service_ends_an_export_before_it_starts", async () => {
  const down = () => new Response("no", { status: 500 });
  for (const name of ["places", "people"] as const) {
    await using broken = await start({ stubs: { [name]: down } });
    for (const query of ["", "?q=a"]) {
      const { status, json } = await broken.join.get(`/v1/statistics/export${query}`);
      assert.deepEqual([status, json.service], [502, name], query);
    }
  }
});

test("an_unchanged_page_of_each_plan_is_not_sent_again", async () => {
  await using system = await start({ seed: true });
  for (const query of ["sort=name", "q=del", "q=del&sort=-share", "sort=dead&format=csv"]) {
    const { etag, status } = await system.join.get(`${path}?${query}`);
    assert.equal(status, 200, query);
    const again = await system.join.get(`${path}?${query}`, { "if-none-match": etag });
    assert.deepEqual([again.status, again.etag], [304, etag], query);
  }
  const { etag } = await system.join.get(`${path}?q=del&sort=-share`);
  await system.join.send("POST", "/v1/people", { name: "Uno", isAlive: true, placeId: 1 });
  const changed = await system.join.get(`${path}?q=del&sort=-share`, { "if-none-match": etag });
  assert.equal(changed.status, 200);
});

test("a_search_as_of_a_time_finds_the_names_of_that_time", async () => {
  await using system = await start({ places: [{ id: 1, name: "Ángel Viejo" }] });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const asOf = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 5));
  const type = { "content-type": "application/merge-patch+json" };
  await system.join.send("PATCH", "/v1/places/1", { name: "Nuevo" }, type);
  for (const sort of ["id", "-id", "name", "-living", "dead"]) {
    const found = async (q: string, time = "") => {
      const { json } = await system.join.get(`${path}?q=${q}&sort=${sort}${time}`);
      return json.map(({ name }: { name: string }) => name);
    };
    assert.deepEqual(await found("angel", `&asOf=${asOf}`), ["Ángel Viejo"], sort);
    assert.deepEqual(await found("nuevo", `&asOf=${asOf}`), [], sort);
    assert.deepEqual(await found("angel"), [], sort);
    assert.deepEqual(await found("nuevo"), ["Nuevo"], sort);
  }
});

test("records_that_nobody_writes_are_read_once_in_every_order_while_others_are_written", async () => {
  const places = Array.from({ length: 60 }, (_, n) => ({ id: n + 1, name: `Plaza ${n + 1}` }));
  const people = places.slice(0, 40).map(({ id }) => ({
    ...{ id, name: `P ${id}`, isAlive: id % 3 > 0, placeId: id, isKing: false },
  }));
  await using system = await start({ places, people });
  const { join } = system;
  const isStable = (id: number) => id % 2 === 0;
  let isDone = false;
  const type = { "content-type": "application/merge-patch+json" };
  const write = async () => {
    for (let n = 1; !isDone; n = n === 59 ? 1 : n + 2) {
      await join.send("PATCH", `/v1/places/${n}`, { name: `Otra ${n} ${Math.random()}` }, type);
      await join.send("POST", "/v1/people", { name: "N", isAlive: true, placeId: n });
    }
  };
  const writing = write();
  for (const sort of ["name", "-name", "dead", "-dead", "share", "-total", "id"]) {
    for (const q of ["", "&q=plaza"]) {
      const rows = await join.records<{ id: number | null; name: string; dead: number }>(
        `${path}?sort=${sort}&limit=7${q}`,
      );
      const stable = rows.filter(({ id }) => id !== null && isStable(id));
      const ids = stable.map(({ id }) => Number(id)).sort((a, b) => a - b);
      const expected = places.flatMap(({ id }) => (isStable(id) ? [id] : []));
      assert.deepEqual(ids, expected, `${sort}${q}`);
      for (const { id, dead } of stable) {
        assert.equal(dead, Number(id) <= 40 && Number(id) % 3 === 0 ? 1 : 0, `${sort}${q} ${id}`);
      }
      if (q)
        assert.ok(
          rows.every(({ name }) => /^Plaza/.test(name)),
          "a name without the word",
        );
    }
  }
  isDone = true;
  await writing;
});
