// Whether all tests run. `make test ALL=1` sets it, as CI does.
export const isComplete = process.env.ALL === "1";

/** The option `skip` of a test that only a complete run makes. */
export const onlyInCompleteRuns = isComplete ? false : "only with ALL=1";
