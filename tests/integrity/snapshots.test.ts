// Tests snapshots, the responses that the gateway stores. It writes them after responses, and on a
// schedule.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  EPOCH,
  joinPeoplePerPlace,
  makePeople,
  makePlaces,
  people,
  places,
} from "../support/fixtures.ts";
import { type ApiResponse, jsonArray } from "../support/harness.ts";
import {
  cacheStatus,
  list,
  reads,
  single,
  startWithFaults,
  statistics,
  waitForSnapshots,
  writeScheduledSnapshots,
} from "../support/stale_helpers.ts";
import { waitUntil } from "../support/wait_until.ts";

const startWithCosts = () => startWithFaults({ countCosts: true, switchableFaults: false });

suite("snapshots", () => {
  test("the_schedule_writes_snapshots_and_stale_responses_state_their_age", async () => {
    await using system = await startWithFaults();
    await writeScheduledSnapshots(system);
    await system.db.join.exec("UPDATE snapshot SET made_at = made_at - 3600000");
    await system.setFault("people", "throws");
    const all = await system.join.get("/v1/people-per-place");
    assert.deepEqual([all.status, all.json], [200, joinPeoplePerPlace(places, people)]);
    const age = Number(all.headers.age);
    assert.ok(age >= 3600 && age < 3660, `Age: ${age}`);
    assert.equal(cacheStatus(all).ttl, String(-age));
    // The entity tag is that of the present state, because nothing has changed.
    assert.match(all.etag, /^W\/"1j7\.1f09ab34-17\.1f09ab34"$/);
    const numbers = await system.join.get("/v1/statistics/places");
    assert.deepEqual([numbers.status, numbers.headers["cache-control"]], [200, "no-cache"]);
    assert.equal(numbers.json.length, 8);
  });

  test("a_snapshot_is_as_young_as_its_last_revalidation", async () => {
    await using system = await startWithFaults();
    await system.join.get(single);
    await waitForSnapshots(system, 1);
    await system.db.join.exec("UPDATE snapshot SET made_at = made_at - 3600000");
    await system.join.get("/v1/people-per-place/2");
    await system.setFault("people", "throws");
    const { headers } = await system.join.get("/v1/people-per-place/3", {
      accept: "application/json",
    });
    assert.ok(Number(headers.age) < 60, `Age: ${headers.age}`);
  });

  test("the_schedule_refreshes_only_outdated_snapshots", async () => {
    await using system = await startWithCosts();
    await system.join.get("/v1/people-per-place/1");
    await waitForSnapshots(system, 1);
    await writeScheduledSnapshots(system);
    const storedSnapshots = () =>
      system.db.join.rows("SELECT key, made_at, people_seq FROM snapshot ORDER BY key");
    const before = await storedSnapshots();
    assert.equal(before.length, 4);
    await system.takeCosts();
    await writeScheduledSnapshots(system);
    const { join } = await system.takeCosts();
    assert.deepEqual([join.roundTrips, join.rowsWritten], [1, 0]);
    assert.deepEqual(await storedSnapshots(), before);
    await system.join.send("PATCH", "/v1/people/1", { name: "Moved" });
    await writeScheduledSnapshots(system);
    const peopleSeq = (row?: Record<string, unknown>) =>
      Number.parseInt(String(row?.people_seq), 10);
    for (const [n, row] of (await storedSnapshots()).entries()) {
      assert.ok(peopleSeq(row) > peopleSeq(before[n]), String(row.key));
    }
  });

  test("snapshot_writes_are_skipped_without_changes_and_limited_per_second", async () => {
    await using system = await startWithCosts();
    for (const path of reads) await system.join.get(path);
    await waitForSnapshots(system, 3);
    await system.takeCosts();
    for (let n = 0; n < 20; n += 1) {
      for (const path of reads) await system.join.get(path);
      await system.join.get(list, { "if-none-match": '"x"' });
    }
    assert.equal((await system.takeCosts()).join.roundTrips, 0);
    const began = performance.now();
    for (let n = 0; n < 40; n += 1) {
      await system.join.send("PATCH", "/v1/people/1", { name: `Busy ${n}` });
      for (const path of reads) await system.join.get(path);
    }
    const seconds = (performance.now() - began) / 1000;
    const { roundTrips } = (await system.takeCosts()).join;
    assert.ok(roundTrips <= Math.ceil(seconds) + 1, `${roundTrips} writes in ${seconds} s`);
    // The snapshot finally contains the last response.
    const isLastStored = async () => {
      const [row] = await system.db.join.rows(
        "SELECT body FROM snapshot JOIN snapshot_part ON snapshot_id = id WHERE key LIKE '%place/3?'",
      );
      return row?.body === (await system.join.get(single)).text;
    };
    await waitUntil("the snapshot contains the last response", isLastStored);
  });

  test("a_large_snapshot_is_stored_in_parts_and_replaced_atomically", async () => {
    const people = makePeople(8000, 30).map((person) => {
      return { ...person, name: `Ñ${"x".repeat(180)} ${person.id}` };
    });
    await using system = await startWithFaults({
      places: makePlaces(30),
      people: people.slice(4000),
    });
    await system.addPeople(people.slice(0, 4000));
    await writeScheduledSnapshots(system);
    const key = "json /people-per-place?";
    const assertCompleteSnapshot = async () => {
      const [row] = await system.db.join.rows(
        `SELECT bytes, people_seq, count(*) AS parts, sum(length(CAST(body AS BLOB))) AS length
         FROM snapshot JOIN snapshot_part ON snapshot_id = id WHERE key = '${key}'`,
      );
      assert.equal(row?.bytes, row?.length);
      assert.ok(Number(row?.parts) > 1, `${row?.parts} parts of ${row?.bytes} bytes`);
      return Number(row?.people_seq);
    };
    const first = await assertCompleteSnapshot();
    for (let n = 0; n < 3; n += 1) {
      await system.join.send("PATCH", "/v1/people/1", { name: `${"y".repeat(1 + 60 * n)}` });
      let isDone = false;
      const refresh = system.runSchedule("join").then(() => {
        isDone = true;
      });
      while (!isDone) await assertCompleteSnapshot();
      await refresh;
    }
    assert.equal(await assertCompleteSnapshot(), first + 3);
    const fresh = await system.join.get("/v1/people-per-place");
    await system.setFault("people", "throws");
    const stale = await system.join.get("/v1/people-per-place");
    assert.ok(stale.text === fresh.text && stale.headers.age !== undefined);
    // The isolate has not cached this address, so the response comes from the stored parts.
    const other = await system.join.get("/people-per-place/", { accept: "application/json" });
    assert.ok(other.text === fresh.text && other.headers.age !== undefined);
  });

  test("each_media_type_has_its_own_snapshot", async () => {
    await using system = await startWithFaults();
    const mediaTypes: [string, Record<string, string>][] = [
      [statistics, {}],
      [statistics, { accept: "text/csv" }],
      [`${statistics}&format=ndjson`, {}],
      [list, { accept: "application/x-ndjson" }],
      ["/v1/people-per-place?format=csv", {}],
    ];
    const fresh = await Promise.all(
      mediaTypes.map(([path, headers]) => system.join.get(path, headers)),
    );
    assert.equal(new Set(fresh.map(({ text }) => text)).size, 5);
    await waitForSnapshots(system, 5);
    await system.setFault("places", "throws");
    for (const [n, [path, headers]] of mediaTypes.entries()) {
      const stale = await system.join.get(path, headers);
      assert.deepEqual([stale.status, stale.text], [200, fresh[n]?.text], path);
      assert.equal(stale.headers["content-type"], fresh[n]?.headers["content-type"]);
      assert.equal(stale.headers.vary, fresh[n]?.headers.vary);
    }
    // Another Accept header for the same media type, so that the isolate has no cached response.
    const other = await system.join.get(statistics, { accept: "text/csv;q=0.9, image/png" });
    assert.deepEqual([other.status, other.text], [200, fresh[1]?.text]);
    assert.equal((await system.join.get(list, { accept: "text/html" })).status, 406);
  });
});

