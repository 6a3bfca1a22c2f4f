//! The problems of requests that are invalid by themselves, whatever the databases contain.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Kind, Problem, is_plain_name};
use crate::auth::Scope;
use crate::from_json;
use crate::negotiation::Negotiable;
use crate::rate_limit::RateLimit;

/// An invalid field of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The values that are valid, to end the sentence "it must be …".
    pub detail: String,
}

from_json! {
    FieldError { pointer, detail }
}

impl Problem {
    /// A parameter with an invalid value.
    #[must_use]
    pub fn invalid_parameter(parameter: &str, expected: &str) -> Self {
        Self::new(
            Kind::InvalidParameter,
            format!("`{parameter}` must be {expected}."),
        )
        .with("parameter", json!(parameter))
    }

    /// A parameter that the route does not have.
    #[must_use]
    pub fn unknown_parameter(parameter: &str, known: &[&str]) -> Self {
        let problem = if is_plain_name(parameter) {
            let detail = format!("`{parameter}` is not a parameter of this route.");
            Self::new(Kind::UnknownParameter, detail).with("parameter", json!(parameter))
        } else {
            Self::new(
                Kind::UnknownParameter,
                "The query has a parameter that this route does not have.",
            )
        };
        problem.with("known", json!(known))
    }

    /// A header with an invalid value.
    #[must_use]
    pub fn invalid_header(header: &'static str, expected: &str) -> Self {
        Self::new(
            Kind::InvalidHeader,
            format!("`{header}` must be {expected}."),
        )
        .with("header", json!(header))
    }

    /// A body that cannot be parsed, with the position of the error.
    #[must_use]
    pub fn malformed_body(what: &str, line: usize, column: usize) -> Self {
        let detail = format!("The body is not {what}: line {line}, column {column}.");
        Self::malformed_at(detail, line, column)
    }

    /// A CSV file that cannot be split into records, with the reason as a part of a sentence.
    #[must_use]
    pub fn malformed_csv(reason: &str, line: usize, column: usize) -> Self {
        let detail = format!("The file cannot be read: at line {line}, {reason}.");
        Self::malformed_at(detail, line, column)
    }

    /// A file in another encoding than UTF-8. `line` is the first line that shows it.
    #[must_use]
    pub fn wrong_encoding(encoding: &str, line: usize) -> Self {
        let detail = format!(
            "The file is in {encoding}. Save it as UTF-8; in Excel, choose the file type \"CSV UTF-8\"."
        );
        Self::malformed_at(detail, line, 1).with("encoding", json!(encoding))
    }

    fn malformed_at(detail: String, line: usize, column: usize) -> Self {
        Self::new(Kind::MalformedBody, detail)
            .with("line", json!(line))
            .with("column", json!(column))
    }

    /// A body with invalid fields: lists all of them.
    #[must_use]
    pub fn invalid_record(errors: &[FieldError]) -> Self {
        let detail = match errors {
            [error] if error.pointer.is_empty() => format!("The body must be {}.", error.detail),
            [error] => format!("`{}` must be {}.", error.pointer, error.detail),
            _ => format!("{} fields are invalid.", errors.len()),
        };
        Self::new(Kind::InvalidRecord, detail).with("errors", json!(errors))
    }

    /// A body over the limit, in bytes.
    #[must_use]
    pub fn body_too_large(limit: usize) -> Self {
        Self::over_limit(Kind::BodyTooLarge, "A body", limit, "bytes")
    }

    /// A file with more records than the limit.
    #[must_use]
    pub fn too_many_records(limit: usize) -> Self {
        Self::over_limit(Kind::TooManyRecords, "A file", limit, "records")
    }

    /// A batch with more operations than the limit.
    #[must_use]
    pub fn too_many_operations(limit: usize) -> Self {
        Self::over_limit(Kind::TooManyRecords, "A batch", limit, "operations")
    }

    /// A batch that was not done, because some of its operations cannot be done. `results` has one
    /// for each operation. If all causes are temporary, the batch can be sent again unchanged.
    #[must_use]
    pub fn batch_refused(refused: usize, is_temporary: bool, results: Value) -> Self {
        let detail = format!("{refused} of the operations cannot be done, so none was done.");
        let problem = Self::new(Kind::BatchRefused, detail).with("results", results);
        if is_temporary {
            problem.header("retry-after", "1")
        } else {
            problem
        }
    }

    /// A query over the limit, in bytes.
    #[must_use]
    pub fn query_too_long(limit: usize) -> Self {
        Self::over_limit(Kind::QueryTooLong, "A query", limit, "bytes")
    }

    fn over_limit(kind: Kind, subject: &str, limit: usize, unit: &str) -> Self {
        Self::new(kind, format!("{subject} may have at most {limit} {unit}."))
            .with("limit", json!(limit))
    }

