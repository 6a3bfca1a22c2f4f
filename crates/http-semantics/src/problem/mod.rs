//! Problems are the errors that a client can see, as `application/problem+json` (RFC 9457).
//!
//! Each problem has a [`Kind`], and a constructor that is named after its cause. The `type` is the
//! path `/problems/<slug>`, and `docs/problems.md` lists all types. A problem never repeats text of
//! the request, except the plain names of parameters and fields.

mod conflict;
mod failure;
mod invalid_request;
mod kind;

pub use invalid_request::FieldError;
pub use kind::{Kind, ProblemType};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::trace::RequestId;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The member that tells whether a write has taken effect.
const OUTCOME: &str = "outcome";

/// The longest name of a parameter or field that a problem repeats.
const MAX_NAME_BYTES: usize = 40;

/// Whether a problem may repeat a name that the client has sent.
pub(crate) fn is_plain_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// An error response.
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

    /// The problem with a header of its response.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The problem in the body of another worker's response, without its request id.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let Value::Object(mut members) = serde_json::from_slice(body).ok()? else {
            return None;
        };
        let mut text = |name| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (path, detail) = (text("type")?, text("detail")?);
        let slug = path.strip_prefix("/problems/")?;
        let mut kinds = Kind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.problem_type().slug == slug)?;
        members.retain(|name, _| !["title", "status", "requestId"].contains(&name.as_str()));
        Some(Self {
            members,
            ..Self::new(kind, detail)
        })
    }

    /// The problem with the id of the request, by which the logs can be searched.
    #[must_use]
    pub fn with_request_id(self, id: &RequestId) -> Self {
        self.with("requestId", id.as_str().into())
    }

    /// The problem of one operation of a batch. `operation` is the pointer to the operation, and
    /// `member` the one within it, unless the problem lists the invalid fields.
    #[must_use]
    pub fn in_operation(mut self, operation: &str, member: &str) -> Self {
        if let Some(Value::Array(errors)) = self.members.get_mut("errors") {
            for error in errors {
                if let Some(Value::String(pointer)) = error.get_mut("pointer") {
                    pointer.insert_str(0, operation);
                }
            }
            return self;
        }
        self.with("pointer", format!("{operation}{member}").into())
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The cause in this case.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The backend that failed, if one did.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.members.get("service").and_then(Value::as_str)
    }

    /// The problem of a write that may have taken effect.
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

    /// The problem of a read or a write: after an internal error or an overload, the outcome of a
    /// write is unknown. An earlier statement of it may have succeeded.
    #[must_use]
    pub fn for_method(self, is_write: bool) -> Self {
        if is_write && matches!(self.kind, Kind::Internal | Kind::Overloaded) {
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

    /// Headers such as `Allow` and `Retry-After`.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// Whether the same request may succeed after `Retry-After`.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.headers.iter().any(|(name, _)| *name == "retry-after")
    }

    /// The body.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serializing plain values cannot fail.
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

/// The members of RFC 9457, then the additional ones.
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
    use crate::trace::Traceparent;
    use domain::place_status::PlaceStatus;
    use serde_json::json;

    #[test]
    fn an_invalid_parameter_is_named_with_its_valid_values() {
        let problem = Problem::invalid_parameter("limit", "a whole number from 1 to 1000");
        let body: Value = serde_json::from_str(&problem.to_json()).unwrap_or_default();
        assert_eq!(
            body,
            json!({
                "type": "/problems/invalid-parameter",
                "title": "A parameter has an invalid value",
                "status": 400,
                "detail": "`limit` must be a whole number from 1 to 1000.",
                "parameter": "limit",
            })
        );
    }

    #[test]
    fn a_rendered_problem_parses_to_the_same_problem() {
        let problem = Problem::invalid_parameter("q", "one to ten words");
        let id = RequestId::from_header(None, &Traceparent::from_random([7; 3]));
        for body in [
            problem.to_json(),
            problem.clone().with_request_id(&id).to_json(),
        ] {
            assert_eq!(Problem::parse(body.as_bytes()), Some(problem.clone()));
        }
        for other in ["", "S3CR3T", "{}", r#"{"type":"/problems/x","detail":"y"}"#] {
            assert_eq!(Problem::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_problem_is_temporary_if_it_says_when_to_retry() {
        for (problem, status, headers, is_temporary) in [
            (Problem::overloaded(), 503, vec![("retry-after", "2")], true),
            (Problem::not_found("place", 7), 404, vec![], false),
            (
                Problem::internal().header("allow", "GET"),
                500,
                vec![("allow", "GET")],
                false,
            ),
        ] {
            assert_eq!(problem.status(), status);
            let found = problem.headers().iter();
            let found: Vec<_> = found.map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(found, headers);
            assert_eq!(problem.is_temporary(), is_temporary, "{status}");
        }
    }

    #[test]
    fn the_problem_of_a_backend_names_it() {
        assert_eq!(Problem::service_failed("people").service(), Some("people"));
        assert_eq!(Problem::internal().service(), None);
    }

    #[test]
    fn the_outcome_of_a_write_is_unknown_after_an_internal_error() {
        let outcome = |problem: Problem, is_write| {
            let problem = problem.for_method(is_write);
            problem.members.get(OUTCOME).cloned()
        };
        for problem in [Problem::internal(), Problem::overloaded()] {
            assert_eq!(outcome(problem.clone(), true), Some(json!("unknown")));
            assert_eq!(outcome(problem, false), None);
        }
        assert_eq!(outcome(Problem::not_found("place", 7), true), None);
    }

    #[test]
    fn a_write_may_only_refer_to_an_active_place() {
        for (status, kind) in [
            (PlaceStatus::Active, None),
            (PlaceStatus::Deleting, Some(Kind::PlaceIsDeleting)),
            (PlaceStatus::Missing, Some(Kind::NoSuchPlace)),
        ] {
            let problem = Problem::check_place(7, status).err();
            assert_eq!(problem.map(|problem| problem.kind()), kind, "{status:?}");
        }
    }

    #[test]
    fn the_detail_of_an_invalid_body_names_a_single_field() {
        let error = |pointer: &str| FieldError {
            pointer: pointer.to_owned(),
            detail: "true or false".to_owned(),
        };
        for (errors, detail) in [
            (vec![error("")], "The body must be true or false."),
            (vec![error("/isKing")], "`/isKing` must be true or false."),
            (
                vec![error("/isKing"), error("/isAlive")],
                "2 fields are invalid.",
            ),
        ] {
            assert_eq!(Problem::invalid_record(&errors).detail(), detail);
        }
    }

    #[test]
    fn an_unusual_parameter_name_is_not_repeated() {
        let problem = Problem::unknown_parameter("<script>", &["limit"]);
        assert!(!problem.to_json().contains("script"));
    }

    #[test]
    fn docs_problems_md_has_the_row_of_each_problem_type() {
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
            "docs/problems.md must contain:\n{rows}"
        );
    }
}
