//! The schemas of the report of an import.

use super::{Count, ProblemBody};

schemas! {
    /// A line that cannot be imported, and the reason.
    struct Refusal {
        /// The line on which the record starts.
        line: Count,
        /// The index of the record in a JSON array, starting at 0. Absent for other formats.
        index?: Count,
        problem: ProblemBody,
    }

    /// The result of a batch. A batch is imported completely or not at all.
    struct Batch {
        first_line: Count,
        last_line: Count,
        records: Count,
        outcome: Outcome,
        created: Count,
        updated: Count,
        /// The number of records that existed already with the same content.
        unchanged: Count,
        /// With `createPlaces=true`: the number of places that were created.
        places_created?: Count,
        /// Why the batch failed. The batches after it were not tried.
        problem?: ProblemBody,
    }

    /// One line of the report: a batch, and its rejected lines.
    struct BatchReport {
        #[serde(flatten)]
        batch: Batch,
        refused: Vec<Refusal>,
    }

    /// The totals of an import. It is the last line of a report with one line per batch.
    struct ImportSummary {
        dry_run: bool,
        /// The number of records in the file.
        read: Count,
        created: Count,
        updated: Count,
        /// The number of records that existed already with the same content.
        unchanged: Count,
        /// With `createPlaces=true`: the number of places that were created.
        places_created?: Count,
        /// The number of records that an earlier import of the same batch added, and that are
        /// unchanged since.
        already_written: Count,
        /// The number of rejected lines.
        refused_total: Count,
        /// The number of records after which another request has to continue (`after`). Absent if
        /// this request did not have to stop.
        next?: Count,
    }

    /// The report of an import, with all batches.
    struct ImportReport {
        #[serde(flatten)]
        summary: ImportSummary,
        /// The first 1,000 rejected lines.
        refused: Vec<Refusal>,
        batches: Vec<Batch>,
    }
}

schemas! {
    /// The result of a batch.
    #[serde(rename_all = "lowercase")]
    enum Outcome {
        Written,
        #[serde(rename = "already written")]
        AlreadyWritten,
        #[serde(rename = "would be written")]
        WouldBeWritten,
        Refused,
        Failed,
    }
}
