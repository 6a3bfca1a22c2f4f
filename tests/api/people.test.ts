// Reads people from the backend and through the gateway: lists, filters, orders, groups, counts.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { residentOf } from "../support/declared_fields.ts";
import { EPOCH, type Person, people, places } from "../support/fixtures.ts";
import { jsonArray, ndjson, start } from "../support/harness.ts";

const rows = people.toSorted((a, b) => a.id - b.id);
const system = await start({ places, people });
after(() => system.dispose());

const nosniff = { "x-content-type-options": "nosniff" };
const jsonHeaders = { ...nosniff, "content-type": "application/json" };
const recordHeaders = { ...jsonHeaders, "cache-control": "no-transform" };
const listHeaders = { ...jsonHeaders, vary: "accept" };
const ndjsonHeaders = { ...listHeaders, "content-type": "application/x-ndjson" };
const acceptNdjson = { accept: "application/x-ndjson" };

const placeIds = [...new Set(rows.map(({ placeId }) => placeId))];
const groups = placeIds
  .filter((placeId) => placeId !== null)
  .sort((a, b) => a - b)
  .map((placeId) => ({
    placeId,
    people: rows.filter((person) => person.placeId === placeId).map(residentOf),
  }));

for (const [source, worker] of [
  ["from the backend", system.people],
  ["through the gateway", system.join],
] as const) {
  const listPeople = async (query: string): Promise<Person[]> => {
    const page = await worker.get(`/v1/people?${query}`);
    assert.equal(page.status, 200, page.text);
    return page.json;
  };
  const ids = async (query: string) => (await listPeople(query)).map(({ id }) => id);

  suite(`people, ${source}`, () => {
    test("the_list_of_people_is_a_json_array_ordered_by_id", async () => {
      const { status, headers, text } = await worker.get("/v1/people");
      assert.deepEqual({ status, headers }, { status: 200, headers: listHeaders });
      assert.equal(text, jsonArray(rows));
    });

    test("a_person_is_a_json_object", async () => {
      for (const person of rows) {
        const { status, headers, text } = await worker.get(`/v1/people/${person.id}`);
        const { "x-change-counter": counter, ...rest } = headers;
        assert.deepEqual({ status, headers: rest }, { status: 200, headers: recordHeaders });
        assert.equal(counter, `${people.length}.${EPOCH}`);
        assert.equal(text, JSON.stringify(person));
      }
    });

    test("people_by_place_are_groups_ordered_by_place", async () => {
      const { status, headers, text } = await worker.get("/v1/people/by-place");
      assert.deepEqual({ status, headers }, { status: 200, headers: listHeaders });
      assert.equal(text, jsonArray(groups));
      const ndjsonPage = await worker.get("/v1/people/by-place", acceptNdjson);
      assert.deepEqual(ndjsonPage.headers, ndjsonHeaders);
      assert.equal(ndjsonPage.text, ndjson(groups));
    });

    test("people_by_place_can_be_paged_and_filtered_by_place", async () => {
      const by = async (query: string) => (await worker.get(`/v1/people/by-place?${query}`)).json;
      assert.deepEqual(await by("limit=2"), groups.slice(0, 2));
      const after = Buffer.from("i3").toString("hex");
      assert.deepEqual(await by(`limit=2&after=${after}`), groups.slice(2, 4));
      assert.deepEqual(await by("placeId=3"), groups.slice(1, 2));
      assert.deepEqual(await by("placeId=2"), []);
      const [group] = await by("placeId=3&peopleLimit=2");
      assert.equal(group.people.length, 2);
      assert.deepEqual(
        (await worker.get(group.next)).json,
        rows.filter(({ id }) => id === 6),
      );
    });

    test("every_route_of_people_works_without_the_version_prefix_and_with_a_trailing_slash", async () => {
      for (const path of ["/people", "/people/3", "/people/by-place"]) {
        const expected = await worker.get(`/v1${path}`);
        for (const spelling of [path, `${path}/`, `/v1${path}/`]) {
          assert.deepEqual(await worker.get(spelling), expected, spelling);
        }
      }
    });

    test("head_of_people_has_the_headers_of_get_and_no_body", async () => {
      const query = "/v1/people?limit=2&count=exact";
      for (const path of ["/v1/people", query, "/v1/people/3", "/v1/people/by-place"]) {
        const { headers } = await worker.get(path);
        const expected = { status: 200, headers, text: "" };
        const { status, headers: listHeaders, text } = await worker.request("HEAD", path);
        assert.deepEqual({ status, headers: listHeaders, text }, expected);
      }
    });

    test("the_list_of_people_is_ndjson_when_accept_prefers_it", async () => {
      const { status, headers, text } = await worker.get("/v1/people", acceptNdjson);
      assert.deepEqual({ status, headers }, { status: 200, headers: ndjsonHeaders });
      assert.equal(text, ndjson(rows));
      assert.equal((await worker.get("/v1/people?name=zzz", acceptNdjson)).text, "");
    });

    test("every_filter_and_combination_selects_exactly_the_matching_people", async () => {
      const filters: [string, (person: Person) => boolean][] = [
        ["isAlive=true", ({ isAlive }) => isAlive],
        ["isAlive=false", ({ isAlive }) => !isAlive],
        ["isKing=true", ({ isKing }) => isKing],
        ["isKing=false", ({ isKing }) => !isKing],
        ["placeId=3", ({ placeId }) => placeId === 3],
        ["placeId=2", () => false],
        ["placeId=9007199254740991", ({ id }) => id === 9007199254740991],
        ["name=aL", ({ name }) => name.toLowerCase() === "alma"],
        ["ids=3,1,999", ({ id }) => id === 3 || id === 1],
        ["ids=5,5", ({ id }) => id === 5],
      ];
      const sort = (a: Person, b: Person) => b.id - a.id;
      // Each filter alone, then each pair: a record must match both.
      for (const [query, keeps] of filters) {
        assert.deepEqual(await listPeople(query), rows.filter(keeps), query);
        for (const [second, keepsSecond] of filters) {
          if (query.split("=")[0] === second.split("=")[0]) continue;
          const both = rows.filter(keeps).filter(keepsSecond);
          assert.deepEqual(await listPeople(`${query}&${second}`), both, `${query}&${second}`);
          const backwards = `${query}&${second}&sort=-id`;
          assert.deepEqual(await listPeople(backwards), both.toSorted(sort), backwards);
        }
      }
    });

    test("a_name_prefix_of_people_ignores_case_and_respects_accents", async () => {
      const idsByName = (text: string) => ids(`name=${encodeURIComponent(text)}`);
      assert.deepEqual(await idsByName("álv"), [13, 14]);
      assert.deepEqual(await idsByName("ÁLV"), [13, 14]);
      assert.deepEqual(await idsByName("alv"), []);
      assert.deepEqual(await idsByName("JOAQUÍN N"), [3]);
      assert.deepEqual(await idsByName("σα"), [16]);
      assert.deepEqual(await idsByName("σασ"), [16]);
      assert.deepEqual(await idsByName("o'hara \"THE\\"), [15]);
      for (const text of ["%", "_", "*", "a%", "'", "' OR 1=1 --"]) {
        assert.deepEqual(await idsByName(text), [], text);
      }
    });

    test("a_list_can_be_filtered_by_a_thousand_ids", async () => {
      const thousand = Array.from({ length: 1000 }, (_, n) => n + 1).join(",");
      const among = rows.filter(({ id }) => id <= 1000);
      assert.deepEqual(await listPeople(`ids=${thousand}&limit=1000`), among);
    });

    test("people_sort_by_id_and_name_in_both_directions", async () => {
      const byId = rows.map(({ id }) => id);
      // Ignoring case and accents, then by name (ALMA, Alma, alma), then by id (20, 21).
      const byName = [2, 12, 10, 11, 14, 13, 4, 3, 5, 6, 15, 17, 20, 21, 1, 9007199254740991, 16];
      assert.deepEqual(await ids("sort=id"), byId);
      assert.deepEqual(await ids("sort=-id"), byId.toReversed());
      assert.deepEqual(await ids("sort=name"), byName);
      assert.deepEqual(await ids("sort=-name"), byName.toReversed());
    });

    test("an_exact_count_includes_all_matching_people", async () => {
      const count = async (query: string) =>
        (await worker.get(`/v1/people?${query}`)).headers["x-total-count"];
      assert.equal(await count("limit=1&count=exact"), String(rows.length));
      assert.equal(await count("limit=1&count=exact&isKing=true"), "3");
      assert.equal(await count("count=exact&placeId=2"), "0");
      assert.equal(await count("limit=1"), undefined);
    });
  });
}

