// Runs the program of a container as three local processes, and tests its settings.
// `make container-test` runs the same suite with real containers.
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
import { limiterOf } from "../../ops/rate_limit.ts";
import { type Deployment, deploymentSuite } from "../support/deployment_suite.ts";
import { type Name, WorkerClient } from "../support/harness.ts";
import { freePort, hasCaddy, startProxy } from "../support/proxy.ts";
import { pathTraversals, sendRaw, unusualPaths } from "../support/raw_request.ts";
import { waitUntil } from "../support/wait_until.ts";

/** Runs statements on the database in a container's data folder. */
async function runStatements(
  folder: string,
  plan: Plan,
  statements: string[],
): Promise<unknown[][]> {
  const { d1Databases } = plan.options;
  const script = "export default {};";
  const miniflare = new Miniflare({ modules: true, script, d1Persist: folder, d1Databases });
  try {
    const database = await miniflare.getD1Database("DB");
    const results = await database.batch(statements.map((sql) => database.prepare(sql)));
    return results.map(({ results }: { results: unknown[] }) => results);
  } finally {
    await miniflare.dispose();
  }
}

/** Three processes. Clients reach the gateway through the proxy, if it is installed. */
async function deployProcesses(): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), "three-"));
  const plansFile = join(folder, "plans.json");
  writeFileSync(plansFile, JSON.stringify(plans()));
  const ports = { places: await freePort(), people: await freePort(), join: await freePort() };
  const running = new Map<Name, ChildProcess>();
  const end = async (name: Name, signal: NodeJS.Signals) => {
    const child = running.get(name);
    if (!child?.pid) return null;
    const exited = once(child, "exit");
    // SIGKILL goes to the process group, which includes the child processes.
    process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal);
    const [code] = await exited;
    running.delete(name);
    return code;
  };
  const url = (name: Name) => `http://127.0.0.1:${ports[name]}`;
  const proxy = (await hasCaddy()) ? await startProxy(ports.join) : undefined;
  const workers = (["places", "people", "join"] as const).map((name) => {
    const address = name === "join" && proxy ? proxy.url : new URL(url(name));
    return [name, new WorkerClient(address)] as const;
  });
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
      const program = ["ops/containers/serve.ts", name, plansFile];
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
      await proxy?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

deploymentSuite(
  (await hasCaddy()) ? "three processes behind the proxy" : "three processes",
  deployProcesses,
);

