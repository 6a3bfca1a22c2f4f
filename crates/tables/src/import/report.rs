//! The report of an import: what became of each batch, and which lines were refused and why.

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use http_semantics::Problem;

/// The most refused lines that a report lists; it counts them all.
const MAX_LISTED: usize = 1_000;

/// A line that cannot be written, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The line on which the record begins.
    pub line: usize,
    /// Why.
    pub problem: Problem,
}

/// How many records a batch has, or would have, written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// New ones.
    pub created: i64,
    /// Changed ones.
    pub updated: i64,
    /// Those that were there already, as they are.
    pub unchanged: i64,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// It is written.
    #[serde(rename = "written")]
    Written,
    /// It was written by an import before this one, and is as that left it.
    #[serde(rename = "already written")]
    AlreadyWritten,
    /// It would be written, were this no dry run.
    #[serde(rename = "would be written")]
    WouldBeWritten,
    /// Lines of it were refused, and nothing of it is written.
    #[serde(rename = "refused")]
    Refused,
    /// It could not be written now; `problem` says why. No batch behind it was tried.
    #[serde(rename = "failed")]
    Failed,
}

/// What became of a batch, with the particulars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchResult {
    outcome: Outcome,
    counts: Counts,
    refused: Vec<Refusal>,
    problem: Option<Problem>,
}

impl BatchResult {
    /// A batch that is, was or would be written.
    #[must_use]
    pub fn new(outcome: Outcome, counts: Counts) -> Self {
        Self {
            outcome,
            counts,
            refused: Vec::new(),
            problem: None,
        }
    }

    /// A batch of which lines were refused.
    #[must_use]
    pub fn refused(mut refused: Vec<Refusal>) -> Self {
        refused.sort_unstable_by_key(|refusal| refusal.line);
        Self {
            refused,
            ..Self::new(Outcome::Refused, Counts::default())
        }
    }

    /// A batch that could not be written.
    #[must_use]
    pub fn failed(problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::new(Outcome::Failed, Counts::default())
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchLine {
    first_line: usize,
    last_line: usize,
    records: usize,
    outcome: Outcome,
    #[serde(flatten)]
    counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    /// In the stream alone: the whole report lists them together.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<Refusal>>,
}

/// The report of an import so far: `{"dryRun":false,"read":3,"created":2,"updated":0,
/// "unchanged":0,"alreadyWritten":0,"refusedTotal":1,"refused":[{"line":4,"problem":{…}}],
/// "batches":[{"firstLine":2,"lastLine":4,"records":3,"outcome":"refused","created":0,
/// "updated":0,"unchanged":0}]}`. The counts are of what this import has written, or would
/// write; `alreadyWritten` counts the records of batches that one before it wrote.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    dry_run: bool,
    read: usize,
    #[serde(flatten)]
    counts: Counts,
    already_written: usize,
    refused_total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<Refusal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batches: Option<Vec<BatchLine>>,
    /// How many refused lines have been listed.
    #[serde(skip)]
    listed: usize,
    #[serde(skip)]
    failure: Option<Problem>,
}

impl Report {
    /// The report of an import that begins; one that is told a line a batch keeps no list.
    #[must_use]
    pub fn new(dry_run: bool, by_line: bool) -> Self {
        Self {
            dry_run,
            refused: (!by_line).then(Vec::new),
            batches: (!by_line).then(Vec::new),
            ..Self::default()
        }
    }

    /// Adds what became of a batch, and gives its line.
    pub fn add<T>(&mut self, batch: &Batch<T>, done: BatchResult) -> String {
        let BatchResult {
            outcome,
            counts,
            mut refused,
            problem,
        } = done;
        self.read += batch.len();
        self.refused_total += refused.len();
        refused.truncate(MAX_LISTED.saturating_sub(self.listed));
        self.listed += refused.len();
        if outcome == Outcome::AlreadyWritten {
            self.already_written += batch.len();
        } else {
            self.counts.created += counts.created;
            self.counts.updated += counts.updated;
            self.counts.unchanged += counts.unchanged;
        }
        self.failure.clone_from(&problem);
        let mut line = BatchLine {
            first_line: batch.first_line,
            last_line: batch.last_line,
            records: batch.len(),
            outcome,
            counts,
            problem,
            refused: None,
        };
        if let (Some(batches), Some(all)) = (&mut self.batches, &mut self.refused) {
            all.append(&mut refused);
            batches.push(line);
            String::new()
        } else {
            line.refused = Some(refused);
            written(&line)
        }
    }

    /// Why no further batch is tried, if so.
    #[must_use]
    pub fn failure(&self) -> Option<&Problem> {
        self.failure.as_ref()
    }

    /// The failure, where it is all that there is to tell: nothing has been written.
    #[must_use]
    pub fn bare_failure(&self) -> Option<&Problem> {
        let is_nothing = self.counts == Counts::default() && self.already_written == 0;
        self.failure()
            .filter(|_| is_nothing && self.refused_total == 0)
    }

    /// The whole report, or its last line.
    #[must_use]
    pub fn to_json(&self) -> String {
        written(self)
    }
}

/// Plain values always serialize.
fn written(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
