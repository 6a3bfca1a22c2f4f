//! One file an address: parse, ask the store, answer.

mod by_place;
mod list;
mod read;

pub use by_place::by_place;
pub use list::list;
pub use read::read;
