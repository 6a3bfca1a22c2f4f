// `make deploy`: its plan, from every state that an account can be in, and the commands that it
// runs, with a wrangler that stands for the account.
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
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, suite, test } from "node:test";
import { type Services, type State, steps } from "../../ops/deploy/plan.ts";
import { type Name, names } from "../../ops/workers.ts";
import type { Account } from "../support/fake_wrangler.ts";

const services: Services = { places: ["people"], people: ["places"], join: ["places", "people"] };
const secret = new Set(["SERVICE_SECRET"]);
const none: State = { databases: new Set(), workers: new Map() };
const all: State = {
  databases: new Set(names),
  workers: new Map(names.map((name) => [name, secret])),
};
const words = (state: State, given: string[] = []) =>
  steps(state, services, new Set(given)).map((step) => {
    if (step.do === "check") return step.do;
    if (step.do !== "deploy") return `${step.do} ${step.database}`;
    const { worker, without, secrets } = step;
    return [`deploy ${worker}`, ...without.map((name) => `-${name}`), ...secrets].join(" ");
  });
const migrations = ["migrate places", "migrate people", "migrate join"];

suite("the plan", () => {
  test("of_the_first_time_has_an_owner_come_twice_so_that_both_can_be_bound", () => {
    assert.deepEqual(words(none, ["TOKENS"]), [
      "create places",
      "create people",
      "create join",
      ...migrations,
      "deploy places -people SERVICE_SECRET",
      "deploy people SERVICE_SECRET",
      "deploy places",
      "deploy join SERVICE_SECRET TOKENS",
      "check",
    ]);
  });

  test("of_the_next_time_touches_no_database_and_no_secret", () => {
    const checks = names.map((name) => `check schema ${name}`);
    const plain = ["deploy places", "deploy people", "deploy join", "check"];
    assert.deepEqual(words(all), [...checks, ...migrations, ...plain]);
  });

  test("sets_what_is_given_and_no_token_at_an_owner", () => {
    const given = words(all, ["SERVICE_SECRET", "TOKENS"]).slice(6);
    assert.deepEqual(given, [
      "deploy places SERVICE_SECRET",
      "deploy people SERVICE_SECRET",
      "deploy join SERVICE_SECRET TOKENS",
      "check",
    ]);
  });

  test("from_any_state_ends_with_everything_there_and_binds_nobody_to_nothing", () => {
    const subsets = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
      names.filter((_, at) => bits & (1 << at)),
    );
    for (const databases of subsets) {
      for (const workers of subsets) {
        for (const shared of subsets) {
          const secrets = (name: Name) => (shared.includes(name) ? secret : new Set<string>());
          const state: State = {
            databases: new Set(databases),
            workers: new Map(workers.map((name) => [name, secrets(name)])),
          };
          const there = new Set(databases);
          const ready = new Set<Name>();
          const deployed = new Map<Name, Name[]>(workers.map((name) => [name, []]));
          const renewed = new Set<Name>();
          const planned = steps(state, services, new Set());
          // The schema of each existing database is checked before anything is changed.
          const checked = planned.slice(0, databases.length).map((step) => step.do);
          assert.deepEqual(checked, Array(databases.length).fill("check schema"));
          for (const step of planned) {
            if (step.do === "create") {
              assert.ok(!there.has(step.database));
              there.add(step.database);
            } else if (step.do === "migrate") {
              assert.ok(there.has(step.database));
              ready.add(step.database);
            } else if (step.do === "deploy") {
              assert.ok(ready.has(step.worker));
              const bound = services[step.worker].filter((name) => !step.without.includes(name));
              for (const name of bound) assert.ok(deployed.has(name), `${step.worker} → ${name}`);
              deployed.set(step.worker, bound);
              if (step.secrets.includes("SERVICE_SECRET")) renewed.add(step.worker);
            }
          }
          assert.deepEqual(Object.fromEntries(deployed), services);
          // All three have the secret of before, or all three have a new one.
          const isShared = names.every((name) => state.workers.get(name)?.has("SERVICE_SECRET"));
          assert.equal(renewed.size, isShared ? 0 : 3);
        }
      }
    }
  });
});

