// Tests keyset pagination: the pages of a list contain each record once, in order.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { joinPeoplePerPlace, people, places } from "../support/fixtures.ts";
import { nextLink, start, type WorkerClient } from "../support/harness.ts";

const system = await start({ places, people });
after(() => system.dispose());

async function assertPagesEqualWhole(
  worker: WorkerClient,
  path: string,
  limit: number,
): Promise<void> {
  const expected = (await worker.get(`${path}limit=1000`)).json;
  const pages = await worker.pages(`${path}limit=${limit}`);
  assert.deepEqual(
    pages.flatMap((page) => page.json),
    expected,
    `${path}limit=${limit}`,
  );
  for (const page of pages.slice(0, -1)) assert.equal(page.json.length, limit);
  // A full last page has no link to an empty page.
  assert.ok(expected.length === 0 || pages.at(-1)?.json.length > 0);
}

test("descending_by_name_is_the_reverse_of_ascending", async () => {
  const sorted = async (sort: string) => (await system.join.get(`/v1/people?sort=${sort}`)).json;
  assert.deepEqual(await sorted("-name"), (await sorted("name")).toReversed());
  assert.deepEqual(await sorted("-id"), (await sorted("id")).toReversed());
});

test("the_pages_of_places_contain_each_place_once_in_every_order", async () => {
  for (const worker of [system.places, system.join]) {
    for (const sort of ["id", "-id", "name", "-name"]) {
      for (const limit of [1, 2, 3, 7]) {
        await assertPagesEqualWhole(worker, `/v1/places?sort=${sort}&`, limit);
        await assertPagesEqualWhole(worker, `/v1/places?sort=${sort}&name=%C3%91&`, limit);
      }
    }
  }
});

test("the_pages_of_people_contain_each_person_once_for_every_filter_and_order", async () => {
  const filters = ["", "isAlive=true&", "isAlive=false&", "isKing=true&", "isKing=false&"];
  filters.push("placeId=9&", "placeId=9&isAlive=true&", "name=al&", "name=%C3%81&isAlive=true&");
  filters.push("ids=1,2,3,10,11,12,13&", "placeId=8&isKing=true&name=%C3%A1&");
  for (const filter of filters) {
    for (const sort of ["id", "-id", "name", "-name"]) {
      for (const limit of [1, 4]) {
        await assertPagesEqualWhole(system.people, `/v1/people?${filter}sort=${sort}&`, limit);
      }
    }
  }
  await assertPagesEqualWhole(system.join, "/v1/people?isAlive=true&sort=name&", 2);
});

test("the_pages_of_people_per_place_contain_each_place_once", async () => {
  for (const limit of [1, 2, 3, 7, 1000]) {
    const pages = await system.join.pages(`/v1/people-per-place?limit=${limit}`);
    assert.deepEqual(
      pages.flatMap((page) => page.json),
      joinPeoplePerPlace(places, people),
    );
  }
});

test("the_next_link_normalizes_the_query", async () => {
  const link = async (path: string) => (await system.join.get(path)).headers.link;
  assert.equal(
    await link("/people/?name=%61L&sort=name&limit=1&isAlive=true"),
    '</v1/people?name=aL&sort=name&limit=1&isAlive=true&after=6e31323a616c6d6101414c4d41>; rel="next"',
  );
  assert.equal(
    await link("/places?limit=1&name=%C3%91"),
    '</v1/places?limit=1&name=%C3%91&after=6938>; rel="next"',
  );
  assert.equal(
    await link("/people-per-place/?limit=1&peopleLimit=5"),
    '</v1/people-per-place?limit=1&peopleLimit=5&after=6931>; rel="next"',
  );
  assert.equal(await link("/v1/places"), undefined);
});

test("only_the_first_page_has_the_exact_count", async () => {
  for (const path of ["/v1/places", "/v1/people", "/v1/people-per-place"]) {
    const pages = await system.join.pages(`${path}?limit=3&count=exact`);
    const total = path === "/v1/people" ? people.length : places.length;
    assert.deepEqual(
      pages.map((page) => page.headers["x-total-count"]),
      pages.map((_, n) => (n === 0 ? String(total) : undefined)),
    );
  }
});

test("a_cursor_after_the_last_record_gives_an_empty_page", async () => {
  const beyond = Buffer.from("i9007199254740991").toString("hex");
  for (const path of ["/v1/places", "/v1/people", "/v1/people-per-place"]) {
    const page = await system.join.get(`${path}?after=${beyond}`);
    assert.deepEqual([page.status, page.text, nextLink(page)], [200, "[]", undefined], path);
  }
});

test("records_inserted_and_deleted_between_pages_shift_no_other_record", async () => {
  await using ownSystem = await start({ places, people });
  const first = await ownSystem.join.get("/v1/people?sort=name&limit=4");
  await ownSystem.db.people.exec("DELETE FROM person WHERE id IN (2, 12)");
  await ownSystem.addPeople([{ id: 50, name: "AAA", isAlive: true, placeId: 1, isKing: false }]);
  const rest = await ownSystem.join.pages(nextLink(first) ?? "");
  const seenIds = [first, ...rest].flatMap((page) => page.json.map(({ id }: { id: number }) => id));
  assert.equal(new Set(seenIds).size, seenIds.length);
  assert.equal(seenIds.length, people.length);
});
