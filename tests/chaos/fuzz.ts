// The parsers, under inputs that nobody would write: see crates/fuzz.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

export type Fuzz = {
  seed: number;
  seconds: number;
  parsers: Record<string, { inputs: number; accepted: number }>;
};

export async function fuzz(inputs: number, seed: number): Promise<Fuzz> {
  const given = ["run", "--quiet", "--release", "--package", "fuzz", "--", inputs, seed].map(
    String,
  );
  const child = spawn("cargo", given, { stdio: ["ignore", "pipe", "inherit"] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error("an input breaks a parser");
  return JSON.parse(printed);
}
