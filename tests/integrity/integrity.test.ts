// Two registers in two databases, and no rule broken: by writers who race, and by any of them
// dying at any step. crates/model tries the protocol itself; here it is the built workers.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assertIntegrity, repaired } from "../support/assert_integrity.ts";
import { type Answer, type System, start } from "../support/harness.ts";

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
    "INSERT INTO tombstone (place_id, phase, since) VALUES (1, 'going', 0)",
  );
  await system.db.people.exec("UPDATE person SET unsettled_since = 0 WHERE id = 3");
  const before = (await system.join.get("/v1/integrity")).json;
  assert.deepEqual(before, {
    isSound: false,
    isComplete: true,
    ofNoPlace: [
      { placeId: 7, living: 1, dead: 0 },
      { placeId: 8, living: 0, dead: 1 },
    ],
    doubleKings: [],
    halfDeleted: [{ placeId: 1, isGone: false, reassignTo: null }],
    unsettled: [{ id: 3, version: 1, placeId: 2 }],
  });
  const plan = {
    deletions: [{ placeId: 1, isGone: false, reassignTo: null, action: "finish" }],
    unsettled: [{ id: 3, version: 1, placeId: 2, action: "settle" }],
    released: [{ placeId: 8, dead: 1 }],
    byHand: [
      {
        placeId: 7,
        living: 1,
        mend: "PATCH each of them with the placeId of a place that exists.",
      },
    ],
  };
  const dry = await system.join.ask("POST", "/v1/integrity/repair?dryRun=true");
  assert.deepEqual(dry.json, { dryRun: true, ...plan });
  assert.deepEqual((await system.join.get("/v1/integrity")).json, before);

  const done = await system.join.ask("POST", "/v1/integrity/repair");
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
  const requests: Record<string, (system: System, headers: object) => Promise<Answer>> = {
    insert: ({ people }, headers) =>
      people.send("POST", "/v1/people", alive("New", 2), { ...headers, "idempotency-key": "k" }),
    put: ({ people }, headers) =>
      people.send("PUT", "/v1/people/77", alive("New", 2), { ...headers }),
    move: ({ people }, headers) =>
      people.send("PATCH", "/v1/people/1", { placeId: 2 }, { ...headers }),
    resurrection: ({ people }, headers) =>
      people.send("PATCH", "/v1/people/2", { isAlive: true, placeId: 2 }, { ...headers }),
    deletion: ({ places }, headers) => places.ask("DELETE", "/v1/places/3", { ...headers }),
    refused_deletion: ({ places }, headers) => places.ask("DELETE", "/v1/places/1", { ...headers }),
    reassigning_deletion: ({ places }, headers) =>
      places.ask("DELETE", "/v1/places/1?reassignTo=2", { ...headers }),
  };
  for (const [name, request] of Object.entries(requests)) {
    test(`leaves_nothing_that_the_repair_does_not_end: ${name}`, async () => {
      let [finished, deaths] = [0, 0];
      for (const step of steps) {
        await using system = await start({
          crashing: true,
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
        await repaired(system.join);
        await assertIntegrity(system);
        const last = await request(system, {});
        assert.ok(last.status < 500 && last.status !== 599, `${step}: ${last.text}`);
        await repaired(system.join);
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
  await using system = await start({ crashing: true, places: village(placesCount) });
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
      let answer: Answer;
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
        answer = await system.places.ask("DELETE", `/v1/places/${place}${to}`, headers);
        if (answer.status === 204) acknowledged.deletions += 1;
      }
      if (answer.status === 599) acknowledged.crashes += 1;
      else if (answer.status >= 400) acknowledged.refusals += 1;
      assert.ok(answer.status < 500 || answer.status === 599, answer.text);
    }
  };
  await Promise.all(Array.from({ length: 40 }, client));
  await repaired(system.join);
  await assertIntegrity(system);

  for (const [id, last] of known) {
    if (!last) continue;
    const { status, json, etag } = await system.people.get(`/v1/people/${id}`);
    assert.equal(status, 200, `the person ${id} was acknowledged`);
    // Deletions move the living and let go of the dead: no more than that has been done.
    assert.equal(json.isAlive, last.isAlive);
    assert.ok(Number(etag.slice(1, -1)) >= last.version);
    const history = (await system.people.get(`/v1/people/${id}/history?limit=1000`)).json;
    const undone = history.find(
      (change: { version: number; kind: string }) =>
        change.kind === "undone" && change.version === last.version + 1,
    );
    assert.equal(undone, undefined, `${id} was acknowledged in version ${last.version}`);
  }
  for (const [what, count] of Object.entries(acknowledged)) assert.ok(count > 0, what);
});
