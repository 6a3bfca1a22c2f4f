// Tests health checks. `/healthz` says that a worker runs, and `/readyz` that everything it needs
// is available.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { SERVICE_SECRET, start } from "../support/harness.ts";
import { startObserved } from "../support/log_lines.ts";
import { bearer, tokenHash } from "../support/tokens.ts";

suite("health checks", () => {
  test("a_health_check_needs_no_token_and_calls_no_service", async () => {
    await using closed = await start({ gatewaySettings: { READS: "token" }, countCosts: true });
    for (const worker of [closed.places, closed.people, closed.join]) {
      for (const path of ["/healthz", "/v1/healthz"]) {
        const alive = await worker.get(path);
        assert.deepEqual([alive.status, alive.json], [200, { status: "alive" }]);
      }
    }
    const costs = Object.values(await closed.takeCosts());
    assert.ok(costs.every(({ roundTrips, calls }) => roundTrips === 0 && calls === 0));
    const ready = await closed.join.get("/readyz");
    const checks = { database: "ready", people: "ready", places: "ready" };
    assert.deepEqual([ready.status, ready.json], [200, { status: "ready", checks }]);
    for (const worker of [closed.places, closed.people]) {
      const { status, json } = await worker.get("/readyz");
      assert.deepEqual([status, Object.keys(json.checks).length], [200, 2]);
    }
  });

  test("an_isolate_checks_its_dependencies_at_most_once_per_second", async () => {
    await using system = await start({ countCosts: true });
    const cost = async (requests: number) => {
      for (let n = 0; n < requests; n += 1)
        assert.equal((await system.join.get("/readyz")).status, 200);
      const { places, people, join } = await system.takeCosts();
      return [places, people, join].map(({ roundTrips, calls }) => roundTrips + calls);
    };
    const began = Date.now();
    // Two calls and a query of the gateway, and a query and a call of each backend.
    assert.deepEqual(await cost(1), [2, 2, 3]);
    const repeated = await cost(3);
    if (Date.now() - began < 1000) assert.deepEqual(repeated, [0, 0, 0]);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.deepEqual(await cost(1), [2, 2, 3]);
  });

  test("an_administrator_sees_the_size_of_each_database_and_nobody_else_does", async () => {
    const adminToken = "a-token-with-the-scope-admin";
    const writeToken = "a-token-with-the-scope-write";
    const TOKENS = `admin:ops:${tokenHash(adminToken)}, write:anna:${tokenHash(writeToken)}`;
    const gatewaySettings = { TOKENS, WRITES: "open" };
    await using system = await start({ seed: true, gatewaySettings });
    const { status, json } = await system.join.get("/readyz", bearer(adminToken));
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json.databases).sort(), ["database", "people", "places"]);
    for (const [name, { bytes, maxBytes }] of Object.entries<Record<string, number>>(
      json.databases,
    )) {
      assert.ok(bytes && maxBytes && bytes > 10_000 && bytes < maxBytes, name);
      assert.equal(maxBytes, 10_000_000_000);
    }
    const wrongSecret = { "x-service-secret": "x" };
    const others: Record<string, string>[] = [{}, bearer(writeToken), wrongSecret];
    for (const headers of others) {
      for (const worker of [system.join, system.people]) {
        assert.equal((await worker.get("/readyz", headers)).json.databases, undefined);
      }
    }
  });

  test("an_administrator_sees_which_tokens_are_malformed_and_the_log_says_so_once", async () => {
    const adminToken = "a-token-with-the-scope-admin";
    const [admin, secret] = [tokenHash(adminToken), tokenHash("a-token-that-nobody-has")];
    const TOKENS = `admin:ops:${admin}, write:${secret}`;
    const detail = /^Entry 2 of TOKENS has no name\. Write it as scope:name:hash/;
    const backendSettings = { TOKENS: `write:anna:${secret.slice(1)}` };
    const { system, raw } = await startObserved({
      gatewaySettings: { TOKENS },
      backendSettings: { ...backendSettings, SERVICE_SECRET },
    });
    try {
      for (let n = 0; n < 3; n += 1)
        assert.equal((await system.join.get("/v1/places")).status, 200);
      const { status, json, text } = await system.join.get("/readyz", bearer(adminToken));
      assert.equal(status, 200);
      const [own, ...others] = json.invalidSettings;
      assert.match(own.detail, detail);
      assert.equal(own.service, undefined);
      assert.deepEqual(
        others.map(({ service }: { service: string }) => service),
        ["places", "people"],
      );
      assert.match(others[1].detail, /^Entry 1 of TOKENS is malformed\./);
      for (const hash of [admin, secret, secret.slice(1)]) assert.ok(!text.includes(hash));
      assert.equal((await system.join.get("/readyz")).json.invalidSettings, undefined);
      const logged = raw.filter((line) => line.includes("Entry 2 of TOKENS"));
      assert.equal(logged.length, 1, logged.join("\n"));
      const [line] = logged.map((line) => JSON.parse(line));
      assert.deepEqual([line.level, line.worker], ["error", "join"]);
      assert.ok(raw.every((line) => !line.includes(secret.slice(1))));
    } finally {
      await system.dispose();
    }
  });

  const failures = {
    fails: () => new Response("", { status: 500 }),
    hangs: () => new Promise<Response>(() => {}),
  };
  for (const [how, failing] of Object.entries(failures)) {
    test(`the_readiness_check_names_a_service_that_${how}_in_bounded_time`, async () => {
      await using broken = await start({ stubs: { people: failing } });
      const began = Date.now();
      const { status, json, headers } = await broken.join.get("/readyz");
      assert.ok(Date.now() - began < 4000, "the readiness check is bounded");
      assert.deepEqual([status, json.type], [503, "/problems/not-ready"]);
      // The backend places depends on people too.
      assert.deepEqual(json.failed, ["places", "people"]);
      assert.equal(headers["retry-after"], "5");
      assert.equal((await broken.join.get("/healthz")).status, 200);
      assert.deepEqual((await broken.places.get("/readyz")).json.failed, ["people"]);
    });
  }

  test("the_readiness_check_names_a_failed_database", async () => {
    const panickingSystem = await startObserved({ panickingWorker: "people" });
    try {
      const { status, json } = await panickingSystem.system.people.get("/readyz", {
        "x-broken": "1",
      });
      assert.deepEqual([status, json.failed], [503, ["database"]]);
    } finally {
      await panickingSystem.system.dispose();
    }
  });
});
