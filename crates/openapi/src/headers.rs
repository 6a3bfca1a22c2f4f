//! Describes the response headers.

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

/// All headers, by the name of the component. `ListTag`, `ExpandedTag`, `LinkToCome`, `NoTransform`
/// and `WWW-Authenticate-if-token` are variants of `ETag`, `Link`, `Cache-Control` and
/// `WWW-Authenticate`.
#[must_use]
pub fn all() -> Vec<(String, Json)> {
    components! {
        /// The version of the record and the epoch of its database, for `If-Match` and
        /// `If-None-Match`.
        "ETag" => pattern("^\"[1-9][0-9]*\\.[0-9a-f]{8}\"$", "\"3.1f09ab34\"");
        /// The version of the list, for `If-None-Match`.
        "ListTag" => pattern("^W/\".+\"$", "W/\"1j107.1f09ab34\"");
        /// The version of the record and the epoch of its database, for `If-Match` and
        /// `If-None-Match`. With `expand`, the version of the person and the place, only for
        /// `If-None-Match`.
        "ExpandedTag" =>
            pattern("^(\"[1-9][0-9]*\\.[0-9a-f]{8}\"|W/\".+\")$", "\"3.1f09ab34\"");
        /// An intermediary may not change the encoding of the response, because that would weaken
        /// its tag.
        "NoTransform" => text("no-transform");
        /// The next page, as a path with its query (RFC 8288). The last page does not have it.
        "Link" => text("</v1/people?limit=2&after=6932>; rel=\"next\"");
        /// The next page, as a path with its query (RFC 8288). Oldest first, it is always present:
        /// request it later to read newer changes.
        "LinkToCome" => text("</v1/changes?since=63312e3166303961623334>; rel=\"next\"");
        /// There are more changes now: request the next page at once. Otherwise the header is absent.
        "X-More-Changes" => header(object! { "type": "string", "enum": ["true"] }, "true");
        /// The path of the new record.
        "Location" => text("/v1/people/78").with("required", true);
        /// The path of the operation's status.
        "OperationLocation" =>
            text("/v1/operations/5f0e7c6a3b1d4e8f9a2b3c4d5e6f7081").with("required", true);
        /// The rest of the report, if it does not cover all places (RFC 8288).
        "LinkToRest" => text("</v1/integrity?after=100000>; rel=\"next\"");
        /// The number of all matches, if the request has `count=exact`.
        "X-Total-Count" => count(77);
        /// There are more matches than `X-Total-Count`, which is the greatest number that the
        /// service counts. Otherwise the header is absent.
        "X-Total-Count-Relation" =>
            header(object! { "type": "string", "enum": ["at-least"] }, "at-least");
        /// The change sequence up to which the response shows this service's data, with its epoch.
        "X-Change-Counter" => pattern("^[0-9]+\\.[0-9a-f]{8}$", "107.1f09ab34");
        /// The number of all living people.
        "X-Total-Living" => count(53);
        /// The number of all dead people.
        "X-Total-Dead" => count(24);
        /// The number of dead people without a place.
        "X-Total-Nowhere" => count(7);
        /// The number of people of the place with the most people. Absent without people, and as of a time.
        "X-Largest-Total" => count(7);
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
        /// The rate limit that the client has reached.
        "RateLimit" => text("\"requests\";r=0;t=60");
        /// The age in seconds (RFC 9111) of a response that was not checked to be current: the client
        /// allowed that, or a service is down and this is the last good response.
        "Age" => count(12);
        /// The source of the response (RFC 9211), if it was not checked to be current: `join; hit`,
        /// or the service that made it stale or incomplete.
        "Cache-Status" => text("join; fwd=stale; ttl=-12; detail=people-failed");
        /// Do not reuse the response without revalidation. It is present while a service is down.
        "Cache-Control" => text("no-cache");
        /// The sources of the response, with the state and the milliseconds of each.
        "Server-Timing" => text("places;dur=3;desc=\"ok\", people;dur=4;desc=\"ok\"");
        /// The preference of `Prefer` that was applied (RFC 7240).
        "Preference-Applied" => text("handling=strict");
        /// The authentication scheme (RFC 6750).
        "WWW-Authenticate" => text("Bearer").with("required", true);
        /// The authentication scheme (RFC 6750), if the token is the reason.
        "WWW-Authenticate-if-token" => text("Bearer");
    }
}
