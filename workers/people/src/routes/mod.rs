//! The handlers, one file per path. A handler parses the request, calls the service layer or the
//! store, and makes the response.

mod batch;
mod by_place;
mod collection;
pub mod delete;
mod import;
mod integrity;
mod population;
mod population_changes;
pub mod repair;
pub mod residents;
mod series;

pub use batch::batch;
pub use by_place::{by_place, people_lines};
pub use delete::{delete, latest_erasure};
pub use import::import;
pub use integrity::integrity;
pub use population::{listed_population, population};
pub use population_changes::population_changes;
pub use repair::repair;
pub use series::series;
