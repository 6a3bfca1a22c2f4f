//! Reads the lines of an import's report.

use http_semantics::from_json;
use http_semantics::from_json::or_default;

use crate::api::ApiProblem;

/// A line of the API's report: a batch, or at the end the totals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportLine {
    pub first_line: Option<i64>,
    pub last_line: Option<i64>,
    /// The number of records of a batch.
    pub records: i64,
    pub outcome: String,
    pub refused: Vec<InvalidLine>,
    pub problem: Option<ApiProblem>,
    pub read: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub already_written: i64,
    pub refused_total: i64,
    pub places_created: i64,
    /// The number of records after which another request has to continue.
    pub next: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidLine {
    pub line: i64,
    /// The index in a JSON array.
    pub index: Option<i64>,
    pub problem: ApiProblem,
}

from_json! {
    ReportLine {
        first_line: "firstLine",
        last_line: "lastLine",
        records: or_default("records"),
        outcome: or_default("outcome"),
        refused: or_default("refused"),
        problem,
        read: or_default("read"),
        created: or_default("created"),
        updated: or_default("updated"),
        unchanged: or_default("unchanged"),
        already_written: or_default("alreadyWritten"),
        refused_total: or_default("refusedTotal"),
        places_created: or_default("placesCreated"),
        next,
    }
    InvalidLine { line, index, problem }
}

impl ReportLine {
    /// The number of records that are valid but not imported, because a batch has an invalid one or
    /// because it failed.
    pub fn left_out(&self) -> i64 {
        let imported = self.created + self.updated + self.unchanged + self.already_written;
        (self.read - imported - self.refused_total).max(0)
    }

    /// Whether the import has stopped before this batch, because a request may not make more calls.
    pub fn has_reached_call_limit(&self) -> bool {
        let is_limit = |problem: &ApiProblem| problem.slug() == "call-limit-reached";
        self.problem.as_ref().is_some_and(is_limit)
    }

    /// Adds the totals of the requests that have imported the records before.
    pub fn add_earlier(&mut self, earlier: &Self) {
        self.created += earlier.created;
        self.updated += earlier.updated;
        self.unchanged += earlier.unchanged;
        self.already_written += earlier.already_written;
        self.refused_total += earlier.refused_total;
        self.places_created += earlier.places_created;
        // `read` includes the batch that is not imported yet.
        self.read = self.next.unwrap_or(self.read + earlier.read);
    }
}
