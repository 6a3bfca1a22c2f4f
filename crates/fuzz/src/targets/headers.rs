//! What stands in headers.

use domain::Param;
use http_semantics::etag::Tags;
use http_semantics::idempotency::IdempotencyKey;
use http_semantics::media::LIST_MEDIA_TYPES;
use http_semantics::negotiation;
use http_semantics::{Tag, prefer};

use super::{same, text};
use crate::{Target, Verdict};

pub const TARGETS: &[Target] = &[
    Target {
        name: "ETag list",
        seeds: &["\"1\"", "W/\"1j3.4\", \"7\"", "*", "\"a\" , W/\"\"", "1"],
        check: tags,
    },
    Target {
        name: "Accept",
        seeds: &[
            "application/json",
            "text/csv;q=0.5, application/*;q=0.1",
            "*/*;q=0",
            "text/html;level=\"1,2\";q=1.000",
            "a",
        ],
        check: chosen,
    },
    Target {
        name: "Prefer",
        seeds: &[
            "handling=strict",
            "respond-async, Handling = \"strict\"; a=b",
            "a=\"\\\", handling=lenient\", handling=strict",
            "handling=lenient, handling=strict",
        ],
        check: prefer,
    },
    Target {
        name: "Idempotency-Key",
        seeds: &["8e03978e-40d5-43dd-bc93-6894a57f9324", "", "a b", "é"],
        check: key,
    },
    Target {
        name: "cookies",
        seeds: &["__Host-token=0123456789abcdef; a=b", ";;=", "__Host-token="],
        check: cookies,
    },
];

fn tags(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(tags) = Tags::parse(&text) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    let written = match &tags {
        Tags::Any => "*".to_owned(),
        Tags::These(tags) => {
            let tags: Vec<String> = tags.iter().map(Tag::to_string).collect();
            tags.join(", ")
        }
    };
    same("read again", &Tags::parse(&written), &Some(tags))?;
    Ok(Verdict::Taken(written))
}

fn chosen(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let chosen = negotiation::choose(Some(&text), LIST_MEDIA_TYPES);
    let anything = negotiation::choose(Some(&format!("{text}, */*")), LIST_MEDIA_TYPES);
    if chosen.is_some() && anything.is_none() {
        return Err("who accepts more gets less".to_owned());
    }
    Ok(match chosen {
        Some(format) => Verdict::Taken(format!("{}{text}", format.name())),
        None => Verdict::Refused(text.into_owned()),
    })
}

/// The first preference of a name counts, however it is spelt, and others say nothing of it.
fn prefer(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let is_strict = |text: &str| prefer::is_strict(Some(text));
    let strict = is_strict(&text);
    same(
        "behind another",
        &is_strict(&format!("a=\"b,\", {text}")),
        &strict,
    )?;
    same(
        "in capitals",
        &is_strict(&text.to_ascii_uppercase()),
        &strict,
    )?;
    if strict {
        let before = format!("{text}, handling=lenient");
        same("before another", &is_strict(&before), &true)?;
        same(
            "it is named",
            &text.to_ascii_lowercase().contains("strict"),
            &true,
        )?;
        return Ok(Verdict::Taken(text.into_owned()));
    }
    Ok(Verdict::Refused(text.into_owned()))
}

fn key(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(key) = IdempotencyKey::parse(&text) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    same("the key", &key.as_str(), &text.as_ref())?;
    Ok(Verdict::Taken(text.into_owned()))
}

fn cookies(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(token) = join::domain::session::token(Some(&text)) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    let kept = join::domain::session::set_cookie(&token);
    let pair = kept.split(';').next();
    let again = join::domain::session::token(pair);
    let again = again
        .as_ref()
        .map(http_semantics::auth::BearerToken::reveal);
    same("kept and given back", &again, &Some(token.reveal()))?;
    Ok(Verdict::Taken(text.into_owned()))
}
