//! The parsers of credentials, tracing headers, and the settings that control access.

use domain::Param;
use http_semantics::auth::{AccessPolicy, BearerToken, Scope};
use http_semantics::bookmark::{Backend, FIRST_PRIMARY, Observed, Session};
use http_semantics::cors;
use http_semantics::rate_limit::RateLimit;
use http_semantics::trace::{RequestId, Traceparent};
use proptest::{prop_assert, prop_assert_eq};

use super::text;
use crate::Verdict::{Accepted, Rejected};
use crate::{Checked, Target};

pub const TARGETS: &[Target] = &[
    text(
        "traceparent",
        &[
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-what",
            "00-00000000000000000000000000000000-b7ad6b7169203331-00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ],
        traceparent,
    ),
    text(
        "X-Request-Id",
        &["8e03978e-40d5-43dd-bc93-6894a57f9324", "a.b_c-1", "a b", ""],
        request_id,
    ),
    text(
        "Authorization",
        &[
            "Bearer 0123456789abcdef",
            "bearer  0123456789abcdef~+/=",
            "Basic dXNlcjpwYXNz",
            "Bearer short",
        ],
        authorization,
    ),
    text(
        "TOKENS setting",
        &[
            "read:9f56e761d79bfdb34304a012586cb04d16b435ef6130091a97702e559260a2f2",
            "admin:00, write:zz,,read:",
            "write:9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f, a:b",
        ],
        tokens,
    ),
    text(
        "X-D1-Bookmark",
        &[
            "first-primary",
            "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683.",
            ".00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683",
            ".",
            "a.b.c",
        ],
        bookmark,
    ),
    text(
        "ALLOWED_ORIGINS setting",
        &[
            "*",
            "https://a.example, https://b.example",
            "null",
            "a.example",
        ],
        origins,
    ),
    text(
        "RATE_LIMIT setting",
        &["600/60", "1/10", "0/60", "600/61", "600"],
        rate_limit,
    ),
];

fn traceparent(text: &str) -> Checked {
    let Some(trace) = Traceparent::parse(text) else {
        return Ok(Rejected);
    };
    prop_assert_eq!(Traceparent::parse(trace.as_str()), Some(trace.clone()));
    let ids = format!("{}-{}", trace.trace_id(), trace.span_id());
    prop_assert_eq!(text.get(3..52), Some(ids.as_str()));
    let child = trace.child(7);
    prop_assert_eq!(child.trace_id(), trace.trace_id());
    prop_assert_eq!(Traceparent::parse(child.as_str()), Some(child.clone()));
    Ok(Accepted)
}

fn request_id(text: &str) -> Checked {
    let trace = Traceparent::from_random([1, 2, 3]);
    let id = RequestId::from_header(Some(text), &trace);
    if RequestId::parse(text).is_none() {
        prop_assert_eq!(id.as_str(), trace.trace_id());
        return Ok(Rejected);
    }
    prop_assert_eq!(id.as_str(), text);
    Ok(Accepted)
}

fn authorization(text: &str) -> Checked {
    let Ok(Some(token)) = BearerToken::from_authorization(Some(text)) else {
        return Ok(Rejected);
    };
    let again = BearerToken::from_authorization(Some(&format!("Bearer {}", token.reveal())));
    prop_assert!(matches!(again, Ok(Some(again)) if again.matches(token.reveal())));
    Ok(Accepted)
}

/// A token and its SHA-256.
const TOKEN: &str = "0123456789abcdef";
const HASH: &str = "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f";

/// A setting knows a token exactly if one of its entries has the hash, whatever the other entries
/// are. It admits the token if all entries are valid.
fn tokens(text: &str) -> Checked {
    let token = BearerToken::parse(TOKEN);
    let policy = |setting: &str| AccessPolicy::from_settings(None, None, Some(setting.to_owned()));
    let knows = |setting: &str| {
        let grant = token
            .as_ref()
            .and_then(|token| policy(setting).grant_of(token));
        grant.is_some()
    };
    prop_assert!(knows(&format!("{text},write:x:{HASH}")), "a last entry");
    let is_admitted = policy(text).authorize(Scope::Write, token.as_ref()).is_ok();
    prop_assert!(!is_admitted || policy(text).check_setting().is_ok());
    if !knows(text) {
        prop_assert!(!is_admitted);
        return Ok(Rejected);
    }
    prop_assert!(text.to_ascii_lowercase().contains(HASH));
    Ok(Accepted)
}

/// A token of an unknown form requires the primary, and a session only has parts of the token as
/// constraints. Nothing that a client requires is ever observed.
fn bookmark(text: &str) -> Checked {
    let session = Session::new(Some(text));
    prop_assert_eq!(session.observed(), &Observed::default());
    for backend in Backend::ALL {
        let constraint = session.constraint(backend);
        let is_fixed = [FIRST_PRIMARY, "first-unconstrained"].contains(&constraint);
        prop_assert!(is_fixed || text.split('.').any(|part| part == constraint));
    }
    let token = session.request_token();
    let again = token.as_deref().map(|token| Session::new(Some(token)));
    prop_assert_eq!(again.unwrap_or_default().request_token(), token);
    let requires_bookmark = |backend| session.requires_bookmark(backend);
    Ok(if Backend::ALL.into_iter().any(requires_bookmark) {
        Accepted
    } else {
        Rejected
    })
}

/// A setting allows an origin exactly if it lists it, or is `*`.
fn origins(text: &str) -> Checked {
    const ORIGIN: &str = "https://a.example";
    let allowed = |setting: &str| {
        let headers = cors::CorsPolicy::new(setting).headers(Some(ORIGIN), None);
        let mut headers = headers.into_iter();
        headers
            .find(|(name, _)| *name == "access-control-allow-origin")
            .map(|(_, origin)| origin)
    };
    let listed = allowed(&format!("{text},{ORIGIN}"));
    prop_assert_eq!(listed.as_deref(), Some(ORIGIN), "a last entry");
    match allowed(text).as_deref() {
        None => return Ok(Rejected),
        Some("*") => prop_assert_eq!(text.trim(), "*"),
        Some(origin) => {
            prop_assert_eq!(origin, ORIGIN);
            prop_assert!(text.contains(ORIGIN));
        }
    }
    Ok(Accepted)
}

fn rate_limit(text: &str) -> Checked {
    let Some(limit) = RateLimit::parse(text) else {
        return Ok(Rejected);
    };
    let written = format!("{}/{}", limit.requests, limit.seconds);
    prop_assert_eq!(RateLimit::parse(&written), Some(limit));
    Ok(Accepted)
}
