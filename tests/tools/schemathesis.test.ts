// Schemathesis generates thousands of valid and invalid requests from the OpenAPI document, and
// compares each response with the document. schemathesis/schemathesis.toml lists the exceptions.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { start } from "../support/harness.ts";
import { tokenHash } from "../support/tokens.ts";

const command = resolve(import.meta.dirname, "../../.tools/python/bin/schemathesis");
const skip = existsSync(command) ? false : "needs Python 3.11 with venv";
const token = "a-token-for-schemathesis";

test("every_response_to_generated_requests_conforms_to_the_document", {
  skip,
  timeout: 300_000,
}, async () => {
  const TOKENS = `admin:ops:${tokenHash(token)}`;
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
