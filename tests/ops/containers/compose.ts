// Runs the containers with `docker compose`, in a separate compose project.
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "../../support/deployment_suite.ts";
import { WorkerClient } from "../../support/harness.ts";
import { run } from "./buildah.ts";
import { ports } from "./ports.ts";

const project = ["compose", "--project-name", "people-per-place-test"];

/** Whether a Docker daemon with compose is available. */
export const isThere = () =>
  Promise.all([run("docker", ["info"]), run("docker", ["compose", "version"])]).then(
    () => true,
    () => false,
  );

/** Runs `docker compose` with settings as environment variables. */
async function compose(args: string[], settings: Record<string, string> = {}): Promise<string> {
  // Empty values override the defaults of compose.yaml, which allow writes.
  const env = { ...process.env, WRITES: "", SEED: "", ...settings };
  return (await run("docker", [...project, ...args], env)).stdout;
}

/** Removes the containers of an earlier run that was interrupted. */
export const removeOld = () => compose(["down", "--volumes"]);

/** Three containers of a newly built image, and the proxy. */
export async function deployWithCompose(): Promise<Deployment> {
  await removeOld();
  if (!process.env.REUSE) await compose(["build"]);
  const client = (port: number) => new WorkerClient(new URL(`http://127.0.0.1:${port}`));
  return {
    workers: {
      places: client(ports.places),
      people: client(ports.people),
      join: client(ports.join),
    },
    async start(name, settings) {
      const started = name === "join" ? ["join", "proxy"] : [name];
      await compose(["up", "--detach", "--force-recreate", "--no-deps", ...started], settings);
    },
    async stop(name) {
      await compose(["stop", name]);
      const exitCode = await compose(["ps", "--all", "--format", "{{.ExitCode}}", name]);
      await compose(["rm", "--force", name]);
      return Number(exitCode.trim());
    },
    async kill(name) {
      await compose(["kill", name]);
      await sleep(100);
    },
    async remove() {
      await compose(["down", "--volumes"]);
    },
  };
}
