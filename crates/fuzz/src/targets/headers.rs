//! The parsers of request headers: content negotiation, conditional requests, idempotency and
//! sessions.

use domain::Param;
use http_semantics::auth::BearerToken;
use http_semantics::etag::Tags;
use http_semantics::idempotency::IdempotencyKey;
use http_semantics::media::LIST_MEDIA_TYPES;
use http_semantics::{Tag, negotiation, prefer};
use join::domain::session;
use proptest::{prop_assert, prop_assert_eq};

use super::text;
use crate::Verdict::{Accepted, Rejected};
use crate::{Checked, Target};

pub const TARGETS: &[Target] = &[
    text(
        "ETag list",
        &["\"1\"", "W/\"1j3.4\", \"7\"", "*", "\"a\" , W/\"\"", "1"],
        etags,
    ),
    text(
        "Accept",
        &[
            "application/json",
            "text/csv;q=0.5, application/*;q=0.1",
            "*/*;q=0",
            "text/html;level=\"1,2\";q=1.000",
            "a",
        ],
        accept,
    ),
    text(
        "Prefer",
        &[
            "handling=strict",
            "respond-async, Handling = \"strict\"; a=b",
            "a=\"\\\", handling=lenient\", handling=strict",
            "handling=lenient, handling=strict",
        ],
        prefer,
    ),
    text(
        "Idempotency-Key",
        &["8e03978e-40d5-43dd-bc93-6894a57f9324", "", "a b", "é"],
        idempotency_key,
    ),
    text(
        "Cookie",
        &["__Host-token=0123456789abcdef; a=b", ";;=", "__Host-token="],
        cookie,
    ),
];

fn etags(text: &str) -> Checked {
    let Some(tags) = Tags::parse(text) else {
        return Ok(Rejected);
    };
    let written = match &tags {
        Tags::Any => "*".to_owned(),
        Tags::These(tags) => {
            let tags: Vec<String> = tags.iter().map(Tag::to_string).collect();
            tags.join(", ")
        }
    };
    prop_assert_eq!(Tags::parse(&written), Some(tags));
    Ok(Accepted)
}

/// A request that accepts a format still gets one if it accepts more.
fn accept(text: &str) -> Checked {
    if negotiation::choose(Some(text), LIST_MEDIA_TYPES).is_none() {
        return Ok(Rejected);
    }
    let wider = format!("{text}, */*");
    prop_assert!(negotiation::choose(Some(&wider), LIST_MEDIA_TYPES).is_some());
    Ok(Accepted)
}

/// The first `handling` decides, in any case and among other preferences.
fn prefer(text: &str) -> Checked {
    let is_strict = |text: &str| prefer::is_strict(Some(text));
    let strict = is_strict(text);
    prop_assert_eq!(is_strict(&format!("a=\"b,\", {text}")), strict);
    prop_assert_eq!(is_strict(&text.to_ascii_uppercase()), strict);
    if !strict {
        return Ok(Rejected);
    }
    let repeated = format!("{text}, handling=lenient");
    prop_assert!(is_strict(&repeated));
    prop_assert!(text.to_ascii_lowercase().contains("strict"));
    Ok(Accepted)
}

fn idempotency_key(text: &str) -> Checked {
    let Some(key) = IdempotencyKey::parse(text) else {
        return Ok(Rejected);
    };
    prop_assert_eq!(key.as_str(), text);
    Ok(Accepted)
}

fn cookie(text: &str) -> Checked {
    let Some(token) = session::token(Some(text)) else {
        return Ok(Rejected);
    };
    let set_cookie = session::set_cookie(&token);
    let again = session::token(set_cookie.split(';').next());
    prop_assert_eq!(
        again.as_ref().map(BearerToken::reveal),
        Some(token.reveal())
    );
    Ok(Accepted)
}
