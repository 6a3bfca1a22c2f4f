//! The pure logic of the gateway: the join, statistics, the merged change feed, snapshots, and
//! the queries of the routes.

pub mod cache_status;
mod changes;
mod integrity;
mod list_query;
mod merge_join;
pub mod session;
pub mod snapshot;
pub mod snapshot_queue;
pub mod statistics;

pub use changes::Changes;
pub use integrity::{Residents, without_place};
pub use list_query::{ListQuery, READ_PARAMETERS};
pub use merge_join::{Malformed, MergeJoin};

/// The change sequences of places and people.
pub type ChangeSeqs = [i64; 2];
