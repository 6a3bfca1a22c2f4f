// Builds the image and runs its containers with buildah, for machines without Docker. buildah needs
// no daemon. Its containers share the machine's network.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import type { Deployment } from "../../support/deployment_suite.ts";
import { type Name, WorkerClient } from "../../support/harness.ts";
import { provide } from "./base_images.ts";
import { INTERNAL_PORT, ports, TLS_PORT } from "./ports.ts";

const root = resolve(import.meta.dirname, "../../..");
/** The folder of images and volumes. */
export const home = resolve(root, ".containers");
const IMAGE = "people-per-place";
/** The image of the proxy in compose.yaml. */
const PROXY_IMAGE = "caddy:2";
/** The id of the user `node` in the image. */
const USER = 1000;

/** Runs a command. Its error contains the command's output. */
export function run(command: string, args: string[], env = process.env) {
  return promisify(execFile)(command, args, { cwd: root, env, maxBuffer: 64 * 1024 * 1024 });
}

const storage = ["--root", `${home}/storage`, "--runroot", `${home}/run`];
storage.push("--storage-driver", "vfs");

/** Runs buildah with a storage folder inside the project. */
export async function buildah(...args: string[]): Promise<string> {
  return (await run("buildah", [...storage, ...args])).stdout.trim();
}

/** Whether buildah is installed. */
export const isThere = () =>
  run("buildah", ["--version"]).then(
    () => true,
    () => false,
  );

/** Builds the image from the Dockerfile. */
async function build(): Promise<void> {
  const dockerfile = readFileSync(resolve(root, "Dockerfile"), "utf8");
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, name]) => name ?? "");
  for (const name of new Set(bases)) await provide(name);
  await buildah("bud", "--isolation", "chroot", "--pull-never", "--layers=false", "-t", IMAGE, ".");
  await buildah("rmi", "--prune");
  await provide(PROXY_IMAGE);
}

/** All descendants of a process. */
function descendantsOf(pid: number): number[] {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parentOf = (child: string) => {
    try {
      return Number(readFileSync(`/proc/${child}/stat`, "utf8").split(") ")[1]?.split(" ")[1]);
    } catch {
      return 0;
    }
  };
  const parents = all.map((child) => [Number(child), parentOf(child)] as const);
  const descendants = (pid: number): number[] =>
    parents.flatMap(([child, parent]) => (parent === pid ? [...descendants(child), child] : []));
  return descendants(pid);
}

/** Whether a process is the container's main program. */
function isServer(pid: number): boolean {
  try {
    const [program, file] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return program?.endsWith("/node") === true && file === "ops/containers/serve.ts";
  } catch {
    return false;
  }
}

/** A container of the image that runs one service. */
type Container = { id: string; child: ChildProcess };

async function startContainer(name: Name, env: Record<string, string>): Promise<Container> {
  const volume = `${home}/volumes/${name}`;
  mkdirSync(volume, { recursive: true });
  chownSync(volume, USER, USER);
  const id = await buildah("from", "--pull-never", IMAGE);
  const settings = Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
  const args = ["run", "--isolation", "chroot", "--user", "node", ...settings];
  // For a volume that the image declares, buildah mounts a temporary one. The data must survive, so
  // it is stored at another path.
  args.push(
    "--volume",
    `${volume}:/volume`,
    "--env",
    "DATA=/volume",
    id,
    "--",
    "node",
    "ops/containers/serve.ts",
    name,
  );
  const stdio = ["ignore", "ignore", "inherit"] as const;
  return { id, child: spawn("buildah", [...storage, ...args], { stdio: [...stdio] }) };
}

/** Starts the proxy of compose.yaml in front of the gateway. */
async function startProxy(): Promise<Container> {
  const id = await buildah("from", "--pull-never", `docker.io/library/${PROXY_IMAGE}`);
  const settings = {
    SITE: `:${ports.join}`,
    HTTP_PORT: String(ports.join),
    HTTPS_PORT: String(TLS_PORT),
    UPSTREAM: `127.0.0.1:${INTERNAL_PORT}`,
  };
  const env = Object.entries(settings).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
  const config = `${root}/ops/containers/Caddyfile:/etc/caddy/Caddyfile`;
  const command = ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"];
  const args = ["run", "--isolation", "chroot", "--volume", config, ...env, id, "--", ...command];
  const stdio = ["ignore", "ignore", "ignore"] as const;
  return { id, child: spawn("buildah", [...storage, ...args], { stdio: [...stdio] }) };
}

/** Stops a container's processes and removes the container, but not its volume. */
async function stopContainer(
  { id, child }: Container,
  signal: NodeJS.Signals,
): Promise<number | null> {
  const exited = child.exitCode === null ? once(child, "exit") : undefined;
  const all = descendantsOf(child.pid ?? 0);
  for (const pid of signal === "SIGKILL" ? all : all.filter(isServer)) process.kill(pid, signal);
  await exited;
  await buildah("rm", id);
  return child.exitCode;
}

/** Three containers of a newly built image, and the proxy. */
export async function deployWithBuildah(): Promise<Deployment> {
  // REUSE=1 uses the image of the previous run.
  if (!process.env.REUSE) await build();
  const volumes = `${home}/volumes`;
  rmSync(volumes, { recursive: true, force: true });
  const url = (name: Name) => `http://127.0.0.1:${ports[name]}`;
  const worker = (name: Name) => new WorkerClient(new URL(url(name)));
  // The proxy has the port of the gateway.
  const portOf = (name: Name) => (name === "join" ? INTERNAL_PORT : ports[name]);
  const running = new Map<Name, Container>();
  const proxy = await startProxy();
  const end = async (name: Name, signal: NodeJS.Signals) => {
    const container = running.get(name);
    running.delete(name);
    return container ? stopContainer(container, signal) : null;
  };
  return {
    workers: { places: worker("places"), people: worker("people"), join: worker("join") },
    async start(name, settings) {
      // All containers share the loopback interface of this machine.
      const listen = { HOST: "127.0.0.1", PORT: String(portOf(name)) };
      const services = { PLACES_URL: url("places"), PEOPLE_URL: url("people") };
      running.set(
        name,
        await startContainer(name, { ...listen, ...services, LOG: "off", ...settings }),
      );
    },
    stop: (name) => end(name, "SIGTERM"),
    async kill(name) {
      await end(name, "SIGKILL");
    },
    async remove() {
      for (const name of running.keys()) await end(name, "SIGKILL");
      await stopContainer(proxy, "SIGKILL");
      rmSync(volumes, { recursive: true, force: true });
    },
  };
}
