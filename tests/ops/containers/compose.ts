// The containers by `docker compose`, in a project of its own.
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "../../support/deployment_suite.ts";
import { WorkerClient } from "../../support/harness.ts";
import { run } from "./buildah.ts";

const project = ["compose", "--project-name", "people-per-place-test"];

/** Whether there is a Docker that runs, with compose. */
export const isThere = () =>
  Promise.all([run("docker", ["info"]), run("docker", ["compose", "version"])]).then(
    () => true,
    () => false,
  );

/** Runs `docker compose`, with settings in the environment as its file takes them. */
async function compose(args: string[], settings: Record<string, string> = {}): Promise<string> {
  // What is not set is set to nothing: the file's own choice of open writes is one of a laptop.
  const env = { ...process.env, WRITES: "", SEED: "", ...settings };
  return (await run("docker", [...project, ...args], env)).stdout;
}

/** The three, of an image that is built anew. */
export async function composed(): Promise<Deployment> {
  await compose(["down", "--volumes"]);
  if (!process.env.REUSE) await compose(["build"]);
  const at = (port: number) => new WorkerClient(new URL(`http://127.0.0.1:${port}`));
  return {
    workers: { places: at(5001), people: at(5002), join: at(5003) },
    async start(name, settings) {
      await compose(["up", "--detach", "--force-recreate", name], settings);
    },
    async stop(name) {
      await compose(["stop", name]);
      const told = await compose(["ps", "--all", "--format", "{{.ExitCode}}", name]);
      await compose(["rm", "--force", name]);
      return Number(told.trim());
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
