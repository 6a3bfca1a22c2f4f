//! A person and their rules.

mod person;

pub use person::{Person, Residence};
