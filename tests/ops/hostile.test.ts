// Runs each scenario with hostile clients for a short time. `make chaos` is the full run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runHostile, scenarios } from "../chaos/hostile.ts";
import { onlyInCompleteRuns as skip } from "../support/complete.ts";

for (const name of Object.keys(scenarios)) {
  test(`other_clients_read_in_time_despite_${name.replaceAll(" ", "_")}`, { skip }, async () => {
    const results = await runHostile({ scale: 0.05, names: [name] });
    assert.deepEqual(Object.keys(results), [name]);
  });
}
