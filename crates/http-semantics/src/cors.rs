//! CORS (<https://fetch.spec.whatwg.org/#http-cors-protocol>): which pages of other origins a
//! browser lets read the answers.
//!
//! Who is let in is one setting: nothing (nobody), `*` (everybody), or origins separated by
//! commas. An origin is let in as it is spelt or not at all. Cookies are never let through: a page
//! that is let in sees what anybody sees, and writes only with a token of its own.

/// The headers of an answer that a page may read, beyond the few that any may.
pub const EXPOSED_HEADERS: &str = "Accept-Patch, Accept-Post, Age, Allow, Cache-Status, \
     Content-Disposition, ETag, Idempotency-Replayed, Link, Location, Preference-Applied, \
     RateLimit, RateLimit-Policy, Retry-After, Server-Timing, WWW-Authenticate, X-Change-Counter, X-D1-Bookmark, X-Request-Id, X-Total-Count, \
     X-Total-Dead, X-Total-Living, X-Total-Nowhere";

/// The headers of a request that a page may send, beyond the few that any may.
pub const ALLOWED_HEADERS: &str = "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, \
     If-None-Match, Prefer, X-D1-Bookmark, X-Request-Id, traceparent";

/// How long a browser need not ask again, in seconds: two hours, the most that all keep it.
pub const PREFLIGHT_MAX_AGE: &str = "7200";

/// Who is let in, as the setting says.
#[derive(Debug, Clone, Copy)]
pub struct CorsPolicy<'a>(&'a str);

impl<'a> CorsPolicy<'a> {
    /// The policy that a setting says.
    #[must_use]
    pub fn new(setting: &'a str) -> Self {
        Self(setting.trim())
    }

    /// Whether nobody is let in.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self.0.is_empty()
    }

    /// What an answer says to a request from `origin`; `preflight` is the route's `Allow` where
    /// the request only asks what it might do.
    #[must_use]
    pub fn headers(
        self,
        origin: Option<&str>,
        preflight: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        let mut say = |name, value: &str| headers.push((name, value.to_owned()));
        if self.is_closed() {
            return headers;
        }
        let is_open = self.0 == "*";
        if is_open {
            // Elsewhere it may be embedded, too; who is not `*` is only ever asked by `fetch`,
            // which this header does not concern.
            say("cross-origin-resource-policy", "cross-origin");
        } else {
            // The same address answers differently by origin, whoever asks.
            say("vary", "origin");
        }
        let let_in = if is_open {
            Some("*")
        } else {
            origin.filter(|origin| self.lists(origin))
        };
        let Some(let_in) = let_in else {
            return headers;
        };
        say("access-control-allow-origin", let_in);
        match preflight {
            Some(methods) => {
                say("access-control-allow-methods", methods);
                say("access-control-allow-headers", ALLOWED_HEADERS);
                say("access-control-max-age", PREFLIGHT_MAX_AGE);
            }
            None => say("access-control-expose-headers", EXPOSED_HEADERS),
        }
        headers
    }

    fn lists(self, origin: &str) -> bool {
        // `null` is what a browser says for whatever has no origin: it is nobody's.
        let is_origin = origin.contains("://");
        is_origin && self.0.split(',').any(|listed| listed.trim() == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIST: &str = " https://a.example,http://localhost:5173 , *, null ,";

    fn let_in(setting: &str, origin: Option<&str>) -> Option<String> {
        let headers = CorsPolicy::new(setting).headers(origin, None);
        let found = headers
            .into_iter()
            .find(|(name, _)| *name == "access-control-allow-origin");
        found.map(|(_, value)| value)
    }

    #[test]
    fn who_is_listed_is_let_in_and_nobody_else() {
        for listed in ["https://a.example", "http://localhost:5173"] {
            assert_eq!(let_in(LIST, Some(listed)).as_deref(), Some(listed));
        }
        for other in [
            "",
            "*",
            "null",
            "https://a.example.",
            "https://a.example.evil.example",
            "https://evil-a.example",
            "https://A.example",
            "HTTPS://a.example",
            "http://a.example",
            "https://a.example:443",
            "https://a.example/",
            "https://a.example, http://localhost:5173",
            "https://a.example ",
            "a.example",
            "http://localhost",
            "http://localhost:51730",
            "://",
            "https://",
        ] {
            assert_eq!(let_in(LIST, Some(other)), None, "{other}");
        }
        assert_eq!(let_in(LIST, None), None);
    }

    #[test]
    fn a_setting_of_nothing_says_nothing() {
        for setting in ["", "  "] {
            assert!(CorsPolicy::new(setting).is_closed());
            let headers = CorsPolicy::new(setting).headers(Some("https://a.example"), Some("GET"));
            assert_eq!(headers, []);
        }
    }

    #[test]
    fn a_star_is_everybody_and_varies_by_nobody() {
        for origin in [None, Some("null"), Some("https://a.example")] {
            let headers = CorsPolicy::new(" * ").headers(origin, None);
            let expected = [
                ("cross-origin-resource-policy", "cross-origin".to_owned()),
                ("access-control-allow-origin", "*".to_owned()),
                ("access-control-expose-headers", EXPOSED_HEADERS.to_owned()),
            ];
            assert_eq!(headers, expected);
        }
    }

    #[test]
    fn a_preflight_names_what_may_be_sent() {
        let headers = CorsPolicy::new(LIST).headers(Some("https://a.example"), Some("GET, HEAD"));
        let expected = [
            ("vary", "origin"),
            ("access-control-allow-origin", "https://a.example"),
            ("access-control-allow-methods", "GET, HEAD"),
            ("access-control-allow-headers", ALLOWED_HEADERS),
            ("access-control-max-age", "7200"),
        ];
        assert_eq!(
            headers,
            expected.map(|(name, value)| (name, value.to_owned()))
        );
    }

    #[test]
    fn the_names_are_written_as_a_list() {
        for names in [EXPOSED_HEADERS, ALLOWED_HEADERS] {
            let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            assert!(
                names
                    .split(", ")
                    .all(|name| !name.is_empty() && is_name(name)),
                "{names}"
            );
        }
    }

    proptest! {
        #[test]
        fn only_the_very_origin_of_a_list_comes_back(
            setting in "[ah:/.,* ]{0,30}|\\PC*", origin in "[ah:/.,* ]{0,12}|\\PC*",
        ) {
            let headers = CorsPolicy::new(&setting).headers(Some(&origin), None);
            for (name, value) in &headers {
                prop_assert!(*name != "access-control-allow-credentials");
                if *name == "access-control-allow-origin" && setting.trim() != "*" {
                    prop_assert_eq!(value, &origin);
                    prop_assert!(setting.split(',').any(|one| one.trim() == origin));
                    prop_assert!(!origin.contains(','));
                }
            }
            let varies = headers.contains(&("vary", "origin".to_owned()));
            prop_assert_eq!(varies, !setting.trim().is_empty() && setting.trim() != "*");
        }
    }
}
