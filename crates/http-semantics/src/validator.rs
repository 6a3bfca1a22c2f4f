//! A validator: a number together with an epoch. The number only increases within one history of a
//! database, and the epoch identifies the history.
//!
//! A database that was restored from a backup uses numbers again: its next version 7 is not the
//! version 7 that was lost. So each database has an *epoch*, a random value that a restore
//! replaces. A version or a change sequence with its epoch identifies one state forever.

use std::fmt::{Display, Formatter, Result};

use domain::Param;
use domain::param::parse_non_negative_integer;

/// Identifies one history of a database: the column `schema.epoch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Epoch(u32);

impl Epoch {
    /// The number of hexadecimal digits.
    pub const DIGITS: usize = 8;
}

impl Display for Epoch {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Param for Epoch {
    const EXPECTED: &'static str = "eight hexadecimal digits in lower case";

    fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_canonical = text.len() == Self::DIGITS && text.bytes().all(is_digit);
        let value = u32::from_str_radix(text, 16).ok()?;
        is_canonical.then_some(Self(value))
    }
}

/// A version of a record or a change sequence of a table, with the epoch of its database: `7.1f09ab34`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validator {
    /// The version or the change sequence.
    pub number: i64,
    /// The epoch.
    pub epoch: Epoch,
}

impl Validator {
    /// The validator of no state.
    pub const NONE: Self = Self {
        number: -1,
        epoch: Epoch(0),
    };

    /// The earlier of two states of one history. None if they belong to two histories.
    #[must_use]
    pub fn earlier(self, other: Self) -> Option<Self> {
        let number = self.number.min(other.number);
        (self.epoch == other.epoch).then_some(Self { number, ..self })
    }

    /// Whether this is an earlier state in the same history. States of two histories have no order.
    #[must_use]
    pub fn is_before(self, other: Self) -> bool {
        self.epoch == other.epoch && self.number < other.number
    }
}

impl Display for Validator {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}.{}", self.number, self.epoch)
    }
}

impl Param for Validator {
    const EXPECTED: &'static str = "a number, a dot and an epoch";

    fn parse(text: &str) -> Option<Self> {
        let (number, epoch) = text.split_once('.')?;
        Some(Self {
            number: parse_non_negative_integer(number)?,
            epoch: Epoch::parse(epoch)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn validator(text: &str) -> Validator {
        Validator::parse(text).unwrap()
    }

    #[test]
    fn only_the_canonical_spelling_of_a_validator_is_accepted() {
        assert_eq!(validator("7.1f09ab34").number, 7);
        for malformed in [
            "",
            "7",
            "7.",
            ".1f09ab34",
            "07.1f09ab34",
            "-7.1f09ab34",
            "7.1F09AB34",
            "7.+f09ab34",
            "7.1f09ab3",
            "7.1f09ab345",
            "7.1f09ab34.1",
            "7.1f09ab3ñ",
            "9223372036854775808.1f09ab34",
        ] {
            assert_eq!(Validator::parse(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn the_validator_of_no_state_is_not_accepted() {
        assert_eq!(Validator::parse(&Validator::NONE.to_string()), None);
    }

    #[test]
    fn states_of_two_histories_have_no_order() {
        let (early, late) = (validator("6.1f09ab34"), validator("7.1f09ab34"));
        assert_eq!(late.earlier(early), Some(early));
        assert_eq!(early.earlier(validator("7.00000000")), None);
        assert!(validator("6.1f09ab34").is_before(validator("7.1f09ab34")));
        assert!(!validator("7.1f09ab34").is_before(validator("7.1f09ab34")));
        assert!(!validator("6.1f09ab34").is_before(validator("7.00000000")));
        assert!(!validator("7.1f09ab34").is_before(validator("6.00000000")));
    }

    proptest! {
        #[test]
        fn a_rendered_validator_parses_to_the_same_validator(
            number in 0..i64::MAX,
            epoch in any::<u32>(),
        ) {
            let validator = Validator { number, epoch: Epoch(epoch) };
            prop_assert_eq!(Validator::parse(&validator.to_string()), Some(validator));
        }

        #[test]
        fn no_text_makes_the_validator_parser_panic(text in "[0-9a-f.ñ]{0,20}") {
            let _ = Validator::parse(&text);
        }
    }
}
