//! `Prefer: handling=strict` (RFC 7240). A client that sends this header wants a problem instead of
//! a stale or partial response.

use crate::header_list::{self, Backslash};

/// The value of `Preference-Applied`.
pub const STRICT: &str = "handling=strict";

/// Whether a `Prefer` header asks for strict handling. If a preference is repeated, the first
/// one counts. Elements that cannot be parsed are ignored, as the RFC requires.
#[must_use]
pub fn is_strict(header: Option<&str>) -> bool {
    let elements = header_list::elements(header.unwrap_or_default(), Backslash::Escape);
    let mut preferences = elements.map(|element| {
        let preference = header_list::parameters(element).next().unwrap_or_default();
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        (name.trim(), header_list::unquote(value.trim()))
    });
    preferences
        .find(|(name, _)| name.eq_ignore_ascii_case("handling"))
        .and_then(|(_, value)| value)
        .is_some_and(|value| value.eq_ignore_ascii_case("strict"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handling_is_strict_if_the_first_handling_preference_says_so() {
        for strict in [
            "handling=strict",
            "Handling = \"strict\"",
            "respond-async, wait=10, handling=strict",
            "foo=\"a, handling=lenient\", handling=strict; x=\"y\"",
            "foo=\"\\\", handling=lenient\",handling=Strict",
            "handling=strict, handling=lenient",
        ] {
            assert!(is_strict(Some(strict)), "{strict}");
        }
        for other in [
            "",
            "handling",
            "handling=lenient",
            "handling=lenient, handling=strict",
            "handling=stricter",
            "foo=\"handling=strict\"",
            "foo=\"x, handling=strict",
            "foo; handling=strict",
            "xhandling=strict",
        ] {
            assert!(!is_strict(Some(other)), "{other}");
        }
        assert!(!is_strict(None));
        assert!(is_strict(Some(STRICT)));
    }
}
