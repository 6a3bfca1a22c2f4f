// Simulates wrangler and a Cloudflare account, so that the commands of `make deploy` take
// milliseconds. The account is a file. The simulation rejects what the platform would reject, and
// fails where a test tells it to. `tests/ops/deployment_run.test.ts` runs the real wrangler.
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** An account: database ids by name, and what each worker was last deployed with. */
export type Account = {
  databases: Record<string, string>;
  /** The location of each database. */
  locations: Record<string, string>;
  migrated: string[];
  /** The SQL that created the schema of each database. */
  schemas: Record<string, string>;
  workers: Record<string, { services: string[]; secrets: Record<string, string>; crons: string[] }>;
  /** The address of the gateway. */
  url: string;
  /** The beginning of the command that fails. */
  failingCommand?: string;
};

type Config = {
  name: string;
  main: string;
  services: { service: string }[];
  triggers: { crons: string[] };
  d1_databases: { database_name: string; database_id: string; migrations_dir: string }[];
};

/** The SQL of the migrations in a folder. */
function migrations(folder: string): string {
  const files = readdirSync(folder).sort();
  return files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
}

function run(args: string[], account: Account): void {
  const option = (name: string) => args[args.indexOf(name) + 1] ?? "";
  const fail = (message: string): never => {
    console.error(message);
    process.exit(1);
  };
  const config = (): Config => {
    const file = option("-c");
    const parsed: Config = JSON.parse(readFileSync(file, "utf8"));
    readFileSync(resolve(file, "..", parsed.main));
    const [database] = parsed.d1_databases;
    if (!database || account.databases[database.database_name] !== database.database_id)
      fail("no such database");
    return parsed;
  };
  const { failingCommand } = account;
  if (failingCommand && args.join(" ").startsWith(failingCommand)) fail("the platform is down");
  switch (args.slice(0, 2).join(" ")) {
    case "d1 list": {
      const all = Object.entries(account.databases).map(([name, uuid]) => ({ uuid, name }));
      console.log(JSON.stringify(all));
      return;
    }
    case "d1 create": {
      const name = args[2] ?? "";
      if (account.databases[name]) fail("a database with this name exists");
      account.databases[name] = `id-of-${name}`;
      account.locations[name] = option("--location");
      return;
    }
    case "d1 execute": {
      config();
      const database = new DatabaseSync(":memory:");
      database.exec(account.schemas[args[2] ?? ""] ?? "");
      const meta = { served_by_region: account.locations[args[2] ?? ""]?.toUpperCase() };
      const results = database.prepare(option("--command")).all();
      console.log(JSON.stringify([{ results, meta }]));
      return;
    }
    case "d1 migrations": {
      const [database] = config().d1_databases;
      const name = option("apply");
      if (account.migrated.includes(name)) return;
      const folder = resolve(option("-c"), "..", database?.migrations_dir ?? "");
      const schema = `${account.schemas[name] ?? ""}\n${migrations(folder)}`;
      try {
        new DatabaseSync(":memory:").exec(schema);
      } catch (error) {
        fail(`Migration failed: ${(error as Error).message}`);
      }
      account.schemas[name] = schema;
      account.migrated.push(name);
      return;
    }
    case "secret list": {
      const name = option("--name");
      const worker = account.workers[name] ?? fail(`✘ [ERROR] Worker "${name}" not found.`);
      const all = Object.keys(worker.secrets).map((name) => ({ name, type: "secret_text" }));
      console.log(JSON.stringify(all));
      return;
    }
  }
  const { name, services, triggers, d1_databases: databases } = config();
  const bound = services.map(({ service }) => service);
  for (const service of bound) {
    if (!account.workers[service]) fail(`could not resolve binding: "${service}" [code: 10143]`);
  }
  for (const { database_name: database } of databases) {
    if (!account.migrated.includes(database)) fail("deployed before its database was migrated");
  }
  const newSecrets = args.includes("--secrets-file")
    ? JSON.parse(readFileSync(option("--secrets-file"), "utf8"))
    : {};
  const secrets = { ...account.workers[name]?.secrets, ...newSecrets };
  account.workers[name] = { services: bound, secrets, crons: triggers.crons };
  const targets = name.startsWith("join") ? [account.url, "schedule: * * * * *"] : [];
  const event = { type: "deploy", worker_name: name, targets };
  appendFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH ?? "", `${JSON.stringify(event)}\n`);
}

if (import.meta.main) {
  const [file = "", ...args] = process.argv.slice(2);
  appendFileSync(`${file}.log`, `${args.join(" ")}\n`);
  const account: Account = JSON.parse(readFileSync(file, "utf8"));
  const before = JSON.stringify(account);
  run(args, account);
  // Read-only commands run in parallel and must not overwrite each other's file.
  if (JSON.stringify(account) !== before) writeFileSync(file, JSON.stringify(account));
}
