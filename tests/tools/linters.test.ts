// The linters Redocly and Spectral find nothing wrong in the OpenAPI documents.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { suite, test } from "node:test";

function run(program: string, args: string[]): Promise<{ code: unknown; output: string }> {
  const env = { ...process.env, NO_COLOR: "1", REDOCLY_TELEMETRY: "off" };
  const options = { cwd: import.meta.dirname, env, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((done) => {
    execFile(program, args, options, (error, stdout, stderr) =>
      done({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

for (const name of ["places", "people", "join"]) {
  suite(`the OpenAPI document of ${name}`, () => {
    const file = `../../openapi/${name}.json`;

    test("redocly_finds_nothing", async () => {
      const { code, output } = await run("redocly", ["lint", file, "--config", "redocly.yaml"]);
      assert.equal(code, 0, output);
      assert.doesNotMatch(output, /\d+ (error|warning)/, output);
    });

    test("spectral_finds_nothing", async () => {
      const args = ["lint", file, "--ruleset", "spectral.yaml", "--fail-severity", "hint"];
      const { code, output } = await run("spectral", args);
      assert.equal(code, 0, output);
    });
  });
}
