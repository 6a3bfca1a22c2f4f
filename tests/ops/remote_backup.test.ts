// Tests `make backup REMOTE=1` and `make restore REMOTE=1` against a stand-in for Cloudflare's API
// with the three workers. While others write to the system, a backup reads short pages. It still
// has the state of one moment. Each command of wrangler takes two seconds, so most of this runs only
// with `ALL=1`.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { read } from "../../ops/backup/manifest.ts";
import { MAX_CHANGES } from "../../ops/backup/touched_rows.ts";
import { names } from "../../ops/workers.ts";
import {
  accountSettings,
  makeBackup,
  makeDatabases,
  newFolder,
  restoreBackup,
  runBackup,
} from "../support/backup_helpers.ts";
import { createDatabases, installWorkers } from "../support/cloudflare/install.ts";
import { Cloudflare } from "../support/cloudflare/server.ts";
import { isComplete, onlyInCompleteRuns as skip } from "../support/complete.ts";
import { start, WorkerClient } from "../support/harness.ts";
import { Random } from "../support/random.ts";

/** A search index as FTS5 stores it: a virtual table, and its tables with binary data. */
const SEARCH_INDEX = `
  CREATE VIRTUAL TABLE sample_search USING fts5(name, content='person', content_rowid='id');
  INSERT INTO sample_search (sample_search) VALUES ('rebuild');`;
const SEARCH =
  "SELECT rowid FROM sample_search WHERE sample_search MATCH 'lamister' ORDER BY rowid";

async function withCloudflare(use: (cloudflare: Cloudflare) => Promise<void>): Promise<void> {
  const cloudflare = await Cloudflare.start();
  try {
    await use(cloudflare);
    assert.deepEqual(cloudflare.unknown, []);
  } finally {
    await cloudflare.stop();
  }
}

async function backUp(cloudflare: Cloudflare): Promise<string> {
  const to = newFolder();
  const { code, output } = await runBackup("backup", { ...accountSettings(cloudflare), TO: to });
  assert.equal(code, 0, output);
  return to;
}

async function restoreTo(cloudflare: Cloudflare, from: string): Promise<void> {
  const settings = accountSettings(cloudflare);
  const { code, output } = await runBackup("restore", { ...settings, FROM: from });
  assert.equal(code, 0, output);
}

test("a_remote_restore_and_a_remote_backup_preserve_every_table", async () => {
  const from = await makeBackup(await makeDatabases(true));
  for (const isMigrated of isComplete ? [true, false] : [true]) {
    await withCloudflare(async (cloudflare) => {
      await createDatabases(cloudflare, "staging", isMigrated);
      await restoreTo(cloudflare, from);
      const to = await backUp(cloudflare);
      const [before, after] = [(await read(from)).manifest, (await read(to)).manifest];
      assert.deepEqual([before.source, after.source], ["local", "staging"]);
      for (const name of names)
        assert.deepEqual(after.databases[name].tables, before.databases[name].tables, name);
    });
  }
});

test("no_command_uses_a_remote_database_of_another_project", async () => {
  const from = await makeBackup(await makeDatabases(true));
  await withCloudflare(async (cloudflare) => {
    await createDatabases(cloudflare, "staging", false);
    // Names of tables alone do not show whose they are.
    const customers = "CREATE TABLE schema (name TEXT); INSERT INTO schema VALUES ('Ana')";
    await cloudflare.query("people-staging", customers);
    const settings = { ...accountSettings(cloudflare), FROM: from, TO: newFolder() };
    const tasks = isComplete ? (["restore", "epoch", "backup"] as const) : (["restore"] as const);
    for (const task of tasks) {
      const { code, output } = await runBackup(task, settings);
      assert.equal(code, 1, output);
      const message = "the database people-staging has tables that are not of this project";
      assert.match(output, new RegExp(`^» failed: ${message}: set ENV .*\\n$`));
    }
    const rows = await cloudflare.query("people-staging", "SELECT * FROM schema");
    assert.deepEqual(rows, [{ name: "Ana" }]);
  });
});

