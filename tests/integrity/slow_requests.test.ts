// Requests with slow steps: another request decides between two of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../support/harness.ts";

test("a_restore_never_writes_the_name_of_a_person_who_was_erased_meanwhile", async () => {
  await using system = await start({ seed: true, delays: { database: 60, services: 0 } });
  const { people, db } = system;
  const statuses = new Set<number>();
  for (const isDeleted of [false, true]) {
    const rounds = [0, 30, 60, 90, 120, 150, 180].map(async (lead) => {
      const name = `Secret ${isDeleted} ${lead}`;
      const { json } = await people.send("POST", "/v1/people", { name, isAlive: true, placeId: 1 });
      const path = `/v1/people/${json.id}`;
      await people.send("PATCH", path, { name: "Other" });
      if (isDeleted) await people.request("DELETE", path);
      const restored = people.send("POST", `${path}/restore`, { version: 1 });
      await sleep(lead);
      const erased = await people.request("DELETE", `${path}?erase=true`);
      assert.equal(erased.status, 204);
      const { status } = await restored;
      statuses.add(status);
      assert.ok([200, 201, 404, 409, 410, 422].includes(status), `${status} ${lead} ${isDeleted}`);
      const history = await people.get(`${path}/history`);
      assert.ok(!history.text.includes("Secret"), `${lead} ${isDeleted}: ${history.text}`);
    });
    await Promise.all(rounds);
  }
  assert.ok(statuses.has(410), `some restores came too late: ${[...statuses]}`);
  const [left] = await db.people.rows("SELECT count(*) AS n FROM person WHERE name LIKE 'Secret%'");
  assert.equal(left?.n, 0);
});

test("a_restore_without_a_version_writes_only_the_last_state", async () => {
  await using system = await start({ seed: true, delays: { database: 60, services: 0 } });
  const { people } = system;
  const rounds = [0, 40, 80, 120, 160].map(async (lead, n) => {
    const id = 3000 + n;
    const path = `/v1/people/${id}`;
    await people.send("PUT", path, { name: "First", isAlive: true, placeId: 1 });
    await people.request("DELETE", path);
    const restored = people.request("POST", `${path}/restore`);
    await sleep(lead);
    const put = await people.send("PUT", path, { name: "Second", isAlive: true, placeId: 1 });
    const removed = await people.request("DELETE", path);
    const { status, json } = await restored;
    const history = (await people.get(`${path}/history`)).json;
    const names = history.map(({ kind, record }: { kind: string; record?: { name: string } }) =>
      `${kind} ${record?.name ?? ""}`.trim(),
    );
    // A restore after the second deletion has the second name.
    const last = names.lastIndexOf("deleted");
    const later = names.slice(last + 1).join();
    const seen = `${lead}: ${put.status} ${removed.status} ${status} ${json?.name}: ${names}`;
    assert.ok(!later.includes("First") || !names.includes("created Second"), seen);
  });
  await Promise.all(rounds);
});

test("a_rejected_deletion_is_not_finished_by_a_repair_that_has_taken_it_over", async () => {
  await using system = await start({ seed: true, delays: { database: 0, services: 200 } });
  const { places, people } = system;
  const outcomes: string[] = [];
  const rounds = [60, 100, 140].map(async (lead) => {
    const place = await places.send("POST", "/v1/places", { name: `Slow ${lead}` });
    const path = `/v1/places/${place.json.id}`;
    const body = { name: "Resident", isAlive: true, placeId: place.json.id };
    const { json } = await people.send("POST", "/v1/people", body);
    const deleted = places.request("DELETE", path);
    await sleep(lead);
    const repaired = places.request("POST", "/internal/repair?olderThan=0");
    const { status, json: problem } = await deleted;
    await people.request("DELETE", `/v1/people/${json.id}`);
    await repaired;
    outcomes.push(`${status} ${problem?.outcome}`);
    const isGone = (await places.get(path)).status === 404;
    if (isGone) assert.ok(status < 300 || problem.outcome === "unknown", outcomes.join());
  });
  await Promise.all(rounds);
  assert.ok(
    outcomes.some((outcome) => outcome.includes("unknown")),
    outcomes.join(),
  );
});
