// Installs and starts the three Flask services, each under gunicorn with two workers.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Name } from "../tests/support/harness.ts";
import type { Started } from "./contestants.ts";
import { databases, hasTable, home } from "./stock.ts";

const names: Name[] = ["places", "people", "join"];
const source = join(import.meta.dirname, "peers/flask");
const venv = join(home, "venv");

/** Installs the pinned packages. Returns a reason if that fails. */
export function installFlask(): string | undefined {
  const wanted = join(source, "requirements.txt");
  const stamp = join(venv, "requirements.txt");
  if (existsSync(stamp) && readFileSync(stamp).equals(readFileSync(wanted))) return undefined;
  console.log("» installing Flask in .bench/venv …");
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { stdio: "pipe" });
  try {
    rmSync(venv, { recursive: true, force: true });
    run("python3", "-m", "venv", venv);
    run(join(venv, "bin/pip"), "install", "--disable-pip-version-check", "-r", wanted);
  } catch (error) {
    return `it needs python3 with venv and pip: ${String(error).split("\n")[0]}`;
  }
  writeFileSync(stamp, readFileSync(wanted));
  return undefined;
}

/** Starts the three services with the databases in a folder. */
export async function startFlask(data: string): Promise<Started> {
  const files = databases(data);
  const own = (name: string, table: string) => {
    const from = files.find((file) => hasTable(file, table));
    if (from) renameSync(from, join(data, name));
    return join(data, name);
  };
  const database = {
    places: own("places.db", "place"),
    people: own("people.db", "person"),
    join: "",
  };
  // The log has errors of requests whose client has gone, so it is not shown.
  const log = openSync(join(home, "flask.log"), "a");
  const ports = await freePorts();
  const urls = Object.fromEntries(
    names.map((name, n) => [name, `http://127.0.0.1:${ports[n]}/`]),
  ) as Record<Name, string>;
  const children = names.map((name, n) => {
    const how = ["--workers", "2", "--bind", `127.0.0.1:${ports[n]}`, "--log-level", "error"];
    const env = {
      ...process.env,
      DATABASE: database[name],
      PLACES: new URL(urls.places).origin,
      PEOPLE: new URL(urls.people).origin,
      PYTHONDONTWRITEBYTECODE: "1",
    };
    return spawn(join(venv, "bin/gunicorn"), [...how, `${name}:app`], {
      cwd: source,
      env,
      stdio: ["ignore", "ignore", log],
    });
  });
  const stop = async () => void (await Promise.all(children.map(ended)));
  try {
    await Promise.all(Object.values(urls).map(listening));
  } catch (error) {
    await stop();
    throw error;
  }
  return { urls, stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGQUIT");
  const late = setTimeout(() => child.kill("SIGKILL"), 2000);
  await gone;
  clearTimeout(late);
}

async function listening(url: string): Promise<void> {
  for (let waited = 0; waited < 15_000; waited += 50) {
    const answer = await fetch(`${url}v1/people/1`).catch(() => undefined);
    if (answer) return void (await answer.text());
    await sleep(50);
  }
  throw new Error("gunicorn does not respond: see .bench/flask.log");
}

async function freePorts(): Promise<number[]> {
  const servers = names.map(() => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
