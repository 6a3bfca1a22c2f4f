// Racing writers break no rule, and a rejected request has no effect.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertIntegrity, repairAll } from "../support/assert_integrity.ts";
import { makePlaces, versionOf } from "../support/fixtures.ts";
import { type ApiResponse, type System, start } from "../support/harness.ts";
import { Random } from "../support/random.ts";

const alive = (name: string, placeId: number) => ({ name, isAlive: true, placeId });

test("racing_and_crashing_writers_break_no_rule_and_lose_no_acknowledged_write", async () => {
  const placeCount = 24;
  // Nobody ever lives in the places after these, so that a batch can delete them at any time.
  const emptyPlaces = 100;
  const places = makePlaces(placeCount + emptyPlaces);
  await using system = await start({ crashable: true, places });
  let nextEmptyPlace = placeCount + 1;
  const random = new Random(7);
  // The last acknowledged state of each person. Only one client writes each person.
  const lastAcknowledged = new Map<number, { version: number; isAlive: boolean } | "removed">();
  const deletedPlaces = new Set<number>();
  // The outcome of each batch that was not rejected, by the name that it gives to two people.
  const batches = new Map<string, "done" | "unknown">();
  const counts = {
    inserts: 0,
    moves: 0,
    burials: 0,
    crowns: 0,
    deletions: 0,
    batches: 0,
    "batches of places": 0,
    removals: 0,
    restores: 0,
    rejections: 0,
    crashes: 0,
    "crashed batches": 0,
  };

  const client = async (_: unknown, number: number): Promise<void> => {
    const ownIds: number[] = [];
    for (let turn = 0; turn < 18; turn += 1) {
      const headers: Record<string, string> = {};
      if (random.below(6) === 0) headers["x-crash-after"] = `${1 + random.below(5)}`;
      const place = 1 + random.below(placeCount);
      const action = random.below(16);
      const id = ownIds[random.below(Math.max(1, ownIds.length))];
      let response: ApiResponse;
      if (action < 4 || id === undefined) {
        response = await system.people.send("POST", "/v1/people", alive("Racer", place), headers);
        if (response.status === 201) {
          ownIds.push(response.json.id);
          lastAcknowledged.set(response.json.id, { version: 1, isAlive: true });
          counts.inserts += 1;
        }
      } else if (action < 8) {
        const isAlive = random.below(4) > 0;
        const body = { isAlive, placeId: place, name: `Racer ${turn}` };
        response = await system.people.send("PATCH", `/v1/people/${id}`, body, headers);
        if (response.status === 200) {
          lastAcknowledged.set(id, { version: versionOf(response.etag), isAlive });
          counts[isAlive ? "moves" : "burials"] += 1;
        }
        // The outcome of a crashed write is unknown.
        if (response.status === 599) lastAcknowledged.delete(id);
      } else if (action === 8) {
        const crown = { isKing: random.below(2) === 0 };
        response = await system.people.send(
          "PATCH",
          `/v1/people/${id}?depose=true`,
          crown,
          headers,
        );
        if (response.status === 200) {
          const version = versionOf(response.etag);
          lastAcknowledged.set(id, { version, isAlive: response.json.isAlive });
          counts.crowns += 1;
        }
        if (response.status === 599) lastAcknowledged.delete(id);
      } else if (action === 9) {
        const to = random.below(2) === 0 ? `?reassignTo=${1 + random.below(placeCount)}` : "";
        response = await system.places.request("DELETE", `/v1/places/${place}${to}`, headers);
        if (response.status === 204) {
          deletedPlaces.add(place);
          counts.deletions += 1;
        }
      } else if (action < 13) {
        const name = `Batch ${number}.${turn}`;
        const other = ownIds.find((own) => own !== id);
        const operations = [
          { op: "update", id, body: { ...alive(name, place), isKing: random.below(4) === 0 } },
          { op: "create", body: alive(name, 1 + random.below(placeCount)) },
          ...(other && random.below(3) === 0 ? [{ op: "delete", id: other }] : []),
        ];
        response = await system.people.send("POST", "/v1/people/batch", operations, headers);
        if (response.status === 200) {
          batches.set(name, "done");
          for (const { status, id, version } of response.json) {
            if (status === 201) ownIds.push(id);
            lastAcknowledged.set(id, status === 204 ? "removed" : { version, isAlive: true });
          }
          counts.batches += 1;
        }
        if (response.status === 599) {
          batches.set(name, "unknown");
          for (const { id } of operations) if (id) lastAcknowledged.delete(id);
          counts["crashed batches"] += 1;
        }
      } else if (action === 13) {
        const deleted = random.below(2) === 0 ? place : nextEmptyPlace++;
        const operations = [
          { op: "update", id: 1 + (place % placeCount), body: { name: `Of ${number}.${turn}` } },
          { op: "delete", id: deleted },
        ];
        response = await system.places.send("POST", "/v1/places/batch", operations, headers);
        if (response.status === 200) {
          deletedPlaces.add(deleted);
          counts["batches of places"] += 1;
        }
        if (response.status === 599) counts["crashed batches"] += 1;
      } else if (action === 14) {
        response = await system.people.request("DELETE", `/v1/people/${id}`, headers);
        if (response.status === 204) {
          lastAcknowledged.set(id, "removed");
          counts.removals += 1;
        }
        if (response.status === 599) lastAcknowledged.delete(id);
      } else {
        // The first version, or the last one of a person who was removed.
        const body = lastAcknowledged.get(id) === "removed" ? {} : { version: 1 };
        const path = `/v1/people/${id}/restore?depose=true`;
        response = await system.people.send("POST", path, body, headers);
        if (response.status < 300) {
          const { isAlive } = response.json;
          lastAcknowledged.set(id, { version: versionOf(response.etag), isAlive });
          counts.restores += 1;
        }
        if (response.status === 599) lastAcknowledged.delete(id);
      }
      if (response.status === 599) counts.crashes += 1;
      else if (response.status >= 400) counts.rejections += 1;
      assert.ok(response.status < 500 || response.status === 599, response.text);
    }
  };
  await Promise.all(Array.from({ length: 40 }, client));
  await repairAll(system.join);
  await assertIntegrity(system);

  for (const [id, last] of lastAcknowledged) {
    const { status, json, etag } = await system.people.get(`/v1/people/${id}`);
    if (last === "removed") {
      assert.equal(status, 404, `the removed person ${id} does not exist`);
      continue;
    }
    assert.equal(status, 200, `the acknowledged person ${id} exists`);
    // Deletions of places may have moved the person since, but did not change whether it lives.
    assert.equal(json.isAlive, last.isAlive);
    assert.ok(versionOf(etag) >= last.version);
  }
  // Both people of a batch got its name, or neither.
  const named = await system.db.people.rows(
    `SELECT name, count(DISTINCT person_id) AS people FROM person_change
     WHERE name LIKE 'Batch %' GROUP BY name`,
  );
  const namedBy = new Map(named.map(({ name, people }) => [String(name), people]));
  for (const [name, people] of namedBy) {
    assert.ok(batches.has(name), `${name} was rejected and has an effect`);
    assert.equal(people, 2, `${name} is half done`);
  }
  for (const [name, outcome] of batches) {
    assert.ok(outcome === "unknown" || namedBy.has(name), `${name} is lost`);
  }
  const placeRows = await system.db.places.rows("SELECT id FROM place");
  const remaining = placeRows.filter(({ id }) => deletedPlaces.has(Number(id)));
  assert.deepEqual(remaining, [], "the acknowledged deletions of places");
  console.log(JSON.stringify(counts));
  for (const [outcome, count] of Object.entries(counts)) assert.ok(count > 0, outcome);
});

