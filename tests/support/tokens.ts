// Makes access tokens, as clients send them and as the setting `TOKENS` stores them.
import { createHash } from "node:crypto";

export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

export const readToken = "a-token-with-scope-read";
export const writeToken = "a-token-with-scope-write";
export const adminToken = "a-token-with-scope-admin";

/** The setting for the three tokens. The space after a comma is allowed. */
export const TOKENS = [
  `read:rosa:${tokenHash(readToken)}`,
  `write:anna:${tokenHash(writeToken)}`,
  ` admin:ops:${tokenHash(adminToken)}`,
].join();
