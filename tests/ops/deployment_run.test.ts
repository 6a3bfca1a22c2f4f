// Runs a whole deployment with `make` and the pinned wrangler, against a stand-in for Cloudflare's
// API that runs what was uploaded. This takes minutes, so only `make test ALL=1` runs it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, suite, test } from "node:test";
import { type Name, names } from "../../ops/workers.ts";
import type { Binding, Version } from "../support/cloudflare/account.ts";
import { Cloudflare } from "../support/cloudflare/server.ts";
import { onlyInCompleteRuns as skip } from "../support/complete.ts";
import { migrations, WorkerClient } from "../support/harness.ts";
import { bearer, tokenHash } from "../support/tokens.ts";

const folder = mkdtempSync(join(tmpdir(), "deployment-"));
const token = "the-first-token-of-this-test";
const nextToken = "the-second-token-of-this-test";
const TOKENS = `admin:ops:${tokenHash(token)}`;

/** All files in a folder, by their paths from it. */
function filesIn(root: string): Map<string, Buffer> {
  const all = readdirSync(root, { recursive: true, withFileTypes: true });
  const paths = all.filter((entry) => entry.isFile()).map((e) => join(e.parentPath, e.name));
  return new Map(paths.map((path) => [`/${relative(root, path)}`, readFileSync(path)]));
}

const digest = (content: Buffer) => createHash("sha256").update(content).digest("hex");

