//! Tries every interleaving of the handover of a person between databases (`docs/scale.md`), with
//! the decisions that the people worker uses.
//!
//! As in the rest of the model a step is one batch in one database, whoever crashes takes no
//! further step, and each state is also taken as everybody's last, which a repair must bring to
//! rest. There are two databases and one person: the first has a place that stays, the second one
//! that may be deleted.

mod deleter;
mod explore;
mod flaw;
mod helper;
mod reader;
mod world;
mod writer;

pub use explore::{Report, Scenario, Task, Violation};
pub use flaw::Flaw;
pub use world::{Shard, World};
