// `make deploy` deploys the three workers and their databases to a Cloudflare account. If a run
// failed, the next one continues it. ENV=north selects an environment. DRY_RUN=1 only prints the
// steps.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { rejectFault, UnusableDatabase } from "../schema.ts";
import { checkTokens, InvalidTokens } from "../tokens.ts";
import { type Name, names } from "../workers.ts";
import { check } from "./check.ts";
import {
  configOf,
  configure,
  deployedName,
  type Environment,
  environmentOf,
  expectedName,
  placeholders,
  readsAreOpen,
  services,
} from "./config.ts";
import { expectedLocation, type Location, locationOf } from "./locations.ts";
import { foreignWorker, type State, type Step, steps } from "./plan.ts";
import { databases, deploy, Failed, inspect, uploadSize, workers, wrangler } from "./wrangler.ts";

const { env } = process;
const KIB_FREE = 3 * 1024;
const KIB_PAID = 10 * 1024;

/** The command of a step, for the log. */
function describeStep(step: Step, environment: Environment, location: Location): string {
  switch (step.do) {
    case "check schema":
      return `check the schema of ${deployedName(step.database, environment)}`;
    case "create":
      return `wrangler d1 create ${deployedName(step.database, environment)} --location ${location}`;
    case "migrate": {
      const name = deployedName(step.database, environment);
      const config = configOf(step.database, environment);
      return `wrangler d1 migrations apply ${name} --remote -c ${config}`;
    }
    case "deploy": {
      const secrets = step.secrets.length ? ` --secrets-file <${step.secrets.join(", ")}>` : "";
      const note = step.without.length ? `   # not bound to ${step.without.join(", ")} yet` : "";
      return `wrangler deploy -c ${configOf(step.worker, environment)}${secrets}${note}`;
    }
    case "check":
      return "check the deployment through the gateway";
  }
}

async function dryRun(environment: Environment, location: Location): Promise<boolean> {
  const empty: State = { databases: new Set(), workers: new Map() };
  console.log(`» ${environment}: the steps of a first deployment`);
  for (const step of steps(empty, services(), suppliedSecrets())) {
    console.log(`  ${describeStep(step, environment, location)}`);
  }
  let fits = true;
  for (const name of names) {
    const { whole, packed } = await uploadSize(configure(name, environment, placeholders));
    const share = (limit: number) => `${((100 * packed) / limit).toFixed(1)} %`;
    console.log(
      `  ${deployedName(name, environment).padEnd(15)} ${Math.ceil(whole)} KiB, packed ${Math.ceil(packed)} KiB:` +
        ` ${share(KIB_FREE)} of the 3 MiB of the Free plan, ${share(KIB_PAID)} of the 10 MiB of the Paid plan`,
    );
    fits &&= packed <= KIB_FREE;
  }
  if (!fits) console.error("» a worker is too large for the Free plan: deploy on the Paid plan");
  return fits;
}

/** The names of the secrets in the environment. */
function suppliedSecrets(): Set<string> {
  return new Set(["SERVICE_SECRET", "TOKENS"].filter((name) => env[name]));
}

/** A worker of another project, which a deployment would replace. */
class ForeignWorker extends Error {}

class Deployment {
  readonly #environment: Environment;
  readonly #location: Location;
  readonly #secret = env.SERVICE_SECRET || randomBytes(32).toString("hex");
  #ids = new Map<Name, string>();
  #url = env.URL ?? "";

  constructor(environment: Environment, location: Location) {
    this.#environment = environment;
    this.#location = location;
  }

  async run(): Promise<void> {
    this.#ids = await databases(this.#environment);
    const found = await workers(this.#environment);
    const state = { databases: new Set(this.#ids.keys()), workers: found };
    const foreign = foreignWorker(state);
    if (foreign) {
      const name = deployedName(foreign, this.#environment);
      throw new ForeignWorker(
        `the worker ${name} has no secret SERVICE_SECRET, so another project deployed it: set ENV, so that the workers have other names (docs/operations.md)`,
      );
    }
    for (const step of steps(state, services(), suppliedSecrets())) {
      console.log(`» ${describeStep(step, this.#environment, this.#location)}`);
      await this.#do(step);
    }
    const hasTokens = suppliedSecrets().has("TOKENS") || found.get("join")?.has("TOKENS");
    if (!hasTokens)
      console.log("» all writes are rejected: set TOKENS to allow them (docs/operations.md)");
    console.log(`» deployed: ${this.#url}`);
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case "check schema": {
        const config = configure(step.database, this.#environment, this.#ids);
        const name = deployedName(step.database, this.#environment);
        const { row, location } = await inspect(step.database, name, config);
        rejectFault(row, name, {
          older: "export its records, deploy to new databases, import (docs/operations.md)",
          foreign: "set ENV, so that the databases have other names (docs/operations.md)",
        });
        if (location && location !== this.#location) {
          console.log(
            `» ${name} is in ${location}, not in ${this.#location}: set LOCATION (docs/operations.md)`,
          );
        }
        return;
      }
      case "create":
        await wrangler([
          "d1",
          "create",
          deployedName(step.database, this.#environment),
          "--location",
          this.#location,
        ]);
        this.#ids = await databases(this.#environment);
        return;
      case "migrate": {
        const config = configure(step.database, this.#environment, this.#ids);
        const name = deployedName(step.database, this.#environment);
        await wrangler(["d1", "migrations", "apply", name, "--remote", "-c", config]);
        return;
      }
      case "deploy": {
        const config = configure(step.worker, this.#environment, this.#ids, step.without);
        const values = { SERVICE_SECRET: this.#secret, TOKENS: env.TOKENS ?? "" };
        const secrets = Object.entries(values).filter(([name]) => step.secrets.includes(name));
        const [url] = await deploy(config, Object.fromEntries(secrets));
        if (step.worker === "join") this.#url ||= url ?? "";
        return;
      }
      case "check": {
        if (!this.#url) throw new Failed("the address of the gateway is unknown: set URL to it");
        const failures = await check(this.#url, readsAreOpen(), Number(env.CHECKS ?? 30));
        if (failures.length)
          throw new Failed(`${this.#url} does not do what it should\n${failures.join("\n")}`);
      }
    }
  }
}

async function main(): Promise<boolean> {
  const environment = environmentOf(env.ENV);
  if (!environment) throw new Failed(expectedName);
  const file = `.env.${environment}`;
  if (existsSync(file)) process.loadEnvFile(file);
  const location = locationOf(env.LOCATION);
  if (!location) throw new Failed(expectedLocation);
  checkTokens(env.TOKENS);
  if (env.DRY_RUN) return dryRun(environment, location);
  await new Deployment(environment, location).run();
  return true;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (
    error instanceof UnusableDatabase ||
    error instanceof InvalidTokens ||
    error instanceof ForeignWorker
  )
    console.error(`» ${error.message}`);
  else if (error instanceof Failed)
    console.error(
      `» failed: ${error.message}\n» run the command again: it continues after the steps that succeeded`,
    );
  else throw error;
  process.exitCode = 1;
}
