//! A register that is laid over several databases: which one has what, how the pages that each
//! of them makes become one, and how somebody goes from one to another. See `docs/scale.md`.

pub mod handover;
mod map;
mod merge;
mod numbers;

pub use map::{Shard, ShardMap};
pub use merge::{Malformed, Merged, Order, Part, SEPARATOR, merged};
pub use numbers::{Numbers, Positions};
