// What is answered while a service is down, slow or talks nonsense: the last good answer with its
// age, or what is known still, and never what is not.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { people, perPlace, places } from "../support/fixtures.ts";
import { type Answer, array, type Options, type System, start } from "../support/harness.ts";
import { failures, slow, unreadable, unreadableGroups } from "../support/service_faults.ts";

const settings = { WRITES: "open", UPSTREAM_DEADLINE_MS: "250" };
const begin = (more: Options = {}) => start({ places, people, switching: true, settings, ...more });

const list = "/v1/people-per-place?limit=3&count=exact";
const single = "/v1/people-per-place/3";
const statistics = "/v1/statistics/places?limit=3";
const reads = [list, single, statistics];
const strictly = { prefer: "respond-async, handling=strict" };

/** What `Cache-Status` says, as a structured field. */
function statusOf({ headers }: Answer): Record<string, string> {
  const [cache = "", ...parameters] = (headers["cache-status"] ?? "").split("; ");
  const named = parameters.map((one) => (one.includes("=") ? one.split("=") : [one, "?1"]));
  return { cache, ...Object.fromEntries(named) };
}

/** Waits until it is so: what is written behind an answer is written soon. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("it never came to be so");
}

const snapshots = async (system: System) =>
  Number((await system.db.join.rows("SELECT count(*) AS n FROM snapshot"))[0]?.n);
/** None of the isolate's own answers: those that the schedule has written. */
const scheduled = async (system: System) => {
  await system.scheduled("join");
  assert.ok((await snapshots(system)) >= 3);
};

const kinds = { ...failures, ...unreadable, ...slow };
/** A place that its owner does not know is no failure. */
const isAnswer = (service: string, fault: string, path: string) =>
  service === "places" && fault === "does_not_know_its_own_route" && path === single;

for (const service of ["places", "people"] as const) {
  const faults = Object.keys(service === "people" ? { ...kinds, ...unreadableGroups } : kinds);
  const failed = new RegExp(`^${service}-(failed|timed-out)$`);
  suite(`when ${service} fails, whether by an answer or by none`, () => {
    /** One request while the service fails, and one behind it that is well: so none is kept
     * from asking. */
    const during = async (
      system: System,
      fault: string,
      path: string,
      headers: Record<string, string> = {},
      method = "GET",
    ): Promise<Answer> => {
      await system.fail(service, fault);
      const answer = await system.join.ask(method, path, headers);
      await system.fail(service);
      const well = await system.join.get(path);
      assert.equal(well.headers["cache-status"], undefined, `${path} behind ${fault}`);
      return answer;
    };

    test("the_last_good_answer_is_given_with_its_age", async () => {
      await using system = await begin();
      for (const path of reads) {
        const good = await system.join.get(path);
        const { etag } = good;
        for (const fault of faults) {
          if (isAnswer(service, fault, path)) continue;
          const what = `${path} ${fault}`;
          const answer = await during(system, fault, path);
          assert.deepEqual([answer.status, answer.text, answer.etag], [200, good.text, etag], what);
          const { age, "cache-status": _, "cache-control": control, ...others } = answer.headers;
          assert.deepEqual(others, good.headers, what);
          assert.ok(Number(age) >= 0 && Number(age) < 30, `${what}: ${age}`);
          assert.equal(control, "no-cache");
          const { cache, fwd, hit, ttl, detail } = statusOf(answer);
          assert.deepEqual([cache, fwd, hit], ["join", "stale", undefined], what);
          assert.equal(Number(ttl), 0 - Number(age));
          assert.match(detail ?? "", failed);
          assert.match(answer.timing, new RegExp(`${service};dur=\\d+;desc="(failed|timed out)"`));
          assert.match(answer.timing, /snapshot;dur=\d+;desc="kept"/);

          if (fault in slow) continue;
          const known = await during(system, fault, path, { "if-none-match": etag });
          assert.deepEqual([known.status, known.etag, known.text], [304, etag, ""], what);
          assert.match(statusOf(known).detail ?? "", failed);
          const head = await during(system, fault, path, {}, "HEAD");
          assert.deepEqual([head.status, head.text, head.etag], [200, "", etag], what);
          assert.match(statusOf(head).detail ?? "", failed);
        }
      }
    });

    test("who_wants_it_strictly_hears_what_failed", async () => {
      await using system = await begin();
      for (const path of reads) {
        await system.join.get(path);
        for (const fault of faults) {
          if (isAnswer(service, fault, path) || (fault in slow && path !== list)) continue;
          const { status, headers, json } = await during(system, fault, path, strictly);
          assert.equal(status, fault in slow ? 504 : 502, `${path} ${fault}`);
          assert.equal(headers["preference-applied"], "handling=strict");
          assert.equal(headers["content-type"], "application/problem+json");
          assert.deepEqual([json.service, headers.age], [service, undefined]);
        }
        const well = await system.join.get(path, strictly);
        assert.deepEqual([well.status, well.headers["preference-applied"]], [200, undefined]);
      }
    });

    test("without_one_there_is_what_is_known_still", async () => {
      await using system = await begin({ settings: { ...settings, SNAPSHOTS: "off" } });
      const shown = perPlace(places, []).map((place) => ({ ...place, people: null }));
      for (const [n, fault] of faults.entries()) {
        // Each is asked for the first time, so that there is no answer to it.
        const [limit, more] = [`limit=${n + 20}`, `peopleLimit=${n + 20}`];
        const known: [string, unknown][] = [
          [`/v1/people-per-place?${more}`, shown],
          [`/v1/people-per-place?limit=3&${more}`, shown.slice(0, 3)],
          [`${single}?${more}`, shown[2]],
          [`/v1/statistics/places?${limit}`, undefined],
        ];
        for (const [path, expected] of known) {
          if (path.startsWith(single) && isAnswer(service, fault, single)) continue;
          if (expected === undefined && fault in unreadableGroups) continue;
          const what = `${path} ${fault}`;
          const answer = await during(system, fault, path);
          if (service === "places" || expected === undefined) {
            assert.equal(answer.status, fault in slow ? 504 : 502, `${what}: ${answer.text}`);
            assert.equal(answer.json.service, service);
            continue;
          }
          assert.deepEqual([answer.status, answer.etag], [200, ""], what);
          assert.deepEqual(answer.json, expected, what);
          assert.equal(answer.headers["cache-control"], "no-store");
          const { cache, fwd, detail } = statusOf(answer);
          assert.deepEqual([cache, fwd], ["join", "miss"], what);
          assert.match(detail ?? "", failed);
        }
      }
      assert.equal(await snapshots(system), 0);
    });
  });
}

