// The commands that a document shows, run one after the other against a system: what they print
// must be what stands below them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** The commands of a document, each with what it prints. */
function commands(text: string): { command: string; printed: string }[] {
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(
    ([, block]) => block ?? "",
  );
  return blocks.flatMap((block) => {
    const entries = `\n${block}`.split("\n$ ").slice(1);
    return entries.map((entry) => {
      const [command = ""] = /^(?:.*\\\n)*.*/.exec(entry) ?? [];
      return { command, printed: entry.slice(command.length).trim() };
    });
  });
}

/** The names of headers have no case, and what a request is called is new each time. */
const plain = (printed: string) =>
  printed
    .trim()
    .replace(/,"requestId":"[0-9a-f]{32}"/, "")
    .replace(/\r/g, "")
    .replace(/^[\w-]+(?=: )/gm, (name) => name.toLowerCase());

/** Runs a document's commands against the entry point, over fresh data. */
export async function assertDocCommands(document: string, entry: URL): Promise<void> {
  const shown = commands(readFileSync(resolve(root, document), "utf8"));
  assert.ok(shown.length >= 5);
  for (const { command, printed } of shown) {
    const here = command.replaceAll("localhost:5003", entry.host);
    const { stdout } = await run("bash", ["-c", here], { cwd: root });
    assert.equal(plain(stdout), plain(printed), command);
  }
}
