// Runs the commands of `make deploy` against a simulated wrangler and account.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, suite, test } from "node:test";
import { check } from "../../ops/deploy/check.ts";
import type { Services } from "../../ops/deploy/plan.ts";
import { limiterOf } from "../../ops/rate_limit.ts";
import { names } from "../../ops/workers.ts";
import type { Account } from "../support/fake_wrangler.ts";
import { start } from "../support/harness.ts";

/** The service bindings of each worker. */
const services: Services = { places: ["people"], people: ["places"], join: ["places", "people"] };

const folder = mkdtempSync(join(tmpdir(), "account-"));
let isHealthy = true;
let readsNeedToken = false;
const server = createServer(({ method, url = "" }, response) => {
  const needsToken = method === "POST" || (readsNeedToken && url.startsWith("/v1/people"));
  if (needsToken) return response.writeHead(401).end('{"type":"/problems/token-required"}');
  const status = isHealthy ? 200 : 503;
  response.writeHead(status).end(url.startsWith("/openapi") ? '{"openapi":"3.1.1"}' : "[]");
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
const port = address && typeof address !== "string" ? address.port : 0;
after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

let accountCount = 0;
/** Creates an empty account, with functions to deploy to it and to inspect it. */
function makeAccount() {
  accountCount += 1;
  const file = join(folder, `${accountCount}.json`);
  const bin = mkdtempSync(join(folder, "bin-"));
  const fakeWrangler = resolve("tests/support/fake_wrangler.ts");
  writeFileSync(
    join(bin, "wrangler"),
    `#!/bin/sh\nexec '${process.execPath}' '${fakeWrangler}' '${file}' "$@"\n`,
  );
  chmodSync(join(bin, "wrangler"), 0o755);
  const save = (state: Account) => writeFileSync(file, JSON.stringify(state));
  const state = (): Account => JSON.parse(readFileSync(file, "utf8"));
  // The tests' own server is given by the setting URL, because an account has only https addresses.
  save({
    databases: {},
    locations: {},
    migrated: [],
    schemas: {},
    workers: {},
    url: "https://join.example.invalid",
  });
  return {
    state,
    save,
    failCommand(failingCommand: string) {
      save({ ...state(), failingCommand });
    },
    /** Deploys. Returns the exit code, the output, and the commands that changed the account. */
    async deploy(settings: Record<string, string> = {}, project = resolve()) {
      rmSync(`${file}.log`, { force: true });
      const { NODE_COMPILE_CACHE = "" } = process.env;
      const url = `http://127.0.0.1:${port}`;
      const env = { TMPDIR: folder, CHECKS: "1", URL: url, NODE_COMPILE_CACHE, ...settings };
      const program = resolve("ops/deploy/main.ts");
      const path = `${bin}:${process.env.PATH}`;
      return new Promise<{ code: number; output: string; commands: string[] }>((done) => {
        execFile(
          process.execPath,
          [program],
          { env: { ...env, PATH: path }, cwd: project },
          (error, stdout, stderr) => {
            const log = existsSync(`${file}.log`) ? readFileSync(`${file}.log`, "utf8") : "";
            const commands = log
              .trim()
              .split("\n")
              .filter((line) => !/^(d1|secret) (list|execute)/.test(line))
              .map((line) => line.replace(/ -c \.deploy\/\w+\//, " ").replace(/ \/.*$/, ""));
            const code = typeof error?.code === "number" ? error.code : error ? -1 : 0;
            done({ code, output: stdout + stderr, commands: commands });
          },
        );
      });
    },
  };
}

const FIRST_COMMANDS = [
  "d1 create places --location weur",
  "d1 create people --location weur",
  "d1 create join --location weur",
  "d1 migrations apply places --remote places.json",
  "d1 migrations apply people --remote people.json",
  "d1 migrations apply join --remote join.json",
  "deploy places.json --secrets-file",
  "deploy people.json --secrets-file",
  "deploy places.json",
  "deploy join.json --secrets-file",
];
const LATER_COMMANDS = [
  ...FIRST_COMMANDS.slice(3, 6),
  ...["places", "people", "join"].map((n) => `deploy ${n}.json`),
];

/** Checks that everything is deployed and that all three workers share one secret. */
function assertComplete({ databases, workers, migrated }: Account): void {
  assert.deepEqual(Object.keys(databases).sort(), ["join", "people", "places"]);
  assert.deepEqual(migrated.sort(), ["join", "people", "places"]);
  for (const name of names) assert.deepEqual(workers[name]?.services.sort(), services[name].sort());
  const shared = new Set(names.map((name) => workers[name]?.secrets.SERVICE_SECRET));
  assert.equal(shared.size, 1);
  assert.match([...shared][0] ?? "", /^[0-9a-f]{64}$/);
  for (const name of names) assert.deepEqual(workers[name]?.crons, ["* * * * *"], name);
}

suite("the deployment", () => {
  test("a_deployment_is_repeatable_and_prints_no_secret", async () => {
    const { deploy, state } = makeAccount();
    const setting = `write:anna:${"abcdef12".repeat(8)}`;
    const { code, output, commands } = await deploy({ TOKENS: setting });
    assert.equal(code, 0, output);
    assert.deepEqual(commands, FIRST_COMMANDS);
    assertComplete(state());
    const { SERVICE_SECRET, TOKENS } = state().workers.join?.secrets ?? {};
    assert.equal(TOKENS, setting);
    assert.equal(state().workers.places?.secrets.TOKENS, undefined);
    assert.ok(SERVICE_SECRET && !output.includes(SERVICE_SECRET) && !output.includes("abcdef"));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("deploy-")),
      [],
    );

    const next = await deploy();
    assert.deepEqual([next.code, next.commands], [0, LATER_COMMANDS], next.output);
    assertComplete(state());
    assert.equal(state().workers.join?.secrets.SERVICE_SECRET, SERVICE_SECRET);
  });

  for (const step of [1, 7, 9]) {
    const failing = FIRST_COMMANDS[step] ?? "";
    const [command = ""] = failing.split(/ (?=places\.json|people\.json|join\.json)/);
    const file = /(\w+)\.json/.exec(failing)?.[1];
    test(`a_deployment_that_fails_at_step_${step}_is_completed_by_the_next`, async () => {
      const { deploy, state, failCommand } = makeAccount();
      failCommand(file ? `${command} -c .deploy/production/${file}` : command);
      const { code, output, commands } = await deploy();
      assert.equal(code, 1);
      assert.match(output, /the platform is down/);
      assert.deepEqual(commands, FIRST_COMMANDS.slice(0, step + 1));
      failCommand("");
      const next = await deploy();
      assert.equal(next.code, 0, next.output);
      assertComplete(state());
    });
  }

  test("a_token_without_a_name_stops_a_deployment_before_it_changes_anything", async () => {
    const { deploy, state } = makeAccount();
    const hash = "abcdef12".repeat(8);
    const { code, output, commands } = await deploy({
      TOKENS: `write:anna:${hash}, write:${hash}`,
    });
    assert.deepEqual([code, commands.filter(Boolean), state().databases], [1, [], {}]);
    assert.match(output, /entry 2 of TOKENS has no name: write it as scope:name:hash/);
    assert.ok(!output.includes(hash));
  });

  test("a_deployment_without_read_access_changes_nothing", async () => {
    for (const question of ["d1 list", "secret list"]) {
      const { deploy, state, failCommand } = makeAccount();
      failCommand(question);
      const { code, commands } = await deploy();
      assert.deepEqual([code, commands.filter(Boolean), state().databases], [1, [], {}], question);
    }
  });

  test("a_deployment_rejects_an_older_database_in_one_line_and_changes_nothing", async () => {
    const { deploy, state, save } = makeAccount();
    const schemas = { people: "CREATE TABLE person (id INTEGER PRIMARY KEY);" };
    save({ ...state(), databases: { people: "id-of-people" }, schemas });
    const before = state();
    const { code, output, commands } = await deploy();
    assert.deepEqual([code, commands.filter(Boolean)], [1, []], output);
    const [line, ...otherLines] = output.split("\n").filter((line) => !line.startsWith("» check"));
    assert.match(line ?? "", /^» an older version made the database people: export its records, /);
    assert.deepEqual(otherLines, [""]);
    assert.deepEqual(state(), before);
  });

  test("a_deployment_rejects_a_database_of_another_project_and_changes_nothing", async () => {
    for (const [name, schema] of [
      ["people", "CREATE TABLE d1_migrations (id); CREATE TABLE customer (name TEXT);"],
      ["join", "CREATE TABLE schema (epoch TEXT);"],
    ]) {
      const { deploy, state, save } = makeAccount();
      const database = String(name);
      const schemas = { [database]: String(schema) };
      save({ ...state(), databases: { [database]: `id-of-${name}` }, schemas });
      const before = state();
      const { code, output, commands } = await deploy();
      assert.deepEqual([code, commands.filter(Boolean)], [1, []], output);
      const lines = output.split("\n").filter((line) => !line.startsWith("» check"));
      const message = `» the database ${name} has tables that are not of this project: set ENV, so that`;
      assert.deepEqual([lines.length, lines[0]?.startsWith(message)], [2, true], output);
      assert.deepEqual(state(), before);
    }
  });

  test("a_deployment_rejects_a_worker_of_another_project_and_changes_nothing", async () => {
    const { deploy, state, save } = makeAccount();
    const people = { services: [] as string[], secrets: { API_KEY: "x" }, crons: [] };
    save({ ...state(), workers: { people } });
    const before = state();
    const { code, output, commands } = await deploy();
    assert.deepEqual([code, commands.filter(Boolean)], [1, []], output);
    assert.match(
      output,
      /^» the worker people has no secret SERVICE_SECRET, [^\n]+ set ENV, so that/,
    );
    assert.deepEqual(state(), before);
    const north = await deploy({ ENV: "north" });
    assert.equal(north.code, 0, north.output);
    assert.deepEqual(state().workers.people, before.workers.people);
  });

  test("a_deployment_continues_with_an_empty_database", async () => {
    const { deploy, state, save } = makeAccount();
    // After a migration that failed, the database has only the platform's table for migrations.
    const schemas = { people: "CREATE TABLE d1_migrations (id);" };
    save({ ...state(), databases: { people: "id-of-people" }, schemas });
    const { code, output } = await deploy();
    assert.equal(code, 0, output);
    assertComplete(state());
  });

  test("a_staging_deployment_has_its_own_names_and_backends_without_a_public_address", async () => {
    const { deploy, state } = makeAccount();
    const { code, output } = await deploy({ ENV: "staging" });
    assert.equal(code, 0, output);
    const stagingNames = Object.keys(state().workers).sort();
    assert.deepEqual(stagingNames, ["join-staging", "people-staging", "places-staging"]);
    assert.deepEqual(Object.keys(state().databases).sort(), stagingNames);
    for (const name of names) {
      const config = JSON.parse(readFileSync(`.deploy/staging/${name}.json`, "utf8"));
      assert.equal(config.workers_dev, name === "join" ? undefined : false, name);
      assert.equal(config.d1_databases[0].database_id, `id-of-${name}-staging`);
      assert.ok(!config.routes && !config.route && !config.build);
      if (name !== "join") continue;
      const simple = limiterOf(config.vars.RATE_LIMIT);
      assert.deepEqual(config.ratelimits[0], { name: "REQUESTS", namespace_id: "6003", simple });
    }
    for (const ENV of ["North", "-north", "north-", "../north", "a b"]) {
      const invalid = await deploy({ ENV });
      assert.equal(invalid.code, 1, ENV);
      assert.match(invalid.output, /ENV is a name of lower-case letters/);
      assert.deepEqual(Object.keys(state().workers).sort(), stagingNames, ENV);
    }
  });

  test("two_environments_share_no_worker_database_or_rate_limit", async () => {
    const { deploy, state } = makeAccount();
    for (const ENV of ["north", "south"]) {
      const { code, output } = await deploy({ ENV });
      assert.equal(code, 0, output);
    }
    const deployedState = ["north", "south"]
      .flatMap((environment) => names.map((name) => `${name}-${environment}`))
      .sort();
    assert.deepEqual(Object.keys(state().workers).sort(), deployedState);
    assert.deepEqual(Object.keys(state().databases).sort(), deployedState);
    const limits = ["north", "south"].map((environment) => {
      const config = JSON.parse(readFileSync(`.deploy/${environment}/join.json`, "utf8"));
      return config.ratelimits[0].namespace_id;
    });
    assert.equal(new Set([...limits, "5003", "6003"]).size, 4, `${limits}`);
  });

  test("the_backends_run_near_their_databases_unless_placement_is_off", async () => {
    const placements = () =>
      names.map((name) => {
        const config = JSON.parse(readFileSync(`.deploy/staging/${name}.json`, "utf8"));
        return config.placement;
      });
    const { deploy, state } = makeAccount();
    const first = await deploy({ ENV: "staging", LOCATION: "enam" });
    assert.equal(first.code, 0, first.output);
    assert.deepEqual(Object.values(state().locations), ["enam", "enam", "enam"]);
    const region = { region: "gcp:us-east4" };
    assert.deepEqual(placements(), [region, region, undefined]);
    const off = await deploy({ ENV: "staging", LOCATION: "enam", PLACEMENT: "off" });
    assert.equal(off.code, 0, off.output);
    assert.doesNotMatch(off.output, /set LOCATION/);
    assert.deepEqual(placements(), [{ mode: "off" }, { mode: "off" }, undefined]);
    // A database stays where it is, so another location is only reported.
    const moved = await deploy({ ENV: "staging", LOCATION: "oc" });
    assert.equal(moved.code, 0, moved.output);
    assert.match(moved.output, /^» places-staging is in enam, not in oc: set LOCATION/m);
    const { code, output } = await deploy({ LOCATION: "moon" });
    assert.equal(code, 1);
    assert.match(output, /LOCATION is one of wnam, enam, weur/);
  });

  test("no_worker_logs_the_address_of_a_request", async () => {
    const { code, output } = await makeAccount().deploy({ ENV: "staging" });
    assert.equal(code, 0, output);
    for (const name of names) {
      const config = JSON.parse(readFileSync(`.deploy/staging/${name}.json`, "utf8"));
      const logs = { enabled: true, invocation_logs: false, head_sampling_rate: 1 };
      assert.deepEqual(config.observability, { enabled: true, logs }, name);
      assert.equal(config.vars.LOG, "10%", name);
    }
  });

  test("a_deployment_that_is_not_ready_fails", async () => {
    isHealthy = false;
    const { code, output } = await makeAccount().deploy();
    isHealthy = true;
    assert.equal(code, 1);
    assert.match(output, /GET \/readyz: 503/);
    // Without the setting URL, the address is the one that wrangler prints.
    const { output: unknown } = await makeAccount().deploy({ URL: "" });
    assert.match(unknown, /https:\/\/join\.example\.invalid does not do what it should/);
  });

  test("a_deployment_checks_that_reads_need_a_token_exactly_if_reads_is_closed", async () => {
    const project = mkdtempSync(join(folder, "project-"));
    for (const part of ["workers", "d1-migrations"])
      symlinkSync(resolve(part), join(project, part));
    const config = readFileSync("wrangler.toml", "utf8");
    for (const [reads, needToken, message] of [
      ["closed", true, /» deployed/],
      ["closed", false, /GET \/v1\/people-per-place\?limit=1: 200 /],
      ["open", true, /GET \/v1\/people-per-place\?limit=1: 401 /],
    ] as const) {
      const text = config.replace("[vars]\n", `[vars]\nREADS = "${reads}"\n`);
      assert.notEqual(text, config);
      writeFileSync(join(project, "wrangler.toml"), text);
      readsNeedToken = needToken;
      const { output } = await makeAccount().deploy({}, project);
      readsNeedToken = false;
      assert.match(output, message);
    }
  });

  test("a_gateway_passes_the_check_for_its_setting_reads", async () => {
    for (const READS of ["open", "closed"]) {
      await using system = await start({ gatewaySettings: { READS } });
      const url = String(system.join.url);
      assert.deepEqual(await check(url, READS === "open", 1), []);
      assert.equal((await check(url, READS !== "open", 1)).length, 1);
    }
  });

  test("a_dry_run_without_an_account_prints_commands_and_sizes_within_the_limit", async () => {
    const env = { ...process.env, DRY_RUN: "1", ENV: "staging", CLOUDFLARE_API_TOKEN: "" };
    const { stdout } = await new Promise<{ stdout: string }>((done, failed) => {
      execFile(process.execPath, ["ops/deploy/main.ts"], { env }, (error, stdout) =>
        error ? failed(error) : done({ stdout }),
      );
    });
    assert.match(stdout, /wrangler d1 migrations apply people-staging --remote/);
    const sizes = [...stdout.matchAll(/packed (\d+) KiB: [\d.]+ % of the 3 MiB/g)];
    assert.equal(sizes.length, 3, stdout);
    for (const [, size] of sizes) assert.ok(Number(size) > 50 && Number(size) < 3 * 1024);
  });
});