    /// A body with a media type that the route does not accept.
    #[must_use]
    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        Self::new(
            Kind::UnsupportedMediaType,
            format!(
                "`Content-Type` must be {}, in UTF-8.",
                accepted.join(" or ")
            ),
        )
        .with("accepted", json!(accepted))
    }

    /// A request that accepts none of the media types of the response.
    #[must_use]
    pub fn not_acceptable(offered: &[impl Negotiable]) -> Self {
        let offered: Vec<&str> = offered
            .iter()
            .map(|media_type| media_type.essence())
            .collect();
        Self::new(
            Kind::NotAcceptable,
            format!("`Accept` must allow {}.", offered.join(" or ")),
        )
        .with("offered", json!(offered))
    }

    /// A request without a token that needs one.
    #[must_use]
    pub fn token_required(scope: Scope) -> Self {
        let name = scope.name();
        let detail = format!("This needs a token with the scope `{name}`.");
        let challenge = format!("Bearer scope=\"{name}\"");
        Self::new(Kind::TokenRequired, detail)
            .with("scope", json!(name))
            .header("www-authenticate", &challenge)
    }

    /// A request with an unknown token.
    #[must_use]
    pub fn token_refused() -> Self {
        Self::new(Kind::TokenRefused, "The token is unknown.")
            .header("www-authenticate", "Bearer error=\"invalid_token\"")
    }

    /// A request that needs a greater scope than its token has.
    #[must_use]
    pub fn insufficient_scope(scope: Scope) -> Self {
        let name = scope.name();
        let detail =
            format!("This needs a token with the scope `{name}`, but the token has a lower one.");
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{name}\"");
        Self::new(Kind::InsufficientScope, detail)
            .with("scope", json!(name))
            .header("www-authenticate", &challenge)
    }

    /// A form that was sent by a page of another site (CSRF).
    #[must_use]
    pub fn foreign_form() -> Self {
        Self::new(Kind::ForeignForm, "The form was sent from another site.")
    }

    /// A write from a page of another site, where writes need no token.
    #[must_use]
    pub fn foreign_origin() -> Self {
        Self::new(
            Kind::ForeignRequest,
            "Writes need no token here, so pages of other sites may not write: `Origin` is another site.",
        )
    }

    /// A write to a host that may be a name of another site, where writes need no token.
    #[must_use]
    pub fn unknown_host() -> Self {
        Self::new(
            Kind::ForeignRequest,
            "Writes need no token here, so pages of other sites may not write: `Host` is not in `ALLOWED_HOSTS`.",
        )
    }

    /// A form whose hidden fields have values that no page gives them.
    #[must_use]
    pub fn modified_form() -> Self {
        Self::new(
            Kind::MalformedBody,
            "A field of the form has a value that the page does not offer.",
        )
    }

    /// A form that is not UTF-8.
    #[must_use]
    pub fn form_not_utf8() -> Self {
        Self::new(Kind::MalformedBody, "The form is not UTF-8.")
    }

    /// A body whose client sends too slowly, or has stopped sending.
    #[must_use]
    pub fn body_timed_out(seconds: u32) -> Self {
        let detail = format!("The body did not arrive within {seconds} seconds.");
        Self::new(Kind::BodyTimedOut, detail)
    }

    /// A path that no route has.
    #[must_use]
    pub fn unknown_route() -> Self {
        Self::new(
            Kind::UnknownRoute,
            "There is no route at this path. GET /v1 lists the routes.",
        )
    }

    /// A path with a text in the place of an id. `expected` says what an id is.
    #[must_use]
    pub fn invalid_id_in_path(expected: &str) -> Self {
        let detail = format!("There is no route at this path. An id is {expected}.");
        Self::new(Kind::UnknownRoute, detail)
    }

    /// A method that the route does not have. `allow` lists the ones it has.
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(
            Kind::MethodNotAllowed,
            format!("This route allows {allow}."),
        )
        .header("allow", allow)
    }

    /// A client that has reached the rate limit.
    #[must_use]
    pub fn too_many_requests(policy: RateLimit) -> Self {
        let RateLimit { requests, seconds } = policy;
        Self::new(
            Kind::TooManyRequests,
            format!("A client may make at most {requests} requests in {seconds} seconds."),
        )
        .header("retry-after", &seconds.to_string())
        .header("ratelimit", &policy.exhausted())
    }

    /// A list in another order than that of the ids, with more matches than can be sorted.
    #[must_use]
    pub fn too_many_matches(limit: i64) -> Self {
        Self::new(
            Kind::TooManyMatches,
            format!("More than {limit} records match, which only the order by id allows."),
        )
        .with("limit", json!(limit))
    }

    /// An import while others are running.
    #[must_use]
    pub fn too_many_imports() -> Self {
        let detail = "Other imports are running, and this one has not started.";
        Self::new(Kind::TooManyRequests, detail).header("retry-after", "5")
    }

    /// A listener while an isolate already has the maximum number.
    #[must_use]
    pub fn too_many_listeners(limit: usize) -> Self {
        Self::no_room_to_listen(&format!("{limit} clients are following"), limit)
    }

    /// A listener of a client that already has the maximum number in an isolate.
    #[must_use]
    pub fn too_many_listeners_of_client(limit: usize) -> Self {
        Self::no_room_to_listen(&format!("Your {limit} connections are following"), limit)
    }

    fn no_room_to_listen(who: &str, limit: usize) -> Self {
        Self::new(
            Kind::TooManyRequests,
            format!(
                "{who} the changes here. Connect again after `Retry-After` seconds, or read the list without `Accept: text/event-stream`."
            ),
        )
        .with("limit", json!(limit))
        .header("retry-after", "5")
    }

    /// An idempotency key that was used with a different request.
    #[must_use]
    pub fn idempotency_key_reused() -> Self {
        Self::new(
            Kind::IdempotencyKeyReused,
            "Another request used this idempotency key within the last 24 hours.",
        )
    }

    /// A retry with the idempotency key of a request that is still running.
    #[must_use]
    pub fn request_in_flight() -> Self {
        Self::new(
            Kind::RequestInFlight,
            "The first request with this idempotency key is still in progress.",
        )
        .header("retry-after", "1")
    }
}