test("a_half_answer_has_its_form_its_next_page_and_its_count_and_is_not_given_again", async () => {
  await using system = await begin();
  await system.fail("people", "throws");
  const half = await system.join.get(list, { accept: "application/x-ndjson" });
  assert.equal(half.headers["content-type"], "application/x-ndjson");
  assert.equal(half.text.split("\n").length, 4);
  assert.match(half.text, /"name":"Descaro del Rey","people":null}\n/);
  assert.equal(half.headers["x-total-count"], "7");
  const next = /^<\/v1\/people-per-place\?limit=3&after=[0-9a-f]+>; rel="next"$/;
  assert.match(half.headers.link ?? "", next);
  const strict = await system.join.get(list, strictly);
  assert.deepEqual([strict.status, strict.json.service], [502, "people"]);
  assert.equal((await system.join.get("/v1/people-per-place/4")).status, 404, "that is known");
  assert.equal(await snapshots(system), 0);
});

test("both_down_a_reader_hears_so_within_a_second_or_gets_the_last_good_answer", async () => {
  await using system = await begin();
  await system.join.get(single);
  for (const service of ["places", "people"] as const) await system.fail(service, "never_answers");
  const began = performance.now();
  const kept = await system.join.get(single);
  assert.deepEqual([kept.status, statusOf(kept).fwd], [200, "stale"]);
  const none = await system.join.get(list);
  assert.deepEqual([none.status, none.json.type], [504, "/problems/service-timed-out"]);
  // The deadline is 250 ms: once for the proof, and once for the answer.
  assert.ok(performance.now() - began < 2000, `${performance.now() - began} ms`);
});

test("what_failed_at_once_is_tried_again_and_no_reader_hears_of_it", async () => {
  await using system = await begin({ settings: { ...settings, SNAPSHOTS: "off" } });
  for (const service of ["places", "people"] as const) {
    await system.fail(service, "every_other");
    for (const path of [...reads, `/v1/${service}/1`, `/v1/${service}?limit=2`]) {
      await system.fail(service, "every_other");
      const { status, headers } = await system.join.get(path);
      assert.deepEqual([status, headers["cache-status"]], [200, undefined], path);
    }
    await system.fail(service);
  }
});

