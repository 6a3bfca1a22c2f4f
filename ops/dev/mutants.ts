// `make mutants` runs mutation tests of the code that needs no I/O (.cargo/mutants.toml). It fails
// if the tests of a crate catch less than 95 % of the mutants. `SHARD=0/8` tests a sample, and
// `ONLY=domain,tables` tests some crates.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const MIN_SHARE = 0.95;
const { SHARD, ONLY } = process.env;
const crates = ONLY?.split(",") ?? [
  ...["domain", "http-semantics", "tables", "places", "people", "join"],
];

/** The crates with other tests of a crate, which are slower than its own. */
const TESTED_BY: Partial<Record<string, string>> = {
  // The statements that `tables` renders are tested with those of the backends.
  tables: "places,people",
};

const COUNTS = ["caught", "missed", "timeout", "unviable"] as const;
type Outcomes = Record<(typeof COUNTS)[number], number>;

function run(crate: string, testPackages: string, selection: string[]): Outcomes {
  const output = `target/mutants/${crate}`;
  mkdirSync(output, { recursive: true });
  const options = ["--package", crate, "--output", output, "--jobs", "1", "--no-shuffle"];
  options.push("--test-package", testPackages, ...selection);
  // On a busy machine, a short timeout would end tests that are only slow.
  options.push("--minimum-test-timeout", "120");
  // Most of the time of the tests with SQLite is spent in SQLite.
  options.push("--cargo-arg=--config=profile.dev.package.libsqlite3-sys.opt-level=2");
  // The crates have no tests in their documentation. Only the tests are built, not the library.
  options.push("--cargo-arg=--lib");
  const env = {
    CARGO_INCREMENTAL: "1",
    CARGO_PROFILE_TEST_DEBUG: "0",
    // A backtrace takes longer than most tests.
    RUST_BACKTRACE: "0",
    // The code before the change passes in any case, so fewer random inputs are enough.
    PROPTEST_CASES: "64",
    // One failure is enough. Nobody reads the input that fails.
    PROPTEST_MAX_SHRINK_ITERS: "0",
    // Each mutant is tested with new inputs, not with those that have failed before.
    PROPTEST_DISABLE_FAILURE_PERSISTENCE: "1",
  };
  const { status } = spawnSync("nice", ["-n", "19", "cargo", "mutants", ...options], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  // 2: some mutants are missed. 3: some have timed out.
  if (![0, 2, 3].includes(status ?? 1)) process.exit(1);
  return JSON.parse(readFileSync(`${output}/mutants.out/outcomes.json`, "utf8"));
}

/** Makes the next run with `--iterate` test only the mutants that this run has missed. */
function skipAllButMissed(crate: string): void {
  const results = `target/mutants/${crate}/mutants.out`;
  const missed = readFileSync(`${results}/missed.txt`, "utf8").split("\n");
  const list = execFileSync("cargo", ["mutants", "--list", "--package", crate], {
    encoding: "utf8",
  });
  const others = list.split("\n").filter((mutant) => !missed.includes(mutant));
  writeFileSync(`${results}/previously_caught.txt`, others.join("\n"));
}

function runAll(crate: string): Outcomes {
  const shard = SHARD ? ["--sharding", "round-robin", "--shard", SHARD] : [];
  const first = run(crate, crate, shard);
  const others = TESTED_BY[crate];
  if (!others || first.missed === 0) return first;
  skipAllButMissed(crate);
  const second = run(crate, others, ["--iterate"]);
  const sum = COUNTS.map((name) => [name, first[name] + second[name]]);
  return { ...Object.fromEntries(sum), missed: second.missed };
}

let failed = false;
for (const crate of crates) {
  const { caught, missed, timeout, unviable } = runAll(crate);
  const viable = caught + missed + timeout;
  // A test that times out has an endless loop, or the machine is busy. So it does not count.
  const share = viable === 0 ? 1 : caught / viable;
  failed ||= share < MIN_SHARE;
  const counts = `${caught} of ${viable} mutants caught (${(100 * share).toFixed(1)} %)`;
  console.log(`» ${crate}: ${counts}, ${timeout} timed out, ${unviable} not viable`);
}
if (failed) {
  console.error(`each crate must catch ${100 * MIN_SHARE} %`);
  process.exit(1);
}
