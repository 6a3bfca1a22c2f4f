// Pages: following the links gives each record once, in order, whatever is asked for.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { joinPeoplePerPlace, people, places } from "../support/fixtures.ts";
import { nextLink, start, type WorkerClient } from "../support/harness.ts";

const system = await start({ places, people });
after(() => system.dispose());

async function is_walked_whole(worker: WorkerClient, path: string, limit: number): Promise<void> {
  const whole = (await worker.get(`${path}limit=1000`)).json;
  const pages = await worker.pages(`${path}limit=${limit}`);
  assert.deepEqual(
    pages.flatMap((page) => page.json),
    whole,
    `${path}limit=${limit}`,
  );
  for (const page of pages.slice(0, -1)) assert.equal(page.json.length, limit);
  // A full last page has no link to an empty one.
  assert.ok(whole.length === 0 || pages.at(-1)?.json.length > 0);
}

test("walking_the_places_gives_each_once", async () => {
  for (const worker of [system.places, system.join]) {
    for (const sort of ["id", "-id", "name", "-name"]) {
      for (const limit of [1, 2, 3, 7]) {
        await is_walked_whole(worker, `/v1/places?sort=${sort}&`, limit);
        await is_walked_whole(worker, `/v1/places?sort=${sort}&name=%C3%91&`, limit);
      }
    }
  }
});

test("walking_the_people_gives_each_once_whatever_the_filter_and_the_order", async () => {
  const filters = ["", "isAlive=true&", "isAlive=false&", "isKing=true&", "isKing=false&"];
  filters.push("placeId=9&", "placeId=9&isAlive=true&", "name=al&", "name=%C3%81&isAlive=true&");
  filters.push("ids=1,2,3,10,11,12,13&", "placeId=8&isKing=true&name=%C3%A1&");
  for (const filter of filters) {
    for (const sort of ["id", "-id", "name", "-name"]) {
      for (const limit of [1, 4]) {
        await is_walked_whole(system.people, `/v1/people?${filter}sort=${sort}&`, limit);
      }
    }
  }
  await is_walked_whole(system.join, "/v1/people?isAlive=true&sort=name&", 2);
});

test("walking_people_per_place_gives_each_place_once", async () => {
  for (const limit of [1, 2, 3, 7, 1000]) {
    const pages = await system.join.pages(`/v1/people-per-place?limit=${limit}`);
    assert.deepEqual(
      pages.flatMap((page) => page.json),
      joinPeoplePerPlace(places, people),
    );
  }
});

test("a_link_keeps_the_query_in_one_spelling", async () => {
  const link = async (path: string) => (await system.join.get(path)).headers.link;
  assert.equal(
    await link("/people/?name=%61L&sort=name&limit=1&isAlive=true"),
    '</v1/people?name=aL&sort=name&limit=1&isAlive=true&after=6e31303a616c6d61>; rel="next"',
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

test("only_the_first_page_of_a_walk_counts", async () => {
  for (const path of ["/v1/places", "/v1/people", "/v1/people-per-place"]) {
    const pages = await system.join.pages(`${path}?limit=3&count=exact`);
    const total = path === "/v1/people" ? people.length : places.length;
    assert.deepEqual(
      pages.map((page) => page.headers["x-total-count"]),
      pages.map((_, n) => (n === 0 ? String(total) : undefined)),
    );
  }
});

test("a_cursor_behind_the_last_record_gives_an_empty_page", async () => {
  const beyond = Buffer.from("i9007199254740991").toString("hex");
  for (const path of ["/v1/places", "/v1/people", "/v1/people-per-place"]) {
    const page = await system.join.get(`${path}?after=${beyond}`);
    assert.deepEqual([page.status, page.text, nextLink(page)], [200, "[]", undefined], path);
  }
});

test("records_that_come_and_go_between_pages_shift_nothing", async () => {
  await using own = await start({ places, people });
  const first = await own.join.get("/v1/people?sort=name&limit=4");
  await own.db.people.exec("DELETE FROM person WHERE id IN (2, 12)");
  await own.addPeople([{ id: 50, name: "AAA", isAlive: true, placeId: 1, isKing: false }]);
  const rest = await own.join.pages(nextLink(first) ?? "");
  const seen = [first, ...rest].flatMap((page) => page.json.map(({ id }: { id: number }) => id));
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen.length, people.length);
});
