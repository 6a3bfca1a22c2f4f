//! The error type of all handlers.

use http_semantics::Problem;
use wasm_bindgen::{JsCast, JsValue};

use crate::env::trace::report_failure;

/// The reason why a handler has no response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A problem that the client gets to see.
    #[error("{}", .0.to_json())]
    Problem(Problem),
    /// A write that violates a UNIQUE constraint: the table and column, as in `place.name_key`.
    #[error("not unique: {0}")]
    Unique(String),
    /// A write that violates a CHECK constraint: its name.
    #[error("check failed: {0}")]
    Check(String),
    /// A database with too many requests. The statement did not run.
    #[error("{0}")]
    Overloaded(String),
    /// A failure of the platform: the client gets a 500, and the log gets the reason.
    #[error("{doing}: {reason}")]
    Platform {
        /// The operation that failed.
        doing: &'static str,
        /// The platform's message.
        reason: String,
    },
}

impl Error {
    /// A failure of the platform while `doing` something.
    pub fn platform(doing: &'static str) -> impl Fn(JsValue) -> Self {
        move |thrown| {
            let error = thrown.dyn_ref::<js_sys::Error>();
            let reason = error.map_or_else(|| format!("{thrown:?}"), |e| String::from(e.message()));
            Self::Platform { doing, reason }
        }
    }

    /// The same error for a write that was sent. A service that failed may have applied it.
    #[must_use]
    pub fn with_unknown_outcome(self) -> Self {
        match self {
            Self::Problem(problem) => problem.with_unknown_outcome().into(),
            other => other,
        }
    }

    /// Whether a write violated the UNIQUE constraint of this column.
    #[must_use]
    pub fn violates_unique(&self, column: &str) -> bool {
        matches!(self, Self::Unique(violated) if violated == column)
    }

    /// Whether a write violated this CHECK constraint.
    #[must_use]
    pub fn violates_check(&self, constraint: &str) -> bool {
        matches!(self, Self::Check(violated) if violated == constraint)
    }

    /// Whether the result of a query is a longer text than the database can return.
    #[must_use]
    pub fn is_result_too_large(&self) -> bool {
        matches!(self, Self::Platform { reason, .. } if reason.contains("too big"))
    }

    /// The problem that the client gets. The reason of any other error goes to the log.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Unique(_) | Self::Check(_) | Self::Platform { .. } => {
                report_failure(self.to_string());
                Problem::internal()
            }
            Self::Overloaded(_) => {
                report_failure(self.to_string());
                Problem::overloaded()
            }
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<worker::Error> for Error {
    fn from(error: worker::Error) -> Self {
        Self::Platform {
            doing: "calling the platform",
            reason: error.to_string(),
        }
    }
}