test("server_timing_states_the_source_of_a_response", async () => {
  await using system = await startWithFaults();
  const bothServices =
    /^(places;dur=\d+;desc="ok", people|people;dur=\d+;desc="ok", places);dur=\d+;desc="ok"$/;
  for (const path of reads) {
    assert.match((await system.join.get(path)).timing, bothServices, path);
    const second = await system.join.get(path);
    // Both services have said that the response in memory is current.
    const proved = /, held;dur=\d+;desc="proved"$/;
    assert.match(second.timing, proved, path);
    assert.match(second.timing.replace(proved, ""), bothServices, path);
    const conditional = await system.join.get(path, { "if-none-match": second.etag });
    assert.equal(conditional.status, 304, path);
    assert.match(conditional.timing, proved, path);
  }
  assert.equal((await system.join.get("/v1/people/1")).timing, "");
  assert.deepEqual(
    (await system.join.get("/v1/people-per-place")).text,
    jsonArray(joinPeoplePerPlace(places, people)),
  );
});

suite("pages from snapshots", () => {
  const notice = (page: ApiResponse) => /role="alert">([^<]*)</.exec(page.text)?.[1] ?? "";

  test("a_page_from_a_snapshot_states_its_time_and_the_failed_service", async () => {
    await using system = await startWithFaults();
    await writeScheduledSnapshots(system);
    await system.join.get("/v1/people-per-place/3");
    await waitForSnapshots(system, 4);
    // An earlier time and change sequence than those that the isolate has seen.
    await system.db.join.exec(
      `UPDATE snapshot SET made_at = 1795556434123,
         people_seq = (CAST(people_seq AS INTEGER) - 1) || '.${EPOCH}'`,
    );
    for (const service of ["people", "places"] as const) {
      await system.setFault(service, "throws");
      const overview = await system.join.get("/");
      assert.equal(overview.status, 200);
      const reason = `The ${service} service is not working.`;
      assert.equal(notice(overview), `${reason} The counts are from 2026-11-24 21:40 UTC.`);
      assert.match(overview.text, /Veranolandia<\/a>.*?<td[^>]*>3</s);
      const place = await system.join.get("/ui/places/3");
      const subject =
        service === "people"
          ? "The population and the list of people"
          : "The name of the place and the history";
      assert.equal(notice(place), `${reason} ${subject} are from 2026-11-24 21:40 UTC.`);
      assert.match(place.text, /<h1>Veranolandia<\/h1>/);
      assert.match(place.text, /Aiba Stack.*Joaquín Nevado.*Nerf Stack/s);
      assert.match(place.text, /<dt>living<\/dt><dd>3<\/dd>/);
      // A place without a snapshot.
      const other = await system.join.get("/ui/places/1");
      assert.equal(other.status, 200);
      assert.match(notice(other), /unavailable right now/);
      // A filter that the snapshot cannot apply.
      const filtered = await system.join.get("/ui/places/3?show=isKing%3Dtrue");
      if (service === "people") assert.match(notice(filtered), /The list has all people by name/);
      await system.setFault(service);
      await waitUntil("the notice disappears", async () => {
        return notice(await system.join.get("/")) === "";
      });
    }
  });
});
