//! Names, and the keys they are searched and sorted by.

use crate::Param;

/// The most characters of a name.
pub const MAX_NAME_CHARACTERS: usize = 200;

/// What a name must be.
pub const EXPECTED: &str = "a text of 1 to 200 characters without those around it that are white space, none of them a control character";

/// Unicode's normal form C of a text. The platform has it, so the workers bring no tables.
pub type Normalize = fn(&str) -> String;

/// The name of a place or a person: trimmed, in normal form C, of 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name, if the text is one.
    #[must_use]
    pub fn new(text: &str, normalize: Normalize) -> Option<Self> {
        let name = normalize(text.trim());
        let fits = (1..=MAX_NAME_CHARACTERS).contains(&name.chars().count());
        (fits && !name.chars().any(char::is_control)).then_some(Self(name))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key that it is searched and sorted by.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.0)
    }
}

/// The key of a name: its lower case, each character by itself, so that the key of
/// a prefix is a prefix of the key (whole-string lower case is not: it makes the
/// Greek final sigma).
#[must_use]
pub fn key(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// The beginning of a name, as its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The key that a matching name's key begins with.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
    }
}

impl Param for Prefix {
    const EXPECTED: &'static str = "1 to 200 characters, none of them a control character";

    fn parse(text: &str) -> Option<Self> {
        let fits = (1..=MAX_NAME_CHARACTERS).contains(&text.chars().count());
        (fits && !text.chars().any(char::is_control)).then(|| Self(key(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_ignores_case_and_keeps_accents() {
        assert_eq!(key("Más Allá DEL ZUMO"), "más allá del zumo");
        assert_eq!(key("ΣΑΣ"), "σασ");
    }

    /// Enough of it for these tests; the whole is the platform's, and tested there.
    fn normalize(text: &str) -> String {
        text.replace("n\u{303}", "ñ")
    }

    #[test]
    fn a_name_is_trimmed_normalized_and_bounded() {
        let name = |text: &str| Name::new(text, normalize).map(|name| name.as_str().to_owned());
        assert_eq!(name("\u{a0} An\u{303}o \n").as_deref(), Some("Año"));
        assert_eq!(name(&"n\u{303}".repeat(200)), Some("ñ".repeat(200)));
        for refused in [
            "",
            " \t\u{3000}",
            "a\0b",
            "a\nb",
            "a\u{85}b",
            &"ñ".repeat(201),
        ] {
            assert_eq!(name(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn a_prefix_has_a_length_and_no_control_characters() {
        assert_eq!(Prefix::parse(""), None);
        assert_eq!(Prefix::parse("a\nb"), None);
        assert_eq!(Prefix::parse(&"ñ".repeat(201)), None);
        assert!(Prefix::parse(&"ñ".repeat(200)).is_some());
    }

    proptest! {
        #[test]
        fn the_key_of_a_prefix_is_a_prefix_of_the_key(start in "\\PC*", rest in "\\PC*") {
            let whole = format!("{start}{rest}");
            prop_assert!(key(&whole).starts_with(&key(&start)));
        }
    }
}
