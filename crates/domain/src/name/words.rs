//! Splits a name or the text of a search into words.
//!
//! A word is a sequence of letters and digits. All other characters separate words: spaces,
//! apostrophes, hyphens and other punctuation. Some scripts, such as Chinese, have no spaces
//! between words. In these scripts a word begins at every character, so that a search finds any
//! part of a name. A symbol, such as an emoji, is a word of its own. `keys.rs` removes case and
//! accents.

use super::keys::{Normalize, case_key, search_key};
use super::{composed, is_joiner, is_valid};

/// The maximum number of words in a search.
const MAX_WORDS: usize = 10;

/// The maximum length of a word in a script without spaces, in characters. It bounds the index: a
/// name has a word at every character. A longer run in a search is split.
const MAX_UNSPACED: usize = 8;

/// The role of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Part of a word.
    Letter,
    /// Begins a word, which continues with the following characters of this role.
    Unspaced,
    /// A word.
    Symbol,
    /// Neither part of a word nor between words.
    Ignored,
    /// Between words.
    Separator,
}

fn role(character: char) -> Role {
    match character {
        '0'..='9' | 'a'..='z' | 'A'..='Z' => Role::Letter,
        // ASCII, and modifier letters that are used as apostrophes.
        '\0'..='\u{7f}' | '\u{2b9}'..='\u{2bf}' => Role::Separator,
        // Joiners, the soft hyphen, variation selectors, and skin tones of emoji.
        '\u{200c}'
        | '\u{200d}'
        | '\u{ad}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{1f3fb}'..='\u{1f3ff}' => Role::Ignored,
        _ if is_unspaced(character) => Role::Unspaced,
        '\u{20a0}'..='\u{20c0}' | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => {
            Role::Symbol
        }
        _ if character.is_alphanumeric() || is_indic_sign(character) => Role::Letter,
        _ => Role::Separator,
    }
}

/// Whether a character may be a sign inside of an Indic word that is not alphabetic, such as a
/// virama. The dandas, which separate sentences, are none.
fn is_indic_sign(character: char) -> bool {
    matches!(character,
        '\u{900}'..='\u{963}'
        | '\u{966}'..='\u{df3}'
        | '\u{a800}'..='\u{abff}'
        | '\u{10a00}'..='\u{11fff}')
}

/// Whether a character belongs to a script without spaces between words: Thai, Lao, Tibetan,
/// Myanmar, Khmer, kana, Bopomofo and Han.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}'
        | '\u{f00}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{309f}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether a search needs another character than those: white space, joiners, and the characters of
/// ASCII that separate words.
#[must_use]
pub fn separates_words(character: char) -> bool {
    character.is_whitespace()
        || is_joiner(character)
        || character.is_ascii() && role(character) == Role::Separator
}

/// A run of characters without a separator.
struct Run {
    characters: Vec<char>,
    /// Whether its script has no spaces between words.
    is_unspaced: bool,
}

impl Run {
    /// The word that begins at a character.
    fn word_at(&self, start: usize) -> String {
        let length = if self.is_unspaced {
            MAX_UNSPACED
        } else {
            self.characters.len()
        };
        self.characters.iter().skip(start).take(length).collect()
    }
}

fn runs(search_key: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut previous = Role::Separator;
    for character in search_key.chars() {
        let role = role(character);
        if role == Role::Ignored {
            continue;
        }
        match runs.last_mut() {
            _ if role == Role::Separator => {}
            Some(run) if role == previous && role != Role::Symbol => run.characters.push(character),
            _ => runs.push(Run {
                characters: vec![character],
                is_unspaced: role == Role::Unspaced,
            }),
        }
        previous = role;
    }
    runs
}

/// The words of a name, separated by spaces.
pub(super) fn indexed_words(search_key: &str) -> String {
    let mut words = Vec::new();
    for run in runs(search_key) {
        let count = if run.is_unspaced {
            run.characters.len()
        } else {
            1
        };
        words.extend((0..count).map(|start| run.word_at(start)));
    }
    words.join(" ")
}

/// The words of a search: the parameter `q`. A name matches if each of them is the beginning of a
/// word of the name, ignoring case and accents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

impl SearchWords {
    /// The searches that are valid, to end the sentence "it must be …".
    pub const EXPECTED: &'static str =
        "1 to 10 words with letters, digits or symbols, of at most 200 characters";

    /// The words of a text, if it is valid.
    #[must_use]
    pub fn new(text: &str, normalize: Normalize) -> Option<Self> {
        let composed = composed(text, normalize).filter(|text| is_valid(text))?;
        let key = search_key(&case_key(&composed, normalize), normalize);
        let mut words: Vec<String> = Vec::new();
        for run in runs(&key) {
            let length = run.characters.len();
            let size = if run.is_unspaced {
                MAX_UNSPACED
            } else {
                length
            };
            // The last part of a long run overlaps the one before, so that it has the full length.
            let starts = (0..length)
                .step_by(size)
                .map(|start| start.min(length.saturating_sub(size)));
            for word in starts.map(|start| run.word_at(start)) {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
        }
        if words.is_empty() {
            // Other signs, such as `¿`, are not part of any word, so this search finds no name.
            let sign = text.chars().find(|character| !separates_words(*character));
            words.extend(sign.map(String::from));
        }
        (1..=MAX_WORDS)
            .contains(&words.len())
            .then_some(Self(words))
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}
