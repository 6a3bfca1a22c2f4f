//! Tables with a change log, in plain Rust: their declaration, the statements that read them,
//! keyset pagination, and the parsing of import files.
//!
//! This crate makes the statements of both databases. `crates/edge` runs them on D1, and the tests
//! run them on SQLite.

pub mod by_place;
pub mod change_feed;
pub mod change_log;
pub mod cursor;
pub mod import;
pub mod list;
pub mod new_rows;
pub mod operations;
pub mod page;
pub mod population;
pub mod record;
pub mod schema;
mod search;
pub mod series;
pub mod statement;
pub mod table_spec;

pub use by_place::ByPlaceQuery;
pub use change_feed::ChangesQuery;
pub use change_log::ChangeSeqs;
pub use cursor::Cursor;
pub use list::ListQuery;
pub use page::{Page, Sort};
pub use record::Record;
pub use table_spec::TableSpec;
