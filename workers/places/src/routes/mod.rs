//! One file per path: parse the request, call the service or the store, respond. `writing` is
//! what the routes that write one place share.

mod as_of;
mod collection;
mod create;
pub mod delete;
mod import;
mod integrity;
pub mod repair;
mod replace;
mod statuses;
mod writing;

pub use as_of::as_of;
pub use create::create;
pub use delete::delete;
pub use import::import;
pub use integrity::integrity;
pub use repair::repair;
pub use replace::{patch, put};
pub use statuses::statuses;
