//! `fuzz [INPUTS [SEED]]` runs every target and prints the results as JSON. INPUTS is the number of
//! inputs per target, 100,000 by default.

use std::process::ExitCode;
use std::time::Instant;

use fuzz::{run, targets};
use serde_json::{Map, json};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let inputs = arguments.next().and_then(|text| text.parse().ok());
    let inputs = inputs.unwrap_or(100_000);
    let seed = arguments.next().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or(1);
    // `run` reports a panic with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let start = Instant::now();
    let mut parsers = Map::new();
    for target in targets::all() {
        match run(target, inputs, seed) {
            Ok(accepted) => {
                eprintln!("  {:<24} {inputs} inputs, {accepted} accepted", target.name);
                let result = json!({ "inputs": inputs, "accepted": accepted });
                parsers.insert(target.name.to_owned(), result);
            }
            Err(failure) => {
                eprintln!("{failure}");
                return ExitCode::FAILURE;
            }
        }
    }
    let seconds = start.elapsed().as_secs();
    println!(
        "{}",
        json!({ "seed": seed, "seconds": seconds, "parsers": parsers })
    );
    ExitCode::SUCCESS
}
