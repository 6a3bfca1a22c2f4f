//! Names, and the keys by which lists search and sort them.

/// The maximum length of a name, in characters.
pub const MAX_NAME_CHARACTERS: usize = 200;

/// The names that are valid, to end the sentence "it must be …".
pub const EXPECTED: &str = "a text of 1 to 200 characters, not counting white space around it, \
     that starts with a visible character and has no control or zero-width characters, \
     except zero-width joiners between letters";

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

/// The ranges of characters that no name contains: with them, different names look the same. They
/// have no width, or set the direction of a text. Variation selectors are none of them: emoji and
/// Chinese characters use them. `crates/openapi/src/views/scalars.rs` has the same ranges in a
/// pattern.
const ZERO_WIDTH: [(char, char); 12] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{e0000}', '\u{e007f}'),
];

/// The zero-width non-joiner and joiner. Persian, Indic scripts and emoji need them, so a name may
/// have them between letters. Its key does not, so they cannot make two names that look the same.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// A function that returns Unicode normalization form C of a text. The workers pass the
/// platform's own, because the tables of a Rust library would make them much larger.
pub type Normalize = fn(&str) -> String;

/// The name of a place or a person: trimmed, in normalization form C, 1 to 200 characters long,
/// without control and zero-width characters. The first character is visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name, if the text is valid.
    #[must_use]
    pub fn new(text: &str, normalize: Normalize) -> Option<Self> {
        let name = normalize(text.trim());
        let is_visible = name.chars().next().is_some_and(is_visible);
        (is_visible && is_valid(&name) && joins_letters(&name)).then_some(Self(name))
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

fn is_in(character: char, ranges: &[(char, char)]) -> bool {
    let mut ranges = ranges.iter();
    ranges.any(|(first, last)| (*first..=*last).contains(&character))
}

fn is_visible(character: char) -> bool {
    !is_in(character, &INVISIBLE)
}

fn is_valid(text: &str) -> bool {
    let has_valid_length = (1..=MAX_NAME_CHARACTERS).contains(&text.chars().count());
    let is_rejected = |character: char| character.is_control() || is_in(character, &ZERO_WIDTH);
    has_valid_length && !text.chars().any(is_rejected)
}

/// Whether each joiner has a letter on both sides. Emoji count as letters, and so do all other
/// characters except white space, joiners, and the digits and punctuation of ASCII.
fn joins_letters(name: &str) -> bool {
    let mut before_is_letter = false;
    let mut needs_letter = false;
    for c in name.chars() {
        let is_joiner = JOINERS.contains(&c);
        let is_letter =
            !(is_joiner || c.is_whitespace() || c.is_ascii() && !c.is_ascii_alphabetic());
        if needs_letter && !is_letter || is_joiner && !before_is_letter {
            return false;
        }
        (before_is_letter, needs_letter) = (is_letter, is_joiner);
    }
    !needs_letter
}

/// The key of a name: each character in lower case, without joiners.
///
/// `str::to_lowercase` would break prefix search: it turns a sigma at the end of a Greek word
/// into a different letter, so the key of a prefix would not be a prefix of the key.
#[must_use]
pub fn key(name: &str) -> String {
    let characters = name.chars().filter(|c| !JOINERS.contains(c));
    characters.flat_map(char::to_lowercase).collect()
}

/// The key of the beginning of a name, for prefix search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The prefixes that are valid, to end the sentence "it must be …".
    pub const EXPECTED: &'static str =
        "1 to 200 characters without control or zero-width characters";

    /// The prefix, if the text is valid. It is normalized like a name, but not trimmed: the name
    /// may continue after a space.
    #[must_use]
    pub fn new(text: &str, normalize: Normalize) -> Option<Self> {
        let text = normalize(text);
        // The key of a prefix that starts with a joiner could be empty.
        let is_valid = is_valid(&text) && !text.starts_with(JOINERS);
        is_valid.then(|| Self(key(&text)))
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
        for accepted in ["\u{1f3d4}\u{fe0f}", "\u{300}"] {
            assert!(Name::new(accepted, normalize).is_some(), "{accepted:?}");
        }
    }

    #[test]
    fn a_name_with_a_zero_width_or_bidirectional_control_character_is_rejected() {
        for character in [
            '\u{ad}',
            '\u{61c}',
            '\u{180e}',
            '\u{200b}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let name = format!("An{character}a");
            assert_eq!(Name::new(&name, normalize), None, "{name:?}");
            assert_eq!(Prefix::new(&name, normalize), None, "{name:?}");
        }
    }

    #[test]
    fn a_joiner_is_accepted_between_letters_and_is_not_part_of_the_key() {
        for accepted in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👩\u{200d}❤\u{fe0f}\u{200d}👨",
            "A\u{200d}na",
        ] {
            let name = Name::new(accepted, normalize);
            assert_eq!(
                name.as_ref().map(Name::as_str),
                Some(accepted),
                "{accepted:?}"
            );
            assert_eq!(key(accepted), key(&accepted.replace(JOINERS, "")));
        }
        for rejected in [
            "Ana\u{200d}",
            "\u{200c}Ana",
            "Ana \u{200d}Ruiz",
            "Ana\u{200c} Ruiz",
            "A\u{200c}\u{200d}na",
            "A\u{200d}1",
            "A.\u{200d}na",
        ] {
            assert_eq!(Name::new(rejected, normalize), None, "{rejected:?}");
        }
        assert_eq!(Prefix::new("\u{200d}", normalize), None);
        assert_eq!(Prefix::new("A\u{200d}", normalize).unwrap().key(), "a");
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
