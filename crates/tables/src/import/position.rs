//! Positions in an import file.

use serde::Serialize;

/// A position in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePosition {
    /// The offset in bytes.
    pub byte: usize,
    /// The line, starting at 1.
    pub line: usize,
    /// The number of records before.
    pub records: usize,
}

/// The position of a record, as a report shows it. No two records of a file have the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RecordPosition {
    /// The line on which the record begins, starting at 1.
    pub line: usize,
    /// The index in a JSON array, starting at 0. Several elements can be on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
}

impl std::fmt::Display for RecordPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.index {
            Some(index) => write!(f, "the record at index {index}"),
            None => write!(f, "line {}", self.line),
        }
    }
}
