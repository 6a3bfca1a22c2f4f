//! The type of a person, and its rules.

mod person;

pub use person::{Person, Residence};
