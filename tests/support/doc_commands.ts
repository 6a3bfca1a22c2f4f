// Runs the commands that a document shows, in order, and compares their output with the output that
// the document shows.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { EPOCH } from "./fixtures.ts";
import { tokenHash } from "./tokens.ts";

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** The tokens in the commands, by the names of their variables. */
const tokens = { ANNA: "a-token-of-anna-to-write", OTTO: "a-token-of-otto-to-write" };

/** The settings of the gateway: writes are open, as after `make dev`, and the tokens are known. */
export const documentedSettings = {
  WRITES: "open",
  TOKENS: `write:anna:${tokenHash(tokens.ANNA)}, write:otto:${tokenHash(tokens.OTTO)}`,
};

/** The commands in a document's console blocks, each with the output below it. */
function parseCommands(text: string): { command: string; output: string }[] {
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(
    ([, block]) => block ?? "",
  );
  return blocks.flatMap((block) => {
    const entries = `\n${block}`.split("\n$ ").slice(1);
    return entries.map((entry) => {
      const [command = ""] = /^(?:.*\\\n)*.*/.exec(entry) ?? [];
      return { command, output: entry.slice(command.length).trim() };
    });
  });
}

/** Removes what differs between runs: the case of header names, and request ids. */
const normalizeOutput = (output: string) =>
  output
    .trim()
    .replace(/,"requestId":"[0-9a-f]{32}"/, "")
    // The documents show the responses without allowed origins, except those about CORS.
    .replace(/^vary: accept, origin$/gim, "vary: accept")
    .replace(/"at":"[^"]+"(?=,"collection")/g, '"at":"…"')
    .replace(/\r/g, "")
    .replace(/^[\w-]+(?=: )/gm, (name) => name.toLowerCase());

/** A complete response without the headers, and the body, that the document leaves out. */
function shownPart(output: string, documented: string): string {
  if (!documented.startsWith("HTTP/")) return output;
  const [head = "", body = ""] = output.split(/\n\n(.*)/s);
  const [shownHead = "", showsBody] = documented.split("\n\n");
  const shown = shownHead.split("\n");
  const names = shown.map((line) => line.split(":")[0]);
  const [status, ...headers] = head.split("\n");
  const kept = headers.filter((line) => names.includes(line.split(":")[0]));
  // An intermediary may change the order of headers.
  const inOrder = names.flatMap((name) => kept.filter((line) => line.split(":")[0] === name));
  return [[status, ...inOrder].join("\n"), ...(showsBody ? [body] : [])].join("\n\n");
}

/** Replaces the epoch of the documents by that of a gateway's databases, also in cursors. */
async function withEpochOf(gateway: URL): Promise<(text: string) => string> {
  const { headers } = await fetch(new URL("/v1/people/1", gateway));
  const epoch = /\.([0-9a-f]{8})"$/.exec(headers.get("etag") ?? "")?.[1] ?? "";
  const inHex = (text: string) => Buffer.from(text).toString("hex");
  return (text) => text.replaceAll(EPOCH, epoch).replaceAll(inHex(EPOCH), inHex(epoch));
}

/** Runs a document's commands against a gateway with freshly seeded databases. */
export async function assertDocumentedCommands(document: string, gateway: URL): Promise<void> {
  const commands = parseCommands(readFileSync(resolve(root, document), "utf8"));
  assert.ok(commands.length > 0, `${document} shows no command`);
  const withEpoch = await withEpochOf(gateway);
  for (const { command, output: documented } of commands) {
    const output = withEpoch(documented);
    const localCommand = withEpoch(command).replaceAll("localhost:5003", gateway.host);
    const env = { ...process.env, ...tokens };
    const { stdout } = await run("bash", ["-c", localCommand], { cwd: root, env });
    const expected = normalizeOutput(output);
    assert.equal(shownPart(normalizeOutput(stdout), expected), expected, command);
  }
}
