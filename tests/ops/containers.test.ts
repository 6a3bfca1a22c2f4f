// The program that a container runs: three of them on ports of this machine, and what they are
// told. `make container-test` does the same with real containers.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Miniflare } from "miniflare";
import { type Plan, plans } from "../../ops/containers/plan.ts";
import { relayTo } from "../../ops/containers/relay.ts";
import { type Deployment, deploymentSuite } from "../support/deployment_suite.ts";
import { type Name, WorkerClient } from "../support/harness.ts";
import { pathTraversals, sendRaw, unusualPaths } from "../support/raw_request.ts";
import { waitUntil } from "../support/wait_until.ts";

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
    (name) => [name, new WorkerClient(new URL(url(name)))] as const,
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
    async remove() {
      await Promise.all([...running.keys()].map((name) => end(name, "SIGKILL")));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

deploymentSuite("three processes", processes);

/** A gateway that checks nothing: it forwards whatever comes, and says what that was. */
const unchecked = `export default {
  async fetch(request, { PEOPLE }) {
    const answer = await PEOPLE.fetch(request);
    const headers = new Headers(answer.headers);
    headers.set("x-given", encodeURIComponent(request.url));
    return new Response(answer.body, { headers });
  },
};`;
/** The smallest WebAssembly module that there is. */
const wasm = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Answers each request with its own head. */
function mirror(): Server {
  return createServer((socket: Socket) => {
    let head = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      head += chunk;
      if (!head.includes("\r\n\r\n")) return;
      const length = `content-length: ${head.length}`;
      socket.write(`HTTP/1.1 200 OK\r\n${length}\r\n\r\n${head}`, "latin1");
      head = "";
    });
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
}

test("a_container_sends_an_address_on_byte_for_byte", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proxy-"));
  const main = join(folder, "build/index.js");
  mkdirSync(join(folder, "build"));
  writeFileSync(main, unchecked);
  writeFileSync(join(folder, "build/index_bg.wasm"), wasm);
  const planned = join(folder, "plans.json");
  const { options, services } = plans().join;
  const { assets: _, ...plain } = options;
  const plan = { main, services, migrations: [], options: plain };
  writeFileSync(planned, JSON.stringify({ join: plan }));
  const people = mirror();
  await once(people, "listening");
  const { port } = people.address() as { port: number };
  const url = new URL(`http://127.0.0.1:${await freePort()}`);
  const service = `http://localhost:${port}/`;
  const env = { PATH: process.env.PATH, HOST: url.hostname, PORT: url.port, DATA: folder };
  const child = spawn(process.execPath, ["ops/containers/serve.ts", "join", planned], {
    env: { ...env, PLACES_URL: service, PEOPLE_URL: service },
    stdio: "ignore",
  });
  try {
    await waitUntil("it answers", async () => (await sendRaw(url, "GET", "/")).status === 200);
    const paths = [
      ...pathTraversals("people", "/internal/integrity"),
      ...unusualPaths("people", "/internal"),
    ];
    const queries = [
      "?",
      "?a=/../b",
      "?a=%2e%2e\\",
      "?name=O'Brien\"<>^`{}|",
      "?name=\u00c3\u00b1",
    ];
    for (const target of [...paths, ...queries.map((query) => `/v1/people${query}`)]) {
      // Control characters are not for any header.
      if (/[\0-\x20]/.test(target)) continue;
      const { status, head, body } = await sendRaw(url, "GET", target);
      assert.equal(status, 200, target);
      const given = decodeURIComponent(/^x-given: (.*)$/im.exec(head)?.[1] ?? "");
      const expected = Buffer.from(given.replace(`http://${url.host}`, "").replace(/#.*/, ""));
      const [sent, ...lines] = body.split("\r\n");
      assert.equal(sent, `GET ${expected.toString("latin1")} HTTP/1.1`, target);
      const host = lines.find((line) => /^host:/i.test(line));
      assert.equal(host?.toLowerCase(), `host: localhost:${port}`);
      // Only plain dots are resolved by workerd, before a worker sees them.
      if (!target.includes("#")) assert.equal(sent, `GET ${target} HTTP/1.1`);
    }
  } finally {
    child.kill();
    await once(child, "exit");
    people.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a_relayed_connection_ends_with_either_of_its_two_ends", async () => {
  const service = createServer().listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as { port: number };
  const [host = "", relay] = (await relayTo(new URL(`http://127.0.0.1:${port}`))).split(":");
  const connected = async () => {
    const caller = connect(Number(relay), host);
    const [callee]: Socket[] = await once(service, "connection");
    assert.ok(callee);
    for (const socket of [caller, callee]) socket.on("error", () => {}).resume();
    caller.write("ping");
    await once(callee, "data");
    return { caller, callee };
  };
  for (const end of ["caller", "callee"] as const) {
    for (const way of ["end", "destroy", "resetAndDestroy"] as const) {
      const { caller, callee } = await connected();
      const [first, other] = end === "caller" ? [caller, callee] : [callee, caller];
      const closed = once(other, "close");
      first[way]();
      await closed;
    }
  }
  // Nobody is there to answer.
  service.close();
  const caller = connect(Number(relay), host).on("error", () => {});
  await once(caller.resume(), "close");
});

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
