//! The headers of answers.

use crate::{Json, object};

fn header(says: &str, schema: Json, example: &str) -> Json {
    object! { "description": says, "schema": schema, "example": example }
}

fn text() -> Json {
    object! { "type": "string" }
}

fn count(says: &str, example: i64) -> Json {
    object! {
        "description": says,
        "schema": object! { "type": "integer", "minimum": 0 },
        "example": example,
    }
}

/// All headers, by name.
#[must_use]
pub fn components() -> Vec<(&'static str, Json)> {
    let version = object! { "type": "string", "pattern": "^\"[1-9][0-9]*\"$" };
    let weak = object! { "type": "string", "pattern": "^W/\".+\"$" };
    vec![
        ("ETag", header("The version of the record, for `If-Match` and `If-None-Match`.", version, "\"3\"")),
        ("ListTag", header("What the list is made from, for `If-None-Match`.", weak, "W/\"1j107\"")),
        (
            "Link",
            header(
                "The next page, as a path with its query (RFC 8288). It is left out on the last one.",
                text(),
                "</v1/people?limit=2&after=6932>; rel=\"next\"",
            ),
        ),
        (
            "LinkToCome",
            header(
                "The next page, as a path with its query (RFC 8288). It is always there: follow it later for what has come since.",
                text(),
                "</v1/changes?since=70312e30>; rel=\"next\"",
            )
            .with("required", true),
        ),
        (
            "Location",
            header("Where the new record is.", text(), "/v1/people/78").with("required", true),
        ),
        ("X-Total-Count", count("How many there are in all, where `count=exact` asks for it.", 77)),
        ("X-Change-Counter", count("How many changes the register had seen when this was read.", 107)),
        ("X-Total-Living", count("How many live in all.", 53)),
        ("X-Total-Dead", count("How many are dead in all.", 24)),
        ("X-Total-Nowhere", count("How many of the dead have no place.", 7)),
        (
            "Idempotency-Replayed",
            header("That this is the answer to an earlier request with the same key.", object! { "type": "string", "enum": ["true"].into_iter().collect::<Json>() }, "true"),
        ),
        ("Content-Disposition", header("The name of the file.", text(), "attachment; filename=\"people.csv\"")),
        ("Vary", header("That the answer depends on `Accept`.", text(), "accept")),
        ("Accept-Post", header("The media types that the route takes.", text(), "application/json")),
        ("Accept-Patch", header("The media types that the route takes (RFC 5789).", text(), "application/merge-patch+json, application/json")),
        (
            "Retry-After",
            object! {
                "description": "After how many seconds to try again.",
                "schema": object! { "type": "integer", "minimum": 0 },
                "example": 1,
            },
        ),
        (
            "Age",
            object! {
                "description": "For how many seconds the answer may not have been right (RFC 9111): only where a service is down, and the last good answer is given instead.",
                "schema": object! { "type": "integer", "minimum": 0 },
                "example": 12,
            },
        ),
        ("Cache-Status", header("That the answer is the last good one, or not whole, and which service is why (RFC 9211).", text(), "join; fwd=stale; ttl=-12; detail=people-failed")),
        ("Cache-Control", header("That the answer is not to be used again without asking, where a service is down.", text(), "no-cache")),
        ("Server-Timing", header("Where the answer came from, how each source did, and how many milliseconds it took.", text(), "places;dur=3;desc=\"ok\", people;dur=4;desc=\"ok\"")),
        ("Preference-Applied", header("What of `Prefer` was heeded (RFC 7240).", text(), "handling=strict")),
        (
            "WWW-Authenticate",
            header("What to prove oneself by (RFC 6750).", text(), "Bearer").with("required", true),
        ),
    ]
}
