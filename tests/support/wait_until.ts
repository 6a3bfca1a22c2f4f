// Waits for asynchronous effects by polling.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

/** Polls a condition, and fails if it does not become true in time. An exception counts as false. */
export async function waitUntil(
  description: string,
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 30_000,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; ) {
    if (await (async () => condition())().catch(() => false)) return;
    await sleep(50);
  }
  assert.fail(`not within ${timeoutMs / 1000} seconds: ${description}`);
}
