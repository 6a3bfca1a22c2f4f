//! The statements of the places database.

mod as_of;
mod deletion;
mod import;
mod integrity;
mod write;

pub use as_of::as_of;
pub use deletion::{abandoned, delete, mark, remove_tombstone, statuses, take_over, unmark};
pub use import::present;
pub use integrity::{deletions, ids};
pub use write::{insert, insert_all, named, update, update_all};

#[cfg(test)]
mod tests;
