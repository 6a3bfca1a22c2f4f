// Applies the migrations of one local database: `node ops/migrate.ts NAME`. It rejects a database
// of an older version, on which the migrations would fail.
import { execFileSync } from "node:child_process";
import { Local } from "./backup/local_store.ts";
import { faultQuery, rejectFault, UnusableDatabase } from "./schema.ts";
import { configs, type Name } from "./workers.ts";

const state = process.env.STATE_ROOT || ".wrangler/state";

async function migrate(name: Name): Promise<void> {
  const [row] = await new Local(`${state}/v3/d1`).query(name, faultQuery(name));
  rejectFault(row, name, {
    older: `run \`rm -r ${state}\`, then this command again`,
    foreign: `move ${state} to another folder`,
  });
  const where = ["-c", configs[name], "--local", "--persist-to", state];
  execFileSync("wrangler", ["d1", "migrations", "apply", name, ...where], {
    env: { ...process.env, CI: "1" },
    stdio: "inherit",
  });
}

try {
  await migrate(process.argv[2] as Name);
} catch (error) {
  if (!(error instanceof UnusableDatabase)) throw error;
  console.error(`» ${error.message}`);
  process.exitCode = 1;
}
