// openapi-python-client generates a client from the OpenAPI document. Ten calls of the running
// system return typed results, also for errors.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { start } from "../support/harness.ts";
import { tokenHash } from "../support/tokens.ts";

const python = resolve(import.meta.dirname, "../../.tools/python/bin");
const skip = existsSync(`${python}/openapi-python-client`) ? false : "needs Python 3.11 with venv";
const token = "a-token-for-the-generated-client";

/** The generator supports no CSV and no NDJSON as the body of a request: two warnings per import. */
const MAX_WARNINGS = 4;

function run(program: string, args: string[]): Promise<string> {
  const options = {
    cwd: import.meta.dirname,
    env: { ...process.env, NO_COLOR: "1", COLUMNS: "80" },
  };
  return new Promise((done, fail) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) fail(new Error(`${program}: ${stdout}${stderr}`));
      else done(stdout + stderr);
    });
  });
}

test("a_generated_python_client_has_typed_results_and_errors", {
  skip,
  timeout: 120_000,
}, async () => {
  await using system = await start({
    seed: true,
    gatewaySettings: { TOKENS: `write:anna:${tokenHash(token)}` },
  });
  const folder = mkdtempSync(join(tmpdir(), "generated-"));
  try {
    const output = await run(`${python}/openapi-python-client`, [
      ...["generate", "--path", "../../openapi/join.json", "--meta", "none"],
      ...["--config", "openapi_python_client.yml", "--output-path", join(folder, "registry")],
    ]);
    const warnings = output.match(/^WARNING /gm) ?? [];
    assert.ok(warnings.length <= MAX_WARNINGS, output);
    const url = system.join.url.origin;
    const lines = await run(`${python}/python`, ["python_client.py", folder, url, token]);
    const results = lines
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const person = { id: 1, name: "Sensei Lamister", type: "PersonWithPlace" };
    const place = { id: 3, name: "Veranolandia", type: "PlaceWithPeople" };
    const statistics = { id: 1, name: "Descaro del Rey", living: 4, type: "Statistics" };
    assert.deepEqual(results, [
      { call: "list", status: 200, ...person },
      { call: "read", status: 200, ...person },
      { call: "join", status: 200, ...place },
      { call: "statistics", status: 200, ...statistics },
      { call: "create", status: 201, id: 31, name: "Nueva", type: "Place" },
      { call: "missing", status: 404, type: "ReadPersonResponse404", problem: "NOT_FOUND" },
      { call: "taken", status: 409, type: "CreatePlaceResponse409", problem: "NAME_TAKEN", id: 3 },
      {
        ...{ call: "outdated", status: 412, type: "ChangePlaceResponse412" },
        problem: "PRECONDITION_FAILED",
      },
      { call: "invalid", status: 422, type: "CreatePlaceResponse422", problem: "INVALID_RECORD" },
      { call: "delete", status: 204, type: "NoneType" },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
