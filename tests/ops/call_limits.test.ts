// Tests the limits of calls per invocation. The platform throws at the first call beyond the limit.
// No request may get that far: it stops earlier, and another request continues from its cursor.
// `PLAN=free make test FILE=…` runs any other test file with the limits of a plan.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { Plan } from "../support/call_limiter.ts";
import { EPOCH, makePeople, makePlaces } from "../support/fixtures.ts";
import { type Name, nextLink, type System, start } from "../support/harness.ts";

const CSV = { "content-type": "text/csv" };
const names: Name[] = ["places", "people", "join"];

/** No invocation has tried a call beyond its limit. */
async function assertNoneRejected(system: System): Promise<void> {
  const calls = await system.takeCalls();
  for (const name of names) assert.equal(calls[name].rejected, 0, JSON.stringify(calls));
}

/** Sends requests one after the other from several clients at once. */
async function fromClients(count: number, request: (client: number) => Promise<void>) {
  await Promise.all(Array.from({ length: count }, (_, client) => request(client)));
}

for (const plan of ["free", "paid"] as Plan[]) {
  suite(`on the plan ${plan}`, () => {
    test("leaders_of_coalesced_requests_hand_over_before_the_limit", async () => {
      await using system = await start({
        plan,
        places: makePlaces(20),
        people: makePeople(400, 20),
      });
      const path = "/v1/people-per-place";
      await system.join.get(path);
      await fromClients(24, async (client) => {
        for (let turn = 0; turn < 40; turn += 1) {
          const read = await system.join.get(path);
          assert.equal(read.status, 200, read.text);
          const name = { name: `Name ${client} ${turn}` };
          const renamed = await system.join.send("PATCH", `/v1/people/${client + 1}`, name);
          assert.deepEqual([renamed.status, renamed.json.name], [200, name.name]);
        }
      });
      await assertNoneRejected(system);
      for (const id of [1, 24]) {
        const { json } = await system.join.get(`/v1/people/${id}`);
        assert.equal(json.name, `Name ${id - 1} 39`);
      }
    });

    test("an_import_continues_after_the_records_of_the_last_request", async () => {
      await using system = await start({ plan, places: makePlaces(500) });
      const count = 60_000;
      const row = (n: number) => `P${n},true,${1 + (n % 500)}\n`;
      const rows = Array.from({ length: count }, (_, n) => row(n)).join("");
      const file = `name,isAlive,placeId\n${rows}`;
      let [after, created, requests] = [0, 0, 0];
      for (let next: number | undefined = 0; next !== undefined; requests += 1) {
        after = next;
        const path = `/v1/people/import${after > 0 ? `?after=${after}` : ""}`;
        const { status, json, text } = await system.join.request("POST", path, CSV, file);
        assert.equal(status, 200, text);
        created += json.created;
        next = json.next;
        assert.equal(next ?? count, created, text);
        const last = json.batches.at(-1);
        const type = next === undefined ? undefined : "/problems/call-limit-reached";
        assert.equal(last.problem?.type, type, text);
      }
      assert.equal(requests > 1, plan === "free", `${requests} requests`);
      const rest = `/v1/people/import?dryRun=true&after=${count - 7}`;
      const { json } = await system.join.request("POST", rest, CSV, file);
      assert.deepEqual([json.read, json.created, json.batches[0].firstLine], [7, 7, count - 5]);
      await assertNoneRejected(system);
      assert.equal(
        (await system.join.get("/v1/people?count=exact&limit=1")).headers["x-total-count"],
        `${count}`,
      );
    });

    test("a_scheduled_refresh_continues_in_the_next_run_and_after_a_failure", async () => {
      await using system = await start({
        plan,
        places: makePlaces(30),
        people: makePeople(300, 30),
      });
      // Outdated snapshots that clients requested. The oldest one can never be refreshed.
      const keys = ["/people-per-place?limit=0"];
      for (let place = 1; place <= 7; place += 1) keys.push(`/people-per-place/${place}?`);
      const rows = keys.map(
        (key, n) => `('json ${key}', '0.${EPOCH}', '0.${EPOCH}', ${n}, ${n}, 0, '')`,
      );
      const columns = "key, places_seq, people_seq, made_at, used_at, bytes, headers";
      await system.db.join.exec(`INSERT INTO snapshot (${columns}) VALUES ${rows.join(", ")};`);
      const current = "SELECT 1 FROM snapshot WHERE CAST(people_seq AS INTEGER) > 0";
      const counts: number[] = [];
      while ((counts.at(-1) ?? 0) < 10) {
        await system.runSchedule("join");
        counts.push((await system.db.join.rows(current)).length);
        assert.ok(counts.length < 10 && counts.at(-1) !== counts.at(-2), counts.join());
      }
      assert.equal(counts.length > 1, plan === "free", counts.join());
      await assertNoneRejected(system);
    });

    test("the_integrity_report_continues_with_the_next_places", async () => {
      await using system = await start({ plan });
      const numbers =
        "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 130000)";
      await system.db.places.exec(
        `INSERT INTO place (id, name, name_key) ${numbers} SELECT id, 'P' || id, 'p' || id FROM n;`,
      );
      await system.addPeople([
        { id: 1, name: "Orphan", isAlive: true, placeId: 140_000, isKing: false },
      ]);
      const orphans: unknown[] = [];
      let parts = 0;
      for (let next: string | undefined = "/v1/integrity"; next; parts += 1) {
        const report = await system.join.get(next);
        orphans.push(...report.json.withoutPlace);
        next = nextLink(report);
        assert.deepEqual([report.json.complete, report.json.consistent], [!next, false]);
      }
      assert.deepEqual(orphans, [{ placeId: 140_000, living: 1, dead: 0 }]);
      assert.equal(parts > 1, plan === "free", `${parts} parts`);
      await assertNoneRejected(system);
    });

    test("abandoned_deletions_are_finished_by_as_many_runs_as_the_limit_requires", async () => {
      const count = 40;
      await using system = await start({ plan, places: makePlaces(count) });
      const rows = Array.from({ length: count }, (_, n) => `(${n + 1}, 'deleting', 0)`);
      await system.db.places.exec(
        `INSERT INTO tombstone (place_id, phase, since) VALUES ${rows.join(", ")};`,
      );
      let runs = 0;
      for (; (await system.db.places.rows("SELECT 1 FROM tombstone")).length > 0; runs += 1) {
        assert.ok(runs < count / 3, `${runs} runs`);
        await system.runSchedule("places");
      }
      assert.equal(runs > 1, plan === "free", `${runs} runs`);
      assert.deepEqual(await system.db.places.rows("SELECT id FROM place"), []);
      await assertNoneRejected(system);
    });

    test("one_run_removes_the_pending_writes_of_a_lost_import_batch", async () => {
      const count = 10_000;
      const folder = mkdtempSync(join(tmpdir(), "lost-import-"));
      const rows = Array.from({ length: count }, (_, n) => `P${n},true,${n + 1}\n`);
      const file = `name,isAlive,placeId\n${rows.join("")}`;
      const importFile = (system: System, headers = {}) =>
        system.people.request("POST", "/v1/people/import", { ...CSV, ...headers }, file);
      try {
        {
          await using system = await start({
            persist: folder,
            crashable: true,
            places: makePlaces(count),
          });
          const lost = await importFile(system, { "x-crash-after": "2" });
          assert.equal(lost.status, 599, lost.text);
        }
        await using system = await start({ persist: folder, plan });
        const pending = () => system.db.people.rows("SELECT 1 FROM pending_write");
        assert.equal((await pending()).length, count);
        await system.runSchedule("people");
        assert.equal((await pending()).length, count, "it may still be in progress");
        await system.db.people.exec("UPDATE pending_write SET since = since - 30000;");
        await system.runSchedule("people");
        assert.deepEqual(await pending(), []);
        const { json, text } = await importFile(system);
        assert.equal(json.created, count, text.slice(0, 500));
        await assertNoneRejected(system);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}
