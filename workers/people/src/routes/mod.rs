//! One file per path: parse the request, call the service or the store, respond. `writing` is
//! what the routes that write one person share.

mod by_place;
mod create;
mod delete;
mod document;
pub mod export;
mod history;
mod import;
mod integrity;
mod list;
mod population;
mod read;
mod ready;
pub mod repair;
pub mod replace;
pub mod residents;
mod writing;

pub use by_place::by_place;
pub use create::create;
pub use delete::delete;
pub use document::document;
pub use export::export;
pub use history::{change_seqs, changes, counter, history};
pub use import::import;
pub use integrity::integrity;
pub use list::list;
pub use population::population;
pub use read::read;
pub use ready::ready;
pub use repair::repair;
pub use replace::{patch, put};
