// Tests the log of a container, and the ports of the container test.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { logLine } from "../../ops/containers/log_line.ts";
import { plans } from "../../ops/containers/plan.ts";
import { waitUntil } from "../support/wait_until.ts";
import { portsInUse } from "./containers/ports.ts";

/** A server on a free port. */
async function listening() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as { port: number }).port };
}

/** Sends the head of a request, and waits for the response or the end of the connection. */
async function send(port: number, host: string): Promise<void> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.write(`GET /v1/places/1 HTTP/1.1\r\nHost: ${host}\r\n\r\n`, "latin1");
  await Promise.race([once(socket, "data"), once(socket, "close")]);
  socket.destroy();
}

test("a_malformed_host_writes_no_control_character_to_the_log_of_a_container", async () => {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  const plansFile = join(folder, "plans.json");
  writeFileSync(plansFile, JSON.stringify({ places: plans().places }));
  const { server, port } = await listening();
  server.close();
  const child = spawn(process.execPath, ["ops/containers/serve.ts", "places", plansFile], {
    env: {
      PATH: process.env.PATH,
      HOST: "127.0.0.1",
      PORT: `${port}`,
      DATA: join(folder, "data"),
      PEOPLE_URL: "http://127.0.0.1:1",
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  try {
    await waitUntil("the container listens", async () => output.includes("places listens"));
    const hosts = ["\x1b[31mred", "\x1b]0;title\x07x", "a b\tc"];
    for (const host of hosts) await send(port, host);
    await waitUntil(
      "the log has a line for each",
      async () => output.match(/invalid hostname/g)?.length === hosts.length,
    );
    assert.match(output, /host = \\u001b\[31mred/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
    assert.doesNotMatch(output, /[\0-\x09\x0b-\x1f\x7f-\x9f]/);
  } finally {
    child.kill();
    await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a_log_line_has_no_line_break_and_no_bidirectional_control", () => {
  assert.equal(
    logLine("a\nb\r\u2028\u202e\u{e0001}ñ\n"),
    "a\\u000ab\\u000d\\u2028\\u202e\\ue0001ñ",
  );
  assert.equal(logLine('{"level":"info"}'), '{"level":"info"}');
});

test("the_container_test_names_the_ports_that_are_in_use", async () => {
  const used = await listening();
  const other = await listening();
  try {
    assert.match(
      (await portsInUse([used.port])) ?? "",
      new RegExp(`^port ${used.port} of .* is in`),
    );
    const both = (await portsInUse([used.port, other.port])) ?? "";
    assert.match(both, new RegExp(`^ports ${used.port}, ${other.port} of .* are in use: stop`));
    other.server.close();
    await once(other.server, "close");
    assert.equal(await portsInUse([other.port]), undefined);
  } finally {
    used.server.close();
  }
});
