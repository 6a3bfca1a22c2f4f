//! Imports a file of many records in batches.
//!
//! The file is read twice. First, [`ImportFile::open`] checks its syntax to the end, so that a
//! truncated file is rejected before anything is written. Then [`Batches`] parses it batch by
//! batch, so that only one batch of records is in memory.
//!
//! Only the file decides where a batch ends. So a repeated import has the same batches, and the
//! fingerprint of each batch finds its [`Receipt`].

mod batch;
mod cell;
mod file;
mod order;
mod position;
mod receipt;
mod report;
mod resolve;

pub use batch::{Batch, Batches, MAX_BATCH_RECORDS, ParsedRecord};
pub use file::{FileFormat, ImportFile};
pub use order::{Update, steps};
pub use position::RecordPosition;
pub use receipt::Receipt;
pub use report::{BatchResult, Counts, Outcome, Refusal, Report};
pub use resolve::{PlaceIds, PlaceName, Removal, StoredRecord, StoredRecords, UnresolvedRecord};

use domain::Param;

/// The maximum size of a file: 10 MiB.
pub const MAX_FILE_BYTES: usize = 10_485_760;

/// The maximum number of records in a file. The records of a file are parsed between the requests of
/// other clients, so very many very short ones would slow those down for long.
pub const MAX_FILE_RECORDS: usize = 250_000;

/// The options of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportOptions {
    /// The treatment of records with an id that exists.
    pub mode: ImportMode,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// Whether rejected lines are left out. Otherwise the whole batch of a rejected line is.
    pub skip_invalid: bool,
    /// Whether the places whose names are unknown are created.
    pub create_places: bool,
}

impl ImportOptions {
    /// Whether a batch with rejected lines is written.
    #[must_use]
    pub fn allows(self, rejected_lines: usize) -> bool {
        self.skip_invalid || rejected_lines == 0
    }
}

/// The treatment of a record with an id that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImportMode {
    /// Reject it.
    #[default]
    Insert,
    /// Replace the existing record.
    Upsert,
    /// Change the fields that are present. Without an existing record, reject it.
    Patch,
}

impl ImportMode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Insert, Self::Upsert, Self::Patch];

    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Upsert => "upsert",
            Self::Patch => "patch",
        }
    }
}

impl Param for ImportMode {
    const EXPECTED: &'static str = "insert, upsert or patch";

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == text)
    }
}

#[cfg(test)]
mod tests;
