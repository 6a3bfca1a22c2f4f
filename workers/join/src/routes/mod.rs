//! One file an address: parse, ask the services, answer.

mod dataset;
pub mod forward;
mod integrity;
pub mod people_per_place;

pub use dataset::dataset;
pub use integrity::{integrity, repair};
