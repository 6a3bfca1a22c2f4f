//! Problems: every error that a user can see, as `application/problem+json` (RFC 9457).
//!
//! The `type` of a problem is a path, `/problems/<slug>`, listed in `docs/problems.md`.
//! Nothing of a request's own text is repeated, but for a parameter's plain name.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An answer that says what was wrong and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    allow: Option<&'static str>,
}

/// The kinds of problem there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A path segment or query parameter has a value that cannot be used.
    InvalidParameter,
    /// The query has a parameter that the route does not know.
    UnknownParameter,
    /// The address names no route.
    UnknownRoute,
    /// The route exists, but not for this method.
    MethodNotAllowed,
    /// The address names a record that does not exist.
    NotFound,
    /// A service that the answer needs failed, or answered what cannot be read.
    ServiceFailed,
    /// A service that the answer needs did not answer in time.
    ServiceTimedOut,
    /// Something that should not happen; the log says what.
    Internal,
}

impl Kind {
    /// Every kind, in the order of status.
    pub const ALL: [Self; 8] = [
        Self::InvalidParameter,
        Self::UnknownParameter,
        Self::UnknownRoute,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Internal,
        Self::ServiceFailed,
        Self::ServiceTimedOut,
    ];

    /// The status code, the last part of `type`, the title, and the mend.
    #[must_use]
    pub fn entry(self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Self::InvalidParameter => (
                400,
                "invalid-parameter",
                "A parameter has a value that cannot be used",
                "Give `parameter` a value as `detail` says.",
            ),
            Self::UnknownParameter => (
                400,
                "unknown-parameter",
                "The query has a parameter that this route does not know",
                "Use one of `known`; names are case-sensitive.",
            ),
            Self::UnknownRoute => (
                404,
                "unknown-route",
                "There is no such route",
                "`GET /v1` lists the routes.",
            ),
            Self::NotFound => (
                404,
                "not-found",
                "There is no such record",
                "Look the id up in the list of its kind.",
            ),
            Self::MethodNotAllowed => (
                405,
                "method-not-allowed",
                "This route does not answer this method",
                "Use a method of the `Allow` header.",
            ),
            Self::Internal => (
                500,
                "internal",
                "Something went wrong on our side",
                "Try again; if it stays, report the time and the address.",
            ),
            Self::ServiceFailed => (
                502,
                "service-failed",
                "A service that this answer needs failed",
                "Try again; `service` names the one that failed.",
            ),
            Self::ServiceTimedOut => (
                504,
                "service-timed-out",
                "A service that this answer needs did not answer in time",
                "Try again; `service` names the one that was slow.",
            ),
        }
    }
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            members: Map::new(),
            allow: None,
        }
    }

    fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    /// A parameter whose value is not what it must be.
    #[must_use]
    pub fn invalid_parameter(parameter: &str, expected: &str) -> Self {
        Self::new(
            Kind::InvalidParameter,
            format!("`{parameter}` must be {expected}."),
        )
        .with("parameter", json!(parameter))
    }

    /// A parameter that is none of the known.
    #[must_use]
    pub fn unknown_parameter(parameter: &str, known: &[&str]) -> Self {
        let plain = parameter.len() <= 40 && parameter.bytes().all(|b| b.is_ascii_alphanumeric());
        let problem = if plain && !parameter.is_empty() {
            let detail = format!("`{parameter}` is not a parameter of this route.");
            Self::new(Kind::UnknownParameter, detail).with("parameter", json!(parameter))
        } else {
            Self::new(
                Kind::UnknownParameter,
                "A parameter's name is not one of this route's.",
            )
        };
        problem.with("known", json!(known))
    }

    /// An address that names no route.
    #[must_use]
    pub fn unknown_route() -> Self {
        Self::new(
            Kind::UnknownRoute,
            "No route has this address. GET /v1 lists the routes.",
        )
    }

    /// A method that the route does not answer; `allow` lists those that it does.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let detail = format!("This route answers {allow}.");
        Self {
            allow: Some(allow),
            ..Self::new(Kind::MethodNotAllowed, detail)
        }
    }

    /// A record, "place" or "person", that does not exist.
    #[must_use]
    pub fn not_found(record: &str, id: i64) -> Self {
        Self::new(
            Kind::NotFound,
            format!("There is no {record} with the id {id}."),
        )
    }

    /// A service that failed.
    #[must_use]
    pub fn service_failed(service: &str) -> Self {
        Self::new(
            Kind::ServiceFailed,
            format!("The service `{service}` failed."),
        )
        .with("service", json!(service))
    }

    /// A service that did not answer in time.
    #[must_use]
    pub fn service_timed_out(service: &str, milliseconds: u32) -> Self {
        let detail = format!("The service `{service}` did not answer within {milliseconds} ms.");
        Self::new(Kind::ServiceTimedOut, detail).with("service", json!(service))
    }

    /// A fault of our own; what it was goes to the log, never to the user.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            Kind::Internal,
            "The request could not be answered. It has been logged.",
        )
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.kind.entry().0
    }

    /// The value of the `Allow` header, where the problem has one.
    #[must_use]
    pub fn allow(&self) -> Option<&'static str> {
        self.allow
    }

    /// The body.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (status, slug, title, _) = self.kind.entry();
        let body = Body {
            r#type: format!("/problems/{slug}"),
            title,
            status,
            detail: &self.detail,
            members: &self.members,
        };
        // A map of plain values under text keys always serializes.
        serde_json::to_string(&body).unwrap_or_default()
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
            let (status, slug, title, mend) = kind.entry();
            format!("| `/problems/{slug}` | {status} | {title} | {mend} |\n")
        });
        let rows = rows.concat();
        let document = include_str!("../../../docs/problems.md");
        assert!(
            document.contains(&rows),
            "docs/problems.md should hold:\n{rows}"
        );
    }
}
