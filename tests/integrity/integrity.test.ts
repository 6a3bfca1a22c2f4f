// Two registers in two databases, and no rule broken: by writers who race, and by any of them
// dying at any step. crates/model tries the protocol itself; here it is the built workers.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertIntegrity, repairAll } from "../support/assert_integrity.ts";
import { type ApiResponse, type System, start } from "../support/harness.ts";

const village = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, name: `Place ${n + 1}` }));

const alive = (name: string, placeId: number) => ({ name, isAlive: true, placeId });

test("integrity_is_reported_and_a_dry_run_changes_nothing", async () => {
  await using system = await start({
    places: village(2),
    people: [
      { id: 1, name: "Orphan", isAlive: true, placeId: 7, isKing: false },
      { id: 2, name: "Ghost", isAlive: false, placeId: 8, isKing: false },
      { id: 3, name: "Resident", isAlive: true, placeId: 2, isKing: false },
    ],
  });
  await system.db.places.exec(
    "INSERT INTO tombstone (place_id, phase, since) VALUES (1, 'deleting', 0)",
  );
  await system.db.people.exec(
    "INSERT INTO pending_write (token, place_id, person_id, since) VALUES ('t', 2, 3, 0)",
  );
  const before = (await system.join.get("/v1/integrity")).json;
  assert.deepEqual(before, {
    consistent: false,
    complete: true,
    withoutPlace: [
      { placeId: 7, living: 1, dead: 0 },
      { placeId: 8, living: 0, dead: 1 },
    ],
    doubleKings: [],
    deleting: [{ placeId: 1, isGone: false, reassignTo: null }],
    pending: [{ id: 3, placeId: 2 }],
  });
  const plan = {
    deletions: [{ placeId: 1, isGone: false, reassignTo: null, action: "finish" }],
    pending: [{ id: 3, placeId: 2, action: "remove" }],
    released: [{ placeId: 8, dead: 1 }],
    byHand: [
      {
        placeId: 7,
        living: 1,
        remedy: "PATCH each of them with the placeId of a place that exists.",
      },
    ],
  };
  const dry = await system.join.request("POST", "/v1/integrity/repair?dryRun=true");
  assert.deepEqual(dry.json, { dryRun: true, ...plan });
  assert.deepEqual((await system.join.get("/v1/integrity")).json, before);

  const done = await system.join.request("POST", "/v1/integrity/repair");
  const deletions = [{ ...plan.deletions[0], end: "deleted" }];
  assert.deepEqual(done.json, { dryRun: false, ...plan, deletions });
  const moved = await system.join.send("PATCH", "/v1/people/1", { placeId: 2 });
  assert.equal(moved.status, 200);
  await assertIntegrity(system);
  assert.equal((await system.join.get("/v1/places/1")).status, 404);
});

