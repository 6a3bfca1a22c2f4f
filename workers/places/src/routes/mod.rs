//! One file an address: parse, ask the store, answer.

mod list;
mod read;

pub use list::list;
pub use read::read;
