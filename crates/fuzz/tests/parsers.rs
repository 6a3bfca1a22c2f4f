//! Every parser, with some thousand inputs; `make fuzz` tries more.

use fuzz::{run, targets};

#[test]
fn no_input_breaks_a_parser() {
    for target in targets::all() {
        let outcome = run(target, 5_000, 1);
        let outcome = outcome.unwrap_or_else(|failure| panic!("{}: {failure:?}", target.name));
        assert!(outcome.taken > 0, "{} accepts nothing", target.name);
        assert!(
            outcome.taken < outcome.inputs || target.name == "path",
            "{} accepts all",
            target.name
        );
    }
}
