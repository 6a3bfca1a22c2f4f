//! Who calls, under which name, and what they may: headers and settings.

use domain::Param;
use http_semantics::auth::{AccessPolicy, BearerToken, Scope};
use http_semantics::bookmark::Bookmarks;
use http_semantics::cors;
use http_semantics::rate_limit::RateLimit;
use http_semantics::trace::{RequestId, Traceparent};

use super::{same, text};
use crate::{Target, Verdict};

pub const TARGETS: &[Target] = &[
    Target {
        name: "traceparent",
        seeds: &[
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-what",
            "00-00000000000000000000000000000000-b7ad6b7169203331-00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ],
        check: traceparent,
    },
    Target {
        name: "X-Request-Id",
        seeds: &["8e03978e-40d5-43dd-bc93-6894a57f9324", "a.b_c-1", "a b", ""],
        check: request_id,
    },
    Target {
        name: "Authorization",
        seeds: &[
            "Bearer 0123456789abcdef",
            "bearer  0123456789abcdef~+/=",
            "Basic dXNlcjpwYXNz",
            "Bearer short",
        ],
        check: authorization,
    },
    Target {
        name: "tokens setting",
        seeds: &[
            "read:9f56e761d79bfdb34304a012586cb04d16b435ef6130091a97702e559260a2f2",
            "admin:00, write:zz,,read:",
            "write:9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f, a:b",
        ],
        check: tokens,
    },
    Target {
        name: "X-D1-Bookmark",
        seeds: &[
            "first-primary",
            "00000001-a.00000002-b",
            ".0-1",
            ".",
            "a.b.c",
        ],
        check: bookmark,
    },
    Target {
        name: "origins setting",
        seeds: &[
            "*",
            "https://a.example, https://b.example",
            "null",
            "a.example",
        ],
        check: origins,
    },
    Target {
        name: "rate setting",
        seeds: &["600/60", "1/10", "0/60", "600/61", "600"],
        check: rate,
    },
];

fn traceparent(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(trace) = Traceparent::parse(&text) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    same(
        "read again",
        &Traceparent::parse(trace.as_str()),
        &Some(trace.clone()),
    )?;
    let ids = format!("{}-{}", trace.trace_id(), trace.span_id());
    same("the ids", &text.get(3..52), &Some(ids.as_str()))?;
    let child = trace.child(7);
    same("a child's trace", &child.trace_id(), &trace.trace_id())?;
    same(
        "a child read again",
        &Traceparent::parse(child.as_str()),
        &Some(child.clone()),
    )?;
    Ok(Verdict::Taken(text.into_owned()))
}

fn request_id(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let trace = Traceparent::from_random([1, 2, 3]);
    let id = RequestId::from_header(Some(&text), &trace);
    if RequestId::parse(&text).is_none() {
        same("another's name", &id.as_str(), &trace.trace_id())?;
        return Ok(Verdict::Refused(text.into_owned()));
    }
    same("the name", &id.as_str(), &text.as_ref())?;
    Ok(Verdict::Taken(text.into_owned()))
}

fn authorization(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Ok(Some(token)) = BearerToken::from_authorization(Some(&text)) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    let again = BearerToken::from_authorization(Some(&format!("Bearer {}", token.reveal())));
    let is_same = matches!(again, Ok(Some(again)) if again.matches(token.reveal()));
    same("read again", &is_same, &true)?;
    Ok(Verdict::Taken(text.into_owned()))
}

/// A token, and the SHA-256 of it.
const TOKEN: &str = "0123456789abcdef";
const HASH: &str = "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f";

/// Whatever stands around it, an entry lets its token in, and nothing else does.
fn tokens(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let token = BearerToken::parse(TOKEN).ok_or("the token is none")?;
    let lets_in = |setting: &str, scope| {
        let policy = AccessPolicy::from_settings(None, None, Some(setting.to_owned()));
        policy.authorize(scope, Some(&token)).is_ok()
    };
    same(
        "an entry behind",
        &lets_in(&format!("{text},write:{HASH}"), Scope::Write),
        &true,
    )?;
    let is_in = lets_in(&text, Scope::Write);
    if is_in && !text.to_ascii_lowercase().contains(HASH) {
        return Err("a token that is in no entry".to_owned());
    }
    Ok(if is_in {
        Verdict::Taken(text.into_owned())
    } else {
        Verdict::Refused(text.into_owned())
    })
}

fn bookmark(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(seen) = Bookmarks::parse(&text) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    let again = seen
        .request_token()
        .and_then(|token| Bookmarks::parse(&token));
    same("read again", &again, &Some(seen.clone()))?;
    let mut all = Bookmarks::default();
    all.merge(&seen);
    same("seen by another", &seen.token(), &all.token())?;
    Ok(Verdict::Taken(text.into_owned()))
}

fn origins(input: &[u8]) -> Result<Verdict, String> {
    const ORIGIN: &str = "https://a.example";
    let text = text(input);
    let let_in = |setting: &str| {
        let headers = cors::CorsPolicy::new(setting).headers(Some(ORIGIN), None);
        let of = |(name, _): &(&str, String)| *name == "access-control-allow-origin";
        headers.into_iter().find(of).map(|(_, origin)| origin)
    };
    let listed = let_in(&format!("{text},{ORIGIN}"));
    same("an origin behind", &listed.as_deref(), &Some(ORIGIN))?;
    match let_in(&text) {
        None => Ok(Verdict::Refused(text.into_owned())),
        Some(origin) if origin == "*" => {
            same("open to all", &text.trim(), &"*")?;
            Ok(Verdict::Taken(text.into_owned()))
        }
        Some(origin) => {
            same("the origin", &origin.as_str(), &ORIGIN)?;
            same("listed", &text.contains(ORIGIN), &true)?;
            Ok(Verdict::Taken(text.into_owned()))
        }
    }
}

fn rate(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(limit) = RateLimit::parse(&text) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    let written = format!("{}/{}", limit.requests, limit.seconds);
    same("read again", &RateLimit::parse(&written), &Some(limit))?;
    Ok(Verdict::Taken(text.into_owned()))
}
