// Runs the reverse proxy of compose.yaml, Caddy, as a process of this machine.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { waitUntil } from "./wait_until.ts";

/** The reason to skip a test of the proxy. */
export const NO_CADDY = "it needs caddy, as in `apt-get install caddy`";

/** Whether Caddy is installed. */
export const hasCaddy = () =>
  promisify(execFile)("caddy", ["version"]).then(
    () => true,
    () => false,
  );

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (!address || typeof address === "string") throw new Error("no port");
  return address.port;
}

export type RunningProxy = { url: URL; stop(): Promise<void> };

/** Starts the proxy in front of a port. With TLS, its certificate is from an authority of its own. */
export async function startProxy(upstream: number, hasTls = false): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), "proxy-"));
  const [plain, secure] = [await freePort(), await freePort()];
  const url = new URL(hasTls ? `https://localhost:${secure}` : `http://127.0.0.1:${plain}`);
  const config = resolve("ops/containers/Caddyfile");
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
    HTTP_PORT: `${plain}`,
    HTTPS_PORT: `${secure}`,
    SITE: hasTls ? url.origin : `:${plain}`,
    TLS: hasTls ? "tls internal" : "",
    UPSTREAM: `127.0.0.1:${upstream}`,
  };
  const args = ["run", "--config", config, "--adapter", "caddyfile"];
  const child = spawn("caddy", args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    log += chunk;
  });
  await waitUntil("the proxy listens", async () => {
    if (child.exitCode !== null) throw new Error(log);
    return log.includes("serving initial configuration");
  });
  return {
    url,
    async stop() {
      const exited = once(child, "exit");
      child.kill();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
