//! The problem types as the OpenAPI documents describe them: their URIs, their names in generated
//! clients, and one example each. The constructors that the workers use make these examples.

use domain::Param;
use http_semantics::auth::{AccessPolicy, Scope};
use http_semantics::problem::{FieldError, Kind};
use http_semantics::rate_limit::RateLimit;
use http_semantics::{Problem, Validator};
use tables::page::PageSize;

/// The `type` of a problem.
#[must_use]
pub fn type_uri(kind: Kind) -> String {
    format!("/problems/{}", kind.problem_type().slug)
}

/// The name of a problem type in generated code, for `x-enum-varnames`. Without it, generators
/// number the values of each enum, and reject an enum that numbers them differently than another.
#[must_use]
pub fn type_name(kind: Kind) -> String {
    kind.problem_type().slug.replace('-', "_").to_uppercase()
}

/// An example of a problem type.
#[must_use]
pub fn sample(kind: Kind) -> Problem {
    match kind {
        Kind::InvalidParameter => Problem::invalid_parameter("limit", PageSize::EXPECTED),
        Kind::UnknownParameter => {
            Problem::unknown_parameter("page", tables::page::PAGE_PARAMETERS.as_slice())
        }
        Kind::InvalidHeader => {
            Problem::invalid_header("if-match", http_semantics::etag::Tags::EXPECTED)
        }
        Kind::MalformedBody => Problem::malformed_body("a JSON object with each name once", 1, 9),
        Kind::TokenRequired => Problem::token_required(Scope::Write),
        Kind::TokenRefused => Problem::token_refused(),
        Kind::InsufficientScope => Problem::insufficient_scope(Scope::Admin),
        Kind::ForeignForm => Problem::foreign_form(),
        Kind::ForeignRequest => Problem::foreign_origin(),
        Kind::UnknownRoute => Problem::unknown_route(),
        Kind::NotFound => Problem::not_found("person", 999),
        Kind::MethodNotAllowed => Problem::method_not_allowed("GET, HEAD, OPTIONS"),
        Kind::NotAcceptable => Problem::not_acceptable(http_semantics::media::LIST_MEDIA_TYPES),
        Kind::BodyTimedOut => Problem::body_timed_out(30),
        Kind::NameTaken => Problem::name_taken(3),
        Kind::IdTaken => Problem::id_taken("person", 1),
        Kind::IdRetired => Problem::id_retired(31),
        Kind::NoSuchPlace => Problem::no_such_place(999),
        Kind::PlaceHasKing => Problem::place_has_king(1, 10, "Cercei Lamister"),
        Kind::PlaceHasPeople => Problem::place_has_people(1, 4),
        Kind::PlaceIsDeleting => Problem::place_is_deleting(3),
        Kind::BeingWritten => Problem::being_written(),
        Kind::RequestInFlight => Problem::request_in_flight(),
        Kind::PersonErased => Problem::person_erased(),
        Kind::HistoryRestarted => Problem::history_restarted(),
        Kind::PreconditionFailed => Problem::precondition_failed(Validator::parse("4.1f09ab34")),
        Kind::BodyTooLarge => Problem::body_too_large(edge::MAX_RECORD_BYTES),
        Kind::TooManyRecords => Problem::too_many_records(tables::import::MAX_FILE_RECORDS),
        Kind::QueryTooLong => Problem::query_too_long(http_semantics::params::MAX_QUERY_BYTES),
        Kind::UnsupportedMediaType => Problem::unsupported_media_type(edge::JSON),
        Kind::InvalidRecord => Problem::invalid_record(&[FieldError {
            pointer: "/placeId".to_owned(),
            detail: "the id of a place, because a living person needs one".to_owned(),
        }]),
        Kind::BatchRefused => {
            Problem::batch_refused(1, true, serde_json::json!([{"status": 424, "id": 1}]))
        }
        Kind::TooManyMatches => Problem::too_many_matches(tables::list::MAX_MATCHES),
        Kind::IdempotencyKeyReused => Problem::idempotency_key_reused(),
        Kind::CallLimitReached => Problem::call_limit_reached(),
        Kind::TooManyRequests => Problem::too_many_requests(RateLimit {
            requests: 600,
            seconds: 60,
        }),
        Kind::Internal => Problem::internal(),
        Kind::Misconfigured => misconfigured(),
        Kind::ServiceFailed => Problem::service_failed("people"),
        Kind::NotReady => Problem::not_ready(&["people"]),
        Kind::Overloaded => Problem::overloaded(),
        Kind::Updating => Problem::updating(),
        Kind::ServiceTimedOut => Problem::service_timed_out("people", 3000),
    }
}

/// The problem of a token without a name.
fn misconfigured() -> Problem {
    let tokens = Some("write:9f86d081".to_owned());
    let policy = AccessPolicy::from_settings(None, None, tokens);
    policy
        .check_setting()
        .err()
        .unwrap_or_else(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_type_has_its_example() {
        for kind in Kind::ALL {
            assert_eq!(sample(kind).kind(), kind);
        }
    }
}
