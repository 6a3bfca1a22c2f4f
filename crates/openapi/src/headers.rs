//! The response headers.

use crate::json::components;
use crate::{Json, object};

fn header(schema: Json, example: impl Into<Json>) -> Json {
    object! { "schema": schema, "example": example.into() }
}

fn text(example: &str) -> Json {
    header(object! { "type": "string" }, example)
}

fn pattern(pattern: &str, example: &str) -> Json {
    header(object! { "type": "string", "pattern": pattern }, example)
}

fn count(example: i64) -> Json {
    header(object! { "type": "integer", "minimum": 0 }, example)
}

/// All headers, by the name of the component. `ListTag` and `LinkToCome` are variants of `ETag`
/// and `Link`.
#[must_use]
pub fn all() -> Vec<(String, Json)> {
    components! {
        /// The version of the record, for `If-Match` and `If-None-Match`.
        "ETag" => pattern("^\"[1-9][0-9]*\"$", "\"3\"");
        /// The version of the list, for `If-None-Match`.
        "ListTag" => pattern("^W/\".+\"$", "W/\"1j107\"");
        /// The next page, as a path with its query (RFC 8288). The last page does not have it.
        "Link" => text("</v1/people?limit=2&after=6932>; rel=\"next\"");
        /// The next page, as a path with its query (RFC 8288). It is always present: request it
        /// later to read newer changes.
        "LinkToCome" => text("</v1/changes?since=70312e30>; rel=\"next\"").with("required", true);
        /// The path of the new record.
        "Location" => text("/v1/people/78").with("required", true);
        /// The number of all matches, if the request has `count=exact`.
        "X-Total-Count" => count(77);
        /// There are more matches than `X-Total-Count`, which is the greatest number that the
        /// service counts. Otherwise the header is absent.
        "X-Total-Count-Relation" =>
            header(object! { "type": "string", "enum": ["at-least"] }, "at-least");
        /// The number of changes in this service when the record was read.
        "X-Change-Counter" => count(107);
        /// The number of all living people.
        "X-Total-Living" => count(53);
        /// The number of all dead people.
        "X-Total-Dead" => count(24);
        /// The number of dead people without a place.
        "X-Total-Nowhere" => count(7);
        /// This response repeats the one to an earlier request with the same key.
        "Idempotency-Replayed" => header(object! { "type": "string", "enum": ["true"] }, "true");
        /// The name of the file.
        "Content-Disposition" => text("attachment; filename=\"people.csv\"");
        /// The response depends on `Accept`.
        "Vary" => text("accept");
        /// The media types that the route accepts.
        "Accept-Post" => text("application/json");
        /// The media types that the route accepts (RFC 5789).
        "Accept-Patch" => text("application/merge-patch+json, application/json");
        /// The number of seconds to wait before the next attempt.
        "Retry-After" => count(1);
        /// The age of a stale response in seconds (RFC 9111). It is present only while a service
        /// is down and the last good response is sent instead.
        "Age" => count(12);
        /// The response is stale or incomplete, and the service that caused it (RFC 9211).
        "Cache-Status" => text("join; fwd=stale; ttl=-12; detail=people-failed");
        /// Do not reuse the response without revalidation. It is present while a service is down.
        "Cache-Control" => text("no-cache");
        /// The sources of the response, with the state and the milliseconds of each.
        "Server-Timing" => text("places;dur=3;desc=\"ok\", people;dur=4;desc=\"ok\"");
        /// The preference of `Prefer` that was applied (RFC 7240).
        "Preference-Applied" => text("handling=strict");
        /// The authentication scheme (RFC 6750).
        "WWW-Authenticate" => text("Bearer").with("required", true);
    }
}
