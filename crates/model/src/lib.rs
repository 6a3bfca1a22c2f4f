//! A model checker for the protocol between the two databases (`docs/integrity.md`): it tries
//! every interleaving of its steps, with the decisions that the workers use.
//!
//! A step is one batch in one of the two databases. D1 runs a batch as a transaction, so
//! nothing happens within a step, and anything may happen between two.
//!
//! There are no crash steps. A client that is slow, a client that crashed, and a client whose
//! last batch arrives late all look the same: a client that takes no step for now. So every
//! state is also treated as the last one of everybody still at work, and the repair must bring
//! it to rest. That covers every crash of any number of clients at every step.
//!
//! `Flaw` lists ways to get the protocol wrong. `tests/flaws.rs` shows that the model finds
//! each of them.

mod client;
mod deleter;
mod explore;
mod flaw;
mod people;
mod places;
mod repair;
mod rules;
mod world;
mod writer;

pub use client::{Outcome, Request};
pub use explore::{Report, Scenario, Violation};
pub use flaw::Flaw;
pub use people::{People, Row};
pub use places::{Phase, Places, Tombstone};
pub use world::{Person, Place, Token, Version, World};
pub use writer::Change;
