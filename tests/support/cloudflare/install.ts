// Installs the built workers in an account without wrangler. The tests that use it test later
// steps.
import { readFileSync } from "node:fs";
import { deployedName } from "../../../ops/deploy/config.ts";
import { type Name, names } from "../../../ops/workers.ts";
import { migrations, SERVICE_SECRET } from "../harness.ts";
import type { Cloudflare } from "./server.ts";

const services: Record<Name, Name[]> = {
  places: ["people"],
  people: ["places"],
  join: ["places", "people"],
};

/** Creates the databases of an environment, empty or with their schema. */
export async function createDatabases(
  cloudflare: Cloudflare,
  environment: string,
  isMigrated: boolean,
): Promise<void> {
  for (const name of names) {
    cloudflare.account.createDatabase(deployedName(name, environment), "weur");
  }
  await cloudflare.update();
  for (const name of isMigrated ? names : []) {
    const database = deployedName(name, environment);
    await cloudflare.query(database, migrations(name));
    await cloudflare.query(
      database,
      `CREATE TABLE d1_migrations (
         id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
         applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
       );
       INSERT INTO d1_migrations (name) VALUES ('0001_${name}.sql');`,
    );
  }
}

/** Runs the three built workers on the databases of an environment. Everybody may write. */
export async function installWorkers(cloudflare: Cloudflare, environment: string): Promise<void> {
  const { account } = cloudflare;
  const read = (name: Name, file: string) => readFileSync(`workers/${name}/build/${file}`);
  // The backends are bound to each other, so a first version has no services.
  for (const round of [0, 1]) {
    for (const name of names) {
      const bound = round === 0 ? [] : services[name];
      const worker = deployedName(name, environment);
      const version = account.upload(worker, {
        metadata: {
          main_module: "index.js",
          compatibility_date: "2026-07-30",
          bindings: [
            { type: "d1", name: "DB", id: account.database(worker).uuid },
            { type: "secret_text", name: "SERVICE_SECRET", text: SERVICE_SECRET },
            { type: "plain_text", name: "WRITES", text: "open" },
            ...bound.map((service) => ({
              type: "service",
              name: service.toUpperCase(),
              service: deployedName(service, environment),
            })),
          ],
        },
        modules: [
          {
            name: "index.js",
            type: "application/javascript+module",
            content: read(name, "index.js"),
          },
          {
            name: "./index_bg.wasm",
            type: "application/wasm",
            content: read(name, "index_bg.wasm"),
          },
        ],
      });
      account.deploy(account.worker(worker), version.id);
    }
  }
  await cloudflare.update();
}
