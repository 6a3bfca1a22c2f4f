//! One target, under many inputs.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;

use crate::mutate::mutated;
use crate::{Target, Verdict};

/// The most inputs of either verdict that are kept to be changed further.
const MOST_KEPT: usize = 1_000;

/// The characters of an outcome that its shape is made of.
const SHAPE: usize = 60;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The inputs tried.
    pub inputs: u64,
    /// How many of them were accepted.
    pub taken: u64,
    /// How many outcomes had a shape of their own.
    pub shapes: usize,
}

/// An input that breaks what must hold.
#[derive(Debug)]
pub struct Failure {
    /// The input.
    pub input: String,
    /// What it broke.
    pub reason: String,
}

/// Inputs of one verdict, each of a shape of its own.
#[derive(Default)]
struct Kept {
    inputs: Vec<Vec<u8>>,
    shapes: HashSet<String>,
}

impl Kept {
    fn keep(&mut self, input: Vec<u8>, told: &str) {
        if self.inputs.len() < MOST_KEPT && self.shapes.insert(shape(told)) {
            self.inputs.push(input);
        }
    }
}

/// Tries so many inputs.
///
/// # Errors
/// The first that makes the target panic, or breaks its property.
pub fn run(target: &Target, inputs: u64, seed: u64) -> Result<Outcome, Failure> {
    let mut rng = Rng::with_seed(seed);
    let first: Vec<Vec<u8>> = target
        .seeds
        .iter()
        .map(|seed| seed.as_bytes().to_vec())
        .collect();
    let (mut taken, mut good, mut bad) = (0, Kept::default(), Kept::default());
    for n in 0..inputs {
        let planted = usize::try_from(n).ok().and_then(|n| first.get(n));
        // What is nearly good gets further than what is nearly bad.
        let kept = [&good.inputs, &bad.inputs, &first];
        let from = rng.choice(kept).filter(|kept| !kept.is_empty());
        let input = planted
            .cloned()
            .unwrap_or_else(|| mutated(&mut rng, from.unwrap_or(&first)));
        match check(target, &input)? {
            Verdict::Taken(what) => {
                taken += 1;
                good.keep(input, &what);
            }
            Verdict::Refused(why) => bad.keep(input, &why),
        }
    }
    Ok(Outcome {
        inputs,
        taken,
        shapes: good.inputs.len() + bad.inputs.len(),
    })
}

fn check(target: &Target, input: &[u8]) -> Result<Verdict, Failure> {
    let failure = |reason: String| Failure {
        input: input.escape_ascii().to_string(),
        reason,
    };
    match catch_unwind(AssertUnwindSafe(|| (target.check)(input))) {
        Ok(verdict) => verdict.map_err(failure),
        Err(_) => Err(failure("it panicked".to_owned())),
    }
}

/// A text without what its letters and digits are.
fn shape(text: &str) -> String {
    let class = |c: char| match c {
        '0'..='9' => '0',
        c if c.is_alphabetic() => 'a',
        c if c.is_control() => '^',
        c => c,
    };
    let mut shape = String::new();
    for class in text.chars().map(class) {
        if !shape.ends_with(class) {
            shape.push(class);
        }
        if shape.len() >= SHAPE {
            break;
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(check: fn(&[u8]) -> Result<Verdict, String>) -> Target {
        Target {
            name: "of a test",
            seeds: &["1234"],
            check,
        }
    }

    #[test]
    fn what_breaks_is_found_and_named() {
        let broken = target(|input| {
            let text = String::from_utf8_lossy(input);
            assert!(!text.contains("9007199254740992"), "too great");
            if text.contains('=') {
                return Err("an equals sign".to_owned());
            }
            Ok(Verdict::Taken(text.into_owned()))
        });
        let failure = run(&broken, 100_000, 1).unwrap_err();
        assert!(["it panicked", "an equals sign"].contains(&failure.reason.as_str()));
    }

    #[test]
    fn a_seed_makes_a_run_repeatable() {
        let counted = target(|input| match input.len() % 2 {
            0 => Ok(Verdict::Taken(input.escape_ascii().to_string())),
            _ => Ok(Verdict::Refused(String::new())),
        });
        let taken = |seed| run(&counted, 1_000, seed).unwrap().taken;
        assert_eq!(taken(7), taken(7));
        assert_ne!(taken(7), taken(8));
    }
}
