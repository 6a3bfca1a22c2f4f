//! A browser's forms: whether one is our own, and the token that a browser keeps.
//!
//! No other site can write with a browser's token, for three reasons that stand each by
//! itself: the cookie is sent from our own pages alone (`SameSite=Strict`); a form must say that
//! it comes from here (`Origin`, `Sec-Fetch-Site`: a page cannot forge either); and the API
//! itself takes no cookie.

use domain::Param;
use http_semantics::auth::Token;

/// The cookie. Its prefix has the browser refuse it from anywhere but this very host, over
/// anything but TLS.
const COOKIE: &str = "__Host-token";

/// How long a browser keeps it, in seconds: half a year.
const KEPT: u32 = 180 * 24 * 60 * 60;

/// The token of a `Cookie` header.
#[must_use]
pub fn token(cookies: Option<&str>) -> Option<Token> {
    let mut pairs = cookies?
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE)
        .and_then(|(_, token)| Token::parse(token))
}

/// The `Set-Cookie` that has a browser keep a token.
#[must_use]
pub fn kept(token: &Token) -> String {
    cookie(token.reveal(), KEPT)
}

/// The `Set-Cookie` that has a browser forget it.
#[must_use]
pub fn forgotten() -> String {
    cookie("", 0)
}

fn cookie(value: &str, seconds: u32) -> String {
    format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict")
}

/// Whether a form was sent from a page of the same host as it was sent to. A browser says so
/// with every POST; who does not say is no browser, and has no business here.
#[must_use]
pub fn is_own(address: &str, origin: Option<&str>, fetch_site: Option<&str>) -> bool {
    let is_same_site = fetch_site.is_none_or(|site| site == "same-origin");
    let is_same_host = match (origin, fetch_site) {
        (Some(origin), _) => host(origin).is_some() && host(origin) == host(address),
        (None, said) => said.is_some(),
    };
    is_same_site && is_same_host
}

/// Host and port: the scheme is left out, because TLS may end before the worker.
fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.split(['/', '?', '#'])
        .next()
        .filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HERE: &str = "https://people.example:5003/ui/places/new?x=http://evil.example";

    #[test]
    fn only_our_own_pages_send_forms() {
        for (origin, site, expected) in [
            (
                Some("https://people.example:5003"),
                Some("same-origin"),
                true,
            ),
            (Some("https://people.example:5003"), None, true),
            (Some("http://people.example:5003"), None, true),
            (None, Some("same-origin"), true),
            (None, None, false),
            (Some("null"), None, false),
            (Some("null"), Some("same-origin"), false),
            (Some("https://"), None, false),
            (Some("https://people.example"), None, false),
            (
                Some("https://people.example:5003.evil.example"),
                None,
                false,
            ),
            (
                Some("https://evil.example/people.example:5003"),
                None,
                false,
            ),
            (
                Some("https://people.example:5003"),
                Some("same-site"),
                false,
            ),
            (
                Some("https://people.example:5003"),
                Some("cross-site"),
                false,
            ),
            (None, Some("none"), false),
        ] {
            assert_eq!(is_own(HERE, origin, site), expected, "{origin:?} {site:?}");
        }
    }

    #[test]
    fn a_browser_gives_back_what_it_was_given() {
        let given = Token::parse("0123456789abcdef").unwrap();
        let cookie = kept(&given);
        assert!(cookie.ends_with("; HttpOnly; Secure; SameSite=Strict"));
        let (pair, _) = cookie.split_once(';').unwrap();
        let sent = format!("a=b; {pair}; c");
        assert_eq!(token(Some(&sent)).unwrap().reveal(), "0123456789abcdef");
        for none in [
            None,
            Some(""),
            Some("token=0123456789abcdef"),
            Some("__Host-token=short"),
        ] {
            assert!(token(none).is_none(), "{none:?}");
        }
        assert!(forgotten().contains("Max-Age=0"));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(cookies in "\\PC{0,40}", origin in "\\PC{0,40}") {
            let _ = token(Some(&cookies));
            let _ = is_own(HERE, Some(&origin), None);
        }
    }
}
