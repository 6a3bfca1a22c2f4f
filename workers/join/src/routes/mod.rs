//! One file per path: parse the request, call the services, respond.

mod changes;
mod dataset;
pub mod forward;
pub mod integrity;
pub mod people_per_place;
mod ready;
pub mod standby;
pub mod statistics;
pub mod ui;

pub use changes::changes;
pub use dataset::dataset;
pub use integrity::{integrity, repair};
pub use ready::ready;
