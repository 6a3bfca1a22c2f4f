// Tests the search by words, orders by name, the filter by places, and totals. It uses the backends
// and the gateway.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import type { Person } from "../support/fixtures.ts";
import { start } from "../support/harness.ts";

const names = [
  "Sensei Lamister",
  "Joaquín Nevado",
  "Arya d'Incógnito",
  "Ana-Lía Pérez",
  "Ángel Álvarez",
  "Angela Ruiz",
  "ÁNGEL álvarez",
  "IĞDIR Şahin",
  "Iğdır Işık",
  "Βράχος του Ναι",
  "محمد الأمين",
  "مُحَمَّد علي",
  "暖冬城",
  "東京 Tower",
  "ひらがな さん",
  "Valyria 🐉",
  "O’Hara",
];

const system = await start();
after(() => system.dispose());
for (const [path, more] of [
  ["places", {}],
  ["people", { isAlive: false }],
] as const) {
  // Two places cannot have names that differ only in case.
  const unique = names.filter((name) => path === "people" || name !== "ÁNGEL álvarez");
  const lines = unique.map((name) => JSON.stringify({ name, ...more })).join("\n");
  const type = { "content-type": "application/x-ndjson" };
  const { status, text } = await system[path].request("POST", `/v1/${path}/import`, type, lines);
  assert.equal(status, 200, text);
}

type Named = { id: number; name: string };

for (const entry of ["people", "join"] as const) {
  suite(`search through ${entry}`, () => {
    const found = async (query: string): Promise<string[]> => {
      const { status, json, text } = await system[entry].get(`/v1/people?${query}`);
      assert.equal(status, 200, text);
      return json.map(({ name }: Named) => name);
    };
    const search = (q: string, more = "") => found(`q=${encodeURIComponent(q)}${more}`);

    test("each_word_of_a_search_is_the_beginning_of_a_word_of_the_name", async () => {
      for (const [q, ...expected] of [
        ["lamister", "Sensei Lamister"],
        ["LAM sen", "Sensei Lamister"],
        ["amister"],
        ["joaq", "Joaquín Nevado"],
        ["joaquín", "Joaquín Nevado"],
        ["incog", "Arya d'Incógnito"],
        ["d'Incógnito", "Arya d'Incógnito"],
        ["d’incognito arya", "Arya d'Incógnito"],
        ["lia", "Ana-Lía Pérez"],
        ["ana-lía", "Ana-Lía Pérez"],
        ["angel", "Ángel Álvarez", "Angela Ruiz", "ÁNGEL álvarez"],
        ["alvarez angel", "Ángel Álvarez", "ÁNGEL álvarez"],
        ["hara", "O’Hara"],
        ["o'hara", "O’Hara"],
        ["sahin", "IĞDIR Şahin"],
        ["igdir", "IĞDIR Şahin"],
        ["Iğdır", "Iğdır Işık"],
        ["ığdır"],
        ["βράχοσ", "Βράχος του Ναι"],
        ["ΒΡΑΧΟΣ", "Βράχος του Ναι"],
        ["ναι βρα", "Βράχος του Ναι"],
        ["محمد", "محمد الأمين", "مُحَمَّد علي"],
        ["مُحَمَّد عَلي", "مُحَمَّد علي"],
        ["冬城", "暖冬城"],
        ["暖城"],
        ["京", "東京 Tower"],
        ["東京 tow", "東京 Tower"],
        ["がな", "ひらがな さん"],
        ["かな"],
        ["🐉", "Valyria 🐉"],
        ["🐉 val", "Valyria 🐉"],
      ] as string[][]) {
        assert.deepEqual(await search(q ?? ""), expected, q);
      }
    });

    test("a_search_combines_with_filters_orders_pages_and_counts", async () => {
      assert.deepEqual(await search("angel", "&isAlive=true"), []);
      const byName = ["ÁNGEL álvarez", "Ángel Álvarez", "Angela Ruiz"];
      assert.deepEqual(await search("ang", "&sort=name&isAlive=false"), byName);
      assert.deepEqual(await search("ang", "&sort=-name&placeId=none"), byName.toReversed());
      assert.deepEqual(await search("ang", "&name=%C3%A1ngel&sort=name"), byName.slice(0, 2));
      for (const sort of ["id", "-id", "name", "-name"]) {
        const whole = await search("a", `&sort=${sort}`);
        const pages = await system[entry].pages(`/v1/people?q=a&sort=${sort}&limit=2`);
        assert.deepEqual(
          pages.flatMap(({ json }) => json.map(({ name }: Named) => name)),
          whole,
        );
      }
      const { headers } = await system[entry].get("/v1/people?q=ang&count=exact&limit=1");
      assert.equal(headers["x-total-count"], "3");
      assert.equal(headers["x-total-count-relation"], undefined);
    });

    test("a_search_of_places_and_an_export_find_the_same_names", async () => {
      const worker = entry === "join" ? system.join : system.places;
      const { json } = await worker.get("/v1/places?q=angel&sort=name");
      assert.deepEqual(
        json.map(({ name }: Named) => name),
        ["Ángel Álvarez", "Angela Ruiz"],
      );
      const { text } = await system[entry].get("/v1/people/export?q=angel&format=ndjson");
      const exported = text.trimEnd().split("\n").slice(0, -1);
      assert.deepEqual(
        exported.map((line) => JSON.parse(line).name),
        await search("angel"),
      );
      assert.equal((await worker.get("/v1/places/export?q=lamister")).text.split("\r\n").length, 4);
    });

    test("an_order_by_name_ignores_accents_then_sorts_by_name_and_id", async () => {
      const sorted = await found("sort=name&limit=5");
      const first = ["Ana-Lía Pérez", "ÁNGEL álvarez", "Ángel Álvarez", "Angela Ruiz"];
      assert.deepEqual(sorted, [...first, "Arya d'Incógnito"]);
      assert.deepEqual((await found("sort=-name")).slice(-5), sorted.toReversed());
    });

    test("a_search_without_words_or_with_too_many_is_rejected", async () => {
      for (const q of [
        "",
        "-",
        "%20",
        "a".repeat(201),
        "a%20b%20c%20d%20e%20f%20g%20h%20i%20j%20k",
      ]) {
        const { status, json } = await system[entry].get(`/v1/people?q=${q}`);
        assert.deepEqual([status, json.parameter], [400, "q"], q);
      }
    });
  });
}

