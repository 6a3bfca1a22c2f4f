//! The headers `RateLimit` and `RateLimit-Policy` (IETF draft
//! `draft-ietf-httpapi-ratelimit-headers`). Cloudflare counts the requests.

use domain::Param;

/// The maximum number of requests of a client per period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The maximum number of requests.
    pub requests: u32,
    /// The period.
    pub seconds: u32,
}

/// The name of the only policy.
const POLICY: &str = "\"requests\"";

impl RateLimit {
    /// `RateLimit-Policy`.
    #[must_use]
    pub fn policy(self) -> String {
        format!("{POLICY};q={};w={}", self.requests, self.seconds)
    }

    /// `RateLimit` for a client that has reached the limit. Before that there is no such header,
    /// because Cloudflare does not return the number of remaining requests.
    #[must_use]
    pub fn exhausted(self) -> String {
        format!("{POLICY};r=0;t={}", self.seconds)
    }
}

/// Parses a setting like `600/60`.
impl Param for RateLimit {
    const EXPECTED: &'static str = "a number of requests, a slash, and 10 or 60 seconds";

    fn parse(text: &str) -> Option<Self> {
        let (requests, seconds) = text.split_once('/')?;
        let requests = requests.parse().ok().filter(|requests| *requests > 0)?;
        // Cloudflare supports no other periods.
        let seconds = seconds.parse().ok().filter(|s| [10, 60].contains(s))?;
        Some(Self { requests, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_of_requests_per_period_is_parsed() {
        let limit = RateLimit::parse("600/60").unwrap();
        assert_eq!(limit.policy(), "\"requests\";q=600;w=60");
        assert_eq!(limit.exhausted(), "\"requests\";r=0;t=60");
    }

    #[test]
    fn a_malformed_setting_is_rejected() {
        for malformed in [
            "", "off", "600", "0/60", "-1/60", "600/30", "600/", "/60", "6e2/60",
        ] {
            assert_eq!(RateLimit::parse(malformed), None, "{malformed}");
        }
    }
}
