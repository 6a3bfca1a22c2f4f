// Runs the fuzzer of the parsers (crates/fuzz).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export type FuzzResult = {
  seed: number;
  seconds: number;
  parsers: Record<string, { inputs: number; accepted: number }>;
};

export async function runFuzz(inputs: number, seed: number): Promise<FuzzResult> {
  const args = ["run", "--quiet", "--release", "--package", "fuzz", "--", inputs, seed].map(String);
  const child = spawn("cargo", args, { stdio: ["ignore", "pipe", "inherit"] });
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (exitCode !== 0) throw new Error("a parser failed on an input");
  return JSON.parse(output);
}
