//! The problems by their causes: one constructor each.

use domain::place_status::PlaceStatus;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Kind, Problem};
use crate::auth::Scope;
use crate::negotiation::Negotiable;
use crate::rate_limit::RateLimit;

/// What is wrong with one field of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What it must be.
    pub detail: String,
}

impl Problem {
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

    /// A header whose value is not what it must be.
    #[must_use]
    pub fn invalid_header(header: &'static str, expected: &str) -> Self {
        Self::new(
            Kind::InvalidHeader,
            format!("`{header}` must be {expected}."),
        )
        .with("header", json!(header))
    }

    /// A body that cannot be read, and where.
    #[must_use]
    pub fn malformed_body(what: &str, line: usize, column: usize) -> Self {
        let detail = format!("The body is not {what}: line {line}, column {column}.");
        Self::new(Kind::MalformedBody, detail)
            .with("line", json!(line))
            .with("column", json!(column))
    }

    /// A request without the token that it needs.
    #[must_use]
    pub fn token_required(scope: Scope) -> Self {
        let name = scope.name();
        let detail = format!("This needs a token with the scope `{name}`.");
        let challenge = format!("Bearer scope=\"{name}\"");
        Self::new(Kind::TokenRequired, detail)
            .with("scope", json!(name))
            .header("www-authenticate", &challenge)
    }

    /// A token that is none of those that are live.
    #[must_use]
    pub fn token_refused() -> Self {
        Self::new(
            Kind::TokenRefused,
            "The token is not one that is known here.",
        )
        .header("www-authenticate", "Bearer error=\"invalid_token\"")
    }

