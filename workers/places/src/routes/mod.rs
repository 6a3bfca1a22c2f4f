//! One file per path: parse the request, call the service or the store, respond. `writing` is
//! what the routes that write one place share.

mod as_of;
mod create;
pub mod delete;
mod document;
pub mod export;
mod history;
mod import;
mod integrity;
mod list;
mod read;
mod ready;
pub mod repair;
mod replace;
mod statuses;
mod writing;

pub use as_of::as_of;
pub use create::create;
pub use delete::delete;
pub use document::document;
pub use export::export;
pub use history::{change_seqs, changes, counter, history};
pub use import::import;
pub use integrity::integrity;
pub use list::list;
pub use read::read;
pub use ready::ready;
pub use repair::repair;
pub use replace::{patch, put};
pub use statuses::statuses;
