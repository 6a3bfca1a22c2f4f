const entry = /^(?:read|write|admin):[A-Za-z0-9._@-]{1,64}:[0-9A-Fa-f]{64}$/;

/** Rejects a setting `TOKENS` with an entry that the workers would reject. The message does not show
 * the hashes. */
export function checkTokens(setting: string | undefined): void {
  for (const [index, text] of (setting ?? "").split(",").entries()) {
    const trimmed = text.trim();
    if (trimmed === "" || entry.test(trimmed)) continue;
    const fault = trimmed.split(":").length === 2 ? "has no name" : "is malformed";
    throw new InvalidTokens(
      `entry ${index + 1} of TOKENS ${fault}: write it as scope:name:hash, such as write:anna:9f86… (docs/operations.md)`,
    );
  }
}

export class InvalidTokens extends Error {}
