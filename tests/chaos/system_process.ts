// Runs the system in child processes. A test can kill them, and start them again over the same
// databases.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WorkerClient } from "../support/harness.ts";

export class SystemProcess implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "chaos-"));
  #child: ChildProcess | undefined;
  #gateway: WorkerClient | undefined;
  /** The address of the V8 inspector. */
  inspector = "";
  readonly #killAtExit = () => this.#killGroup();

  /** The gateway, while the system runs. */
  get gateway(): WorkerClient {
    if (!this.#gateway) throw new Error("the system does not run");
    return this.#gateway;
  }

  /** The parent process of workerd. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (!pid) throw new Error("the system does not run");
    return pid;
  }

  async start(): Promise<void> {
    process.once("exit", this.#killAtExit);
    const program = join(import.meta.dirname, "serve.ts");
    const args = ["--disable-warning=ExperimentalWarning", program, this.#folder];
    const child = spawn(process.execPath, args, {
      // A process group, so that workerd is killed together with its parent.
      detached: true,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    const [message] = await Promise.race([once(child, "message"), once(child, "exit")]);
    if (typeof message !== "object") throw new Error("the system did not start");
    this.inspector = message.inspector;
    this.#gateway = new WorkerClient(new URL(message.gateway));
  }

  /** Sends SIGKILL to all processes of the system. */
  async kill(): Promise<void> {
    const exit = this.#child && once(this.#child, "exit");
    this.#killGroup();
    await exit;
  }

  #killGroup(): void {
    process.removeListener("exit", this.#killAtExit);
    this.#gateway = undefined;
    if (this.#child?.pid) {
      try {
        process.kill(-this.#child.pid, "SIGKILL");
      } catch {
        // The process has exited already.
      }
    }
    this.#child = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child) await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
