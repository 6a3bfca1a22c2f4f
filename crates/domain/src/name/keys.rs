//! The keys of a name. Names are compared, searched and sorted by these keys.
//!
//! | key | of `Ñandú STRASSE` | used for |
//! |---|---|---|
//! | case key | `ñandú strasse` | unique names of places, and `name=` |
//! | search key | `nandu strasse` | `sort=name`, and the words of `q=` |
//!
//! SQLite changes the case of ASCII letters only. So the worker computes the keys and stores them.

use super::folding::fold_case;
use super::marks::is_ignored_mark;
use super::words::indexed_words;
use super::{JOINERS, Name};

/// Unicode normalization. The workers pass the functions of the platform, because the tables of a
/// Rust library would make them much larger (decision 0008).
#[derive(Debug, Clone, Copy)]
pub struct Normalize {
    /// Returns normalization form C of a text: letters with accents as one character.
    pub composed: fn(&str) -> String,
    /// Returns normalization form D of a text: letters with accents as several characters.
    pub decomposed: fn(&str) -> String,
}

impl Normalize {
    /// Changes nothing. For texts that are in ASCII or already normalized.
    pub const NONE: Self = Self {
        composed: str::to_owned,
        decomposed: str::to_owned,
    };

    /// Normalization form C. All characters below U+0300 are in it, so most texts need no call of
    /// the platform.
    fn compose(self, text: String) -> String {
        if text.chars().all(|character| character < '\u{300}') {
            text
        } else {
            (self.composed)(&text)
        }
    }
}

/// The stored keys of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameKeys {
    /// The case key.
    pub case: String,
    /// The search key, if it differs from the case key.
    pub search: Option<String>,
    /// The words that a search finds, separated by spaces, if they differ from the search key.
    pub words: Option<String>,
}

impl Name {
    /// The keys to store.
    #[must_use]
    pub fn keys(&self, normalize: Normalize) -> NameKeys {
        let case = self.case_key(normalize);
        let search = search_key(&case, normalize);
        let words = indexed_words(&search);
        NameKeys {
            words: (words != search).then_some(words),
            search: (search != case).then_some(search),
            case,
        }
    }
}

/// The case key of a text in normalization form C: full case folding without zero-width joiners,
/// then normalization form C. Texts that differ only in case have the same key.
#[must_use]
pub fn case_key(text: &str, normalize: Normalize) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().filter(|c| !JOINERS.contains(c)) {
        fold_case(character, &mut folded);
    }
    normalize.compose(folded)
}

/// The search key of a case key: without the marks that search ignores. A name that consists of
/// marks keeps them, so that no key is empty.
#[must_use]
pub fn search_key(case_key: &str, normalize: Normalize) -> String {
    let key = without_marks(case_key, normalize);
    if key.is_empty() {
        return case_key.to_owned();
    }
    key
}

/// A case key without the marks that search ignores.
pub(super) fn without_marks(case_key: &str, normalize: Normalize) -> String {
    if case_key.is_ascii() {
        return case_key.to_owned();
    }
    if let Some(key) = without_latin_accents(case_key) {
        return key;
    }
    let mut decomposed = (normalize.decomposed)(case_key);
    decomposed.retain(|character| !is_ignored_mark(character));
    normalize.compose(decomposed)
}

/// The letters `à` to `ÿ` without their accents.
const LATIN_LETTERS: [char; 32] = [
    'a', 'a', 'a', 'a', 'a', 'a', 'æ', 'c', 'e', 'e', 'e', 'e', 'i', 'i', 'i', 'i', 'ð', 'n', 'o',
    'o', 'o', 'o', 'o', '÷', 'ø', 'u', 'u', 'u', 'u', 'y', 'þ', 'y',
];

/// A case key without accents, if all its characters are in Latin-1. Most names in Western
/// languages are, so they need no call of the platform. Case keys contain none of the capitals `À`
/// to `Þ`.
fn without_latin_accents(case_key: &str) -> Option<String> {
    let letter = |character| match character {
        '\0'..='\u{bf}' => Some(character),
        'à'..='ÿ' => {
            let index = usize::try_from(u32::from(character))
                .ok()?
                .checked_sub(0xe0)?;
            LATIN_LETTERS.get(index).copied()
        }
        _ => None,
    };
    case_key.chars().map(letter).collect()
}
