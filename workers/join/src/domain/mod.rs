//! The logic of the gateway that needs no I/O: the join, the statistics, the merged change feed,
//! the snapshots, and the queries of the routes. Nothing here calls a backend.

pub mod cache_status;
pub mod changes;
pub mod expanded_export;
pub mod expansion;
mod group_line;
mod integrity;
mod list_query;
mod merge_join;
mod place_page;
mod place_selector;
pub mod session;
pub mod snapshot;
pub mod snapshot_queue;
pub mod statistics;

pub use integrity::{ResidentCounts, without_place};
pub use list_query::{GROUPS, ListQuery, ReadQuery};
pub use merge_join::{CSV_HEADER, MalformedResponse, MergeJoin, PlaceOrder};
pub use place_page::PlacePage;
pub use place_selector::PlaceSelector;