test("a_write_is_sent_once_and_its_failure_says_that_nobody_knows", async () => {
  await using system = await begin();
  const person = { name: "New", isAlive: true, placeId: 1 };
  const writes: [string, string, object?][] = [
    ["POST", "/v1/people", person],
    ["PUT", "/v1/people/77", person],
    ["PATCH", "/v1/people/1", { name: "Other" }],
    ["DELETE", "/v1/people/1"],
    ["POST", "/v1/people/import", [person]],
  ];
  for (const [fault, status] of [
    ["throws", 502],
    ["answers_503", 502],
    ["never_answers", 504],
  ]) {
    for (const [method, path, body] of writes) {
      if (fault === "never_answers" && path.endsWith("import")) continue;
      await system.fail("people", String(fault));
      const answer = await system.join.send(method, path, body);
      assert.equal(answer.status, status, `${method} ${path} ${fault}`);
      assert.deepEqual([answer.json.service, answer.json.outcome], ["people", "unknown"]);
      assert.equal(await system.fail("people"), 1, `${method} ${path} ${fault}`);
    }
  }
  const { rows } = { rows: await system.db.people.rows("SELECT name FROM person WHERE id = 1") };
  assert.deepEqual(rows, [{ name: "Sensei Lamister" }]);
});

test("a_service_that_is_down_is_not_asked_and_is_found_when_it_is_up_again", async () => {
  await using system = await begin();
  const good = await system.join.get(single);
  await system.fail("people", "throws");
  await until(async () => statusOf(await system.join.get(single)).hit === "?1");
  assert.ok((await system.fail("people", "throws")) >= 5);
  const answers = await Promise.all(Array.from({ length: 50 }, () => system.join.get(single)));
  for (const answer of answers) {
    assert.deepEqual([answer.status, answer.text], [200, good.text]);
    const { hit, fwd, detail } = statusOf(answer);
    assert.deepEqual([hit, fwd, detail], ["?1", undefined, "people-failed"]);
    assert.match(answer.timing, /people;dur=\d+;desc="not asked"/);
  }
  const strict = await system.join.get(single, strictly);
  assert.deepEqual([strict.status, strict.json.service], [502, "people"]);
  assert.equal((await system.join.get("/v1/people/1")).status, 502, "nor by what is forwarded");
  assert.equal((await system.join.get("/v1/places/1")).status, 200, "the other one is");
  // A write is always sent: it may be what the service can do still.
  assert.equal((await system.join.send("DELETE", "/v1/people/1", {})).json.outcome, "unknown");
  assert.ok((await system.fail("people")) <= 2, "one write, and at most one probe");
  await until(async () => !(await system.join.get(single)).headers["cache-status"]);
  assert.equal((await system.join.send("PATCH", "/v1/people/2", { name: "Back" })).status, 200);
  assert.match((await system.join.get(single)).text, /"Back"/);
});

