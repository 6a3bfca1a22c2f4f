//! The kinds of problem: one table of status, type, title and remedy.

/// The kinds of problem there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A path segment or query parameter has a value that cannot be used.
    InvalidParameter,
    /// The query has a parameter that the route does not know.
    UnknownParameter,
    /// A request header has a value that cannot be used.
    InvalidHeader,
    /// The body is not the JSON (or CSV) that it says to be.
    MalformedBody,
    /// A request came without the token that it needs.
    TokenRequired,
    /// A request came with a token that is not live.
    TokenRefused,
    /// A token is good for less than the request.
    InsufficientScope,
    /// A form was sent from another site.
    ForeignForm,
    /// The address names no route.
    UnknownRoute,
    /// The address names a record that does not exist.
    NotFound,
    /// The route exists, but not for this method.
    MethodNotAllowed,
    /// The answer has no form that the request accepts.
    NotAcceptable,
    /// A place of this name exists already.
    NameTaken,
    /// An import gives an id that is there already.
    IdTaken,
    /// The id was that of a place that has been deleted.
    IdRetired,
    /// The place that a person shall live in does not exist.
    NoSuchPlace,
    /// The place has a king already.
    PlaceHasKing,
    /// Living people keep a place from being deleted.
    PlaceHasPeople,
    /// The place is being deleted, or takes the people of one that is.
    PlaceIsDeleting,
    /// Another request is writing the same record.
    BeingWritten,
    /// A request with this idempotency key is still on its way.
    RequestInFlight,
    /// The record is not in the version that the request was made for.
    PreconditionFailed,
    /// The body is longer than the route takes.
    BodyTooLarge,
    /// The query is longer than any route takes.
    QueryTooLong,
    /// The body is of a media type that the route does not take.
    UnsupportedMediaType,
    /// The body is no record, or breaks the rules that hold for one alone.
    InvalidRecord,
    /// The idempotency key has been used for another request.
    IdempotencyKeyReused,
    /// A client makes more requests than it may.
    TooManyRequests,
    /// Something that should not happen; the log says what.
    Internal,
    /// A service that the answer needs failed, or answered what cannot be read.
    ServiceFailed,
    /// Something that answers need is not there.
    NotReady,
    /// A service that the answer needs did not answer in time.
    ServiceTimedOut,
}

/// What is the same for all problems of a kind.
#[derive(Debug, Clone, Copy)]
pub struct ProblemType {
    /// The status code.
    pub status: u16,
    /// The last part of `type`.
    pub slug: &'static str,
    /// What was wrong, in general.
    pub title: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

const fn problem_type(
    status: u16,
    slug: &'static str,
    title: &'static str,
    remedy: &'static str,
) -> ProblemType {
    ProblemType {
        status,
        slug,
        title,
        remedy,
    }
}

impl Kind {
    /// Every kind, in the order of status.
    pub const ALL: [Self; 32] = [
        Self::InvalidParameter,
        Self::UnknownParameter,
        Self::InvalidHeader,
        Self::MalformedBody,
        Self::TokenRequired,
        Self::TokenRefused,
        Self::InsufficientScope,
        Self::ForeignForm,
        Self::UnknownRoute,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::NameTaken,
        Self::IdTaken,
        Self::IdRetired,
        Self::NoSuchPlace,
        Self::PlaceHasKing,
        Self::PlaceHasPeople,
        Self::PlaceIsDeleting,
        Self::BeingWritten,
        Self::RequestInFlight,
        Self::PreconditionFailed,
        Self::BodyTooLarge,
        Self::QueryTooLong,
        Self::UnsupportedMediaType,
        Self::InvalidRecord,
        Self::IdempotencyKeyReused,
        Self::TooManyRequests,
        Self::Internal,
        Self::ServiceFailed,
        Self::NotReady,
        Self::ServiceTimedOut,
    ];

