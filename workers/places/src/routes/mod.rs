//! The handlers, one file per path. A handler parses the request, calls the service layer or the
//! store, and makes the response.

mod as_of;
mod batch;
mod collection;
pub mod delete;
mod import;
mod integrity;
mod matches;
mod operation;
mod place_ids;
pub mod repair;
mod statuses;

pub use as_of::as_of;
pub use batch::batch;
pub use delete::delete;
pub use import::import;
pub use integrity::integrity;
pub use matches::matches;
pub use operation::operation;
pub use place_ids::place_ids;
pub use repair::repair;
pub use statuses::statuses;
