//! A fuzzer for every parser that a request reaches. It runs on stable Rust, inside `cargo test`.
//!
//! Each [`Target`] starts with seed inputs. The fuzzer mutates them and checks a property of each
//! accepted input, mostly a round trip or agreement with another library. Instead of coverage it
//! uses the shape of an outcome: an input with a new shape joins the corpus. A seed makes a run
//! repeatable.

mod mutate;
mod run;
pub mod targets;

pub use run::{Failure, Outcome, run};

/// What became of an input.
#[derive(Debug)]
pub enum Verdict {
    /// It was accepted; the text tells in some way as what.
    Taken(String),
    /// It was refused; the text tells in some way why.
    Refused(String),
}

/// A parser, and what must hold of it.
pub struct Target {
    /// What it parses.
    pub name: &'static str,
    /// Inputs to begin with, good ones and bad ones.
    pub seeds: &'static [&'static str],
    /// Parses an input.
    pub check: fn(&[u8]) -> Result<Verdict, String>,
}