test("people_are_filtered_by_several_places_or_none", async () => {
  await using places = await start({ seed: true });
  const all = await places.join.records<Person>("/v1/people");
  for (const entry of [places.people, places.join]) {
    for (const sort of ["id", "-id"]) {
      const found = await entry.records<Person>(`/v1/people?placeId=3,1,999&sort=${sort}&limit=2`);
      const expected = all.filter(({ placeId }) => placeId === 1 || placeId === 3);
      assert.deepEqual(found, sort === "id" ? expected : expected.toReversed());
    }
    const none = await entry.records<Person>(
      "/v1/people?placeId=none&isAlive=false&sort=name&limit=3",
    );
    assert.deepEqual(
      none.map(({ id }) => id).sort(),
      all.flatMap(({ id, placeId }) => (placeId === null ? [id] : [])).sort(),
    );
    const count = async (query: string) =>
      (await entry.get(`/v1/people?limit=1&count=exact&${query}`)).headers["x-total-count"];
    const counts = ["placeId=1,3", "placeId=1,3&isAlive=false", "placeId=none", "placeId=999"];
    assert.deepEqual(await Promise.all(counts.map(count)), ["10", "3", "7", "0"]);
    for (const value of ["", "1,", "1,none", "0", "None"]) {
      const { status, json } = await entry.get(`/v1/people?placeId=${value}`);
      assert.deepEqual([status, json.parameter], [400, "placeId"], value);
    }
    const thousand = Array.from({ length: 1000 }, (_, n) => n + 1).join(",");
    const living = all.filter(({ placeId }) => placeId !== null);
    assert.deepEqual(await entry.records<Person>(`/v1/people?placeId=${thousand}`), living);
  }
});

test("names_that_differ_only_in_case_are_one_place", async () => {
  await using places = await start();
  for (const [one, other] of [
    ["Βράχος", "ΒΡΆΧΟΣ"],
    ["H\u0331", "\u1e96"],
    ["J\u030c", "\u01f0"],
    ["Straße", "STRASSE"],
  ] as const) {
    const { json } = await places.join.send("POST", "/v1/places", { name: one });
    const second = await places.join.send("POST", "/v1/places", { name: other });
    assert.deepEqual([second.status, second.json.type], [409, "/problems/name-taken"], other);
    const found = await places.join.get(`/v1/places?name=${encodeURIComponent(other)}`);
    assert.deepEqual(found.json, [json], other);
  }
  for (const name of ["Işık", "IŞIK"]) {
    assert.equal((await places.join.send("POST", "/v1/places", { name })).status, 201, name);
  }
});