test("a_backup_of_a_database_with_a_search_index_restores_a_working_index", { skip }, async () => {
  const data = await makeDatabases(true);
  const found = await withSystem(data, async (system) => {
    await system.db.people.exec(SEARCH_INDEX);
    return system.db.people.rows(SEARCH);
  });
  assert.ok(found.length > 1);
  const from = await makeBackup(data);
  const target = newFolder();
  await restoreBackup(from, target);
  // An empty database with a search index is empty.
  const indexed = await makeDatabases(false);
  await withSystem(indexed, (system) => system.db.people.exec(SEARCH_INDEX));
  await restoreBackup(from, indexed);
  for (const restored of [target, indexed]) {
    await withSystem(restored, async (system) =>
      assert.deepEqual(await system.db.people.rows(SEARCH), found),
    );
  }
  await withCloudflare(async (cloudflare) => {
    await createDatabases(cloudflare, "staging", true);
    await restoreTo(cloudflare, from);
    assert.deepEqual(await cloudflare.query("people-staging", SEARCH), found);
    await restoreBackup(await backUp(cloudflare), newFolder());
  });
});

async function withSystem<T>(
  persist: string,
  use: (system: Awaited<ReturnType<typeof start>>) => Promise<T>,
): Promise<T> {
  await using system = await start({ persist });
  return await use(system);
}

