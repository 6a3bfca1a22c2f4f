//! Decides how old a response may be without a check that it is current (RFC 9111, 5.2.1). By
//! default, every response is checked.

use crate::header_list::{self, Backslash};

/// The largest age that a client or the setting can allow, in seconds.
pub const MAX_SECONDS: u32 = 300;

/// The setting `FRESH_SECONDS`: the age that all clients accept, in seconds. An invalid setting
/// allows none.
#[must_use]
pub fn parse_setting(setting: Option<&str>) -> u32 {
    let seconds = setting.and_then(|text| text.trim().parse().ok());
    seconds
        .filter(|seconds| *seconds <= MAX_SECONDS)
        .unwrap_or(0)
}

/// The largest age of a response, in seconds, for the request header `Cache-Control`. Zero means that
/// the response must be current.
///
/// `no-cache` and `no-store` allow none. `max-age` replaces the setting, and `max-stale` can only
/// increase the age. Directives that cannot be parsed are ignored.
#[must_use]
pub fn max_age_seconds(cache_control: Option<&str>, setting: u32) -> u32 {
    let mut max_age = None;
    let mut max_stale = 0;
    let header = cache_control.unwrap_or_default();
    for directive in header_list::elements(header, Backslash::Escape) {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name, header_list::unquote(value.trim())),
            None => (directive, None),
        };
        let seconds = value.and_then(parse_seconds);
        match name.trim().to_ascii_lowercase().as_str() {
            "no-cache" | "no-store" => return 0,
            // The smaller one counts.
            "max-age" => max_age = seconds.map(|s| max_age.unwrap_or(s).min(s)).or(max_age),
            "max-stale" if value.is_none() => max_stale = MAX_SECONDS,
            "max-stale" => max_stale = seconds.unwrap_or(max_stale),
            _ => {}
        }
    }
    max_age.unwrap_or(setting).max(max_stale)
}

/// A number of seconds. A greater one than the maximum stands for the maximum.
fn parse_seconds(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(MAX_SECONDS).min(MAX_SECONDS))
}

/// The value of `Age`: a time in milliseconds as seconds, rounded up, so that a response is never
/// older than it says.
#[must_use]
pub fn age_seconds(milliseconds: i64) -> i64 {
    (milliseconds.max(0) + 999) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_can_lower_or_raise_the_age_of_the_setting() {
        for (header, of_setting, expected) in [
            (None, 0, 0),
            (None, 5, 5),
            (Some("max-age=60"), 0, 60),
            (Some("max-age=1"), 5, 1),
            (Some("max-age=0"), 5, 0),
            (Some("max-stale=10"), 5, 10),
            (Some("max-stale=1"), 5, 5),
            (Some("max-stale"), 5, 300),
            (Some("max-age=0, max-stale=10"), 5, 10),
            (Some("max-age=7, max-age=3"), 0, 3),
            (Some("Max-Age=\"60\""), 0, 60),
            (Some("max-age=301"), 0, 300),
            (Some("max-age=99999999999999999999"), 0, 300),
            (Some("no-cache"), 5, 0),
            (Some("max-age=60, no-cache"), 5, 0),
            (Some("no-store"), 5, 0),
            (Some("max-age"), 5, 5),
            (Some("max-age=-1"), 5, 5),
            (Some("max-age=1.5"), 5, 5),
            (Some("only-if-cached, foo=\"max-age=9\""), 5, 5),
        ] {
            assert_eq!(max_age_seconds(header, of_setting), expected, "{header:?}");
        }
    }

    #[test]
    fn a_setting_is_a_number_of_seconds_up_to_the_maximum() {
        for (setting, seconds) in [
            (None, 0),
            (Some("0"), 0),
            (Some(" 10 "), 10),
            (Some("300"), 300),
            (Some("301"), 0),
            (Some("-1"), 0),
            (Some("1s"), 0),
            (Some(""), 0),
        ] {
            assert_eq!(parse_setting(setting), seconds, "{setting:?}");
        }
    }

    #[test]
    fn an_age_is_rounded_up() {
        assert_eq!([-5, 0, 1, 1000, 1001].map(age_seconds), [0, 0, 1, 1, 2]);
    }

    proptest! {
        #[test]
        fn no_header_allows_more_than_the_maximum(header in "\\PC{0,40}", setting in 0..=MAX_SECONDS) {
            prop_assert!(max_age_seconds(Some(&header), setting) <= MAX_SECONDS);
        }
    }
}
