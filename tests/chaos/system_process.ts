// The system in processes of its own, which can be killed without a word and started again over
// the same databases.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "../support/harness.ts";

export class Mortal implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "chaos-"));
  #child: ChildProcess | undefined;
  #worker: Worker | undefined;
  /** Where V8 tells what the isolates hold. */
  inspector = "";
  readonly #atExit = () => this.#end();

  /** The entry point, as long as it lives. */
  get entry(): Worker {
    if (!this.#worker) throw new Error("it does not run");
    return this.#worker;
  }

  /** The process that workerd runs below. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (!pid) throw new Error("it does not run");
    return pid;
  }

  async start(): Promise<void> {
    process.once("exit", this.#atExit);
    const program = [
      "--disable-warning=ExperimentalWarning",
      join(import.meta.dirname, "serve.ts"),
    ];
    const child = spawn(process.execPath, [...program, this.#folder], {
      // A process group, so that workerd dies at the same moment as what has started it.
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    const told = await Promise.race([once(child, "message"), once(child, "exit")]);
    if (typeof told[0] !== "object") throw new Error("the system did not start");
    this.inspector = told[0].inspector;
    this.#worker = new Worker(new URL(told[0].entry));
  }

  /** SIGKILL, to all of it. */
  async kill(): Promise<void> {
    const gone = this.#child && once(this.#child, "exit");
    this.#end();
    await gone;
  }

  #end(): void {
    process.removeListener("exit", this.#atExit);
    this.#worker = undefined;
    if (this.#child?.pid) {
      try {
        process.kill(-this.#child.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    }
    this.#child = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