/** Everything that a rejected request could have changed: records, versions and history. */
async function visible(system: System): Promise<unknown> {
  const { people, places } = system.db;
  return [
    await people.rows("SELECT id, name, is_alive, is_king, place_id, version FROM person"),
    await people.rows("SELECT seq, kind, person_id, version FROM person_change ORDER BY seq"),
    await places.rows("SELECT id, name, version FROM place"),
    await places.rows("SELECT seq, kind, place_id, version FROM place_change ORDER BY seq"),
  ];
}

test("of_conflicting_requests_one_succeeds_and_the_rejected_ones_have_no_effect", async () => {
  const rounds = 200;
  const target = 2 * rounds + 1;
  const movers = (round: number) => [0, 1, 2, 3].map((n) => 4 * round + n + 1);
  // In each round, people move to a place while it is deleted.
  await using system = await start({
    places: makePlaces(target),
    people: Array.from({ length: rounds }, (_, round) =>
      movers(round).map((id) => ({ id, isKing: false, ...alive("Mover", 2 * round + 2) })),
    ).flat(),
  });
  const outcomes = { deleted: 0, "not deleted": 0, written: 0, rejected: 0 };
  const expected = new Map<number, { placeId: number; versions: number[] }>();
  for (let round = 0; round < rounds; round += 1) {
    const [place, from] = [2 * round + 1, 2 * round + 2];
    // Half of the deletions reassign residents, and half are rejected if there are residents.
    const reassigns = round % 2 === 0;
    const remove = async () => {
      await sleep(round % 10);
      return system.join.request(
        "DELETE",
        `/v1/places/${place}${reassigns ? `?reassignTo=${target}` : ""}`,
      );
    };
    const [deletion, ...writes] = await Promise.all([
      remove(),
      ...movers(round).map((id) =>
        system.join.send("PATCH", `/v1/people/${id}`, { placeId: place }),
      ),
      ...movers(round).map(() => system.join.send("POST", "/v1/people", alive("New", place))),
    ]);
    for (const { status, text } of [deletion, ...writes])
      assert.ok(status < 300 || status === 409, `round ${round}: ${status} ${text}`);
    const isDeleted = deletion.status === 204;
    // A deletion that reassigns the residents has no reason to be rejected.
    assert.ok(isDeleted || !reassigns, deletion.text);
    outcomes[isDeleted ? "deleted" : "not deleted"] += 1;
    const written = writes.filter(({ status }) => status < 300);
    assert.ok(isDeleted || written.length > 0, `round ${round}: every request was rejected`);
    assert.ok(!isDeleted || reassigns || written.length === 0, `round ${round}: both succeeded`);
    outcomes.written += written.length;
    outcomes.rejected += writes.length - written.length;

    for (const id of movers(round)) expected.set(id, { placeId: from, versions: [1] });
    for (const { json, etag } of written) {
      const version = versionOf(etag);
      const versions = Array.from({ length: version + (isDeleted ? 1 : 0) }, (_, n) => n + 1);
      expected.set(json.id, { placeId: isDeleted ? target : place, versions });
    }
  }
  // Accepted writes are where the last request put them. Rejected ones left no trace.
  const people = await system.db.people.rows(
    `SELECT id, place_id, (SELECT json_group_array(version ORDER BY version)
      FROM person_change WHERE person_id = id) AS versions FROM person ORDER BY id`,
  );
  const actual = people.map(({ id, place_id, versions }) => [
    id,
    { placeId: place_id, versions: JSON.parse(String(versions)) },
  ]);
  assert.deepEqual(
    actual,
    [...expected].toSorted(([a], [b]) => a - b),
  );
  const created = await system.db.people.rows("SELECT 1 FROM person_change WHERE version = 1");
  assert.equal(
    created.length,
    people.length,
    "no rejected request created a person, even temporarily",
  );
  await assertIntegrity(system);
  for (const [outcome, count] of Object.entries(outcomes)) assert.ok(count > 0, outcome);
  console.log(`${rounds} rounds: ${JSON.stringify(outcomes)}`);
});

