// Tests the plan of `make deploy` from every state that an account can have.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Services, type State, steps } from "../../ops/deploy/plan.ts";
import { type Name, names } from "../../ops/workers.ts";

const services: Services = { places: ["people"], people: ["places"], join: ["places", "people"] };
const secret = new Set(["SERVICE_SECRET"]);
const emptyState: State = { databases: new Set(), workers: new Map() };
const deployedState: State = {
  databases: new Set(names),
  workers: new Map(names.map((name) => [name, secret])),
};
const describeSteps = (state: State, secretNames: string[] = []) =>
  steps(state, services, new Set(secretNames)).map((step) => {
    if (step.do === "check") return step.do;
    if (step.do !== "deploy") return `${step.do} ${step.database}`;
    const { worker, without, secrets } = step;
    return [`deploy ${worker}`, ...without.map((name) => `-${name}`), ...secrets].join(" ");
  });
const migrations = ["migrate places", "migrate people", "migrate join"];

suite("the deployment plan", () => {
  test("the_first_deployment_deploys_one_backend_twice_to_bind_both", () => {
    assert.deepEqual(describeSteps(emptyState, ["TOKENS"]), [
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

  test("a_later_deployment_creates_no_database_and_sets_no_secret", () => {
    const checks = names.map((name) => `check schema ${name}`);
    const plain = ["deploy places", "deploy people", "deploy join", "check"];
    assert.deepEqual(describeSteps(deployedState), [...checks, ...migrations, ...plain]);
  });

  test("a_deployment_sets_the_given_secrets_and_no_token_on_a_backend", () => {
    const secretNames = describeSteps(deployedState, ["SERVICE_SECRET", "TOKENS"]).slice(6);
    assert.deepEqual(secretNames, [
      "deploy places SERVICE_SECRET",
      "deploy people SERVICE_SECRET",
      "deploy join SERVICE_SECRET TOKENS",
      "check",
    ]);
  });

  test("a_deployment_from_any_state_completes_and_binds_only_deployed_workers", () => {
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
          const existing = new Set(databases);
          const migrated = new Set<Name>();
          const deployed = new Map<Name, Name[]>(workers.map((name) => [name, []]));
          const withNewSecret = new Set<Name>();
          const planned = steps(state, services, new Set());
          // The schema of each existing database is checked before anything is changed.
          const checked = planned.slice(0, databases.length).map((step) => step.do);
          assert.deepEqual(checked, Array(databases.length).fill("check schema"));
          for (const step of planned) {
            if (step.do === "create") {
              assert.ok(!existing.has(step.database));
              existing.add(step.database);
            } else if (step.do === "migrate") {
              assert.ok(existing.has(step.database));
              migrated.add(step.database);
            } else if (step.do === "deploy") {
              assert.ok(migrated.has(step.worker));
              const bound = services[step.worker].filter((name) => !step.without.includes(name));
              for (const name of bound) assert.ok(deployed.has(name), `${step.worker} → ${name}`);
              deployed.set(step.worker, bound);
              if (step.secrets.includes("SERVICE_SECRET")) withNewSecret.add(step.worker);
            }
          }
          assert.deepEqual(Object.fromEntries(deployed), services);
          // All three workers keep the shared secret, or all three get a new one.
          const isShared = names.every((name) => state.workers.get(name)?.has("SERVICE_SECRET"));
          assert.equal(withNewSecret.size, isShared ? 0 : 3);
        }
      }
    }
  });
});
