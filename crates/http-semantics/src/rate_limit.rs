//! How many requests a client may make: the policy as it is told (the headers `RateLimit` and
//! `RateLimit-Policy` of the IETF's draft), while the platform does the counting.

use domain::Param;

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The most requests.
    pub requests: u32,
    /// In how long, in seconds.
    pub seconds: u32,
}

/// The name of the one policy there is.
const POLICY: &str = "\"requests\"";

impl RateLimit {
    /// `RateLimit-Policy`.
    #[must_use]
    pub fn policy(self) -> String {
        format!("{POLICY};q={};w={}", self.requests, self.seconds)
    }

    /// `RateLimit`, of a client that has used all of it. How much is left before that the
    /// platform does not tell, so nothing is said of it.
    #[must_use]
    pub fn exhausted(self) -> String {
        format!("{POLICY};r=0;t={}", self.seconds)
    }
}

/// As in `600/60`.
impl Param for RateLimit {
    const EXPECTED: &'static str = "a number of requests, a slash, and 10 or 60 seconds";

    fn parse(text: &str) -> Option<Self> {
        let (requests, seconds) = text.split_once('/')?;
        let requests = requests.parse().ok().filter(|requests| *requests > 0)?;
        // The platform counts over no other periods.
        let seconds = seconds.parse().ok().filter(|s| [10, 60].contains(s))?;
        Some(Self { requests, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_requests_a_period() {
        let limit = RateLimit::parse("600/60").unwrap();
        assert_eq!(limit.policy(), "\"requests\";q=600;w=60");
        assert_eq!(limit.exhausted(), "\"requests\";r=0;t=60");
        for none in [
            "", "off", "600", "0/60", "-1/60", "600/30", "600/", "/60", "6e2/60",
        ] {
            assert_eq!(RateLimit::parse(none), None, "{none}");
        }
    }
}