    /// The row of the table.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    pub fn problem_type(self) -> ProblemType {
        match self {
            Self::InvalidParameter => problem_type(
                400,
                "invalid-parameter",
                "A parameter has a value that cannot be used",
                "Give `parameter` a value as `detail` says.",
            ),
            Self::UnknownParameter => problem_type(
                400,
                "unknown-parameter",
                "The query has a parameter that this route does not know",
                "Use one of `known`; names are case-sensitive.",
            ),
            Self::InvalidHeader => problem_type(
                400,
                "invalid-header",
                "A header has a value that cannot be used",
                "Give `header` a value as `detail` says.",
            ),
            Self::MalformedBody => problem_type(
                400,
                "malformed-body",
                "The body cannot be read",
                "Mend the body at `line` and `column`.",
            ),
            Self::TokenRequired => problem_type(
                401,
                "token-required",
                "A token is needed",
                "Send `Authorization: Bearer` and a token with the scope of `scope`.",
            ),
            Self::TokenRefused => problem_type(
                401,
                "token-refused",
                "The token is not known",
                "Look whether it is whole; else ask for a new one.",
            ),
            Self::InsufficientScope => problem_type(
                403,
                "insufficient-scope",
                "The token is not good for this",
                "Use a token with the scope of `scope`, or a greater one.",
            ),
            Self::ForeignForm => problem_type(
                403,
                "foreign-form",
                "The form does not come from this site",
                "Open the page itself, and send its form from there; programs use `/v1`.",
            ),
            Self::UnknownRoute => problem_type(
                404,
                "unknown-route",
                "There is no such route",
                "`GET /v1` lists the routes.",
            ),
            Self::NotFound => problem_type(
                404,
                "not-found",
                "There is no such record",
                "Look the id up in the list of its kind.",
            ),
            Self::MethodNotAllowed => problem_type(
                405,
                "method-not-allowed",
                "This route does not answer this method",
                "Use a method of the `Allow` header.",
            ),
            Self::NotAcceptable => problem_type(
                406,
                "not-acceptable",
                "The answer has no form that `Accept` allows",
                "Accept one of `offered`.",
            ),
            Self::NameTaken => problem_type(
                409,
                "name-taken",
                "Another place has this name",
                "Use the place `id`, or choose another name; case makes no difference.",
            ),
            Self::IdTaken => problem_type(
                409,
                "id-taken",
                "A record has this id already",
                "Leave the line out, choose another id, or import with `?mode=upsert` to change the record.",
            ),
            Self::IdRetired => problem_type(
                409,
                "id-retired",
                "The id was that of a place that has been deleted",
                "POST the place for a new id, or choose another one.",
            ),
            Self::NoSuchPlace => problem_type(
                409,
                "no-such-place",
                "The place does not exist",
                "Create the place first, or give the `placeId` of one that exists.",
            ),
            Self::PlaceHasKing => problem_type(
                409,
                "place-has-king",
                "The place has a king already",
                "PATCH with `?depose=true` to take the crown from `king`.",
            ),
            Self::PlaceHasPeople => problem_type(
                409,
                "place-has-people",
                "Living people keep the place from being deleted",
                "Move the people first, or delete with `?reassignTo=ID`.",
            ),
            Self::PlaceIsDeleting => problem_type(
                409,
                "place-is-going",
                "The place is being deleted, or takes in the people of one that is",
                "Try again after `Retry-After` seconds.",
            ),
            Self::BeingWritten => problem_type(
                409,
                "being-written",
                "Another request is writing this record",
                "Try again after `Retry-After` seconds.",
            ),
            Self::RequestInFlight => problem_type(
                409,
                "request-in-flight",
                "A request with this idempotency key is still on its way",
                "Try again after `Retry-After` seconds, with the same key.",
            ),
            Self::PreconditionFailed => problem_type(
                412,
                "precondition-failed",
                "The record is not in the version that this request was made for",
                "Read the record again, and decide anew; `version` is the present one.",
            ),
            Self::BodyTooLarge => problem_type(
                413,
                "body-too-large",
                "The body is too long",
                "Send at most `limit` bytes.",
            ),
            Self::QueryTooLong => problem_type(
                414,
                "query-too-long",
                "The query is too long",
                "Send at most `limit` bytes behind the `?`.",
            ),
            Self::UnsupportedMediaType => problem_type(
                415,
                "unsupported-media-type",
                "The body is of a media type that this route does not take",
                "Send one of `accepted`, and say so in `Content-Type`.",
            ),
            Self::InvalidRecord => problem_type(
                422,
                "invalid-record",
                "The body is not a record that can be kept",
                "Mend each field of `errors`; `pointer` says which (RFC 6901).",
            ),
            Self::IdempotencyKeyReused => problem_type(
                422,
                "idempotency-key-reused",
                "The idempotency key has been used for another request",
                "Use a new key for a new request.",
            ),
            Self::TooManyRequests => problem_type(
                429,
                "too-many-requests",
                "Too many requests",
                "Try again after `Retry-After` seconds, and more slowly.",
            ),
            Self::Internal => problem_type(
                500,
                "internal",
                "Something went wrong on our side",
                "Try again; if it stays, report `requestId`.",
            ),
            Self::ServiceFailed => problem_type(
                502,
                "service-failed",
                "A service that this answer needs failed",
                "Try again; `service` names the one that failed.",
            ),
            Self::NotReady => problem_type(
                503,
                "not-ready",
                "Not ready to answer",
                "Try again after `Retry-After` seconds; `failed` names what is not there.",
            ),
            Self::ServiceTimedOut => problem_type(
                504,
                "service-timed-out",
                "A service that this answer needs did not answer in time",
                "Try again; `service` names the one that was slow.",
            ),
        }
    }
}
