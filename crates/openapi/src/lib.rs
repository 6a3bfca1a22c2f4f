//! The description of the API, written from what the workers are made of: names of parameters,
//! bounds, problems and media types are theirs, and the tests hold the paths against their
//! route tables, and the shapes against what their statements make.
//!
//! It is native, so that no worker carries a byte of what makes it (docs/decisions/0009).
#![expect(
    clippy::panic,
    reason = "a document that cannot be made must not be written, and no request is near"
)]

pub mod document;
mod examples;
mod headers;
pub mod join;
pub mod json;
pub mod operation;
mod parameters;
pub mod people;
pub mod places;
mod problems;
mod shared;
#[cfg(test)]
mod tests;
pub mod views;

pub use json::Json;

const READERS: &str = "\
**Pages.** A list is an array with one record a line. `Link` has the next page. HEAD is answered \
wherever GET is, and OPTIONS everywhere. The same addresses answer without `/v1`, and with a \
trailing slash.\n\n\
**Problems.** Every error is `application/problem+json` (RFC 9457): `detail` says what was wrong \
and what it must be. An unknown address is `unknown-route` (404), an unknown method \
`method-not-allowed` (405), a query over 32 KiB `query-too-long` (414). Where the deployment limits \
how often a client may ask, `RateLimit-Policy` says so, and who asks more often gets \
`too-many-requests` (429).\n\n\
**Names of requests.** Every answer has `X-Request-Id`, and a problem the same as `requestId`: the \
one that the request came with, or a new one. `traceparent` is taken and passed on.\n\n\
**Replicas.** Where the databases have replicas, an answer may be older than the last write. \
`X-D1-Bookmark` of any answer, sent along with a later request, has that answered no older; \
`X-D1-Bookmark: first-primary` asks for the newest there is.\n\n\
**Versions.** `ETag`, `If-Match` and `If-None-Match` work as in RFC 9110: a record's tag is its \
version, a list's that of all that it is made from.";

/// The documents, each with the name of its worker.
#[must_use]
pub fn documents() -> [(&'static str, Json); 3] {
    let of_one = |register: &str| {
        format!("The register of {register}, as the entry point sees it.\n\n{READERS}")
    };
    let whole = format!(
        "Three workers: the registers of places and of people, and the entry point, which joins \
         them and passes on what is asked of one of them alone.\n\n{READERS}"
    );
    [
        (
            "places",
            document::document("places", &of_one("places"), &places::operations()),
        ),
        (
            "people",
            document::document("people", &of_one("people"), &people::operations()),
        ),
        (
            "join",
            document::document("people per place", &whole, &join::operations()),
        ),
    ]
}

/// A document as it stands in its file.
#[must_use]
pub fn written(document: &Json) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}
