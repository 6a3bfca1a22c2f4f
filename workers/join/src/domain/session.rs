//! The session of a browser: the cookie that contains the token, and the protection against
//! cross-site request forgery (CSRF).
//!
//! There are three defences, and each is sufficient alone:
//! - The cookie is `SameSite=Strict`.
//! - A form must come from the same origin. Another site cannot forge the headers `Origin` and
//!   `Sec-Fetch-Site`.
//! - The API ignores the cookie of a write. It accepts it for a read that comes from our own pages.

use domain::Param;
use http_semantics::auth::BearerToken;
use http_semantics::site::host_and_port;

/// The name of the cookie. Browsers accept this prefix only from the host itself, over TLS.
const COOKIE_NAME: &str = "__Host-token";

/// The lifetime of the cookie in seconds: half a year.
const COOKIE_MAX_AGE_S: u32 = 180 * 24 * 60 * 60;

/// The token in a `Cookie` header.
#[must_use]
pub fn token(cookies: Option<&str>) -> Option<BearerToken> {
    let mut pairs = cookies?
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE_NAME)
        .and_then(|(_, token)| BearerToken::parse(token))
}

/// The `Set-Cookie` that stores a token.
#[must_use]
pub fn set_cookie(token: &BearerToken) -> String {
    cookie(token.reveal(), COOKIE_MAX_AGE_S)
}

/// The `Set-Cookie` that deletes the token.
#[must_use]
pub fn clear_cookie() -> String {
    cookie("", 0)
}

fn cookie(value: &str, seconds: u32) -> String {
    format!("{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict")
}

/// Whether a form comes from a page of the same origin. Browsers send an origin with every POST,
/// so a form without one is rejected.
#[must_use]
pub fn is_same_origin(address: &str, origin: Option<&str>, fetch_site: Option<&str>) -> bool {
    let is_same_site = fetch_site.is_none_or(|site| site == "same-origin");
    let is_same_host = match (origin, fetch_site) {
        (Some(origin), _) => {
            host_and_port(origin).is_some() && host_and_port(origin) == host_and_port(address)
        }
        (None, fetch_site) => fetch_site.is_some(),
    };
    is_same_site && is_same_host
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ADDRESS: &str = "https://people.example:5003/ui/places/new?x=http://evil.example";

    #[test]
    fn only_forms_of_the_same_origin_are_accepted() {
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
            assert_eq!(
                is_same_origin(ADDRESS, origin, site),
                expected,
                "{origin:?} {site:?}"
            );
        }
    }

    #[test]
    fn a_stored_token_is_read_from_the_cookie() {
        let stored = BearerToken::parse("0123456789abcdef").unwrap();
        let cookie = set_cookie(&stored);
        let attributes = "; Path=/; Max-Age=15552000; HttpOnly; Secure; SameSite=Strict";
        assert!(cookie.ends_with(attributes), "half a year: {cookie}");
        let (pair, _) = cookie.split_once(';').unwrap();
        let sent = format!("a=b; {pair}; c");
        assert_eq!(token(Some(&sent)).unwrap().reveal(), "0123456789abcdef");
        for cookies in [
            None,
            Some(""),
            Some("token=0123456789abcdef"),
            Some("__Host-token=short"),
        ] {
            assert!(token(cookies).is_none(), "{cookies:?}");
        }
        assert!(clear_cookie().contains("Max-Age=0"));
    }

    proptest! {
        #[test]
        fn no_header_causes_a_panic(cookies in "\\PC{0,40}", origin in "\\PC{0,40}") {
            let _ = token(Some(&cookies));
            let _ = is_same_origin(ADDRESS, Some(&origin), None);
        }
    }
}