suite("a remote backup during writes", { skip }, () => {
  /** People in the places 1 to 100. */
  const fill = (count: number) => `
    INSERT INTO bulk_insert (id, after_seq, last_id, at) VALUES (1, 0, 0, 1700000000000);
    INSERT INTO person (id, name, name_key, is_alive, is_king, place_id)
    WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${count})
    SELECT value, 'P' || value, 'p' || value, 1, 0, 1 + value % 100 FROM n;
    DELETE FROM bulk_insert;`;

  test("a_backup_is_the_state_of_one_moment_of_each_database", async () => {
    const random = new Random(7);
    await withCloudflare(async (cloudflare) => {
      await createDatabases(cloudflare, "staging", true);
      await installWorkers(cloudflare, "staging");
      const gateway = new WorkerClient(new URL(await cloudflare.publish("join-staging")));
      const numbers = Array.from({ length: 12_000 }, (_, index) => index + 1);
      const values = numbers.slice(0, 100).map((id) => `(${id}, 'L${id}', 'l${id}')`);
      await cloudflare.query(
        "places-staging",
        `INSERT INTO place (id, name, name_key) VALUES ${values.join(",")}`,
      );
      await cloudflare.query("people-staging", fill(12_000));
      const id = () => 1 + Math.floor(random.next() * 12_000);
      const place = () => 2 + Math.floor(random.next() * 98);
      const isDeleting = { on: true };
      const steps = [
        () => gateway.send("PATCH", `/v1/people/${id()}`, { name: `N${id()}` }),
        () => gateway.send("PATCH", `/v1/people/${id()}`, { placeId: place() }),
        () => gateway.send("PATCH", `/v1/people/${id()}`, { isAlive: false }),
        () => gateway.request("DELETE", `/v1/people/${id()}`),
        () =>
          gateway.send(
            "POST",
            "/v1/people",
            { name: "Ñ", isAlive: true, placeId: place() },
            { "idempotency-key": `key-${id()}` },
          ),
        () => gateway.send("POST", "/v1/places", { name: `M${random.next()}` }),
        () =>
          isDeleting.on
            ? gateway.request("DELETE", `/v1/places/${place()}?reassignTo=1`)
            : gateway.get("/v1"),
      ];
      let writes = 0;
      let queries = 0;
      cloudflare.beforeQuery = async () => {
        queries += 1;
        // Places are deleted only at first, because a deletion in each attempt would never end.
        isDeleting.on = queries < 40;
        for (const step of steps) {
          const { status } = await step();
          assert.ok(status < 500, `${status}`);
          writes += 1;
        }
      };
      const from = await backUp(cloudflare);
      cloudflare.beforeQuery = () => {};
      assert.ok(writes > 100, `${writes} writes during ${queries} queries`);

      // No query reads much at once.
      for (const { rows, bytes, sql } of cloudflare.queries) {
        assert.ok(bytes < 2_000_000 && rows <= 6_000 + 6 * MAX_CHANGES, `${rows} ${bytes} ${sql}`);
      }
      const pages = cloudflare.queries.filter(({ sql }) =>
        / FROM "person" {1,2}(WHERE|ORDER)/.test(sql),
      );
      assert.ok(pages.length >= 3, `${pages.length} pages`);

      const { manifest } = await read(from);
      const { counter } = manifest.databases.people;
      const [last] = await cloudflare.query(
        "people-staging",
        "SELECT max(seq) AS n FROM person_change",
      );
      assert.ok(counter > 12_000 && counter < last?.n, `${counter} of ${last?.n}`);
      const target = newFolder();
      await restoreBackup(from, target);
      await using restored = await start({ persist: target });
      const rows = (sql: string) => restored.db.people.rows(sql);
      // The log is that of the system, and all tables follow from it.
      const log = await cloudflare.query(
        "people-staging",
        `SELECT * FROM person_change WHERE seq <= ${counter} ORDER BY seq`,
      );
      assert.deepEqual(await rows("SELECT * FROM person_change ORDER BY seq"), log);
      const lastStates = `SELECT person_id, name, is_alive, is_king, place_id, version
        FROM person_change AS c
        WHERE kind <> 'deleted' AND NOT EXISTS (
          SELECT 1 FROM person_change WHERE person_id = c.person_id AND version > c.version
        ) ORDER BY person_id`;
      const people = `SELECT id AS person_id, name, is_alive, is_king, place_id, version
        FROM person ORDER BY id`;
      assert.deepEqual(await rows(people), await rows(lastStates));
      assert.deepEqual(
        await rows("SELECT id FROM person WHERE name_key <> lower(name) AND name <> 'Ñ'"),
        [],
      );
      const counted = `SELECT coalesce(place_id, 0) AS place_id, sum(is_alive) AS living,
          sum(1 - is_alive) AS dead FROM person GROUP BY 1 ORDER BY 1`;
      assert.deepEqual(
        await rows("SELECT place_id, living, dead FROM population ORDER BY place_id"),
        await rows(counted),
      );
      // The history until the last millisecond of the backup is that of the system.
      const [{ at } = {}] = await rows("SELECT max(at) AS at FROM person_change");
      const history = `SELECT * FROM population_history WHERE at < ${at} ORDER BY place_id, at`;
      assert.deepEqual(await rows(history), await cloudflare.query("people-staging", history));
      const latest = `SELECT place_id, living, dead FROM population_history AS h
        WHERE place_id > 0 AND living + dead > 0 AND NOT EXISTS (
          SELECT 1 FROM population_history WHERE place_id = h.place_id AND at > h.at
        ) ORDER BY place_id`;
      assert.deepEqual(
        await rows(latest),
        await rows(
          "SELECT place_id, living, dead FROM population WHERE place_id > 0 ORDER BY place_id",
        ),
      );
      // Each stored response belongs to a change of the backup.
      const orphans = `SELECT key FROM idempotency AS i WHERE NOT EXISTS (
        SELECT 1 FROM person_change WHERE person_id = i.record_id AND version = i.version
      )`;
      assert.deepEqual(await rows(orphans), []);
      const created =
        "SELECT count(*) AS n FROM person_change WHERE kind = 'created' AND seq > 12000";
      assert.deepEqual(await rows("SELECT count(*) AS n FROM idempotency"), await rows(created));
      for (const _ of [1, 2])
        await restored.join.request("POST", "/v1/integrity/repair?olderThan=0");
      const { json } = await restored.join.get("/v1/integrity");
      assert.deepEqual([json.consistent, json.deleting, json.pending], [true, [], []]);
    });
  });
});
