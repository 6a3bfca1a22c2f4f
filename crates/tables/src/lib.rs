//! Tables with a change log, as pure Rust: the statements that read and write them, keyset
//! pagination with its cursors, and the plans of imports.

pub mod change_log;
pub mod cursor;
pub mod import;
pub mod list_query;
pub mod list_statement;
pub mod page;
pub mod population;
pub mod record;
pub mod record_statement;
pub mod schema;
pub mod statement;
pub mod table_spec;

pub use cursor::Cursor;
pub use list_query::ListQuery;
pub use page::{Page, Sort};
pub use record::Record;
pub use table_spec::TableSpec;
