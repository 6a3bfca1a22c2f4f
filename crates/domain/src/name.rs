//! The names of records, and the keys by which lists search and sort them.

mod folding;
mod keys;
mod marks;
mod words;

pub use keys::{NameKeys, Normalize, case_key, search_key};
pub use words::{SearchWords, separates_words};

/// The maximum length of a name, in characters.
pub const MAX_NAME_CHARACTERS: usize = 200;

/// The maximum number of characters that one character is decomposed into.
const MAX_DECOMPOSED_CHARACTERS: usize = 4;

/// The names that are valid, to end the sentence "it must be …".
pub const EXPECTED: &str = "a text of 1 to 200 characters, not counting white space around it, \
     that starts with a visible character and has no control or zero-width characters, \
     except zero-width joiners between letters";

/// The ranges of invisible characters. A name does not start with one, so no name is invisible.
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
/// Chinese characters use them.
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

/// The name of a place or a person: trimmed, in normalization form C, 1 to 200 characters long,
/// without control and zero-width characters. The first character is visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name, if the text is valid.
    #[must_use]
    pub fn new(text: &str, normalize: Normalize) -> Option<Self> {
        let name = composed(text.trim(), normalize)?;
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

    /// The case key. Names that differ only in case have the same one.
    #[must_use]
    pub fn case_key(&self, normalize: Normalize) -> String {
        case_key(&self.0, normalize)
    }
}

fn is_in(character: char, ranges: &[(char, char)]) -> bool {
    let mut ranges = ranges.iter();
    ranges.any(|(first, last)| (*first..=*last).contains(&character))
}

/// Whether a name may start with a character.
#[must_use]
pub fn is_visible(character: char) -> bool {
    !is_in(character, &INVISIBLE)
}

/// Whether a character has no width, so that no name contains it.
#[must_use]
pub fn is_zero_width(character: char) -> bool {
    is_in(character, &ZERO_WIDTH)
}

/// Whether a character is a zero-width joiner or non-joiner.
#[must_use]
pub fn is_joiner(character: char) -> bool {
    JOINERS.contains(&character)
}

/// The text in normalization form C. None if it has too many characters, also after normalization.
/// To sort combining marks takes a time that grows with the square of their number, so such a text
/// is not normalized.
fn composed(text: &str, normalize: Normalize) -> Option<String> {
    let max = MAX_NAME_CHARACTERS * MAX_DECOMPOSED_CHARACTERS;
    let is_short_enough = text.chars().nth(max).is_none();
    is_short_enough.then(|| (normalize.composed)(text))
}

fn is_valid(text: &str) -> bool {
    let has_valid_length = (1..=MAX_NAME_CHARACTERS).contains(&text.chars().count());
    let is_rejected = |character: char| character.is_control() || is_zero_width(character);
    has_valid_length && !text.chars().any(is_rejected)
}

/// Whether each joiner has a letter on both sides. Emoji count as letters, and so do all other
/// characters except white space, joiners, and the digits and punctuation of ASCII.
fn joins_letters(name: &str) -> bool {
    let mut before_is_letter = false;
    let mut needs_letter = false;
    for c in name.chars() {
        let is_joiner = is_joiner(c);
        let is_letter =
            !(is_joiner || c.is_whitespace() || c.is_ascii() && !c.is_ascii_alphabetic());
        if needs_letter && !is_letter || is_joiner && !before_is_letter {
            return false;
        }
        (before_is_letter, needs_letter) = (is_letter, is_joiner);
    }
    !needs_letter
}

/// The beginning of a name: the parameter `name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    case_key: String,
    search_key: String,
}

impl Prefix {
    /// The prefixes that are valid, to end the sentence "it must be …".
    pub const EXPECTED: &'static str =
        "1 to 200 characters without control or zero-width characters";

    /// The prefix, if the text is valid. It is normalized like a name, but not trimmed: the name
    /// may continue after a space.
    #[must_use]
    pub fn new(text: &str, normalize: Normalize) -> Option<Self> {
        let text = composed(text, normalize)?;
        // The key of a prefix that starts with a joiner could be empty.
        let is_valid = is_valid(&text) && !text.starts_with(JOINERS);
        is_valid.then(|| {
            let case_key = case_key(&text, normalize);
            let search_key = keys::without_marks(&case_key, normalize);
            Self {
                case_key,
                search_key,
            }
        })
    }

    /// The text that the case key of each matching name starts with.
    #[must_use]
    pub fn case_key(&self) -> &str {
        &self.case_key
    }

    /// A text that the search key of each matching name starts with. Other names may start with it,
    /// too.
    #[must_use]
    pub fn search_key(&self) -> &str {
        &self.search_key
    }
}

#[cfg(test)]
mod tests;
