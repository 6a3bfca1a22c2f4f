// Tests a batch whose records change between its reads and its write. The batch is held before each
// of its calls of the database, and another request changes one of its records meanwhile.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { assertIntegrity } from "../support/assert_integrity.ts";
import { type ApiResponse, start } from "../support/harness.ts";
import { heldCalls, whileHeld } from "../support/held_calls.ts";
import { people, places } from "../support/write_helpers.ts";

const system = await start({ places, people, wrappers: { places: heldCalls, people: heldCalls } });
after(() => system.dispose());

/** The ids of two records of each collection. */
const [first, second] = [1, 2];

type Operation = { op: string; id: number; ifMatch?: string | undefined; body: object };

/** The outcome of a batch: its status, or the problem of its first operation. */
const outcome = ({ status, json }: ApiResponse) => json.results?.[0].problem?.type ?? status;

for (const collection of ["places", "people"] as const) {
  const worker = system[collection];
  const read = (id: number) => worker.get(`/v1/${collection}/${id}`);
  const rename = async (id: number, name: string) => {
    const { status, text } = await worker.send("PATCH", `/v1/${collection}/${id}`, { name });
    assert.equal(status, 200, text);
  };

  /** Sends a batch once for each of its calls of the database. While the call is held, the first
   * record gets the name `other`. Returns the number of calls. */
  async function eachCall(
    operations: (etag: string | undefined) => Operation[],
    other: string,
    check: (response: ApiResponse, call: number) => Promise<void>,
  ): Promise<number> {
    for (let call = 1; ; call += 1) {
      await rename(first, "First");
      await rename(second, "Second");
      const { etag } = await read(first);
      const response = await whileHeld(
        worker,
        call,
        (headers) => worker.send("POST", `/v1/${collection}/batch`, operations(etag), headers),
        () => rename(first, other),
      );
      if (!response) return call - 1;
      await check(response, call);
    }
  }

  const update = (id: number, body: object, ifMatch?: string) => ({
    op: "update",
    id,
    body,
    ...(ifMatch && { ifMatch }),
  });

  test(`a_batch_of_${collection}_holds_the_if_match_of_an_operation_without_a_change`, async () => {
    const calls = await eachCall(
      (etag) => [update(first, {}, etag), update(second, { name: "Third" })],
      "Other",
      async (response, call) => {
        const text = `call ${call}: ${response.text}`;
        assert.equal(outcome(response), "/problems/precondition-failed", text);
        assert.equal((await read(second)).json.name, "Second", text);
      },
    );
    assert.ok(calls >= 3, `${calls} calls`);
    await assertIntegrity(system);
  });

  test(`the_${collection}_of_a_batch_have_the_wanted_values_at_one_moment`, async () => {
    const calls = await eachCall(
      () => [update(first, { name: "First" }), update(second, { name: "Third" })],
      "Other",
      async (response, call) => {
        const text = `call ${call}: ${response.text}`;
        assert.equal(outcome(response), 200, text);
        const [one, two] = [await read(first), await read(second)];
        assert.deepEqual([one.json.name, two.json.name], ["First", "Third"], text);
        assert.deepEqual(
          [one.etag, two.etag],
          response.json.map(({ etag }: ApiResponse) => etag),
        );
      },
    );
    assert.ok(calls >= 3, `${calls} calls`);
    await assertIntegrity(system);
  });

  test(`a_batch_of_${collection}_with_the_tag_of_an_earlier_state_is_rejected`, async () => {
    // The other request writes what the batch wants.
    const calls = await eachCall(
      (etag) => [update(first, { name: "Wanted" }, etag)],
      "Wanted",
      async (response, call) => {
        const text = `call ${call}: ${response.text}`;
        assert.equal(outcome(response), "/problems/precondition-failed", text);
      },
    );
    assert.ok(calls >= 3, `${calls} calls`);
  });

  test(`unchanged_${collection}_of_an_import_are_compared_when_the_others_are_written`, async () => {
    for (const mode of ["upsert", "patch"]) {
      const stored = await Promise.all([first, second].map(async (id) => (await read(id)).json));
      const wanted = ["First", "Third"].map((name, n) => ({ ...stored[n], name }));
      const file = wanted.map((record) => `${JSON.stringify(record)}\n`).join("");
      for (let call = 1; ; call += 1) {
        await rename(first, "First");
        await rename(second, "Second");
        const path = `/v1/${collection}/import?mode=${mode}`;
        const type = { "content-type": "application/x-ndjson" };
        const response = await whileHeld(
          worker,
          call,
          (headers) => worker.request("POST", path, { ...type, ...headers }, file),
          () => rename(first, "Other"),
        );
        if (!response) {
          assert.ok(call > 2, `${call} calls`);
          break;
        }
        const text = `${mode}, call ${call}: ${response.text}`;
        assert.deepEqual([response.json.updated, response.json.unchanged], [2, 0], text);
        assert.deepEqual((await read(first)).json, wanted[0], text);
      }
    }
    await assertIntegrity(system);
  });
}
