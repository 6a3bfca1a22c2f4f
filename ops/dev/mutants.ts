// `make mutants` runs mutation tests of the code that needs no I/O (.cargo/mutants.toml). It fails
// if the tests of a crate catch less than 95 % of the mutants. `SHARD=0/8` tests a sample, and
// `ONLY=domain,tables` tests some crates.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";

const MIN_SHARE = 0.95;
const { SHARD, ONLY } = process.env;
const crates = ONLY?.split(",") ?? [
  ...["domain", "http-semantics", "tables", "places", "people", "join"],
];

type Outcomes = Record<"caught" | "missed" | "timeout" | "unviable", number>;

function run(crate: string): Outcomes {
  const output = `target/mutants/${crate}`;
  mkdirSync(output, { recursive: true });
  const options = ["--package", crate, "--output", output, "--jobs", "1", "--no-shuffle"];
  // On a busy machine, a short timeout would end tests that are only slow.
  options.push("--minimum-test-timeout", "120");
  // The statements that `tables` renders are tested with those of the backends.
  if (crate === "tables") options.push("--test-package", "tables,places,people");
  if (SHARD) options.push("--sharding", "round-robin", "--shard", SHARD);
  // The crates have no tests in their documentation.
  options.push("--", "--lib");
  const env = {
    CARGO_INCREMENTAL: "1",
    CARGO_PROFILE_TEST_DEBUG: "0",
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

let failed = false;
for (const crate of crates) {
  const { caught, missed, timeout, unviable } = run(crate);
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
