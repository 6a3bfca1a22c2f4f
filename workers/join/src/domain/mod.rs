//! The pure logic of the gateway: the join, the statistics, the merged change feed, snapshots, and
//! the queries of the routes. Nothing here calls a backend.

pub mod cache_status;
mod changes;
mod integrity;
mod list_query;
mod merge_join;
pub mod session;
pub mod snapshot;
pub mod snapshot_queue;
pub mod statistics;

pub use changes::ChangesQuery;
pub use integrity::{ResidentCounts, without_place};
pub use list_query::{ListQuery, READ_PARAMETERS};
pub use merge_join::{MalformedResponse, MergeJoin};
