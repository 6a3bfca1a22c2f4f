//! Tries every parser and prints what it came to, as JSON: `fuzz [INPUTS [SEED]]`, the inputs
//! of each parser.

use std::process::ExitCode;
use std::time::Instant;

use fuzz::{run, targets};
use serde_json::{Map, Value, json};

fn main() -> ExitCode {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u64>());
    let inputs = arguments.next().and_then(Result::ok).unwrap_or(100_000);
    let seed = arguments.next().and_then(Result::ok).unwrap_or(1);
    // A panic is caught and told with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let begun = Instant::now();
    let mut found = Map::new();
    for target in targets::all() {
        match run(target, inputs, seed) {
            Ok(outcome) => {
                eprintln!(
                    "  {:<24} {} inputs, {} accepted, {} shapes",
                    target.name, outcome.inputs, outcome.taken, outcome.shapes
                );
                let outcome = json!({
                    "inputs": outcome.inputs,
                    "accepted": outcome.taken,
                    "shapes": outcome.shapes,
                });
                found.insert(target.name.to_owned(), outcome);
            }
            Err(failure) => {
                eprintln!("{}: {}\n  {}", target.name, failure.reason, failure.input);
                return ExitCode::FAILURE;
            }
        }
    }
    let seconds = begun.elapsed().as_secs();
    println!(
        "{}",
        Value::from_iter([
            ("seed".to_owned(), json!(seed)),
            ("seconds".to_owned(), json!(seconds)),
            ("parsers".to_owned(), Value::Object(found))
        ])
    );
    ExitCode::SUCCESS
}
