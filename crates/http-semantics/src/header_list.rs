//! Parses comma-separated lists in headers, and the parameters of their elements (RFC 9110, 5.6.1).
//!
//! Separators within quotes are text. In a `quoted-string` (5.6.4), a backslash can escape a quote.
//! An entity tag (8.8.3) has no escapes, so a backslash in it is an ordinary character.

/// The meaning of a backslash within quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backslash {
    /// It escapes the next character, as in a `quoted-string`.
    Escape,
    /// It is plain text, as in an entity tag.
    Plain,
}

/// The elements of a list, including empty ones. RFC 9110 allows those, so most callers skip them.
pub fn elements(text: &str, backslash: Backslash) -> impl Iterator<Item = &str> {
    split(text, ',', backslash)
}

/// The value and the parameters of an element, which are separated by semicolons.
pub fn parameters(element: &str) -> impl Iterator<Item = &str> {
    split(element, ';', Backslash::Escape)
}

fn split(text: &str, separator: char, backslash: Backslash) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(move |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = backslash == Backslash::Escape,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        character == separator && !is_quoted
    });
    parts.map(trim)
}

/// A text without optional whitespace (5.6.3) around it.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Whether a text is a `token` (5.6.2).
#[must_use]
pub fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// The text of a parameter's value: a token, or a `quoted-string` with its escapes left in.
#[must_use]
pub fn unquote(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(value) => value.strip_suffix('"'),
        None => is_token(value).then_some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(text: &str) -> Vec<&str> {
        elements(text, Backslash::Escape).collect()
    }

    /// The examples of RFC 9110, 5.6.1.2.
    #[test]
    fn the_lists_of_rfc_9110_are_split_into_their_elements() {
        for valid in ["foo,bar", "foo ,bar,", "foo , ,bar,charlie"] {
            let mut found = listed(valid);
            found.retain(|element| !element.is_empty());
            let expected = ["foo", "bar", "charlie"];
            assert_eq!(found, expected[..found.len()], "{valid}");
            assert!(found.len() >= 2, "{valid}");
        }
        for invalid in ["", ",", ",   ,"] {
            assert!(listed(invalid).iter().all(|element| element.is_empty()));
        }
    }

    #[test]
    fn a_separator_in_quotes_is_text() {
        for (text, expected) in [
            (r#"a="x,y", b"#, vec![r#"a="x,y""#, "b"]),
            (r#"a="\",", b"#, vec![r#"a="\",""#, "b"]),
            (r#"a="\\", b"#, vec![r#"a="\\""#, "b"]),
            (r#"a="open, b"#, vec![r#"a="open, b"#]),
            ("\\\", b\", c", vec!["\\\", b\"", "c"]),
        ] {
            assert_eq!(listed(text), expected, "{text}");
        }
        let element = r#"text/csv ; x="a;b" ;q=1"#;
        let parts: Vec<&str> = parameters(element).collect();
        assert_eq!(parts, ["text/csv", r#"x="a;b""#, "q=1"]);
    }

    #[test]
    fn a_backslash_in_an_entity_tag_escapes_nothing() {
        let tags: Vec<&str> = elements(r#""a\", "b,c""#, Backslash::Plain).collect();
        assert_eq!(tags, [r#""a\""#, r#""b,c""#]);
    }

    #[test]
    fn a_parameter_value_is_a_token_or_a_quoted_string() {
        for (value, expected) in [
            ("abc", Some("abc")),
            (r#""a b""#, Some("a b")),
            (r#""""#, Some("")),
            (r#"""#, None),
            (r#""a"#, None),
            ("a b", None),
            ("", None),
            ("ñ", None),
        ] {
            assert_eq!(unquote(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn joined_elements_split_to_the_same_elements(
            elements_in in prop::collection::vec("[a-z*/=]{0,6}", 1..6),
            padding in "[ \t]{0,3}",
        ) {
            let text = elements_in.join(&format!("{padding},{padding}"));
            prop_assert_eq!(listed(&text), elements_in);
        }
    }
}
