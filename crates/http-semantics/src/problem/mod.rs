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
mod tests;