const folder = mkdtempSync(join(tmpdir(), "account-"));
let isWell = true;
const server = createServer(({ method, url = "" }, answer) => {
  const status = method === "POST" ? 401 : isWell ? 200 : 503;
  answer.writeHead(status).end(url.startsWith("/openapi") ? '{"openapi":"3.1.1"}' : "[]");
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
const port = address && typeof address !== "string" ? address.port : 0;
after(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

let accounts = 0;
/** An account of nothing, and what is deployed there. */
function account() {
  accounts += 1;
  const file = join(folder, `${accounts}.json`);
  const bin = mkdtempSync(join(folder, "bin-"));
  const fake = resolve("tests/support/fake_wrangler.ts");
  writeFileSync(
    join(bin, "wrangler"),
    `#!/bin/sh\nexec '${process.execPath}' '${fake}' '${file}' "$@"\n`,
  );
  chmodSync(join(bin, "wrangler"), 0o755);
  const save = (state: Account) => writeFileSync(file, JSON.stringify(state));
  const state = (): Account => JSON.parse(readFileSync(file, "utf8"));
  // What begins with https:// is an address; that of the test is told by URL.
  save({
    databases: {},
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
    /** Deploys, and tells how that ended, what was said, and which commands changed something. */
    async deploy(settings: Record<string, string> = {}) {
      rmSync(`${file}.log`, { force: true });
      const env = { TMPDIR: folder, CHECKS: "1", URL: `http://127.0.0.1:${port}`, ...settings };
      const program = resolve("ops/deploy/main.ts");
      const path = `${bin}:${process.env.PATH}`;
      return new Promise<{ code: number; said: string; ran: string[] }>((done) => {
        execFile(
          process.execPath,
          [program],
          { env: { ...env, PATH: path } },
          (error, stdout, stderr) => {
            const log = existsSync(`${file}.log`) ? readFileSync(`${file}.log`, "utf8") : "";
            const ran = log
              .trim()
              .split("\n")
              .filter((line) => !/^(d1|secret) (list|execute)/.test(line))
              .map((line) => line.replace(/ -c \.deploy\/\w+\//, " ").replace(/ \/.*$/, ""));
            const code = typeof error?.code === "number" ? error.code : error ? -1 : 0;
            done({ code, said: stdout + stderr, ran });
          },
        );
      });
    },
  };
}

const first = [
  "d1 create places",
  "d1 create people",
  "d1 create join",
  "d1 migrations apply places --remote places.json",
  "d1 migrations apply people --remote people.json",
  "d1 migrations apply join --remote join.json",
  "deploy places.json --secrets-file",
  "deploy people.json --secrets-file",
  "deploy places.json",
  "deploy join.json --secrets-file",
];
const again = [
  ...first.slice(3, 6),
  ...["places", "people", "join"].map((n) => `deploy ${n}.json`),
];

/** That all is there, with one secret that all three share. */
function isWhole({ databases, workers, migrated }: Account): void {
  assert.deepEqual(Object.keys(databases).sort(), ["join", "people", "places"]);
  assert.deepEqual(migrated.sort(), ["join", "people", "places"]);
  for (const name of names) assert.deepEqual(workers[name]?.services.sort(), services[name].sort());
  const shared = new Set(names.map((name) => workers[name]?.secrets.SERVICE_SECRET));
  assert.equal(shared.size, 1);
  assert.match([...shared][0] ?? "", /^[0-9a-f]{64}$/);
  for (const name of names) assert.deepEqual(workers[name]?.crons, ["* * * * *"], name);
}

suite("the deployment", () => {
  test("does_all_the_first_time_and_the_same_again_without_a_trace_of_a_secret", async () => {
    const { deploy, state } = account();
    const { code, said, ran } = await deploy({ TOKENS: "write:abcdef" });
    assert.equal(code, 0, said);
    assert.deepEqual(ran, first);
    isWhole(state());
    const { SERVICE_SECRET, TOKENS } = state().workers.join?.secrets ?? {};
    assert.equal(TOKENS, "write:abcdef");
    assert.equal(state().workers.places?.secrets.TOKENS, undefined);
    assert.ok(SERVICE_SECRET && !said.includes(SERVICE_SECRET) && !said.includes("abcdef"));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("deploy-")),
      [],
    );

    const next = await deploy();
    assert.deepEqual([next.code, next.ran], [0, again], next.said);
    isWhole(state());
    assert.equal(state().workers.join?.secrets.SERVICE_SECRET, SERVICE_SECRET);
  });

  for (const at of [1, 7, 9]) {
    const failing = first[at] ?? "";
    const [command = ""] = failing.split(/ (?=places\.json|people\.json|join\.json)/);
    const file = /(\w+)\.json/.exec(failing)?.[1];
    test(`that_fails_at_step_${at}_stops_there_and_the_next_one_ends_it`, async () => {
      const { deploy, state, failCommand } = account();
      failCommand(file ? `${command} -c .deploy/production/${file}` : command);
      const { code, said, ran } = await deploy();
      assert.equal(code, 1);
      assert.match(said, /the platform is down/);
      assert.deepEqual(ran, first.slice(0, at + 1));
      failCommand("");
      const next = await deploy();
      assert.equal(next.code, 0, next.said);
      isWhole(state());
    });
  }

  test("that_may_not_ask_does_nothing", async () => {
    for (const question of ["d1 list", "secret list"]) {
      const { deploy, state, failCommand } = account();
      failCommand(question);
      const { code, ran } = await deploy();
      assert.deepEqual([code, ran.filter(Boolean), state().databases], [1, [], {}], question);
    }
  });

  test("rejects_a_database_of_an_older_version_in_one_line_and_changes_nothing", async () => {
    const { deploy, state, save } = account();
    const schemas = { people: "CREATE TABLE person (id INTEGER PRIMARY KEY);" };
    save({ ...state(), databases: { people: "id-of-people" }, schemas });
    const before = state();
    const { code, said, ran } = await deploy();
    assert.deepEqual([code, ran.filter(Boolean)], [1, []], said);
    const [line, ...more] = said.split("\n").filter((line) => !line.startsWith("» check"));
    assert.match(line ?? "", /^» an older version made the database people: export its records, /);
    assert.deepEqual(more, [""]);
    assert.deepEqual(state(), before);
  });

  test("of_staging_has_names_of_its_own_and_owners_without_an_address", async () => {
    const { deploy, state } = account();
    const { code, said } = await deploy({ ENV: "staging" });
    assert.equal(code, 0, said);
    const staged = Object.keys(state().workers).sort();
    assert.deepEqual(staged, ["join-staging", "people-staging", "places-staging"]);
    assert.deepEqual(Object.keys(state().databases).sort(), staged);
    for (const name of names) {
      const config = JSON.parse(readFileSync(`.deploy/staging/${name}.json`, "utf8"));
      assert.equal(config.workers_dev, name === "join" ? undefined : false, name);
      assert.equal(config.d1_databases[0].database_id, `id-of-${name}-staging`);
      assert.ok(!config.routes && !config.route && !config.build);
      if (name === "join") assert.equal(config.ratelimits[0].namespace_id, "6003");
    }
    for (const ENV of ["North", "-north", "north-", "../north", "a b"]) {
      const other = await deploy({ ENV });
      assert.equal(other.code, 1, ENV);
      assert.match(other.said, /ENV is a name of lower-case letters/);
      assert.deepEqual(Object.keys(state().workers).sort(), staged, ENV);
    }
  });

  test("of_two_registries_share_no_worker_no_database_and_no_rate_limit", async () => {
    const { deploy, state } = account();
    for (const ENV of ["north", "south"]) {
      const { code, said } = await deploy({ ENV });
      assert.equal(code, 0, said);
    }
    const all = ["north", "south"].flatMap((one) => names.map((name) => `${name}-${one}`)).sort();
    assert.deepEqual(Object.keys(state().workers).sort(), all);
    assert.deepEqual(Object.keys(state().databases).sort(), all);
    const limits = ["north", "south"].map((one) => {
      const config = JSON.parse(readFileSync(`.deploy/${one}/join.json`, "utf8"));
      return config.ratelimits[0].namespace_id;
    });
    assert.equal(new Set([...limits, "5003", "6003"]).size, 4, `${limits}`);
  });

  test("that_does_not_answer_as_it_should_has_failed", async () => {
    isWell = false;
    const { code, said } = await account().deploy();
    isWell = true;
    assert.equal(code, 1);
    assert.match(said, /GET \/readyz: 503/);
    // Without another one, the address is the one that wrangler tells.
    const { said: unknown } = await account().deploy({ URL: "" });
    assert.match(unknown, /https:\/\/join\.example\.invalid does not do what it should/);
  });

  test("tried_without_an_account_prints_its_commands_and_fits", async () => {
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
