//! Operations that take several steps: the join, the statistics, the integrity report and its
//! repair, and the cache of responses.

pub mod cache;
pub mod integrity;
pub mod people_per_place;
pub mod statistics;
