// The program that a container runs: three of them on ports of this machine, and what they are
// told. `make container-test` does the same with real containers.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Miniflare } from "miniflare";
import { type Plan, plans } from "../../ops/containers/plan.ts";
import { type Deployment, deploymentSuite } from "../support/deployment_suite.ts";
import { type Name, Worker } from "../support/harness.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (!address || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Runs statements on the database in a folder of a container's data. */
async function onDatabase(folder: string, plan: Plan, statements: string[]): Promise<unknown[][]> {
  const { d1Databases } = plan.options;
  const script = "export default {};";
  const miniflare = new Miniflare({ modules: true, script, d1Persist: folder, d1Databases });
  try {
    const database = await miniflare.getD1Database("DB");
    const all = await database.batch(statements.map((sql) => database.prepare(sql)));
    return all.map(({ results }: { results: unknown[] }) => results);
  } finally {
    await miniflare.dispose();
  }
}

async function processes(): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "three-"));
  const planned = join(folder, "plans.json");
  writeFileSync(planned, JSON.stringify(plans()));
  const ports = { places: await freePort(), people: await freePort(), join: await freePort() };
  const running = new Map<Name, ChildProcess>();
  const end = async (name: Name, signal: NodeJS.Signals) => {
    const child = running.get(name);
    if (!child?.pid) return null;
    const over = once(child, "exit");
    // What is killed takes along all that it has started.
    process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal);
    const [code] = await over;
    running.delete(name);
    return code;
  };
  const url = (name: Name) => `http://127.0.0.1:${ports[name]}`;
  const workers = (["places", "people", "join"] as const).map(
    (name) => [name, new Worker(new URL(url(name)))] as const,
  );
  return {
    workers: Object.fromEntries(workers) as Deployment["workers"],
    async start(name, settings) {
      const env = {
        PATH: process.env.PATH,
        HOST: "127.0.0.1",
        PORT: String(ports[name]),
        DATA: join(folder, name),
        PLACES_URL: url("places"),
        PEOPLE_URL: url("people"),
        LOG: "off",
        ...settings,
      };
      const program = ["ops/containers/serve.ts", name, planned];
      const stdio = ["ignore", "ignore", "ignore"] as const;
      const child = spawn(process.execPath, program, { env, stdio: [...stdio], detached: true });
      running.set(name, child);
    },
    stop: (name) => end(name, "SIGTERM"),
    async kill(name) {
      await end(name, "SIGKILL");
    },
    async forget() {
      await Promise.all([...running.keys()].map((name) => end(name, "SIGKILL")));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

deploymentSuite("three processes", processes);

test("a_database_of_an_older_version_is_rejected_in_one_line_and_left_as_it_is", async () => {
  const folder = mkdtempSync(join(tmpdir(), "older-"));
  const planned = join(folder, "plans.json");
  const plan = plans().people;
  writeFileSync(planned, JSON.stringify({ people: plan }));
  const statements = ["CREATE TABLE person (id INTEGER PRIMARY KEY)"];
  const data = join(folder, "data");
  await onDatabase(data, plan, statements);
  const env = {
    PATH: process.env.PATH,
    HOST: "127.0.0.1",
    PORT: "0",
    DATA: data,
    SEED: "yes",
    PLACES_URL: "http://127.0.0.1:1",
  };
  const program = ["ops/containers/serve.ts", "people", planned];
  const { code, said } = await new Promise<{ code: unknown; said: string }>((done) => {
    execFile(process.execPath, program, { env, timeout: 60_000 }, (error, stdout, stderr) =>
      done({ code: error?.code, said: stdout + stderr }),
    );
  });
  assert.equal(code, 1, said);
  assert.match(said, /^» an older version made the database people: remove its volume .*\n$/);
  const tables = "SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'";
  assert.deepEqual(await onDatabase(data, plan, [tables]), [[{ name: "person" }]]);
  rmSync(folder, { recursive: true, force: true });
});

test("every_setting_of_the_documents_reaches_the_containers", () => {
  const documented = readFileSync("docs/operations.md", "utf8").matchAll(/^\| `([A-Z_]+)` \|/gm);
  const names = [...documented].map(([, name]) => name ?? "").sort();
  assert.ok(names.length >= 9);
  const compose = readFileSync("compose.yaml", "utf8");
  const given = [...compose.matchAll(/^ {4}([A-Z_]+): \$\{\1-\w*\}$/gm)].map(([, name]) => name);
  assert.deepEqual(given.filter((name) => name !== "SEED").sort(), names);
  const server = readFileSync("ops/containers/serve.ts", "utf8");
  for (const name of names) assert.ok(server.includes(`"${name}"`), name);
});

test("the_services_of_compose_are_those_of_the_plans_each_with_a_volume_of_its_own", () => {
  const compose = readFileSync("compose.yaml", "utf8");
  for (const [at, [name, { services }]] of Object.entries(plans()).entries()) {
    const port = 5001 + at;
    const entry = new RegExp(
      `^  ${name}:\\n    <<: \\*service\\n    command: \\[${name}\\]\\n` +
        `    ports: \\["127.0.0.1:${port}:8080"\\]\\n    volumes: \\["${name}:/data"\\]\\n`,
      "m",
    );
    assert.match(compose, entry);
    for (const [binding, service] of Object.entries(services)) {
      assert.ok(compose.includes(`${binding}_URL: http://${service}:8080\n`), binding);
    }
  }
});