test("people_by_place_reflect_every_write", async () => {
  await using ownSystem = await start({ places, people });
  for (const write of [
    "UPDATE person SET place_id = 2, version = version + 1 WHERE place_id = 3",
    "UPDATE person SET is_alive = 0, place_id = NULL, version = version + 1 WHERE id = 1",
    "UPDATE person SET is_alive = 0, is_king = 0, version = version + 1 WHERE id = 5",
    "UPDATE person SET is_alive = 1, place_id = 1, version = version + 1 WHERE id = 4",
    "UPDATE person SET place_id = 1, is_king = 0, version = version + 1 WHERE id IN (13, 15)",
    "DELETE FROM person WHERE place_id = 9",
    `DELETE FROM person WHERE id = 13;
     INSERT INTO person (id, name, name_key, is_alive, is_king, place_id, version)
     VALUES (13, 'N', 'n', 0, 0, 6, 4)`,
    "DELETE FROM person",
  ]) {
    await ownSystem.db.people.exec(write);
    const rows: Person[] = (await ownSystem.people.get("/v1/people?limit=1000")).json;
    const expected = Map.groupBy(
      rows.filter(({ placeId }) => placeId !== null),
      ({ placeId }) => placeId,
    );
    const list = (await ownSystem.people.get("/v1/people/by-place")).json;
    assert.deepEqual(
      list.map((group: { placeId: number; people: Person[] }) => [
        group.placeId,
        group.people.map(({ id }) => id),
      ]),
      [...expected]
        .map(([placeId, people]) => [placeId, people.map(({ id }) => id)] as const)
        .sort(([a], [b]) => Number(a) - Number(b)),
      write,
    );
  }
});
