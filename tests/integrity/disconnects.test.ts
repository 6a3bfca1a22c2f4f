// A client disconnects during each database call of a write. The write is completed without the
// client and without a repair, so nothing stays half done.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type WriteCase, writeKinds } from "../chaos/write_cases.ts";
import { assertIntegrity } from "../support/assert_integrity.ts";
import { pausingDatabase } from "../support/disconnect.ts";
import { type System, start, WorkerClient } from "../support/harness.ts";
import { waitUntil } from "../support/wait_until.ts";

const backends = ["places", "people"] as const;
type Backend = (typeof backends)[number];

/** Sends each request to the backend that owns its path, without the gateway. */
class DirectClient extends WorkerClient {
  readonly #system: System;

  constructor(system: System) {
    super(system.join.url);
    this.#system = system;
  }

  override request(...[method, path, headers, body]: Parameters<WorkerClient["request"]>) {
    const owner = backends.find((backend) => path.startsWith(`/v1/${backend}`)) ?? "join";
    const client = new WorkerClient(this.#system[owner].url);
    if (this.signal) client.signal = this.signal;
    return client.request(method, path, headers, body);
  }
}

/** Sends a write, and disconnects during the Nth call of a database. Returns false if the write makes
 * fewer calls. */
async function disconnectDuring(
  system: System,
  client: WorkerClient,
  { send, observe }: WriteCase,
  [backend, call, key]: [Backend, number, string],
): Promise<boolean> {
  const headers = { "idempotency-key": key };
  const before = await observe();
  const disconnection = new AbortController();
  client.signal = disconnection.signal;
  await system[backend].request("POST", `/pause?at=${call}`);
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  const response = send(headers).then(done, done);
  while (!isDone && !(await system[backend].get("/pause")).json) await sleep(5);
  const isInTime = !isDone;
  disconnection.abort();
  await response;
  await system[backend].request("POST", "/pause?at=0");
  delete client.signal;
  if (!isInTime) return false;

  const description = `disconnected during call ${call} of ${backend}`;
  await waitUntil(`${description}: the write is completed`, async () => {
    const pending = await system.db.people.rows("SELECT 1 FROM pending_write");
    const deleting = await system.db.places.rows("SELECT 1 FROM tombstone");
    return (await observe()) !== before && pending.length + deleting.length === 0;
  });
  const after = await observe();
  const { status, text } = await send(headers);
  assert.ok(status < 300 || status === 404, `${description}: ${text}`);
  assert.equal(await observe(), after, `${description}: a retry has no effect`);
  return true;
}

// Each test has a system of its own, and waits for half of the time.
suite("a client that disconnects during any database call", { concurrency: 2 }, () => {
  for (const [name, kind] of Object.entries(writeKinds)) {
    test(`${name.replaceAll(" ", "_")}_is_completed_without_the_client`, async () => {
      await using system = await start({
        wrappers: { places: pausingDatabase, people: pausingDatabase },
      });
      let [number, disconnections] = [0, 0];
      for (const client of [new WorkerClient(system.join.url), new DirectClient(system)]) {
        const view: System = Object.create(system, { join: { value: client } });
        for (const backend of backends) {
          for (let call = 1; ; call += 1) {
            assert.ok(call < 20, `more than 20 calls of ${backend}`);
            number += 1;
            const write = await kind(view, number);
            const target: [Backend, number, string] = [backend, call, `key-${number}`];
            if (!(await disconnectDuring(system, client, write, target))) break;
            disconnections += 1;
          }
        }
      }
      assert.ok(disconnections >= 2, `${disconnections} disconnections`);
      await assertIntegrity(system);
    });
  }
});
