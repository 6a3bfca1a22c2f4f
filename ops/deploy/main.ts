// `make deploy`: the three workers and their databases, in an account of Cloudflare. It can be run
// again whatever became of it. ENV=north: those of another name; DRY_RUN=1: asks nobody.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { OutdatedSchema } from "../schema.ts";
import { type Name, names } from "../workers.ts";
import { check } from "./check.ts";
import {
  called,
  configOf,
  configure,
  type Environment,
  environmentOf,
  expectedName,
  placeholders,
  services,
} from "./config.ts";
import { type State, type Step, steps } from "./plan.ts";
import { databases, deploy, Failed, isOutdated, tryOut, workers, wrangler } from "./wrangler.ts";

const { env } = process;
const KIB_FREE = 3 * 1024;
const KIB_PAID = 10 * 1024;

/** The commands of a step, as they could be typed. */
function shown(step: Step, environment: Environment): string {
  switch (step.do) {
    case "check schema":
      return `check the schema of ${called(step.database, environment)}`;
    case "create":
      return `wrangler d1 create ${called(step.database, environment)}`;
    case "migrate": {
      const name = called(step.database, environment);
      const config = configOf(step.database, environment);
      return `wrangler d1 migrations apply ${name} --remote -c ${config}`;
    }
    case "deploy": {
      const secrets = step.secrets.length ? ` --secrets-file <${step.secrets.join(", ")}>` : "";
      const note = step.without.length ? `   # without ${step.without.join(", ")}, for now` : "";
      return `wrangler deploy -c ${configOf(step.worker, environment)}${secrets}${note}`;
    }
    case "check":
      return "ask the entry point whether all is there";
  }
}

async function dryRun(environment: Environment): Promise<boolean> {
  const nothing: State = { databases: new Set(), workers: new Map() };
  console.log(`» ${environment}: what a first deployment would run`);
  for (const step of steps(nothing, services(), given())) {
    console.log(`  ${shown(step, environment)}`);
  }
  let fits = true;
  for (const name of names) {
    const { whole, packed } = await tryOut(configure(name, environment, placeholders));
    const share = (limit: number) => `${((100 * packed) / limit).toFixed(1)} %`;
    console.log(
      `  ${called(name, environment).padEnd(15)} ${Math.ceil(whole)} KiB, packed ${Math.ceil(packed)} KiB:` +
        ` ${share(KIB_FREE)} of the 3 MiB of a free plan, ${share(KIB_PAID)} of the 10 MiB of a paid one`,
    );
    fits &&= packed <= KIB_FREE;
  }
  if (!fits) console.error("» a worker is too large for a free plan");
  return fits;
}

/** The secrets that are to be set. */
function given(): Set<string> {
  return new Set(["SERVICE_SECRET", "TOKENS"].filter((name) => env[name]));
}

class Deployment {
  readonly #environment: Environment;
  readonly #secret = env.SERVICE_SECRET || randomBytes(32).toString("hex");
  #ids = new Map<Name, string>();
  #url = env.URL ?? "";

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  async run(): Promise<void> {
    this.#ids = await databases(this.#environment);
    const found = await workers(this.#environment);
    const state = { databases: new Set(this.#ids.keys()), workers: found };
    for (const step of steps(state, services(), given())) {
      console.log(`» ${shown(step, this.#environment)}`);
      await this.#do(step);
    }
    const hasTokens = given().has("TOKENS") || found.get("join")?.has("TOKENS");
    if (!hasTokens) console.log("» nobody may write yet: no TOKENS are set (docs/operations.md)");
    console.log(`» deployed: ${this.#url}`);
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case "check schema": {
        const config = configure(step.database, this.#environment, this.#ids);
        const name = called(step.database, this.#environment);
        if (await isOutdated(step.database, name, config)) {
          const fix = "export its records, deploy to new databases, import (docs/operations.md)";
          throw new OutdatedSchema(name, fix);
        }
        return;
      }
      case "create":
        await wrangler(["d1", "create", called(step.database, this.#environment)]);
        this.#ids = await databases(this.#environment);
        return;
      case "migrate": {
        const config = configure(step.database, this.#environment, this.#ids);
        const name = called(step.database, this.#environment);
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
        if (!this.#url) throw new Failed("there is no address to ask: say which in URL");
        const wrong = await check(this.#url, Number(env.CHECKS ?? 30));
        if (wrong.length)
          throw new Failed(`${this.#url} does not do what it should\n${wrong.join("\n")}`);
      }
    }
  }
}

async function main(): Promise<boolean> {
  const environment = environmentOf(env.ENV);
  if (!environment) throw new Failed(expectedName);
  const file = `.env.${environment}`;
  if (existsSync(file)) process.loadEnvFile(file);
  if (env.DRY_RUN) return dryRun(environment);
  await new Deployment(environment).run();
  return true;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (error instanceof OutdatedSchema) console.error(`» ${error.message}`);
  else if (error instanceof Failed)
    console.error(`» failed: ${error.message}\n» what is done stays done: run it again`);
  else throw error;
  process.exitCode = 1;
}
