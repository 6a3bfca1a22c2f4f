//! The error type of handlers.

use http_semantics::Problem;
use wasm_bindgen::{JsCast, JsValue};

use crate::layers::trace::report_failure;

/// Why a handler could not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that the user can be told.
    #[error("{}", .0.to_json())]
    Problem(Problem),
    /// A write that would have made two rows share what only one may have: the column, with
    /// its table, as in `place.name_key`.
    #[error("not unique: {0}")]
    Unique(String),
    /// A write that a CHECK constraint rejected: its name.
    #[error("check failed: {0}")]
    Check(String),
    /// The platform failed us: the user gets a 500, the log gets the reason.
    #[error("{doing}: {reason}")]
    Platform {
        /// What we were doing.
        doing: &'static str,
        /// What the platform said.
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

    /// The same of a write that was sent: a service that failed may have done it.
    #[must_use]
    pub fn with_unknown_outcome(self) -> Self {
        match self {
            Self::Problem(problem) => problem.with_unknown_outcome().into(),
            other => other,
        }
    }

    /// Whether a write was rejection because this column would no longer be unique.
    #[must_use]
    pub fn violates_unique(&self, column: &str) -> bool {
        matches!(self, Self::Unique(rejection) if rejection == column)
    }

    /// Whether a write was rejected by this CHECK constraint.
    #[must_use]
    pub fn violates_check(&self, constraint: &str) -> bool {
        matches!(self, Self::Check(failed) if failed == constraint)
    }

    /// Whether a text that the database was to make is longer than it makes any.
    #[must_use]
    pub fn is_result_too_large(&self) -> bool {
        matches!(self, Self::Platform { reason, .. } if reason.contains("too big"))
    }

    /// What the user is told; what the user is not told goes to the log.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Unique(_) | Self::Check(_) | Self::Platform { .. } => {
                report_failure(self.to_string());
                Problem::internal()
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
