//! One file an address: parse, ask the services, answer.

mod dataset;
pub mod forward;
pub mod people_per_place;

pub use dataset::dataset;
