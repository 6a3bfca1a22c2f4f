//! Tables with a change log, as pure Rust: the statements that read and write them, keyset
//! pagination with its cursors, and the plans of imports.

pub mod change_log;
pub mod cursor;
pub mod import;
pub mod page;
pub mod population;
pub mod statement;

pub use cursor::Cursor;
pub use page::{Page, Sort};
