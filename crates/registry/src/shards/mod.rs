//! A register that is laid over several databases: which one has what, and how the pages that each
//! of them makes become one. See `docs/scale.md`.

mod map;
mod merge;

pub use map::{Shard, ShardMap};
pub use merge::{Malformed, Merged, Order, Part, SEPARATOR, merged};