    /// A token that is good for less than the request.
    #[must_use]
    pub fn insufficient_scope(scope: Scope) -> Self {
        let name = scope.name();
        let detail = format!("This needs a token with the scope `{name}`; the one given has less.");
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{name}\"");
        Self::new(Kind::InsufficientScope, detail)
            .with("scope", json!(name))
            .header("www-authenticate", &challenge)
    }

    /// A form that another site has sent.
    #[must_use]
    pub fn foreign_form() -> Self {
        Self::new(
            Kind::ForeignForm,
            "The form does not come from a page of this registry.",
        )
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
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(
            Kind::MethodNotAllowed,
            format!("This route answers {allow}."),
        )
        .header("allow", allow)
    }

    /// An answer in none of the forms that the request accepts.
    #[must_use]
    pub fn not_acceptable(offered: &[impl Negotiable]) -> Self {
        let offered: Vec<&str> = offered.iter().map(|format| format.essence()).collect();
        Self::new(
            Kind::NotAcceptable,
            format!("`Accept` must allow {}.", offered.join(" or ")),
        )
        .with("offered", json!(offered))
    }

    /// A record, "place" or "person", that does not exist.
    #[must_use]
    pub fn not_found(record: &str, id: i64) -> Self {
        Self::new(
            Kind::NotFound,
            format!("There is no {record} with the id {id}."),
        )
    }

    /// A name that another place has.
    #[must_use]
    pub fn name_taken(id: i64) -> Self {
        Self::new(
            Kind::NameTaken,
            format!("The place {id} has this name. Names are unique, whatever their case."),
        )
        .with("rule", json!(4))
        .with("id", json!(id))
    }

    /// An id that a record, "place" or "person", has already.
    #[must_use]
    pub fn id_taken(record: &str, id: i64) -> Self {
        Self::new(
            Kind::IdTaken,
            format!("There is a {record} with the id {id} already."),
        )
        .with("id", json!(id))
    }

    /// An id that was a deleted place's.
    #[must_use]
    pub fn id_retired(id: i64) -> Self {
        Self::new(
            Kind::IdRetired,
            format!(
                "The id {id} was that of a place that has been deleted. It is never used again."
            ),
        )
        .with("id", json!(id))
    }

    /// A place that a person shall live in and that does not exist.
    #[must_use]
    pub fn no_such_place(place: i64) -> Self {
        Self::new(
            Kind::NoSuchPlace,
            format!("There is no place with the id {place} for the person to belong to."),
        )
        .with("rule", json!(2))
        .with("placeId", json!(place))
    }

    /// A second king for a place.
    #[must_use]
    pub fn place_has_king(place: i64, king: i64, name: &str) -> Self {
        Self::new(
            Kind::PlaceHasKing,
            format!("The place {place} has a king, the person {king}."),
        )
        .with("rule", json!(3))
        .with("king", json!({"id": king, "name": name}))
    }

    /// A place that cannot be deleted, with how many living people it has.
    #[must_use]
    pub fn place_has_people(place: i64, living: i64) -> Self {
        Self::new(
            Kind::PlaceHasPeople,
            format!("{living} living people belong to the place {place}."),
        )
        .with("rule", json!(5))
        .with("living", json!(living))
    }

    /// A place that is on its way out, or bound to one that is.
    #[must_use]
    pub fn place_is_deleting(place: i64) -> Self {
        Self::new(
            Kind::PlaceIsDeleting,
            format!("The place {place} is being deleted, or takes in the people of one that is."),
        )
        .with("placeId", json!(place))
        .header("retry-after", "1")
    }

    /// A place that a write refers to and that is not active.
    ///
    /// # Errors
    /// A place that is being deleted or does not exist.
    pub fn check_place(place: i64, status: PlaceStatus) -> Result<(), Self> {
        match status {
            PlaceStatus::Active => Ok(()),
            PlaceStatus::Deleting => Err(Self::place_is_deleting(place)),
            PlaceStatus::Missing => Err(Self::no_such_place(place)),
        }
    }

    /// A deletion that has begun and that somebody else finishes.
    #[must_use]
    pub fn deletion_continues(place: i64) -> Self {
        let detail = format!(
            "The deletion of the place {place} has begun, and the scheduled repair continues it."
        );
        Self::new(Kind::ServiceTimedOut, detail)
            .with("service", json!("people"))
            .with_unknown_outcome()
    }

    /// A record that somebody else is writing.
    #[must_use]
    pub fn being_written() -> Self {
        Self::new(
            Kind::BeingWritten,
            "Another request is writing this record. Nothing has been changed.",
        )
        .header("retry-after", "1")
    }

    /// An idempotency key whose request is not done.
    #[must_use]
    pub fn request_in_flight() -> Self {
        Self::new(
            Kind::RequestInFlight,
            "The first request with this idempotency key is still on its way.",
        )
        .header("retry-after", "1")
    }

    /// A record in another version than the request asks for; none where it does not exist.
    #[must_use]
    pub fn precondition_failed(version: Option<i64>) -> Self {
        let detail = version.map_or_else(
            || "The record does not exist.".to_owned(),
            |version| format!("The record is in version {version}."),
        );
        Self::new(Kind::PreconditionFailed, detail).with("version", json!(version))
    }

    /// A body over the limit, in bytes.
    #[must_use]
    pub fn body_too_large(limit: usize) -> Self {
        Self::new(
            Kind::BodyTooLarge,
            format!("A body may have at most {limit} bytes."),
        )
        .with("limit", json!(limit))
    }

    /// A query over the limit, in bytes.
    #[must_use]
    pub fn query_too_long(limit: usize) -> Self {
        Self::new(
            Kind::QueryTooLong,
            format!("A query may have at most {limit} bytes."),
        )
        .with("limit", json!(limit))
    }

    /// A body of a media type that the route does not take.
    #[must_use]
    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        Self::new(
            Kind::UnsupportedMediaType,
            format!("`Content-Type` must be {}.", accepted.join(" or ")),
        )
        .with("accepted", json!(accepted))
    }

    /// A body whose fields are wrong, all of them.
    #[must_use]
    pub fn invalid_record(errors: &[FieldError]) -> Self {
        let detail = match errors {
            [one] if one.pointer.is_empty() => format!("The body must be {}.", one.detail),
            [one] => format!("`{}` must be {}.", one.pointer, one.detail),
            _ => format!("{} fields are wrong.", errors.len()),
        };
        Self::new(Kind::InvalidRecord, detail).with("errors", json!(errors))
    }

    /// An idempotency key that came with another request before.
    #[must_use]
    pub fn idempotency_key_reused() -> Self {
        Self::new(
            Kind::IdempotencyKeyReused,
            "Another address or body came with this idempotency key within the last 24 hours.",
        )
    }

    /// More requests than a client may make; when to come again, in seconds.
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

    /// What an answer needs that is not there.
    #[must_use]
    pub fn not_ready(failed: &[&str]) -> Self {
        let detail = format!("Not ready: {}.", failed.join(", "));
        Self::new(Kind::NotReady, detail)
            .with("failed", json!(failed))
            .header("retry-after", "5")
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
}
