//! Runs the fuzzer with a few thousand inputs per parser. `make fuzz` runs it with more.

use fuzz::{run, targets};

#[test]
fn no_input_breaks_a_parser() {
    const INPUTS: usize = 5_000;
    for target in targets::all() {
        let accepted = run(target, INPUTS, 1).unwrap_or_else(|failure| panic!("{failure}"));
        assert!(accepted > 0, "{} accepts nothing", target.name);
        assert!(accepted < INPUTS, "{} rejects nothing", target.name);
    }
}
