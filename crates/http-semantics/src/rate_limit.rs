//! The headers `RateLimit` and `RateLimit-Policy` (IETF draft
//! `draft-ietf-httpapi-ratelimit-headers`). Cloudflare counts the requests.

use std::borrow::Cow;
use std::iter::repeat_n;

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

/// The network of a client's address: the address itself, or the first 64 bits of an IPv6 address,
/// because a provider assigns a whole /64 to each customer (RFC 6177). The platform writes addresses
/// in one spelling, so the groups are compared as text.
#[must_use]
pub fn network_of(address: &str) -> Cow<'_, str> {
    // IPv4, also in IPv6 form (RFC 4291, 2.5.5.2).
    if !address.contains(':') || address.contains('.') {
        return address.into();
    }
    let (head, tail) = address.split_once("::").unwrap_or((address, ""));
    let groups = |text: &str| text.split(':').filter(|group| !group.is_empty()).count();
    let zeros = 8_usize.saturating_sub(groups(head) + groups(tail));
    let head = head.split(':').filter(|group| !group.is_empty());
    let all = head.chain(repeat_n("0", zeros)).chain(tail.split(':'));
    let mut network = String::new();
    for group in all.take(4) {
        network.push_str(group);
        network.push(':');
    }
    (network + ":/64").into()
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
    fn the_network_of_an_ipv6_address_is_its_first_64_bits() {
        for (address, network) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("2001:db8:0:7::1", "2001:db8:0:7::/64"),
            ("2001:db8::7:ffff:0:0:9", "2001:db8:0:7::/64"),
            ("2001:db8:0:7:1:2:3:4", "2001:db8:0:7::/64"),
            ("2001:db8:0:8::1", "2001:db8:0:8::/64"),
            ("2001:db8::1", "2001:db8:0:0::/64"),
            ("::1", "0:0:0:0::/64"),
            ("", ""),
            ("::", "0:0:0:0::/64"),
            ("1:2:3:4:5:6:7:8:9:10", "1:2:3:4::/64"),
            ("x", "x"),
        ] {
            assert_eq!(network_of(address), network, "{address}");
        }
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
