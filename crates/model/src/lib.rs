//! A model checker for the protocol between the two databases (`docs/integrity.md`). It runs every
//! interleaving of the protocol's steps, with the decisions of `domain::place_status`.
//!
//! A step is one batch in one database. D1 runs a batch as a transaction, so another step can run
//! only before or after it.
//!
//! The model has no steps for crashes. A client that crashes is a client that takes no further
//! step. So the checker starts the repair from every state. The repair must finish what each client
//! has left.
//!
//! `Flaw` lists errors that a test can plant in the protocol. `tests/flaws.rs` shows that the model
//! finds each of them.

mod client;
mod delete_batch;
mod deletion;
mod explore;
mod flaw;
mod people;
mod places;
mod repair;
mod rules;
mod world;
mod write;
mod write_batch;

pub use client::{Outcome, Request};
pub use explore::{Report, Scenario, Violation};
pub use flaw::Flaw;
pub use people::Row;
pub use world::{Person, Place, World};
pub use write::Change;
pub use write_batch::Changes;
