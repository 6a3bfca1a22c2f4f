//! Runs one target with many inputs.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::mutate::Mutator;
use crate::{Check, Target, Verdict};

/// The most inputs of a corpus.
const MAX_CORPUS: usize = 1_000;

/// The characters of a shape.
const SHAPE_LENGTH: usize = 60;

/// Inputs with distinct shapes, to be changed further.
#[derive(Default)]
struct Corpus {
    inputs: Vec<Vec<u8>>,
    shapes: HashSet<String>,
}

impl Corpus {
    fn add(&mut self, input: Vec<u8>) {
        if self.inputs.len() < MAX_CORPUS && self.shapes.insert(shape(&input)) {
            self.inputs.push(input);
        }
    }
}

/// Runs a target with the seeds and then with random inputs. Returns how many it accepts. The
/// same `seed` repeats a run.
///
/// # Errors
/// The first input for which the target panics or violates its property.
pub fn run(target: &Target, inputs: usize, seed: u64) -> Result<usize, String> {
    let mut mutator = Mutator::new(seed);
    let seeds: Vec<Vec<u8>> = target.seeds.iter().map(|seed| (*seed).into()).collect();
    let (mut accepted, mut rejected) = (Corpus::default(), Corpus::default());
    let mut count = 0;
    for n in 0..inputs {
        let input = seeds.get(n).cloned().unwrap_or_else(|| {
            // Separate corpora, because accepted inputs are rarer and lead further.
            let corpora = [&accepted.inputs, &rejected.inputs, &seeds];
            let corpus = mutator.choose(&corpora).filter(|inputs| !inputs.is_empty());
            mutator.mutate(corpus.unwrap_or(&&seeds))
        });
        match check(target, &input)? {
            Verdict::Accepted => {
                count += 1;
                accepted.add(input);
            }
            Verdict::Rejected => rejected.add(input),
        }
    }
    Ok(count)
}

fn check(target: &Target, input: &[u8]) -> Result<Verdict, String> {
    let checked = catch_unwind(AssertUnwindSafe(|| match target.check {
        Check::Bytes(check) => check(input),
        Check::Text(check) => check(&String::from_utf8_lossy(input)),
    }));
    let reason = match checked {
        Ok(Ok(verdict)) => return Ok(verdict),
        Ok(Err(violation)) => violation.to_string(),
        Err(_) => "a panic".to_owned(),
    };
    let (name, input) = (target.name, input.escape_ascii());
    Err(format!("{name}: {reason}\n  input: \"{input}\""))
}

/// An input with each run of letters, of digits and of control characters replaced by one.
fn shape(input: &[u8]) -> String {
    let class = |c: char| match c {
        '0'..='9' => '0',
        c if c.is_alphabetic() => 'a',
        c if c.is_control() => '^',
        c => c,
    };
    let mut shape = String::new();
    for class in String::from_utf8_lossy(input).chars().map(class) {
        if !shape.ends_with(class) {
            shape.push(class);
        }
        if shape.len() >= SHAPE_LENGTH {
            break;
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Checked;
    use proptest::prop_assert;

    fn target(check: fn(&str) -> Checked) -> Target {
        Target {
            name: "test",
            seeds: &["1234"],
            check: Check::Text(check),
        }
    }

    #[test]
    fn a_violated_property_is_reported_with_its_input() {
        let broken = target(|text| {
            prop_assert!(!text.contains('='), "an equals sign");
            Ok(Verdict::Accepted)
        });
        let failure = run(&broken, 10_000, 1).unwrap_err();
        assert!(failure.contains("an equals sign"), "{failure}");
        assert!(failure.ends_with('"'), "{failure}");
    }

    #[test]
    fn a_panic_is_reported_with_its_input() {
        let broken = target(|text| {
            assert!(!text.contains("9007199254740992"), "too great");
            Ok(Verdict::Accepted)
        });
        let failure = run(&broken, 10_000, 1).unwrap_err();
        assert!(failure.starts_with("test: a panic"), "{failure}");
        assert!(failure.contains("9007199254740992"), "{failure}");
    }

    #[test]
    fn a_seed_repeats_a_run() {
        let even = target(|text| {
            Ok(match text.len() % 2 {
                0 => Verdict::Accepted,
                _ => Verdict::Rejected,
            })
        });
        let accepted = |seed| run(&even, 1_000, seed).unwrap();
        assert_eq!(accepted(7), accepted(7));
        assert_ne!(accepted(7), accepted(8));
    }
}
