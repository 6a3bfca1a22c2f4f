// Tests `make restore` into databases whose workers are deployed: their scheduled runs go on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Local } from "../../ops/backup/local_store.ts";
import { read } from "../../ops/backup/manifest.ts";
import { restore } from "../../ops/backup/restore.ts";
import { type Name, names } from "../../ops/workers.ts";
import { makeBackup, makeDatabases, restoreBackup } from "../support/backup_helpers.ts";
import { type System, start } from "../support/harness.ts";

/** Databases whose workers run their schedules after each step of a restore. */
class Scheduled extends Local {
  readonly #folder: string;

  constructor(folder: string) {
    super(folder);
    this.#folder = folder;
  }

  override async load(name: Name, file: string): Promise<void> {
    await super.load(name, file);
    await using system = await start({ persist: this.#folder });
    for (const worker of names) await system.runSchedule(worker);
  }
}

/** Erases a person by the backend. The gateway learns it from its next scheduled run. */
async function erasePerson({ people }: System): Promise<void> {
  const { status, text } = await people.request("DELETE", "/v1/people/5?erase=true");
  assert.equal(status, 204, text);
}

test("scheduled_runs_during_a_restore_harm_nothing", async () => {
  const data = await makeDatabases(true);
  const prepare = async () => {
    await using system = await start({ persist: data });
    const { db } = system;
    await erasePerson(system);
    // A deletion of a place with people crashed, one of an empty place did, and a response is old.
    const place = await system.join.send("POST", "/v1/places", { name: "Vacía" });
    const insert = "INSERT INTO tombstone (place_id, phase, since) VALUES";
    await db.places.rows(`${insert} (3, 'deleting', 0), (${place.json.id}, 'deleting', 0)`);
    await db.people.rows(
      "INSERT INTO idempotency (key, fingerprint, at) VALUES ('old', 'f', 1000)",
    );
    return place.json.id as number;
  };
  const empty = await prepare();
  const from = await makeBackup(data);
  const { manifest, dumps } = await read(from);
  const target = await makeDatabases(false);
  await restore(new Scheduled(target), manifest, dumps);
  // The scheduled run after the restore has finished the deletions: one place has people.
  await using system = await start({ persist: target });
  const statuses = [3, empty].map(async (id) => (await system.join.get(`/v1/places/${id}`)).status);
  assert.deepEqual(await Promise.all(statuses), [200, 404]);
  const { json } = await system.join.get("/v1/integrity");
  assert.deepEqual([json.consistent, json.deleting], [true, []]);
  const responses = await system.db.people.rows("SELECT count(*) AS n FROM idempotency");
  assert.deepEqual(responses, [{ n: 0 }]);
});

test("an_interrupted_restore_can_be_repeated_after_scheduled_runs", async () => {
  const data = await makeDatabases(true);
  const prepare = async () => {
    await using system = await start({ persist: data });
    await erasePerson(system);
    await system.db.people.rows(
      "INSERT INTO idempotency (key, fingerprint, at) VALUES ('old', 'f', 1000)",
    );
  };
  await prepare();
  const from = await makeBackup(data);
  const { manifest, dumps } = await read(from);
  const target = await makeDatabases(false);
  class Interrupted extends Scheduled {
    override async load(name: Name, file: string): Promise<void> {
      if (name === "places") throw new Error("interrupted");
      await super.load(name, file);
    }
  }
  await assert.rejects(restore(new Interrupted(target), manifest, dumps), /interrupted/);
  await restoreBackup(from, target);
  await using system = await start({ persist: target });
  const { json } = await system.join.get("/v1/integrity");
  assert.equal(json.consistent, true);
});
