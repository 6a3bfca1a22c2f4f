//! The report of an import.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Count, ProblemBody};

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Written,
    #[serde(rename = "already written")]
    AlreadyWritten,
    #[serde(rename = "would be written")]
    WouldBeWritten,
    Refused,
    Failed,
}

/// A line that cannot be written, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Refusal {
    /// The line on which the record begins.
    pub line: Count,
    pub problem: ProblemBody,
}

/// A batch of a file, which is written whole or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    pub first_line: Count,
    pub last_line: Count,
    pub records: Count,
    pub outcome: Outcome,
    pub created: Count,
    pub updated: Count,
    /// Those that were there already, as they are.
    pub unchanged: Count,
    /// Why it could not be written. No batch behind it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub problem: Option<ProblemBody>,
}

/// A batch, as a line of its own, with the lines of it that were refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchReport {
    #[serde(flatten)]
    pub batch: Batch,
    pub refused: Vec<Refusal>,
}

/// The last line of a report that comes a line a batch: what became of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportSummary {
    pub dry_run: bool,
    /// How many records were read.
    pub read: Count,
    pub created: Count,
    pub updated: Count,
    /// Those that were there already, as they are.
    pub unchanged: Count,
    /// The records of batches that an import before this one has written, and that are as it left
    /// them.
    pub already_written: Count,
    /// How many lines were refused.
    pub refused_total: Count,
}

/// What became of a file, and of each batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    #[serde(flatten)]
    pub summary: ImportSummary,
    /// The first 1,000 lines that were refused.
    pub refused: Vec<Refusal>,
    pub batches: Vec<Batch>,
}
