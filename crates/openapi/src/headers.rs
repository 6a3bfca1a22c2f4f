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
            "WWW-Authenticate",
            header("What to prove oneself by (RFC 6750).", text(), "Bearer").with("required", true),
        ),
    ]
}