test("a_rejected_request_changes_no_record_version_or_history", async () => {
  await using system = await start({
    places: makePlaces(3),
    people: [
      { id: 1, name: "King", isAlive: true, placeId: 1, isKing: true },
      { id: 2, name: "Resident", isAlive: true, placeId: 1, isKing: false },
      { id: 3, name: "Ghost", isAlive: false, placeId: 2, isKing: false },
    ],
  });
  await system.db.places.exec(
    "INSERT INTO tombstone (place_id, phase, since) VALUES (3, 'deleting', 9e15)",
  );
  const csv = { "content-type": "text/csv" };
  const missing = 99;
  const patch = (id: number, body: object, more = "") =>
    system.join.send("PATCH", `/v1/people/${id}${more}`, body);
  const importPeople = (file: string, more = "") =>
    system.join.request("POST", `/v1/people/import${more}`, csv, file);
  const requests: Record<string, () => Promise<ApiResponse>> = {
    "a move to a missing place": () => patch(2, { placeId: missing }),
    "a move to a place that is being deleted": () => patch(2, { placeId: 3 }),
    "a second king": () => patch(2, { isKing: true }),
    "a resurrection without a place": () => patch(3, { isAlive: true, placeId: null }),
    "a crown for a newcomer": () => patch(3, { isAlive: true, placeId: 1, isKing: true }),
    "a new person in a missing place": () =>
      system.join.send("POST", "/v1/people", alive("New", missing)),
    "a new king beside another": () =>
      system.join.send("PUT", "/v1/people/9", { ...alive("New", 1), isKing: true }),
    "an import with one invalid line": () =>
      importPeople(`name,isAlive,placeId\nA,true,1\nB,true,${missing}\n`),
    "an update with one invalid line": () =>
      importPeople(
        "id,name,isAlive,placeId,isKing\n2,Other,true,1,false\n3,Ghost,true,1,true\n",
        "?mode=upsert",
      ),
    "a deletion with residents": () => system.join.request("DELETE", "/v1/places/1"),
    "a deletion with a missing target": () =>
      system.join.request("DELETE", `/v1/places/1?reassignTo=${missing}`),
    "a deletion whose target is being deleted": () =>
      system.join.request("DELETE", "/v1/places/1?reassignTo=3"),
  };
  const before = await visible(system);
  for (const [name, request] of Object.entries(requests)) {
    const { status, json, text } = await request();
    // An import responds with 200 and lists the lines that it rejects.
    const isRejected = status >= 400 ? status < 500 : json.refusedTotal > 0;
    assert.ok(isRejected, `${name}: ${status} ${text}`);
    assert.deepEqual(await visible(system), before, name);
  }
  assert.deepEqual(await system.db.people.rows("SELECT * FROM pending_write"), []);
});
