//! Cursors: where a page ends, as an opaque token.
//!
//! A cursor is the sort key of the last record shown, so that the next page is one
//! index seek however far it lies, and records that come or go in between shift
//! nothing. The token is hexadecimal because SQLite can write it (`hex`) beside the
//! page itself, in the same statement.

use domain::{Param, param::parse_non_negative_integer};
use domain::{PersonId, PlaceId};

/// The most bytes of a name's key in a cursor: 200 characters, each of which may
/// become three of up to four bytes in lower case.
const MAX_KEY_BYTES: usize = 200 * 3 * 4;

/// The sort key of the last record of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// In order of id: the id.
    Id(i64),
    /// In order of name: the name's key, and the id among equal names.
    Name {
        /// The key of the name.
        key: String,
        /// The id.
        id: i64,
    },
    /// Two numbers: a count and an id, or where each of two feeds goes on.
    Pair(i64, i64),
}

impl Cursor {
    /// The most digits of a cursor.
    pub const MAX_DIGITS: usize = 2 * (MAX_KEY_BYTES + 32);

    /// The id of the record that the page ended with.
    #[must_use]
    pub fn id(&self) -> i64 {
        match self {
            Self::Id(id) | Self::Name { id, .. } | Self::Pair(_, id) => *id,
        }
    }

    fn from_plain(plain: &str) -> Option<Self> {
        if let Some(id) = plain.strip_prefix('i') {
            return Some(Self::Id(position(id)?));
        }
        if let Some(pair) = plain.strip_prefix('p') {
            let (first, second) = pair.split_once('.')?;
            return Some(Self::Pair(position(first)?, position(second)?));
        }
        let (id, key) = plain.strip_prefix('n')?.split_once(':')?;
        let key_fits = (1..=MAX_KEY_BYTES).contains(&key.len());
        key_fits.then_some(Self::Name {
            key: key.to_owned(),
            id: PersonId::parse(id)?.get(),
        })
    }
}

/// Before the first there is 0, where a feed begins that has nothing yet.
fn position(text: &str) -> Option<i64> {
    parse_non_negative_integer(text).filter(|position| *position <= PersonId::MAX_ID)
}

impl From<PlaceId> for Cursor {
    fn from(id: PlaceId) -> Self {
        Self::Id(id.get())
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plain = match self {
            Self::Id(id) => format!("i{id}"),
            Self::Name { key, id } => format!("n{id}:{key}"),
            Self::Pair(first, second) => format!("p{first}.{second}"),
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
                [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
                _ => None,
            })
            .collect();
        Self::from_plain(std::str::from_utf8(&plain?).ok()?)
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_is_what_sqlite_writes() {
        // lower(hex('i' || 42)), lower(hex('n' || 7 || ':' || 'ñu')), lower(hex('p7.0'))
        assert_eq!(Cursor::Id(42).to_string(), "693432");
        let name = Cursor::Name {
            key: "ñu".into(),
            id: 7,
        };
        assert_eq!(name.to_string(), "6e373ac3b175");
        assert_eq!(Cursor::Pair(7, 0).to_string(), "70372e30");
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "",
            "6",
            "zz",
            "69",
            "693030",
            "6e373a",
            "78",
            "ñ",
            "6934F2",
            "ff",
            "69c3",
            "7037",
            "70372e",
            "70372e3030",
            "70372e312e31",
        ] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_cursor_comes_back(id in 1..(1i64 << 53), key in "\\PC{1,200}") {
            for cursor in [Cursor::Id(id), Cursor::Pair(id - 1, id), Cursor::Name { key, id }] {
                prop_assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = Cursor::parse(&text);
        }
    }
}
