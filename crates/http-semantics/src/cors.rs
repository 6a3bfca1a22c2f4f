//! CORS (<https://fetch.spec.whatwg.org/#http-cors-protocol>): decides whether a browser lets pages
//! of other origins read responses.
//!
//! One setting lists the allowed origins, separated by commas. `*` allows all origins, and an empty
//! setting allows none. Origins are compared exactly. Credentials are never allowed. So a page of
//! another origin cannot use the session cookie: to write, it needs a token of its own.

/// The response headers that a page may read, besides the CORS-safelisted ones.
pub const EXPOSED_HEADERS: &str = "Accept-Patch, Accept-Post, Age, Allow, Cache-Status, \
     Content-Disposition, ETag, Idempotency-Replayed, Link, Location, Preference-Applied, \
     RateLimit, RateLimit-Policy, Retry-After, Server-Timing, WWW-Authenticate, \
     X-Change-Counter, X-D1-Bookmark, X-Largest-Total, X-More-Changes, X-Request-Id, \
     X-Total-Count, X-Total-Count-Relation, X-Total-Dead, X-Total-Living, X-Total-Nowhere";

/// The request headers that a page may send, besides the CORS-safelisted ones.
pub const ALLOWED_HEADERS: &str = "Accept, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, \
     If-None-Match, Last-Event-ID, Prefer, X-D1-Bookmark, X-Request-Id, traceparent";

/// How long a browser may cache the response to a preflight, in seconds. Chrome allows at most
/// two hours.
pub const PREFLIGHT_MAX_AGE: &str = "7200";

/// The allowed origins.
#[derive(Debug, Clone, Copy)]
pub struct CorsPolicy<'a>(&'a str);

impl<'a> CorsPolicy<'a> {
    /// The policy of a setting.
    #[must_use]
    pub fn new(setting: &'a str) -> Self {
        Self(setting.trim())
    }

    /// Whether no origin is allowed.
    #[must_use]
    pub fn is_closed(self) -> bool {
        self.0.is_empty()
    }

    /// Whether pages of an origin may read responses.
    #[must_use]
    pub fn allows(self, origin: &str) -> bool {
        self.0 == "*" || self.lists(origin)
    }

    /// The headers of the response to a request from `origin`. `preflight` has the methods of the
    /// route if the request is a preflight.
    #[must_use]
    pub fn headers(
        self,
        origin: Option<&str>,
        preflight: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        let mut headers = Vec::new();
        let mut add = |name, value: &str| headers.push((name, value.to_owned()));
        if self.is_closed() {
            return headers;
        }
        let is_open = self.0 == "*";
        if is_open {
            // Pages may also embed the response. With a list of origins only `fetch` is useful,
            // which this header does not restrict.
            add("cross-origin-resource-policy", "cross-origin");
        } else {
            // Even if this origin is not allowed: a cache must not reuse the response for another.
            add("vary", "origin");
        }
        let allowed_origin = if is_open {
            Some("*")
        } else {
            origin.filter(|origin| self.lists(origin))
        };
        let Some(allowed_origin) = allowed_origin else {
            return headers;
        };
        add("access-control-allow-origin", allowed_origin);
        match preflight {
            Some(methods) => {
                add("access-control-allow-methods", methods);
                add("access-control-allow-headers", ALLOWED_HEADERS);
                add("access-control-max-age", PREFLIGHT_MAX_AGE);
            }
            None => add("access-control-expose-headers", EXPOSED_HEADERS),
        }
        headers
    }

    fn lists(self, origin: &str) -> bool {
        // Browsers send `null` for a page without an origin, such as a local file. Listing `null`
        // must not allow all of those.
        let is_origin = origin.contains("://");
        is_origin && self.0.split(',').any(|listed| listed.trim() == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIST: &str = " https://a.example,http://localhost:5173 , *, null ,";

    fn allowed_origin(setting: &str, origin: Option<&str>) -> Option<String> {
        let headers = CorsPolicy::new(setting).headers(origin, None);
        let found = headers
            .into_iter()
            .find(|(name, _)| *name == "access-control-allow-origin");
        found.map(|(_, value)| value)
    }

    #[test]
    fn only_a_listed_origin_is_allowed() {
        for listed in ["https://a.example", "http://localhost:5173"] {
            assert_eq!(allowed_origin(LIST, Some(listed)).as_deref(), Some(listed));
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
            assert_eq!(allowed_origin(LIST, Some(other)), None, "{other}");
        }
        assert_eq!(allowed_origin(LIST, None), None);
    }

    #[test]
    fn an_empty_setting_adds_no_headers() {
        for setting in ["", "  "] {
            assert!(CorsPolicy::new(setting).is_closed());
            let headers = CorsPolicy::new(setting).headers(Some("https://a.example"), Some("GET"));
            assert_eq!(headers, []);
        }
    }

    #[test]
    fn a_star_allows_all_origins_without_vary() {
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
    fn a_preflight_lists_the_allowed_methods_and_headers() {
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
    fn the_header_constants_are_lists_of_header_names() {
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
        fn an_allowed_origin_is_an_exact_entry_of_the_setting(
            setting in "[ah:/.,* ]{0,30}|\\PC*", origin in "[ah:/.,* ]{0,12}|\\PC*",
        ) {
            let headers = CorsPolicy::new(&setting).headers(Some(&origin), None);
            for (name, value) in &headers {
                prop_assert!(*name != "access-control-allow-credentials");
                if *name == "access-control-allow-origin" && setting.trim() != "*" {
                    prop_assert_eq!(value, &origin);
                    prop_assert!(setting.split(',').any(|entry| entry.trim() == origin));
                    prop_assert!(!origin.contains(','));
                }
            }
            let varies = headers.contains(&("vary", "origin".to_owned()));
            prop_assert_eq!(varies, !setting.trim().is_empty() && setting.trim() != "*");
        }
    }
}
