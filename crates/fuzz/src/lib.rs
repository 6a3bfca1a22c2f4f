//! A fuzzer for every parser that a request reaches. It runs on stable Rust, in `cargo test`.
//!
//! Each [`Target`] has seed inputs. [`run`] changes them at random, and checks a property of each
//! accepted input. Mostly the property is a round trip, or agreement with another library. The
//! fuzzer has no coverage feedback. Instead, it adds an input to the corpus if the input has a new
//! *shape*, which is the sequence of its character classes.
//!
//! `proptest` was tried for the inputs. It shrinks failing inputs, but without a corpus it reaches
//! half as many accepted shapes. `cargo-fuzz` and `bolero` need a nightly compiler.

mod mutate;
mod run;
pub mod targets;

use proptest::test_runner::TestCaseError;

pub use run::run;

/// Whether a parser accepts an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The input is valid.
    Accepted,
    /// The input is invalid.
    Rejected,
}

/// The verdict, or the property that the parser violates.
pub type Checked = Result<Verdict, TestCaseError>;

/// Parses an input and checks the result.
#[derive(Clone, Copy)]
pub enum Check {
    /// A parser of bytes.
    Bytes(fn(&[u8]) -> Checked),
    /// A parser of text. Invalid UTF-8 becomes U+FFFD, as in the platform's strings.
    Text(fn(&str) -> Checked),
}

/// A parser and its property.
pub struct Target {
    /// The name of the parsed syntax.
    pub name: &'static str,
    /// Valid and invalid inputs to start from.
    pub seeds: &'static [&'static str],
    /// The property.
    pub check: Check,
}