suite("snapshots", () => {
  test("are_of_the_schedule_too_and_say_how_old_they_are", async () => {
    await using system = await begin();
    await scheduled(system);
    await system.db.join.exec("UPDATE snapshot SET made_at = made_at - 3600000");
    await system.fail("people", "throws");
    const all = await system.join.get("/v1/people-per-place");
    assert.deepEqual([all.status, all.json], [200, perPlace(places, people)]);
    const age = Number(all.headers.age);
    assert.ok(age >= 3600 && age < 3660, `Age: ${age}`);
    assert.equal(statusOf(all).ttl, String(-age));
    // Who has the very answer that the registers would give now is told so, with its age.
    assert.match(all.etag, /^W\/"1j7\.17"$/);
    const numbers = await system.join.get("/v1/statistics/places");
    assert.deepEqual([numbers.status, numbers.headers["cache-control"]], [200, "no-cache"]);
    assert.equal(numbers.json.length, 8);
  });

  test("are_younger_where_it_was_proved_that_nothing_has_changed", async () => {
    await using system = await begin();
    await system.join.get(single);
    await until(async () => (await snapshots(system)) === 1);
    await system.db.join.exec("UPDATE snapshot SET made_at = made_at - 3600000");
    await system.join.get("/v1/people-per-place/2");
    await system.fail("people", "throws");
    const { headers } = await system.join.get("/v1/people-per-place/3", {
      accept: "application/json",
    });
    assert.ok(Number(headers.age) < 60, `Age: ${headers.age}`);
  });

  test("are_refreshed_where_the_registers_have_moved_and_not_where_they_have_not", async () => {
    await using system = await begin({ counting: true, settings, switching: false });
    await system.join.get("/v1/people-per-place/1");
    await until(async () => (await snapshots(system)) === 1);
    await scheduled(system);
    const at = () =>
      system.db.join.rows("SELECT key, made_at, people_seq FROM snapshot ORDER BY key");
    const before = await at();
    assert.equal(before.length, 4);
    await system.costs();
    await scheduled(system);
    const { join } = await system.costs();
    assert.deepEqual([join.roundTrips, join.rowsWritten], [1, 0]);
    assert.deepEqual(await at(), before);
    await system.join.send("PATCH", "/v1/people/1", { name: "Moved" });
    await scheduled(system);
    for (const [n, row] of (await at()).entries()) {
      assert.ok(Number(row.people_seq) > Number(before[n]?.people_seq), String(row.key));
    }
  });

  test("cost_nothing_where_nothing_has_changed_and_little_where_much_has", async () => {
    await using system = await begin({ counting: true, settings, switching: false });
    for (const path of reads) await system.join.get(path);
    await until(async () => (await snapshots(system)) === 3);
    await system.costs();
    for (let n = 0; n < 20; n += 1) {
      for (const path of reads) await system.join.get(path);
      await system.join.get(list, { "if-none-match": '"x"' });
    }
    assert.equal((await system.costs()).join.roundTrips, 0);
    const began = performance.now();
    for (let n = 0; n < 40; n += 1) {
      await system.join.send("PATCH", "/v1/people/1", { name: `Busy ${n}` });
      for (const path of reads) await system.join.get(path);
    }
    const seconds = (performance.now() - began) / 1000;
    const { roundTrips } = (await system.costs()).join;
    assert.ok(roundTrips <= Math.ceil(seconds) + 1, `${roundTrips} writes in ${seconds} s`);
    // In the end the last answer is the one that is written.
    const last = async () => {
      const [row] = await system.db.join.rows(
        "SELECT body FROM snapshot JOIN snapshot_part ON snapshot_id = id WHERE key LIKE '%place/3?'",
      );
      return row?.body === (await system.join.get(single)).text;
    };
    await until(last);
  });

  test("of_long_pages_come_in_parts_and_are_never_seen_in_halves", async () => {
    const many = Array.from({ length: 30 }, (_, n) => ({ id: n + 1, name: `Place ${n + 1}` }));
    const crowd = Array.from({ length: 8000 }, (_, n) => {
      const name = `Ñ${"x".repeat(180)} ${n}`;
      return { id: n + 1, name, isAlive: true, placeId: 1 + (n % 30), isKing: false };
    });
    await using system = await begin({ places: many, people: crowd.slice(4000) });
    await system.addPeople(crowd.slice(0, 4000));
    await scheduled(system);
    const key = "json /people-per-place?";
    const whole = async () => {
      const [row] = await system.db.join.rows(
        `SELECT bytes, people_seq, count(*) AS parts, sum(length(CAST(body AS BLOB))) AS length
         FROM snapshot JOIN snapshot_part ON snapshot_id = id WHERE key = '${key}'`,
      );
      assert.equal(row?.bytes, row?.length);
      assert.ok(Number(row?.parts) > 1, `${row?.parts} parts of ${row?.bytes} bytes`);
      return Number(row?.people_seq);
    };
    const first = await whole();
    for (let n = 0; n < 3; n += 1) {
      await system.join.send("PATCH", "/v1/people/1", { name: `${"y".repeat(1 + 60 * n)}` });
      let isDone = false;
      const refreshed = system.scheduled("join").then(() => {
        isDone = true;
      });
      while (!isDone) await whole();
      await refreshed;
    }
    assert.equal(await whole(), first + 3);
    const good = await system.join.get("/v1/people-per-place");
    await system.fail("people", "throws");
    const kept = await system.join.get("/v1/people-per-place");
    assert.ok(kept.text === good.text && kept.headers.age !== undefined);
    // Of the isolate's own answers there is none to this: it is read from the parts.
    const other = await system.join.get("/people-per-place/", { accept: "application/json" });
    assert.ok(other.text === good.text && other.headers.age !== undefined);
  });

  test("of_each_form_are_apart", async () => {
    await using system = await begin();
    const forms: [string, Record<string, string>][] = [
      [statistics, {}],
      [statistics, { accept: "text/csv" }],
      [`${statistics}&format=ndjson`, {}],
      [list, { accept: "application/x-ndjson" }],
    ];
    const good = await Promise.all(forms.map(([path, headers]) => system.join.get(path, headers)));
    assert.equal(new Set(good.map(({ text }) => text)).size, 4);
    await until(async () => (await snapshots(system)) === 4);
    await system.fail("places", "throws");
    for (const [n, [path, headers]] of forms.entries()) {
      const kept = await system.join.get(path, headers);
      assert.deepEqual([kept.status, kept.text], [200, good[n]?.text], path);
      assert.equal(kept.headers["content-type"], good[n]?.headers["content-type"]);
      assert.equal(kept.headers.vary, good[n]?.headers.vary);
    }
    // The same form by another header, of which the isolate holds none.
    const other = await system.join.get(statistics, { accept: "text/csv;q=0.9, image/png" });
    assert.deepEqual([other.status, other.text], [200, good[1]?.text]);
    assert.equal((await system.join.get(list, { accept: "text/html" })).status, 406);
  });
});