suite("a deployment by the pinned wrangler", { skip, timeout: 900_000 }, () => {
  let cloudflare: Cloudflare;
  const urls = new Map<string, string>();

  before(async () => {
    cloudflare = await Cloudflare.start();
    for (const worker of ["join", "join-staging"])
      urls.set(worker, await cloudflare.publish(worker));
  });
  after(async () => {
    await cloudflare?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a command with the account of the stand-in. */
  const run = (command: string, args: string[], settings: Record<string, string> = {}) => {
    const path = [join(process.cwd(), "node_modules/.bin"), process.env.PATH].join(":");
    const gateway = settings.ENV === "staging" ? "join-staging" : "join";
    const env = {
      HOME: folder,
      PATH: path,
      TMPDIR: folder,
      CARGO_HOME: process.env.CARGO_HOME ?? join(process.env.HOME ?? "", ".cargo"),
      RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(process.env.HOME ?? "", ".rustup"),
      DEPLOY_FOLDER: join(folder, "deploy"),
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_LOG_PATH: join(folder, "logs"),
      CI: "1",
      URL: urls.get(gateway) ?? "",
      ...cloudflare.settings,
      ...settings,
    };
    return new Promise<string>((done, failed) => {
      execFile(command, args, { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
        const output = stdout + stderr;
        if (error) failed(new Error(`${command} ${args.join(" ")}: ${error.message}\n${output}`));
        else done(output);
      });
    });
  };
  const make = (task: string, settings: Record<string, string> = {}) =>
    run("make", [task], settings);
  const gateway = (worker = "join") => new WorkerClient(new URL(urls.get(worker) ?? ""));
  const activeVersion = (worker: string): Version =>
    cloudflare.account.active(cloudflare.account.worker(worker));
  const binding = (worker: string, name: string): Binding => {
    const found = activeVersion(worker).bindings.find((one) => one.name === name);
    assert.ok(found, `${worker} has no binding ${name}`);
    return found;
  };

  test("the_first_deployment_uploads_everything_that_the_workers_need", async () => {
    const output = await make("deploy", { TOKENS });
    const secret = binding("join", "SERVICE_SECRET").text;
    assert.match(secret, /^[0-9a-f]{64}$/);
    assert.ok(!output.includes(secret) && !output.includes(TOKENS), "a secret is printed");
    const { account } = cloudflare;
    const locations = [...account.databases.values()].map(({ name, location }) => [name, location]);
    assert.deepEqual(Object.fromEntries(locations), {
      places: "weur",
      people: "weur",
      join: "weur",
    });
    for (const name of names) {
      const { modules, bindings, metadata } = activeVersion(name);
      const worker = account.worker(name);
      // The modules are those of the build.
      const wasm = modules.filter(({ type }) => type === "application/wasm");
      const built = readFileSync(`workers/${name}/build/index_bg.wasm`);
      assert.deepEqual(
        wasm.map(({ content }) => digest(content)),
        [digest(built)],
        name,
      );
      assert.equal(modules.length, 2, name);
      assert.equal(metadata.compatibility_date, "2026-07-30");
      // A request is logged by the worker alone, without its address.
      assert.deepEqual(worker.settings.observability, {
        enabled: true,
        logs: { enabled: true, invocation_logs: false, head_sampling_rate: 1 },
      });
      // The backends run near their databases, the gateway near the client.
      const placement =
        name === "join" ? undefined : { mode: "targeted", region: "gcp:europe-west1" };
      assert.deepEqual(metadata.placement, placement, name);
      assert.deepEqual(worker.crons, ["* * * * *"]);
      const isPublic = name === "join";
      assert.deepEqual(worker.subdomain, { enabled: isPublic, previews_enabled: false }, name);
      const byType = Object.groupBy(bindings, ({ type }) => type);
      const named = (type: string) => (byType[type] ?? []).map(({ name }) => name).sort();
      assert.deepEqual(named("d1"), ["DB"]);
      assert.equal(account.database(binding(name, "DB").id).name, name);
      const others = { places: ["PEOPLE"], people: ["PLACES"], join: ["PEOPLE", "PLACES"] };
      assert.deepEqual(named("service"), others[name]);
      const secrets = isPublic ? ["SERVICE_SECRET", "TOKENS"] : ["SERVICE_SECRET"];
      assert.deepEqual(named("secret_text"), secrets);
      assert.equal(binding(name, "SERVICE_SECRET").text, secret);
      assert.deepEqual(named("plain_text"), isPublic ? ["LOG", "RATE_LIMIT"] : ["LOG"]);
      assert.deepEqual(named("ratelimit"), isPublic ? ["REQUESTS"] : []);
      assert.deepEqual(named("assets"), isPublic ? ["ASSETS"] : []);
      const known = ["d1", "service", "secret_text", "plain_text", "ratelimit", "assets"];
      assert.deepEqual(
        Object.keys(byType).filter((type) => !known.includes(type)),
        [],
        name,
      );
    }
    assert.equal(binding("join", "TOKENS").text, TOKENS);
    const { name, type, ...limit } = binding("join", "REQUESTS");
    assert.deepEqual(limit, { namespace_id: "5003", simple: { limit: 1200, period: 60 } });
  });

  test("the_uploaded_files_are_those_of_the_project", () => {
    const { assets, metadata } = activeVersion("join");
    const local = filesIn("workers/join/assets");
    // The rules for the headers of files are no file.
    assert.equal(metadata.assets._headers, `${local.get("/_headers")}`);
    local.delete("/_headers");
    assert.deepEqual(Object.keys(assets).sort(), [...local.keys()].sort());
    for (const [path, hash] of Object.entries(assets)) {
      const uploaded = cloudflare.account.assets.get(hash)?.content;
      assert.ok(uploaded?.equals(local.get(path) ?? Buffer.alloc(0)), path);
    }
    const { run_worker_first: rules } = metadata.assets;
    const files = ["site.css", "site.js", "icon.svg", "template-people.csv", "template-places.csv"];
    assert.deepEqual(rules, ["/*", ...files.map((file) => `!/${file}`)]);
  });

  test("the_migrations_create_the_schema_of_the_project", async () => {
    const schema = `SELECT type, name, sql FROM sqlite_schema
      WHERE name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'd1\\_%' ESCAPE '\\'
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
        AND name NOT LIKE '%\\_search\\_%' ESCAPE '\\' ORDER BY name`;
    for (const name of names) {
      // The stand-in removes comments.
      const plain = (sql: string) => sql.replaceAll(/--.*$/gm, "").replaceAll(/\s+/g, " ");
      const statements = plain(migrations(name));
      const uploaded = await cloudflare.query(name, schema);
      assert.ok(uploaded.length > 3);
      for (const { name: object, sql } of uploaded) {
        if (sql) assert.ok(statements.includes(plain(sql)), `${name}: ${object}`);
      }
      const applied = await cloudflare.query(name, "SELECT name FROM d1_migrations");
      const files = readdirSync(`d1-migrations/${name}`).sort();
      assert.deepEqual(
        applied.map(({ name }) => name),
        files,
      );
    }
  });

  test("the_deployed_system_works_and_its_second_deployment_keeps_data_and_secrets", async () => {
    const { account } = cloudflare;
    const place = { name: "Nueva" };
    const created = await gateway().send("POST", "/v1/places", place, bearer(token));
    assert.equal(created.status, 201, created.text);
    const person = { name: "Ana", isAlive: true, placeId: created.json.id };
    const added = await gateway().send("POST", "/v1/people", person, bearer(token));
    assert.equal(added.status, 201, added.text);
    assert.equal((await gateway().get("/site.css")).status, 200);
    const secret = binding("join", "SERVICE_SECRET").text;
    const ids = [...account.databases.keys()];
    await make("deploy");
    assert.deepEqual([...account.databases.keys()], ids);
    for (const name of names) {
      assert.equal(binding(name, "SERVICE_SECRET").text, secret);
      assert.deepEqual(account.worker(name).crons, ["* * * * *"]);
    }
    assert.equal(binding("join", "TOKENS").text, TOKENS);
    const { json } = await gateway().get("/v1/people-per-place");
    assert.deepEqual(
      json.map(({ name, people }: { name: string; people: object[] }) => [name, people.length]),
      [["Nueva", 1]],
    );
  });

  test("an_environment_has_its_own_workers_databases_and_rate_limit", async () => {
    const before = [...cloudflare.account.databases.keys()];
    await make("deploy", { ENV: "staging", TOKENS, LOCATION: "apac" });
    const { account } = cloudflare;
    const added = [...account.databases.values()].filter(({ uuid }) => !before.includes(uuid));
    assert.deepEqual(
      added.map(({ name, location }) => [name, location]),
      names.map((name) => [`${name}-staging`, "apac"]),
    );
    for (const name of names) {
      const id = binding(`${name}-staging`, "DB").id;
      assert.equal(account.database(id).name, `${name}-staging`);
      const { placement } = activeVersion(`${name}-staging`).metadata;
      assert.deepEqual(
        placement,
        name === "join" ? undefined : { mode: "targeted", region: "gcp:asia-southeast1" },
      );
    }
    assert.equal(binding("join-staging", "PLACES").service, "places-staging");
    assert.equal(binding("join-staging", "REQUESTS").namespace_id, "6003");
    assert.notEqual(
      binding("join-staging", "SERVICE_SECRET").text,
      binding("join", "SERVICE_SECRET").text,
    );
    assert.equal((await gateway("join-staging").get("/v1/places")).text, "[]");
  });

  test("a_rollback_returns_to_the_version_before", async () => {
    const previous = activeVersion("join").id;
    await make("deploy", { TOKENS: `admin:ops:${tokenHash(nextToken)}` });
    const read = async (key: string) =>
      (await gateway().send("POST", "/v1/places", { name: `P ${key}` }, bearer(key))).status;
    assert.deepEqual([await read(token), await read(nextToken)], [401, 201]);
    await run("wrangler", ["rollback", previous, "--name", "join", "--yes"]);
    assert.equal(activeVersion("join").id, previous);
    assert.deepEqual([await read(token), await read(nextToken)], [201, 401]);
  });

  test("a_backup_reads_the_deployed_databases_and_restores_into_another_environment", async () => {
    const backup = join(folder, "backup");
    await make("backup", { REMOTE: "1", TO: backup });
    assert.equal(statSync(join(backup, "people.sql")).mode & 0o777, 0o600);
    await make("restore", { REMOTE: "1", ENV: "staging", FROM: backup });
    const tables = {
      places: ["place", "place_change"],
      people: ["person", "person_change", "population", "population_history"],
      join: [],
    };
    for (const name of Object.keys(tables) as Name[]) {
      for (const table of tables[name]) {
        const rows = `SELECT * FROM ${table} ORDER BY 1, 2`;
        const restored = await cloudflare.query(`${name}-staging`, rows);
        assert.deepEqual(restored, await cloudflare.query(name, rows), table);
        assert.ok(restored.length > 0, table);
      }
    }
    const paths = ["/v1/people-per-place", "/v1/changes?limit=1000", "/v1/statistics/places"];
    for (const path of paths) {
      const [original, copy] = [await gateway().get(path), await gateway("join-staging").get(path)];
      assert.equal(copy.text, original.text, path);
    }
  });

  test("wrangler_called_no_route_that_the_stand_in_lacks", () => {
    assert.deepEqual(cloudflare.unknown, []);
  });
});
