//! One file per path: parse the request, call the service or the store, respond. `writing` is
//! what the routes that write one person share.

mod by_place;
mod collection;
mod create;
mod delete;
mod import;
mod integrity;
mod population;
pub mod repair;
pub mod replace;
pub mod residents;
mod writing;

pub use by_place::by_place;
pub use create::create;
pub use delete::delete;
pub use import::import;
pub use integrity::integrity;
pub use population::population;
pub use repair::repair;
pub use replace::{patch, put};
