// The chaos suite: `make chaos`, `make chaos SEED=7`, `make chaos ONLY=kills,soak`. A full run
// writes its results into docs/reliability.md. A partial run prints them.
import { runStatements } from "./database_failures.ts";
import { runFuzz } from "./fuzz.ts";
import { runHostile } from "./hostile.ts";
import { runKills } from "./kills.ts";
import { type ChaosResults, writeReport } from "./report.ts";
import { runServices } from "./service_failures.ts";
import { assertNoGrowth, runSoak } from "./soak.ts";

const { SEED, ONLY, KILLS, MINUTES, INPUTS, ROUNDS } = process.env;
const seed = Number(SEED ?? 1 + Math.floor(Math.random() * 1_000_000));

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(1));
}

const log = (line: string) => console.log(`  ${line}`);
const parts = {
  services: () => runServices({ rounds: Number(ROUNDS ?? 14), seconds: 8, clients: 12, seed }, log),
  statements: () => runStatements(log),
  kills: () => runKills({ kills: Number(KILLS ?? 36), clients: 24, maxUptime: 6_000, seed }, log),
  soak: async () => {
    const plan = {
      minutes: Number(MINUTES ?? 5),
      requestsPerSecond: 60,
      clients: 4,
      disconnections: 0.05,
      seed,
    };
    const result = await runSoak(plan, log);
    assertNoGrowth(result);
    return result;
  },
  hostile: () => runHostile({ scale: 1 }, log),
  fuzz: () => runFuzz(Number(INPUTS ?? 1_000_000), seed),
};

const names = ONLY?.split(",") ?? Object.keys(parts);
const unknownName = names.find((name) => !(name in parts));
if (unknownName) {
  console.error(`${unknownName} is not one of the parts: ${Object.keys(parts).join(" ")}`);
  process.exit(1);
}

console.log(`» SEED=${seed} repeats the random choices of this run`);
const began = performance.now();
const results: Partial<Record<keyof ChaosResults, unknown>> = {};
for (const name of names as (keyof typeof parts)[]) {
  console.log(`» ${name}`);
  results[name] = await parts[name]();
  if (ONLY) console.log(JSON.stringify(results[name], null, 2));
}
if (!ONLY) {
  const settings = Object.entries({ SEED, KILLS, MINUTES });
  const options = settings.flatMap(([name, value]) => (value ? [`${name}=${value}`] : []));
  const minutes = (performance.now() - began) / 60_000;
  const command = ["make chaos", ...options].join(" ");
  writeReport({ ...results, at: new Date(), command, seed, minutes } as ChaosResults);
  console.log("» wrote docs/reliability.md");
}
