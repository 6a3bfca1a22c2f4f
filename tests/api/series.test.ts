// Tests time series of the population of a place, and of all places.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type System, start } from "../support/harness.ts";

type Point = { at: string; living: number; dead: number };
type Row = { id: number | null; living: number; dead: number };

let system: System;
let placeId: number;
/** Times between the changes, in order. */
const times: string[] = [];

before(async () => {
  system = await start();
  const { join } = system;
  const mark = async () => {
    await sleep(5);
    times.push(new Date().toISOString());
    await sleep(5);
  };
  await mark();
  placeId = (await join.send("POST", "/v1/places", { name: "Serie" })).json.id;
  const add = async (isAlive: boolean) =>
    (await join.send("POST", "/v1/people", { name: "Una", isAlive, placeId })).json.id;
  const first = await add(true);
  await mark();
  const second = await add(true);
  await add(false);
  await mark();
  await join.send("PATCH", `/v1/people/${first}`, { isAlive: false });
  await mark();
  await join.request("DELETE", `/v1/people/${second}`);
  await mark();
});
after(() => system.dispose());

const seriesOf = (placeId: number) => `/v1/statistics/places/${placeId}/series`;
const at = (time: string) => `from=${time}&to=${time}`;

test("each_point_of_a_series_equals_the_statistics_as_of_its_time", async () => {
  const { join } = system;
  const counts: string[] = [];
  for (const time of times) {
    const [point] = (await join.get(`${seriesOf(placeId)}?${at(time)}`)).json as Point[];
    const [total] = (await join.get(`/v1/statistics/series?${at(time)}`)).json as Point[];
    const rows = (await join.get(`/v1/statistics/places?asOf=${time}`)).json as Row[];
    const row = rows.find(({ id }) => id === placeId);
    assert.ok(point && total);
    assert.deepEqual(point, { at: time, living: row?.living ?? 0, dead: row?.dead ?? 0 });
    const sum = (kind: "living" | "dead") => rows.reduce((sum, row) => sum + row[kind], 0);
    assert.deepEqual(total, { at: time, living: sum("living"), dead: sum("dead") });
    counts.push(`${point.living}/${point.dead}`);
  }
  assert.deepEqual(counts, ["0/0", "1/0", "2/1", "1/2", "0/2"]);
});

test("a_series_by_default_has_a_point_for_each_of_the_last_thirty_days_and_one_for_now", async () => {
  const { join } = system;
  const { json, etag } = await join.get(seriesOf(placeId));
  assert.equal(json.length, 31);
  assert.deepEqual({ ...json.at(-1), at: "" }, { at: "", living: 0, dead: 2 });
  assert.equal(etag, "", "its points move");
  const csv = await join.get(`${seriesOf(placeId)}?step=month`, { accept: "text/csv" });
  assert.match(csv.text, /^at,living,dead\r\n(.+,0,0\r\n){30}.+,0,2\r\n$/);
  for (const path of [seriesOf(placeId), "/v1/statistics/series"]) {
    const query = "?from=2026-11-24&to=2026-11-24&format=csv";
    const file = await join.get(path + query, { accept: "application/json" });
    assert.equal(file.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert.match(file.text, /^at,living,dead\r\n/, "the parameter decides");
  }
  const unknown = await join.get(`${seriesOf(placeId)}?format=xml`);
  assert.deepEqual([unknown.status, unknown.json.type], [400, "/problems/invalid-parameter"]);
});

test("a_series_with_a_fixed_end_is_revalidated_until_a_person_changes", async () => {
  const { join } = system;
  const path = `${seriesOf(placeId)}?from=${times[0]}&to=${times.at(-1)}&step=day`;
  const { etag, text } = await join.get(path);
  const unchanged = await join.get(path, { "if-none-match": etag });
  assert.equal(unchanged.status, 304);
  await join.send("POST", "/v1/people", { name: "Otra", isAlive: false });
  const changed = await join.get(path, { "if-none-match": etag });
  assert.deepEqual([changed.status, changed.text], [200, text]);
});

test("a_series_of_a_place_that_does_not_exist_is_not_found", async () => {
  const { status, json } = await system.join.get(seriesOf(999));
  assert.deepEqual([status, json.type], [404, "/problems/not-found"]);
});

test("a_series_with_too_many_points_asks_for_a_longer_step", async () => {
  const { status, json } = await system.join.get("/v1/statistics/series?from=2020-01-01&step=hour");
  assert.equal(status, 400);
  assert.equal(json.detail, "`step` must be longer, because a series has at most 1000 points.");
});

test("a_date_means_the_end_of_its_day_and_today_means_now", async () => {
  const { join } = system;
  const today = new Date().toISOString().slice(0, 10);
  const rows = (query: string) => join.get(`/v1/statistics/places${query}`);
  assert.deepEqual((await rows(`?asOf=${today}`)).json, (await rows("")).json);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const end = `${yesterday}T23:59:59.999Z`;
  assert.deepEqual((await rows(`?asOf=${yesterday}`)).json, (await rows(`?asOf=${end}`)).json);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  assert.equal((await rows(`?asOf=${tomorrow}`)).status, 400);
});