/** A gateway that forwards every request unchecked, and returns the URL that it received. */
const forwardEverything = `export default {
  async fetch(request, { PEOPLE }) {
    const answer = await PEOPLE.fetch(request);
    const headers = new Headers(answer.headers);
    headers.set("x-received-url", encodeURIComponent(request.url));
    return new Response(answer.body, { headers });
  },
};`;
/** The smallest valid WebAssembly module. */
const wasm = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** A server that responds to each request with the head of that request. */
function echoServer(): Server {
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

test("a_container_forwards_a_path_byte_for_byte", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proxy-"));
  const main = join(folder, "build/index.js");
  mkdirSync(join(folder, "build"));
  writeFileSync(main, forwardEverything);
  writeFileSync(join(folder, "build/index_bg.wasm"), wasm);
  const plansFile = join(folder, "plans.json");
  const { options, services } = plans().join;
  const { assets: _, ...plain } = options;
  const plan = { main, services, migrations: [], options: plain };
  writeFileSync(plansFile, JSON.stringify({ join: plan }));
  const people = echoServer();
  await once(people, "listening");
  const { port } = people.address() as { port: number };
  const url = new URL(`http://127.0.0.1:${await freePort()}`);
  const service = `http://localhost:${port}/`;
  const env = { PATH: process.env.PATH, HOST: url.hostname, PORT: url.port, DATA: folder };
  const child = spawn(process.execPath, ["ops/containers/serve.ts", "join", plansFile], {
    env: { ...env, PLACES_URL: service, PEOPLE_URL: service },
    stdio: "ignore",
  });
  try {
    await waitUntil(
      "the gateway responds",
      async () => (await sendRaw(url, "GET", "/")).status === 200,
    );
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
      // Control characters cannot be returned in a header.
      if (/[\0-\x20]/.test(target)) continue;
      const { status, head, body } = await sendRaw(url, "GET", target);
      assert.equal(status, 200, target);
      const actual = decodeURIComponent(/^x-received-url: (.*)$/im.exec(head)?.[1] ?? "");
      const expected = Buffer.from(actual.replace(`http://${url.host}`, "").replace(/#.*/, ""));
      const [sent, ...lines] = body.split("\r\n");
      assert.equal(sent, `GET ${expected.toString("latin1")} HTTP/1.1`, target);
      const host = lines.find((line) => /^host:/i.test(line));
      assert.equal(host?.toLowerCase(), `host: localhost:${port}`);
      // workerd changes only plain dot segments, before a worker sees the path.
      if (!target.includes("#")) assert.equal(sent, `GET ${target} HTTP/1.1`);
    }
  } finally {
    child.kill();
    await once(child, "exit");
    people.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a_relayed_connection_closes_when_either_end_closes", async () => {
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
  // The relay closes a connection if the service is not reachable.
  service.close();
  const caller = connect(Number(relay), host).on("error", () => {});
  await once(caller.resume(), "close");
});

for (const [whose, statement, message] of [
  [
    "an_older",
    "CREATE TABLE person (id INTEGER PRIMARY KEY)",
    "an older version made the database people: remove its volume",
  ],
  [
    "a_foreign",
    "CREATE TABLE customer (name TEXT)",
    "the database people has tables that are not of this project: use another volume",
  ],
] as const) {
  test(`a_container_rejects_${whose}_database_in_one_line_and_does_not_change_it`, async () => {
    const folder = mkdtempSync(join(tmpdir(), `${whose}-`));
    const plansFile = join(folder, "plans.json");
    const plan = plans().people;
    writeFileSync(plansFile, JSON.stringify({ people: plan }));
    const data = join(folder, "data");
    await runStatements(data, plan, [statement]);
    const tables = "SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'";
    const before = await runStatements(data, plan, [tables]);
    const env = {
      PATH: process.env.PATH,
      HOST: "127.0.0.1",
      PORT: "0",
      DATA: data,
      SEED: "yes",
      PLACES_URL: "http://127.0.0.1:1",
    };
    const program = ["ops/containers/serve.ts", "people", plansFile];
    const { code, output } = await new Promise<{ code: unknown; output: string }>((done) => {
      execFile(process.execPath, program, { env, timeout: 60_000 }, (error, stdout, stderr) =>
        done({ code: error?.code, output: stdout + stderr }),
      );
    });
    assert.equal(code, 1, output);
    assert.match(output, new RegExp(`^» ${message}.*\\n$`));
    assert.deepEqual(await runStatements(data, plan, [tables]), before);
    rmSync(folder, { recursive: true, force: true });
  });
}

test("a_container_applies_the_rate_limit_that_it_announces", async () => {
  const folder = mkdtempSync(join(tmpdir(), "limited-"));
  const plansFile = join(folder, "plans.json");
  writeFileSync(plansFile, JSON.stringify(plans()));
  const url = new URL(`http://127.0.0.1:${await freePort()}`);
  const nowhere = { PLACES_URL: "http://127.0.0.1:1", PEOPLE_URL: "http://127.0.0.1:1" };
  const env = { PATH: process.env.PATH, HOST: url.hostname, PORT: url.port, DATA: folder };
  const child = spawn(process.execPath, ["ops/containers/serve.ts", "join", plansFile], {
    env: { ...env, ...nowhere, LOG: "off", RATE_LIMIT: "3/60" },
    stdio: "ignore",
  });
  try {
    const healthy = () => fetch(new URL("/healthz", url)).then(({ ok }) => ok);
    await waitUntil("the gateway responds", () => healthy().catch(() => false));
    const responses = [];
    for (let n = 0; n < 5; n += 1) responses.push(await fetch(new URL("/v1", url)));
    assert.deepEqual(
      responses.map(({ status }) => status),
      [200, 200, 200, 429, 429],
    );
    assert.equal(responses[0]?.headers.get("ratelimit-policy"), '"requests";q=3;w=60');
  } finally {
    child.kill();
    await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the_limiter_of_wrangler_toml_has_the_limit_that_the_gateway_announces", () => {
  const [, setting] = /^RATE_LIMIT = "(.*)"$/m.exec(readFileSync("wrangler.toml", "utf8")) ?? [];
  const limiters = Object.values<{ simple: unknown }>(plans().join.options.ratelimits ?? {});
  assert.deepEqual(
    limiters.map(({ simple }) => simple),
    [limiterOf(setting)],
  );
});

test("a_rate_limit_that_no_limiter_can_apply_is_rejected", () => {
  assert.deepEqual(limiterOf("5000/10"), { limit: 5000, period: 10 });
  assert.equal(limiterOf(""), undefined);
  for (const setting of ["5000", "5000/30", "0/60", "x/60", "5000/60 "]) {
    assert.throws(() => limiterOf(setting), /RATE_LIMIT must be/, setting);
  }
});

test("every_documented_setting_is_passed_to_the_containers", () => {
  const documented = readFileSync("docs/operations.md", "utf8").matchAll(/^\| `([A-Z_]+)` \|/gm);
  const names = [...documented].map(([, name]) => name ?? "").sort();
  assert.ok(names.length >= 9);
  const compose = readFileSync("compose.yaml", "utf8");
  const actual = [...compose.matchAll(/^ {4}([A-Z_]+): \$\{\1-\w*\}$/gm)].map(([, name]) => name);
  assert.deepEqual(actual.filter((name) => name !== "SEED").sort(), names);
  const server = readFileSync("ops/containers/serve.ts", "utf8");
  for (const name of names) assert.ok(server.includes(`"${name}"`), name);
});

test("the_compose_services_match_the_plans_and_have_separate_volumes", () => {
  const compose = readFileSync("compose.yaml", "utf8");
  for (const [index, [name, { services }]] of Object.entries(plans()).entries()) {
    const port = 5001 + index;
    // The gateway has no port: clients reach it through the proxy.
    const ports = name === "join" ? "" : `    ports: \\["127.0.0.1:${port}:8080"\\]\\n`;
    const entry = new RegExp(
      `^  ${name}:\\n    <<: \\*service\\n    command: \\[${name}\\]\\n${ports}` +
        `    volumes: \\["${name}:/data"\\]\\n`,
      "m",
    );
    assert.match(compose, entry);
    for (const [binding, service] of Object.entries(services)) {
      assert.ok(compose.includes(`${binding}_URL: http://${service}:8080\n`), binding);
    }
  }
});
