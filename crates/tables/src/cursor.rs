//! The cursors of keyset pagination. A cursor is the sort key of the last record of a page, as an
//! opaque token.
//!
//! The next page begins after this key. So the page takes one index seek, even far from the start,
//! and records that are added or deleted in between do not shift it. The token is hexadecimal,
//! because the SQL function `hex` can render it in the same statement as the page.

use domain::name::MAX_NAME_CHARACTERS;
use domain::{Param, param::parse_non_negative_integer};
use http_semantics::Validator;

use crate::population::Measure;

/// The maximum length of a name and its search key. Case folding can turn a character into three,
/// of up to four bytes each.
const MAX_KEY_BYTES: usize = MAX_NAME_CHARACTERS * 3 * 4 + 1 + MAX_NAME_CHARACTERS * 4;

/// Separates the search key and the name. Names contain no control characters.
const SEPARATOR: char = '\u{1}';

/// The sort key of the last record of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// In a list sorted by id: the id.
    Id(i64),
    /// In a list sorted by name: the search key, the name, which sorts equal keys, and the id,
    /// which sorts equal names.
    Name {
        /// The search key of the name.
        key: String,
        /// The name.
        name: String,
        /// The id.
        id: i64,
    },
    /// In a list sorted by a number of people: the number and the id of a place.
    Population(Measure, i64, i64),
    /// In the changes of one table or one record: the change sequence or the version.
    Change(Validator),
    /// In the changes of both tables: the change sequences of places and people.
    Changes(Validator, Validator),
}

impl Cursor {
    /// The maximum length of a token.
    pub const MAX_DIGITS: usize = 2 * (MAX_KEY_BYTES + 32);

    /// The maximum number of decimal digits of an id, a count or a change sequence. All ids have
    /// fewer or as many. A greater number of as many digits is the start of an empty page.
    pub const MAX_NUMBER_DIGITS: usize = 16;

    /// The id of the last record, or the number of the last change.
    #[must_use]
    pub fn id(&self) -> i64 {
        match self {
            Self::Id(id) | Self::Name { id, .. } | Self::Population(_, _, id) => *id,
            Self::Change(change) | Self::Changes(_, change) => change.number,
        }
    }

    fn from_plain(plain: &str) -> Option<Self> {
        if let Some(id) = plain.strip_prefix('i') {
            return Some(Self::Id(parse_number(id)?));
        }
        for measure in Measure::ALL {
            if let Some(pair) = plain.strip_prefix(measure.letter()) {
                let (number, id) = pair.split_once('.')?;
                let (number, id) = (parse_number(number)?, parse_number(id)?);
                return Some(Self::Population(measure, number, id));
            }
        }
        if let Some(change) = plain.strip_prefix('c') {
            return Some(match change.split_once('-') {
                None => Self::Change(parse_change(change)?),
                Some((places, people)) => {
                    Self::Changes(parse_change(places)?, parse_change(people)?)
                }
            });
        }
        let (id, key) = plain.strip_prefix('n')?.split_once(':')?;
        let fits = key.len() <= MAX_KEY_BYTES;
        let (key, name) = key.split_once(SEPARATOR).filter(|_| fits)?;
        (!key.is_empty() && !name.is_empty()).then_some(Self::Name {
            key: key.to_owned(),
            name: name.to_owned(),
            id: parse_number(id)?,
        })
    }
}

/// An id or a count.
fn parse_number(text: &str) -> Option<i64> {
    let fits = text.len() <= Cursor::MAX_NUMBER_DIGITS;
    fits.then(|| parse_non_negative_integer(text)).flatten()
}

/// A change sequence or a version. It is 0 before the first change.
fn parse_change(text: &str) -> Option<Validator> {
    let (number, _) = text.split_once('.')?;
    parse_number(number).and_then(|_| Validator::parse(text))
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plain = match self {
            Self::Id(id) => format!("i{id}"),
            Self::Name { key, name, id } => format!("n{id}:{key}{SEPARATOR}{name}"),
            Self::Population(measure, number, id) => format!("{}{number}.{id}", measure.letter()),
            Self::Change(change) => format!("c{change}"),
            Self::Changes(places, people) => format!("c{places}-{people}"),
        };
        plain.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Param for Cursor {
    const EXPECTED: &'static str =
        "a cursor taken from the Link header of a page in the same sort order";

    fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if !digits.len().is_multiple_of(2) || digits.len() > Self::MAX_DIGITS {
            return None;
        }
        let plain: Option<Vec<u8>> = digits
            .chunks_exact(2)
            .map(|pair| match pair {
                [high, low] => Some(parse_digit(*high)? << 4 | parse_digit(*low)?),
                _ => None,
            })
            .collect();
        Self::from_plain(std::str::from_utf8(&plain?).ok()?)
    }
}

fn parse_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PlaceId;
    use http_semantics::Epoch;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_has_the_spelling_that_sqlite_renders() {
        // lower(hex('i' || 42)), lower(hex('n' || 7 || ':' || 'nu' || char(1) || 'Ñu')), lower(hex('l7.0'))
        assert_eq!(Cursor::Id(42).to_string(), "693432");
        let name = Cursor::Name {
            key: "nu".into(),
            name: "Ñu".into(),
            id: 7,
        };
        assert_eq!(name.to_string(), "6e373a6e7501c39175");
        let population = Cursor::Population(Measure::Living, 7, 0);
        assert_eq!(population.to_string(), "6c372e30");
        let change = Validator::parse("7.1f09ab34").unwrap();
        assert_eq!(Cursor::Change(change).to_string(), "63372e3166303961623334");
    }

    #[test]
    fn a_malformed_cursor_is_rejected() {
        for text in [
            "",
            "6",
            "zz",
            "69",
            "69343",
            "693030",
            "6e373a",
            "6e373a61",
            "6e373a0161",
            "6e373a6101",
            "78",
            "ñ",
            "6934F2",
            "ff",
            "69c3",
            "6c37",
            "6c372e",
            "6c372e3030",
            "6c372e312e31",
            // Version 0.2.0 had this prefix for all numbers of people.
            "70372e30",
            "6337",
            "63372e316630396162333",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_cursor_has_room_for_the_longest_name_and_its_key() {
        let name = "𝔸".repeat(MAX_NAME_CHARACTERS);
        let cursor = |key: String| Cursor::Name {
            key,
            name: name.clone(),
            id: PlaceId::MAX_ID,
        };
        let longest = cursor(name.repeat(3));
        assert_eq!(Cursor::parse(&longest.to_string()), Some(longest));
        let longer = cursor(name.repeat(3) + "a");
        assert_eq!(Cursor::parse(&longer.to_string()), None);
    }

    proptest! {
        #[test]
        fn a_rendered_cursor_parses_to_the_same_cursor(
            id in 1..(1i64 << 53), key in "\\PC{1,200}", name in "\\PC{1,200}",
        ) {
            let change = |number| Validator { number, epoch: Epoch::parse("1f09ab34").unwrap() };
            for cursor in [
                Cursor::Id(id),
                Cursor::Population(Measure::Living, id - 1, id),
                Cursor::Population(Measure::Dead, id - 1, id),
                Cursor::Population(Measure::Total, id - 1, id),
                Cursor::Name { key, name, id },
                Cursor::Change(change(id)),
                Cursor::Changes(change(id - 1), change(id)),
            ] {
                prop_assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
            }
        }
    }
}
