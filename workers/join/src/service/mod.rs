//! Operations that take several steps: the join, people with their places, the statistics, the
//! integrity report and its repair, and the cache of responses.

pub mod cache;
pub mod expanded_export;
pub mod expanded_people;
pub mod integrity;
pub mod people_per_place;
pub mod statistics;
