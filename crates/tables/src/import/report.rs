//! The report of an import: the outcome of each batch, and the rejected lines with their problems.
//!
//! The API calls rejected lines "refused", so the types of this module do, too.

use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::position::RecordPosition;
use http_semantics::Problem;

/// The maximum number of rejected lines that a report lists. It counts all of them.
pub(super) const MAX_LISTED_LINES: usize = 1_000;

/// A rejected line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The position of the record.
    #[serde(flatten)]
    pub position: RecordPosition,
    /// The reason.
    pub problem: Problem,
}

/// The numbers of records that a batch has written, or would write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// New records.
    pub created: i64,
    /// Changed records.
    pub updated: i64,
    /// Records that already exist with the same fields.
    pub unchanged: i64,
}

/// The outcome of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// The batch was written.
    #[serde(rename = "written")]
    Written,
    /// An earlier import wrote the batch, and no record has changed since.
    #[serde(rename = "already written")]
    AlreadyWritten,
    /// The batch would be written without `dryRun`.
    #[serde(rename = "would be written")]
    WouldBeWritten,
    /// Nothing of the batch was written, because lines were rejected.
    #[serde(rename = "refused")]
    Refused,
    /// The write failed, and the import stopped after this batch. `problem` has the reason.
    #[serde(rename = "failed")]
    Failed,
}

/// The outcome of a batch with its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchResult {
    outcome: Outcome,
    counts: Counts,
    /// The places that were or would be created, if the import may create places.
    places_created: Option<usize>,
    refused: Vec<Refusal>,
    problem: Option<Problem>,
}

impl BatchResult {
    /// The result of a batch that was or would be written.
    #[must_use]
    pub fn new(outcome: Outcome, counts: Counts) -> Self {
        Self {
            outcome,
            counts,
            places_created: None,
            refused: Vec::new(),
            problem: None,
        }
    }

    /// The same result with the number of places that were or would be created.
    #[must_use]
    pub fn with_places(self, places_created: Option<usize>) -> Self {
        Self {
            places_created,
            ..self
        }
    }

    /// The result of a batch that was not written, because of its rejected lines.
    #[must_use]
    pub fn refused(refused: Vec<Refusal>) -> Self {
        Self::new(Outcome::Refused, Counts::default()).with_refused(refused)
    }

    /// The same result with rejected lines.
    #[must_use]
    pub fn with_refused(self, mut refused: Vec<Refusal>) -> Self {
        refused.sort_unstable_by_key(|refusal| refusal.position);
        Self { refused, ..self }
    }

    /// The result of a batch that could not be written.
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
    places_created: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    /// Only in a streamed report. Otherwise the report lists the lines of all batches together.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<Refusal>>,
}

/// The report of the batches so far:
///
/// ```json
/// {"dryRun":false,"read":3,"created":2,"updated":0,"unchanged":0,"alreadyWritten":0,
///  "refusedTotal":1,"refused":[{"line":4,"problem":{}}],
///  "batches":[{"firstLine":2,"lastLine":4,"records":3,"outcome":"refused","created":0,
///   "updated":0,"unchanged":0}]}
/// ```
///
/// The counts are those of this import. `alreadyWritten` counts the records of batches that an
/// earlier import wrote.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    dry_run: bool,
    read: usize,
    #[serde(flatten)]
    counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    places_created: Option<usize>,
    already_written: usize,
    refused_total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<Refusal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batches: Option<Vec<BatchLine>>,
    /// The number of records after which another request has to continue, if this one had to stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<usize>,
    /// The number of rejected lines that have been listed.
    #[serde(skip)]
    listed: usize,
    #[serde(skip)]
    failure: Option<Problem>,
}

impl Report {
    /// An empty report. A streamed report sends a line per batch and keeps no lists.
    #[must_use]
    pub fn new(dry_run: bool, is_streamed: bool) -> Self {
        Self {
            dry_run,
            refused: (!is_streamed).then(Vec::new),
            batches: (!is_streamed).then(Vec::new),
            ..Self::default()
        }
    }

    /// Adds the result of a batch, and returns its line of a streamed report.
    pub fn add<T>(&mut self, batch: &Batch<T>, result: BatchResult) -> String {
        let BatchResult {
            outcome,
            counts,
            places_created,
            mut refused,
            problem,
        } = result;
        if let Some(created) = places_created {
            *self.places_created.get_or_insert_default() += created;
        }
        self.read += batch.len();
        self.refused_total += refused.len();
        refused.truncate(MAX_LISTED_LINES.saturating_sub(self.listed));
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
            places_created,
            problem,
            refused: None,
        };
        if let (Some(batches), Some(all)) = (&mut self.batches, &mut self.refused) {
            all.append(&mut refused);
            batches.push(line);
            String::new()
        } else {
            line.refused = Some(refused);
            render(&line)
        }
    }

    /// Records that another request has to continue after this number of records.
    pub fn continue_after(&mut self, records: usize) {
        self.next = Some(records);
    }

    /// The failure that has stopped the import.
    #[must_use]
    pub fn failure(&self) -> Option<&Problem> {
        self.failure.as_ref()
    }

    /// The failure, if the report has nothing else to tell: no batch was written or rejected
    /// before it, and no place was created.
    #[must_use]
    pub fn failure_without_results(&self) -> Option<&Problem> {
        let has_no_results = self.counts == Counts::default()
            && self.already_written == 0
            && self.refused_total == 0
            && self.places_created.unwrap_or_default() == 0;
        self.failure().filter(|_| has_no_results)
    }

    /// The whole report, or the last line of a streamed one.
    #[must_use]
    pub fn to_json(&self) -> String {
        render(self)
    }
}

/// Serializing plain values cannot fail.
fn render(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
