//! The statements of the places database.

mod list;
mod read;

pub use list::list;
pub use read::read;

/// One place as JSON, from the columns `id` and `name`.
macro_rules! record {
    () => {
        r#"'{"id":' || id || ',"name":' || json_quote(name) || '}'"#
    };
}
use record;

#[cfg(test)]
mod tests;
