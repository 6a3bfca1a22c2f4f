//! Names, and the keys by which lists search and sort them.

/// The maximum length of a name, in characters.
pub const MAX_NAME_CHARACTERS: usize = 200;

/// The names that are valid, to end the sentence "it must be …".
pub const EXPECTED: &str = "a text of 1 to 200 characters, not counting white space around it, \
     that starts with a visible character and has no control characters";

/// The ranges of invisible characters. A name does not start with one, so no name is invisible.
/// `crates/openapi/src/views/scalars.rs` has the same ranges in a pattern.
const INVISIBLE: [(char, char); 17] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// A function that returns Unicode normalization form C of a text. The workers pass the
/// platform's own, because the tables of a Rust library would make them much larger.
pub type Normalize = fn(&str) -> String;

/// The name of a place or a person: trimmed, in normalization form C, 1 to 200 characters long,
/// without control characters. The first character is visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name, if the text is valid.
    #[must_use]
    pub fn new(text: &str, normalize: Normalize) -> Option<Self> {
        let name = normalize(text.trim());
        let is_visible = name.chars().next().is_some_and(is_visible);
        (is_visible && is_valid(&name)).then_some(Self(name))
    }

    /// A name that was valid when it was stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key for search and sorting.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.0)
    }
}

fn is_visible(character: char) -> bool {
    let mut ranges = INVISIBLE.iter();
    !ranges.any(|(first, last)| (*first..=*last).contains(&character))
}

fn is_valid(text: &str) -> bool {
    let has_valid_length = (1..=MAX_NAME_CHARACTERS).contains(&text.chars().count());
    has_valid_length && !text.chars().any(char::is_control)
}

/// The key of a name: each character in lower case.
///
/// `str::to_lowercase` would break prefix search: it turns a sigma at the end of a Greek word
/// into a different letter, so the key of a prefix would not be a prefix of the key.
#[must_use]
pub fn key(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// The key of the beginning of a name, for prefix search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The prefixes that are valid, to end the sentence "it must be …".
    pub const EXPECTED: &'static str = "1 to 200 characters without control characters";

    /// The prefix, if the text is valid. It is normalized like a name, but not trimmed: the name
    /// may continue after a space.
    #[must_use]
    pub fn new(text: &str, normalize: Normalize) -> Option<Self> {
        let text = normalize(text);
        is_valid(&text).then(|| Self(key(&text)))
    }

    /// The text that the key of each matching name starts with.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.0
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

    /// Composes the only letter of these tests.
    fn normalize(text: &str) -> String {
        text.replace("n\u{303}", "ñ")
    }

    #[test]
    fn a_name_is_trimmed_and_normalized() {
        let name = |text: &str| Name::new(text, normalize).map(|name| name.as_str().to_owned());
        assert_eq!(name("\u{a0} An\u{303}o \n").as_deref(), Some("Año"));
        assert_eq!(name(&"n\u{303}".repeat(200)), Some("ñ".repeat(200)));
    }

    #[test]
    fn an_empty_or_too_long_name_or_one_with_control_characters_is_rejected() {
        for rejected in [
            "",
            " \t\u{3000}",
            "a\0b",
            "a\nb",
            "a\u{85}b",
            &"ñ".repeat(201),
        ] {
            assert_eq!(Name::new(rejected, normalize), None, "{rejected:?}");
        }
    }

    #[test]
    fn a_name_that_starts_with_an_invisible_character_is_rejected() {
        for rejected in [
            "\u{feff}",
            "\u{200b}\u{200d}",
            " \u{ad} ",
            "\u{202e}anA",
            "\u{fe0f}",
            "\u{e0041}",
        ] {
            assert_eq!(Name::new(rejected, normalize), None, "{rejected:?}");
        }
        for accepted in ["a\u{200b}", "\u{1f3d4}\u{fe0f}", "\u{300}", "👨\u{200d}👩"] {
            assert!(Name::new(accepted, normalize).is_some(), "{accepted:?}");
        }
    }

    #[test]
    fn a_prefix_has_the_same_limits_as_a_name() {
        let prefix = |text: &str| Prefix::new(text, normalize);
        assert_eq!(prefix(""), None);
        assert_eq!(prefix("a\nb"), None);
        assert_eq!(prefix(&"ñ".repeat(201)), None);
        assert!(prefix(&"ñ".repeat(200)).is_some());
        assert!(prefix(&"n\u{303}".repeat(200)).is_some());
    }

    #[test]
    fn a_prefix_is_normalized_like_a_name() {
        let name = Name::new("Ñandú", normalize).unwrap();
        let prefix = Prefix::new("n\u{303}an", normalize).unwrap();
        assert!(name.key().starts_with(prefix.key()));
        assert_eq!(Prefix::new("Ana ", normalize).unwrap().key(), "ana ");
    }

    proptest! {
        #[test]
        fn the_key_of_a_prefix_is_a_prefix_of_the_key(start in "\\PC*", rest in "\\PC*") {
            let whole = format!("{start}{rest}");
            prop_assert!(key(&whole).starts_with(&key(&start)));
        }
    }
}