test("where_an_answer_came_from_and_how_long_it_took_is_told", async () => {
  await using system = await begin();
  const both =
    /^(places;dur=\d+;desc="ok", people|people;dur=\d+;desc="ok", places);dur=\d+;desc="ok"$/;
  for (const path of reads) {
    assert.match((await system.join.get(path)).timing, both, path);
    const again = await system.join.get(path);
    assert.match(again.timing, /^held;dur=\d+;desc="proved"$/, path);
    const known = await system.join.get(path, { "if-none-match": again.etag });
    assert.deepEqual([known.status, known.timing.split(";")[0]], [304, "held"], path);
  }
  assert.equal((await system.join.get("/v1/people/1")).timing, "");
  assert.deepEqual(
    (await system.join.get("/v1/people-per-place")).text,
    array(perPlace(places, people)),
  );
});

suite("the pages", () => {
  const notice = (page: Answer) => /role="alert">([^<]*)</.exec(page.text)?.[1] ?? "";

  test("show_what_there_was_and_say_as_of_when_and_why", async () => {
    await using system = await begin();
    await scheduled(system);
    await system.join.get("/v1/people-per-place/3");
    await until(async () => (await snapshots(system)) === 4);
    // Older than what the isolate has seen since.
    await system.db.join.exec(
      "UPDATE snapshot SET made_at = 1795556434123, people_seq = people_seq - 1",
    );
    for (const service of ["people", "places"] as const) {
      await system.fail(service, "throws");
      const overview = await system.join.get("/");
      assert.equal(overview.status, 200);
      const why = `The ${service} service is not working.`;
      assert.equal(notice(overview), `${why} The counts are from 2026-11-24 21:40 UTC.`);
      assert.match(overview.text, /Veranolandia<\/a>.*?<td[^>]*>3</s);
      const place = await system.join.get("/ui/places/3");
      const part = service === "people" ? "The list of people" : "The name of the place";
      assert.equal(notice(place), `${why} ${part} is from 2026-11-24 21:40 UTC.`);
      assert.match(place.text, /<h1>Veranolandia<\/h1>/);
      assert.match(place.text, /Aiba Stack.*Joaquín Nevado.*Nerf Stack/s);
      assert.match(place.text, /<dt>living<\/dt><dd>3<\/dd>/);
      // A place of which nothing was kept.
      const other = await system.join.get("/ui/places/1");
      assert.equal(other.status, 200);
      assert.match(notice(other), /unavailable right now/);
      // A filter that the snapshot knows nothing of.
      const filtered = await system.join.get("/ui/places/3?show=isKing%3Dtrue");
      if (service === "people") assert.match(notice(filtered), /unavailable right now/);
      await system.fail(service);
      await until(async () => notice(await system.join.get("/")) === "");
    }
  });
});
