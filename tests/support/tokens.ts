// Access tokens as clients send them and as the setting `TOKENS` stores them.
import { createHash } from "node:crypto";

export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
