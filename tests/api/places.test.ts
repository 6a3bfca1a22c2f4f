// Reads places from the backend and through the gateway: lists, filters, orders, counts.
import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { EPOCH, places } from "../support/fixtures.ts";
import { jsonArray, ndjson, start } from "../support/harness.ts";

const system = await start({ places });
after(() => system.dispose());

const nosniff = { "x-content-type-options": "nosniff" };
const jsonHeaders = { ...nosniff, "content-type": "application/json" };
const recordHeaders = { ...jsonHeaders, "cache-control": "no-transform" };
const listHeaders = { ...jsonHeaders, vary: "accept" };
const ndjsonHeaders = { ...listHeaders, "content-type": "application/x-ndjson" };

for (const [source, worker] of [
  ["from the backend", system.places],
  ["through the gateway", system.join],
] as const) {
  const ids = async (query: string) => {
    const page = await worker.get(`/v1/places?${query}`);
    assert.equal(page.status, 200, page.text);
    return page.json.map(({ id }: { id: number }) => id);
  };

  suite(`places, ${source}`, () => {
    test("the_list_of_places_is_a_json_array_ordered_by_id", async () => {
      const { status, headers, text } = await worker.get("/v1/places");
      assert.deepEqual({ status, headers }, { status: 200, headers: listHeaders });
      assert.equal(text, jsonArray(places));
    });

    test("a_place_is_a_json_object", async () => {
      for (const place of places) {
        const { status, headers, text } = await worker.get(`/v1/places/${place.id}`);
        const { "x-change-counter": counter, ...rest } = headers;
        assert.deepEqual({ status, headers: rest }, { status: 200, headers: recordHeaders });
        assert.equal(counter, `${places.length}.${EPOCH}`);
        assert.equal(text, JSON.stringify(place));
      }
    });

    test("every_route_of_places_works_without_the_version_prefix_and_with_a_trailing_slash", async () => {
      for (const path of ["/places", "/places/3"]) {
        const expected = await worker.get(`/v1${path}`);
        for (const spelling of [path, `${path}/`, `/v1${path}/`]) {
          assert.deepEqual(await worker.get(spelling), expected, spelling);
        }
        const query = await worker.get(`${path}/?`);
        assert.equal(query.text, expected.text);
      }
    });

    test("head_of_places_has_the_headers_of_get_and_no_body", async () => {
      for (const path of ["/v1/places", "/v1/places?limit=2&count=exact", "/v1/places/3"]) {
        const { headers } = await worker.get(path);
        const expected = { status: 200, headers, text: "" };
        const { status, headers: headHeaders, text } = await worker.request("HEAD", path);
        assert.deepEqual({ status, headers: headHeaders, text }, expected);
      }
    });

    test("the_list_of_places_is_ndjson_when_accept_prefers_it", async () => {
      const acceptNdjson = { accept: "application/json;q=0.5, application/x-ndjson" };
      const { status, headers, text } = await worker.get("/v1/places", acceptNdjson);
      assert.deepEqual({ status, headers }, { status: 200, headers: ndjsonHeaders });
      assert.equal(text, ndjson(places));
      const none = await worker.get("/v1/places?name=zzz", acceptNdjson);
      assert.deepEqual(
        { text: none.text, headers: none.headers },
        { text: "", headers: ndjsonHeaders },
      );
    });

    test("a_list_is_a_json_array_for_any_other_accept", async () => {
      for (const accept of ["*/*", "text/html, */*;q=0.1", "", "nonsense;;q="]) {
        const { headers, text } = await worker.get("/v1/places?limit=1000", { accept });
        assert.deepEqual(
          { headers, text },
          { headers: listHeaders, text: jsonArray(places) },
          accept,
        );
      }
    });

    test("a_name_prefix_of_places_ignores_case_and_respects_accents", async () => {
      assert.deepEqual(await ids("name=VERANO"), [3]);
      assert.deepEqual(await ids(`name=${encodeURIComponent("MÁS ALLÁ")}`), [2]);
      assert.deepEqual(await ids("name=mas"), []);
      assert.deepEqual(await ids(`name=${encodeURIComponent("ñ")}`), [8, 9]);
      assert.deepEqual(await ids(`name=${encodeURIComponent("Ñ")}`), [8, 9]);
      assert.deepEqual(await ids(`name=${encodeURIComponent('the "q')}`), [5]);
    });

    test("a_name_prefix_has_no_wildcards", async () => {
      for (const text of ["%", "_", "*", "?", "[v]", "v%", "'", "' OR 1=1 --"]) {
        assert.deepEqual(await ids(`name=${encodeURIComponent(text)}`), [], text);
      }
    });

    test("places_sort_by_id_and_name_in_both_directions", async () => {
      const byId = places.map(({ id }) => id);
      // Accents are ignored: Ñandú is among the N's.
      const byName = [1, 2, 8, 9, 5, 9007199254740991, 3];
      assert.deepEqual(await ids("sort=id"), byId);
      assert.deepEqual(await ids("sort=-id"), byId.toReversed());
      assert.deepEqual(await ids("sort=name"), byName);
      assert.deepEqual(await ids("sort=-name"), byName.toReversed());
    });

    test("an_exact_count_includes_all_matching_places", async () => {
      const count = async (query: string) =>
        (await worker.get(`/v1/places?${query}`)).headers["x-total-count"];
      assert.equal(await count("limit=1&count=exact"), "7");
      assert.equal(await count(`limit=1&count=exact&name=${encodeURIComponent("ñ")}`), "2");
      assert.equal(await count("count=exact&name=zzz"), "0");
      assert.equal(await count("limit=1"), undefined);
    });
  });
}