suite("a writer that dies behind any of its steps", () => {
  // How many calls a request makes at most, of its own database and of the other service.
  const steps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const requests: Record<string, (system: System, headers: object) => Promise<ApiResponse>> = {
    insert: ({ people }, headers) =>
      people.send("POST", "/v1/people", alive("New", 2), { ...headers, "idempotency-key": "k" }),
    put: ({ people }, headers) =>
      people.send("PUT", "/v1/people/77", alive("New", 2), { ...headers }),
    move: ({ people }, headers) =>
      people.send("PATCH", "/v1/people/1", { placeId: 2 }, { ...headers }),
    resurrection: ({ people }, headers) =>
      people.send("PATCH", "/v1/people/2", { isAlive: true, placeId: 2 }, { ...headers }),
    deletion: ({ places }, headers) => places.request("DELETE", "/v1/places/3", { ...headers }),
    refused_deletion: ({ places }, headers) =>
      places.request("DELETE", "/v1/places/1", { ...headers }),
    reassigning_deletion: ({ places }, headers) =>
      places.request("DELETE", "/v1/places/1?reassignTo=2", { ...headers }),
  };
  for (const [name, request] of Object.entries(requests)) {
    test(`leaves_nothing_that_the_repair_does_not_end: ${name}`, async () => {
      let [finished, deaths] = [0, 0];
      for (const step of steps) {
        await using system = await start({
          crashable: true,
          places: village(3),
          people: [
            { id: 1, name: "Mover", isAlive: true, placeId: 1, isKing: true },
            { id: 2, name: "Ghost", isAlive: false, placeId: 3, isKing: false },
          ],
        });
        const died = await request(system, { "x-crash-after": String(step) });
        if (died.status === 599) deaths += 1;
        else finished += 1;
        assert.ok(died.status < 500 || died.status === 599, died.text);
        // Whoever comes next is told the truth, or to try again; never a 500.
        const next = await request(system, {});
        assert.ok(next.status < 500, `${step}: ${next.text}`);
        await repairAll(system.join);
        await assertIntegrity(system);
        const last = await request(system, {});
        assert.ok(last.status < 500 && last.status !== 599, `${step}: ${last.text}`);
        await repairAll(system.join);
        await assertIntegrity(system);
        if (name === "insert") {
          // The key makes one person of the three requests.
          const { json } = await system.people.get("/v1/people?name=new");
          assert.equal(json.length, 1, `step ${step}`);
        }
        if (died.status !== 599) break;
      }
      assert.equal(finished, 1, "one of the steps is behind the last call");
      assert.ok(deaths >= 3, `${deaths} deaths`);
    });
  }
});

test("hundreds_of_writers_who_race_break_no_rule_and_lose_no_acknowledged_write", async () => {
  const placesCount = 24;
  await using system = await start({ crashable: true, places: village(placesCount) });
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    // The low bits of such a sequence are hardly random.
    return (seed >>> 8) % below;
  };
  // What each person was last acknowledged to be, by the one client that writes it.
  const known = new Map<number, { version: number; isAlive: boolean } | null>();
  const acknowledged = {
    inserts: 0,
    moves: 0,
    burials: 0,
    crowns: 0,
    deletions: 0,
    refusals: 0,
    crashes: 0,
  };

  const client = async (): Promise<void> => {
    const own: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const dies = random(6) === 0;
      const headers: Record<string, string> = dies ? { "x-crash-after": `${1 + random(5)}` } : {};
      const place = 1 + random(placesCount);
      const kind = random(10);
      const id = own[random(Math.max(1, own.length))];
      let answer: ApiResponse;
      if (kind < 4 || id === undefined) {
        answer = await system.people.send("POST", "/v1/people", alive("Racer", place), headers);
        if (answer.status === 201) {
          own.push(answer.json.id);
          known.set(answer.json.id, { version: 1, isAlive: true });
          acknowledged.inserts += 1;
        }
      } else if (kind < 8) {
        const isAlive = random(4) > 0;
        const body = { isAlive, placeId: place, name: `Racer ${turn}` };
        answer = await system.people.send("PATCH", `/v1/people/${id}`, body, headers);
        if (answer.status === 200) {
          known.set(id, { version: Number(answer.etag.slice(1, -1)), isAlive });
          acknowledged[isAlive ? "moves" : "burials"] += 1;
        }
        // Of who dies it is not known what it did.
        if (answer.status === 599) known.delete(id);
      } else if (kind === 8) {
        const crown = { isKing: random(2) === 0 };
        answer = await system.people.send("PATCH", `/v1/people/${id}?depose=true`, crown, headers);
        if (answer.status === 200) {
          const version = Number(answer.etag.slice(1, -1));
          known.set(id, { version, isAlive: answer.json.isAlive });
          acknowledged.crowns += 1;
        }
        if (answer.status === 599) known.delete(id);
      } else {
        const to = random(2) === 0 ? `?reassignTo=${1 + random(placesCount)}` : "";
        answer = await system.places.request("DELETE", `/v1/places/${place}${to}`, headers);
        if (answer.status === 204) acknowledged.deletions += 1;
      }
      if (answer.status === 599) acknowledged.crashes += 1;
      else if (answer.status >= 400) acknowledged.refusals += 1;
      assert.ok(answer.status < 500 || answer.status === 599, answer.text);
    }
  };
  await Promise.all(Array.from({ length: 40 }, client));
  await repairAll(system.join);
  await assertIntegrity(system);

  for (const [id, last] of known) {
    if (!last) continue;
    const { status, json, etag } = await system.people.get(`/v1/people/${id}`);
    assert.equal(status, 200, `the person ${id} was acknowledged`);
    // Deletions move the living and let go of the dead: no more than that has been done.
    assert.equal(json.isAlive, last.isAlive);
    assert.ok(Number(etag.slice(1, -1)) >= last.version);
  }
  for (const [what, count] of Object.entries(acknowledged)) assert.ok(count > 0, what);
});

