//! Problems: every error that a user can see, as `application/problem+json` (RFC 9457).
//!
//! The `type` of a problem is a path, `/problems/<slug>`, listed in `docs/problems.md`.
//! Nothing of a request's own text is repeated, but for a parameter's plain name.

mod causes;
mod kind;

pub use causes::FieldError;
pub use kind::{Kind, ProblemType};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::trace::RequestId;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The member that says whether a write was done.
const OUTCOME: &str = "outcome";

/// An answer that says what was wrong and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            members: Map::new(),
            headers: Vec::new(),
        }
    }

    fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The same with what the request is called in the logs.
    #[must_use]
    pub fn with_request_id(self, id: &RequestId) -> Self {
        self.with("requestId", id.as_str().into())
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What was wrong in this case.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The service that failed, where one did.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.members.get("service").and_then(Value::as_str)
    }

    /// The same of a write: whether it was done is not known.
    #[must_use]
    pub fn with_unknown_outcome(mut self) -> Self {
        if self.members.contains_key(OUTCOME) {
            return self;
        }
        self.detail.push_str(
            " Whether the write was done is not known: read the record before sending it again, \
             or send it again with the same `Idempotency-Key` or `If-Match`.",
        );
        self.with(OUTCOME, Value::from("unknown"))
    }

    /// The same as the answer to a request: of a write in which something went wrong on our side
    /// nobody knows whether it was done.
    #[must_use]
    pub fn for_method(self, is_write: bool) -> Self {
        if is_write && self.kind == Kind::Internal {
            self.with_unknown_outcome()
        } else {
            self
        }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.kind.problem_type().status
    }

    /// The headers that go with it: `Allow`, `Retry-After`.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The body.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A map of plain values under text keys always serializes.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ProblemType {
            status,
            slug,
            title,
            ..
        } = self.kind.problem_type();
        Body {
            r#type: format!("/problems/{slug}"),
            title,
            status,
            detail: &self.detail,
            members: &self.members,
        }
        .serialize(serializer)
    }
}

/// The members of a problem in the order of RFC 9457, then those of its kind.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_problem_names_the_parameter_and_what_it_must_be() {
        let problem = Problem::invalid_parameter("limit", "a whole number from 1 to 1000");
        let body: Value = serde_json::from_str(&problem.to_json()).unwrap_or_default();
        assert_eq!(
            body,
            json!({
                "type": "/problems/invalid-parameter",
                "title": "A parameter has a value that cannot be used",
                "status": 400,
                "detail": "`limit` must be a whole number from 1 to 1000.",
                "parameter": "limit",
            })
        );
    }

    #[test]
    fn a_strange_parameter_name_is_not_repeated() {
        let problem = Problem::unknown_parameter("<script>", &["limit"]);
        assert!(!problem.to_json().contains("script"));
    }

    /// `docs/problems.md` is written from this table: a change of one is a change of both.
    #[test]
    fn the_document_lists_every_problem() {
        let rows = Kind::ALL.map(|kind| {
            let ProblemType {
                status,
                slug,
                title,
                remedy,
            } = kind.problem_type();
            format!("| `/problems/{slug}` | {status} | {title} | {remedy} |\n")
        });
        let rows = rows.concat();
        let document = include_str!("../../../../docs/problems.md");
        assert!(
            document.contains(&rows),
            "docs/problems.md should hold:\n{rows}"
        );
    }
}
