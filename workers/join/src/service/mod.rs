//! Operations of several steps: the join, statistics, the integrity report and its repair, and
//! the cache of responses.

pub mod cache;
pub mod integrity;
mod merge_join_stream;
pub mod people_per_place;
pub mod statistics;
