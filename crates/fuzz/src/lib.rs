//! Inputs that nobody would write, for every parser that a request reaches.
//!
//! Each [`Target`] has some inputs to begin with; what is made of them by small changes is
//! parsed, and a property must hold of whatever was accepted: mostly that what is written anew
//! is read as the same, or that another library reads it the same. An input whose outcome has a
//! shape that was not seen before is kept and changed further. A seed makes a run repeatable.

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
