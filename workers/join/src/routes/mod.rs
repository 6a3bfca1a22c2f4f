//! The handlers, one file per path. A handler parses the request, calls the service layer, and
//! makes the response.

mod changes;
mod dataset;
mod delete_person;
pub mod forward;
pub mod integrity;
pub mod pages;
pub mod people;
pub mod people_per_place;
mod ready;
pub mod statistics;

pub use changes::changes;
pub use dataset::dataset;
pub use delete_person::delete_person;
pub use integrity::{integrity, repair};
pub use ready::ready;
