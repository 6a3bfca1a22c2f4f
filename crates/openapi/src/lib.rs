//! Generates the OpenAPI documents. Names of parameters, bounds, problems and media types come from
//! the workers' own code. The schemas are derived from the types in [`views`]. The tests compare
//! the paths with the route tables, and the schemas with the results of the statements.
//!
//! This crate runs only on the developer's machine, and no worker contains it
//! (docs/decisions/0009).
#![expect(
    clippy::panic,
    reason = "a wrong document must not be written, and this code serves no request"
)]

mod collection;
pub mod document;
mod examples;
mod headers;
pub mod join;
pub mod json;
pub mod operation;
mod parameters;
mod patterns;
pub mod people;
pub mod places;
mod problems;
pub mod response;
#[cfg(test)]
mod tests;
pub mod views;
mod worker;

pub use json::Json;

const CONVENTIONS: &str = "\
**Pages.** A list is a JSON array. `Link` has the next page. HEAD works wherever GET does, and \
OPTIONS everywhere. Paths also work without `/v1`, and with a trailing slash.\n\n\
**Problems.** Every error is `application/problem+json` (RFC 9457): `detail` says what is wrong \
and what is expected. The response to an unknown path is `unknown-route` (404), to an unknown \
method `method-not-allowed` (405), and to a query over 15 KiB `query-too-long` (414). If the \
deployment limits the rate of requests, `RateLimit-Policy` states the limit, and requests above it \
get `too-many-requests` (429).\n\n\
**Request ids.** Every response has an `X-Request-Id`, which a problem repeats as `requestId`: the \
one of the request, or a new one. `traceparent` is accepted and forwarded.\n\n\
**Replicas.** If the databases have replicas, a response may be older than the last write. To \
read your own writes, send the `X-D1-Bookmark` of the last response with the next request. It has a \
part for each database, `PLACES.PEOPLE`; keep your part if that of the response is empty. \
`X-D1-Bookmark: first-primary` reads the latest data.\n\n\
**Versions.** `ETag`, `If-Match` and `If-None-Match` work as in RFC 9110, except that `If-Match` \
also accepts the tag of a record that an intermediary has weakened (`W/`). The tag of a record is \
its version, with the epoch of its database, which a restore changes. The tag of a list changes with \
the data that it is made from.";

/// The documents, each with the name of its worker.
#[must_use]
pub fn documents() -> [(&'static str, Json); 3] {
    let backend =
        |name: &str| format!("The {name} service, as the gateway calls it.\n\n{CONVENTIONS}");
    let gateway = format!(
        "The gateway of three services. It joins places and people, and forwards requests for one \
         of them to the `places` or the `people` service.\n\n{CONVENTIONS}"
    );
    [
        (
            "places",
            document::document("places", &backend("places"), &places::operations()),
        ),
        (
            "people",
            document::document("people", &backend("people"), &people::operations()),
        ),
        (
            "join",
            document::document("people per place", &gateway, &join::operations()),
        ),
    ]
}

/// The text of a document's file.
#[must_use]
pub fn file_text(document: &Json) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}
