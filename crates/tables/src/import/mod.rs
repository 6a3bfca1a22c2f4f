//! Imports: a file of many records, read in batches.
//!
//! The file is read twice. First it is only looked through ([`ImportFile::open`]): one that cannot
//! be read to its end is refused before anything is written. Then [`Batches`] takes it batch
//! by batch, so that no more than a batch of records is held at a time. Where a batch begins
//! and ends depends on the file alone: the same file is always cut the same way, and a batch
//! that is sent again finds its [`Receipt`] by its fingerprint.

mod batch;
mod file;
mod receipt;
mod report;

pub use batch::{Batch, Batches, ParsedRecord};
pub use file::{FileFormat, ImportFile};
pub use receipt::Receipt;
pub use report::{BatchResult, Counts, Outcome, Refusal, Report};

use domain::Param;

/// The most bytes of a file.
pub const MAX_FILE_BYTES: usize = 10 * 1024 * 1024;

/// What is done with a record whose id is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImportMode {
    /// It is refused.
    #[default]
    Insert,
    /// It takes the place of the one that is there.
    Upsert,
}

impl ImportMode {
    /// The modes there are, with their names in a query.
    pub const ALL: [(&'static str, Self); 2] = [("insert", Self::Insert), ("upsert", Self::Upsert)];

    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Upsert => "upsert",
        }
    }
}

impl Param for ImportMode {
    const EXPECTED: &'static str = "insert or upsert";

    fn parse(text: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, mode)| mode)
    }
}
