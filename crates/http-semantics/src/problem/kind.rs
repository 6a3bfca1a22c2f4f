//! The problem types: one table of status, slug, title and remedy.
//!
//! `CONTRIBUTING.md` lists the steps to add a type. A row is a kind, a status, a slug, a title and a
//! remedy. The rows are in order of status.

/// The data of a problem type. It is the same for all problems of a [`Kind`].
#[derive(Debug, Clone, Copy)]
pub struct ProblemType {
    /// The status code.
    pub status: u16,
    /// The last part of the `type`.
    pub slug: &'static str,
    /// The cause in general.
    pub title: &'static str,
    /// The advice to the client.
    pub remedy: &'static str,
}

macro_rules! problem_types {
    ($($kind:ident: $status:literal, $slug:literal, $title:literal, $remedy:literal;)*) => {
        /// The kinds of problems, in the order of their status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = $title] $kind,)*
        }

        const KINDS: usize = [$(Kind::$kind),*].len();

        impl Kind {
            /// All kinds, in the order of their status.
            pub const ALL: [Self; KINDS] = [$(Self::$kind),*];

            /// The problem type of the kind.
            #[must_use]
            pub fn problem_type(self) -> ProblemType {
                let (status, slug, title, remedy) = match self {
                    $(Self::$kind => ($status, $slug, $title, $remedy),)*
                };
                ProblemType { status, slug, title, remedy }
            }
        }
    };
}

problem_types! {
    InvalidParameter: 400, "invalid-parameter",
        "A parameter has an invalid value",
        "Send `parameter` with a value that `detail` describes.";
    UnknownParameter: 400, "unknown-parameter",
        "The query has an unknown parameter",
        "Use one of `known`. Names are case-sensitive.";
    InvalidHeader: 400, "invalid-header",
        "A header has an invalid value",
        "Send `header` with a value that `detail` describes.";
    MalformedBody: 400, "malformed-body",
        "The body cannot be parsed",
        "Fix the body at `line` and `column`.";
    TokenRequired: 401, "token-required",
        "A token is required",
        "Send `Authorization: Bearer` with a token of the scope `scope`.";
    TokenRefused: 401, "token-refused",
        "The token is unknown",
        "Check that the token is complete. Otherwise ask for a new one.";
    InsufficientScope: 403, "insufficient-scope",
        "The token lacks the required scope",
        "Use a token with the scope `scope` or a greater one.";
    ForeignForm: 403, "foreign-form",
        "The form was sent from another site",
        "Open the page and send its form from there. Programs use `/v1`.";
    ForeignRequest: 403, "foreign-request",
        "The request comes from another site",
        "Send the request from this site or from a program. `ALLOWED_ORIGINS` and `ALLOWED_HOSTS` allow other sites.";
    UnknownRoute: 404, "unknown-route",
        "There is no such route",
        "`GET /v1` lists the routes. In the place of an id, send a whole number.";
    NotFound: 404, "not-found",
        "There is no such record",
        "Look up the id in the list of places or people.";
    MethodNotAllowed: 405, "method-not-allowed",
        "This route does not allow this method",
        "Use a method of the `Allow` header.";
    NotAcceptable: 406, "not-acceptable",
        "The response has no media type that `Accept` allows",
        "Accept one of `offered`.";
    BodyTimedOut: 408, "body-timed-out",
        "The body did not arrive in time",
        "Send the request again, or split the file.";
    NameTaken: 409, "name-taken",
        "Another place has this name",
        "Use the place `id`, or choose another name. Case makes no difference.";
    IdTaken: 409, "id-taken",
        "A record already has this id",
        "Omit the line, choose another id, or import with `?mode=upsert` to change the record.";
    IdRetired: 409, "id-retired",
        "The id belonged to a place that was deleted",
        "POST the place to get a new id, or choose another one.";
    NoSuchPlace: 409, "no-such-place",
        "The place does not exist",
        "Create the place first, or send the `placeId` of an existing one. An import can create it: `createPlaces=true`.";
    PlaceHasKing: 409, "place-has-king",
        "The place already has a king",
        "PATCH the person with `?depose=true` to replace `king`.";
    PlaceHasPeople: 409, "place-has-people",
        "Living people still belong to the place",
        "Move the people first, or delete with `?reassignTo=ID`.";
    PlaceIsDeleting: 409, "place-is-going",
        "The place is part of a deletion in progress",
        "Try again after `Retry-After` seconds.";
    BeingWritten: 409, "being-written",
        "Another request is changing this record",
        "Try again after `Retry-After` seconds.";
    RequestInFlight: 409, "request-in-flight",
        "A request with this idempotency key is in progress",
        "Try again after `Retry-After` seconds, with the same key.";
    PersonErased: 410, "person-erased",
        "The person was erased",
        "Add the person again: with a new key, if the request has an `Idempotency-Key`.";
    HistoryRestarted: 410, "history-restarted",
        "The cursor belongs to a history that a restore has replaced",
        "Discard what you have read with it, then read again from the beginning, without a cursor.";
    PreconditionFailed: 412, "precondition-failed",
        "The record is not in the expected version",
        "Read the record again, and repeat the change if it still applies. `version` and `etag` are the current ones.";
    BodyTooLarge: 413, "body-too-large",
        "The body is too large",
        "Send at most `limit` bytes.";
    TooManyRecords: 413, "too-many-records",
        "The file or the batch has too many records",
        "Split it, and send at most `limit` records at once.";
    QueryTooLong: 414, "query-too-long",
        "The query is too long",
        "Send at most `limit` bytes after the `?`.";
    UnsupportedMediaType: 415, "unsupported-media-type",
        "The route does not accept this media type",
        "Send one of `accepted` in UTF-8, and name it in `Content-Type`.";
    InvalidRecord: 422, "invalid-record",
        "The record is invalid",
        "Fix each field of `errors`. `pointer` names it (RFC 6901).";
    BatchRefused: 422, "batch-refused",
        "Some operations of the batch cannot be done",
        "Correct or leave out each operation that has a `problem` in `results`, and send the batch again. If there is `Retry-After`, send it unchanged after that time.";
    TooManyMatches: 422, "too-many-matches",
        "Too many records match",
        "Sort by `id`, which has no limit, or search for more or longer words.";
    IdempotencyKeyReused: 422, "idempotency-key-reused",
        "The idempotency key was used for another request",
        "Use a new key for a new request.";
    CallLimitReached: 422, "call-limit-reached",
        "The request needs more calls than the plan allows",
        "Request less at once: a smaller page, or the rest of the file.";
    TooManyRequests: 429, "too-many-requests",
        "Too many requests",
        "Wait `Retry-After` seconds, then send fewer requests.";
    Internal: 500, "internal",
        "Something went wrong on our side",
        "Try again. If the problem persists, report `requestId`.";
    Misconfigured: 500, "misconfigured",
        "A setting of the service is invalid",
        "Tell the operator of the service. `detail` says how to fix the setting.";
    ServiceFailed: 502, "service-failed",
        "A backend service failed",
        "Try again. `service` names the service that failed.";
    NotReady: 503, "not-ready",
        "Not ready",
        "Try again after `Retry-After` seconds. `failed` lists what is not available.";
    Overloaded: 503, "overloaded",
        "Too many requests are waiting for the database",
        "Try again after `Retry-After` seconds.";
    Updating: 503, "updating",
        "The services are being updated to another version",
        "Try again after `Retry-After` seconds.";
    ServiceTimedOut: 504, "service-timed-out",
        "A backend service did not respond in time",
        "Try again. `service` names the service that was slow.";
}
