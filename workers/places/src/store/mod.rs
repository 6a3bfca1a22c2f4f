//! The statements of the places database.

mod as_of;
mod deletion;
mod history;
mod import;
mod integrity;
mod list;
mod read;
mod write;

pub use as_of::as_of;
pub use deletion::{abandoned, delete, mark, remove_tombstone, statuses, take_over, unmark};
pub use history::CHANGES;
pub use import::present;
pub use integrity::{deletions, ids};
pub use list::{REGISTER, filters, list};
pub use read::read;
pub use write::{insert, insert_all, named, update, update_all};

/// One place as JSON, from the columns `id` and `name`.
macro_rules! record {
    () => {
        r#"'{"id":' || id || ',"name":' || json_quote(name) || '}'"#
    };
}
use record;

#[cfg(test)]
mod tests;
