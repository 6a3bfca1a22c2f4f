// Schemathesis makes requests out of the document, thousands of them, valid and not, one by one
// and in chains by the links, and holds each answer against it. What it is to leave out, and why,
// is in schemathesis/schemathesis.toml.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { start } from "../support/harness.ts";

const command = resolve(import.meta.dirname, "../../.tools/python/bin/schemathesis");
const skip = existsSync(command) ? false : "there is no Python 3.11 with venv here";
const token = "a-token-for-schemathesis";

test("every answer is one that the document tells of", { skip, timeout: 300_000 }, async () => {
  const TOKENS = `admin:${createHash("sha256").update(token).digest("hex")}`;
  await using system = await start({ seed: true, gatewaySettings: { TOKENS } });
  const args = ["run", "../../../openapi/join.json", "--url", system.join.url.origin];
  const options = {
    cwd: resolve(import.meta.dirname, "schemathesis"),
    env: { ...process.env, WRITE_TOKEN: token, NO_COLOR: "1", PYTHONDONTWRITEBYTECODE: "1" },
    maxBuffer: 64 * 1024 * 1024,
  };
  const { code, output } = await new Promise<{ code: unknown; output: string }>((done) => {
    execFile(command, [...args, "--max-examples", "20"], options, (error, stdout, stderr) =>
      done({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
  assert.equal(code, 0, output);
  const passed = Number(/generated, (\d+) passed/.exec(output)?.[1]);
  assert.ok(passed > 2_000, output);
});