/** Everything that readers can see of a rejected request: records, versions and history. */
async function visible(system: System): Promise<unknown> {
  const { people, places } = system.db;
  return [
    await people.rows("SELECT id, name, is_alive, is_king, place_id, version FROM person"),
    await people.rows("SELECT seq, kind, person_id, version FROM person_change ORDER BY seq"),
    await places.rows("SELECT id, name, version FROM place"),
    await places.rows("SELECT seq, kind, place_id, version FROM place_change ORDER BY seq"),
  ];
}

test("a_rejected_request_has_no_effect_and_one_of_those_that_conflict_succeeds", async () => {
  const rounds = 200;
  const target = 2 * rounds + 1;
  const movers = (round: number) => [0, 1, 2, 3].map((n) => 4 * round + n + 1);
  // In each round, people of one place move to another one that is deleted meanwhile.
  await using system = await start({
    places: village(target),
    people: Array.from({ length: rounds }, (_, round) =>
      movers(round).map((id) => ({ id, isKing: false, ...alive("Mover", 2 * round + 2) })),
    ).flat(),
  });
  const outcomes = { deleted: 0, "not deleted": 0, written: 0, rejected: 0 };
  const expected = new Map<number, { placeId: number; versions: number[] }>();
  for (let round = 0; round < rounds; round += 1) {
    const [place, from] = [2 * round + 1, 2 * round + 2];
    // Half of the deletions reassign residents, and half are rejected if there are any.
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
      const version = Number(etag.slice(1, -1));
      const versions = Array.from({ length: version + (isDeleted ? 1 : 0) }, (_, n) => n + 1);
      expected.set(json.id, { placeId: isDeleted ? target : place, versions });
    }
  }
  // Accepted writes are where the last request put them. Rejected ones left no trace.
  const people = await system.db.people.rows(
    `SELECT id, place_id, (SELECT json_group_array(version ORDER BY version)
      FROM person_change WHERE person_id = id) AS versions FROM person ORDER BY id`,
  );
  const found = people.map(({ id, place_id, versions }) => [
    id,
    { placeId: place_id, versions: JSON.parse(String(versions)) },
  ]);
  assert.deepEqual(
    found,
    [...expected].toSorted(([a], [b]) => a - b),
  );
  const created = await system.db.people.rows("SELECT 1 FROM person_change WHERE version = 1");
  assert.equal(created.length, people.length, "nobody was created and removed again");
  await assertIntegrity(system);
  for (const [outcome, count] of Object.entries(outcomes)) assert.ok(count > 0, outcome);
  console.log(`${rounds} rounds: ${JSON.stringify(outcomes)}`);
});

test("a_rejection_leaves_everything_as_it_was", async () => {
  await using system = await start({
    places: village(3),
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
  const import_ = (file: string, more = "") =>
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
      import_(`name,isAlive,placeId\nA,true,1\nB,true,${missing}\n`),
    "an update with one invalid line": () =>
      import_(
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
    // An import answers 200 and lists the lines that it rejects.
    const isRejected = status >= 400 ? status < 500 : json.refusedTotal > 0;
    assert.ok(isRejected, `${name}: ${status} ${text}`);
    assert.deepEqual(await visible(system), before, name);
  }
  assert.deepEqual(await system.db.people.rows("SELECT * FROM pending_write"), []);
});
