//! One file an address: parse, ask the services, answer.

mod changes;
mod dataset;
pub mod forward;
mod integrity;
pub mod people_per_place;
pub mod statistics;

pub use changes::changes;
pub use dataset::dataset;
pub use integrity::{integrity, repair};
