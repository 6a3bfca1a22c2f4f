//! `Prefer: handling=strict` (RFC 7240): who would rather hear that something is missing than
//! get less, or older, than there is.

/// What an answer says that it has heeded.
pub const STRICT: &str = "handling=strict";

/// Whether a `Prefer` header asks for strict handling. Of a preference that is given twice the
/// first counts; what cannot be read is passed over, as the RFC says.
#[must_use]
pub fn is_strict(header: Option<&str>) -> bool {
    let preferences = parts(header.unwrap_or_default(), ',').into_iter();
    let mut named = preferences.map(|preference| {
        // Parameters come behind a semicolon: handling has none.
        let preference = parts(preference, ';').first().copied().unwrap_or_default();
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        (name.trim(), unquoted(value.trim()))
    });
    named
        .find(|(name, _)| name.eq_ignore_ascii_case("handling"))
        .is_some_and(|(_, value)| value.eq_ignore_ascii_case("strict"))
}

/// The parts of a text between separators, of which those in quotes are none.
fn parts(text: &str, separator: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(|character| {
        let is_plain = !is_escaped;
        is_escaped = is_plain && is_quoted && character == '\\';
        if character == '"' && is_plain {
            is_quoted = !is_quoted;
        }
        character == separator && !is_quoted
    })
    .collect()
}

fn unquoted(value: &str) -> &str {
    let inside = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    inside.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn handling_is_strict_where_it_says_so_first() {
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

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z=\",;\\\\ é]{0,40}") {
            let _ = is_strict(Some(&text));
        }
    }
}
