// Waiting for asynchronous effects by polling.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Polls a condition, and fails if it does not become true within 30 seconds. An exception counts
 * as false. */
export async function waitUntil(
  description: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    if (await condition().catch(() => false)) return;
    await sleep(50);
  }
  assert.fail(`not within 30 seconds: ${description}`);
}
