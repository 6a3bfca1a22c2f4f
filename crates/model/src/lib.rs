//! Tries every interleaving of the protocol that keeps people in places that exist
//! (`docs/integrity.md`), with the decisions that the workers themselves use.
//!
//! A step is one batch in one of the two databases: D1 runs a batch as a transaction, so
//! nothing happens within a step, and anything may happen between two. A client that is
//! slow, one that has crashed, and one whose last batch lands late are all the same: a
//! client that takes no step for now. So there are no crash steps: each state is also
//! taken as the last one of whoever is still at work, and a repair must then bring it to
//! rest. That is every crash of any number of clients, at every step.
//!
//! A model proves nothing unless it can see. `Flaw` lists the ways to get the protocol
//! wrong, and `tests/flaws.rs` shows that each one is caught.

mod client;
mod deleter;
mod explore;
mod flaw;
mod people;
mod person;
mod places;
mod repair;
mod rules;
mod world;
mod writer;

pub use client::{Outcome, Task};
pub use explore::{Report, Scenario, Violation};
pub use flaw::Flaw;
pub use people::People;
pub use person::{Doubt, Row};
pub use places::{Phase, Places, Tombstone};
pub use world::{Person, Place, Token, Version, World};
pub use writer::Change;
