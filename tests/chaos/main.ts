// The fault suite: `make chaos`, `make chaos SEED=7`, `make chaos ONLY=kills,soak`. A whole run
// writes its figures into docs/reliability.md; one of parts prints them.
import { fuzz } from "./fuzz.ts";
import { kills } from "./kills.ts";
import { type Results, write } from "./report.ts";
import { services } from "./services.ts";
import { mustBeFlat, soak } from "./soak.ts";
import { statements } from "./statements.ts";

const { SEED, ONLY, KILLS = "36", MINUTES = "5", INPUTS = "1000000", ROUNDS = "14" } = process.env;
const seed = Number(SEED ?? 1 + Math.floor(Math.random() * 1_000_000));

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(1));
}

const say = (line: string) => console.log(`  ${line}`);
const parts = {
  services: () => services({ rounds: Number(ROUNDS), seconds: 8, clients: 12, seed }, say),
  statements: () => statements(say),
  kills: () => kills({ kills: Number(KILLS), clients: 24, life: 6_000, seed }, say),
  soak: async () => {
    const minutes = Number(MINUTES);
    const told = await soak({ minutes, rate: 60, clients: 4, seed }, say);
    mustBeFlat(told);
    return told;
  },
  fuzz: () => fuzz(Number(INPUTS), seed),
};

const names = ONLY?.split(",") ?? Object.keys(parts);
const unknown = names.find((name) => !(name in parts));
if (unknown) {
  console.error(`there is no part ${unknown}; there are: ${Object.keys(parts).join(" ")}`);
  process.exit(1);
}

console.log(`» SEED=${seed} repeats the choices of this run`);
const began = performance.now();
const found: Partial<Record<keyof Results, unknown>> = {};
for (const name of names as (keyof typeof parts)[]) {
  console.log(`» ${name}`);
  const told = await parts[name]();
  found[name] = told;
  if (ONLY) console.log(JSON.stringify(told, null, 2));
}
if (!ONLY) {
  const given = Object.entries({
    SEED,
    KILLS: process.env.KILLS,
    MINUTES: process.env.MINUTES,
  }).flatMap(([name, value]) => (value ? [`${name}=${value}`] : []));
  const minutes = (performance.now() - began) / 60_000;
  const command = ["make chaos", ...given].join(" ");
  write({ ...found, at: new Date(), command, seed, minutes } as Results);
  console.log("» written into docs/reliability.md");
}
