//! The trait of values that are parsed from text: query parameters, path segments and headers.

/// A value with a textual form.
pub trait Param: Sized {
    /// The values that are valid, to end the sentence "it must be …".
    const EXPECTED: &'static str;

    /// The value, if the text is valid.
    fn parse(text: &str) -> Option<Self>;
}

/// A positive whole number in its canonical spelling: digits, no sign, no leading zero.
#[must_use]
pub fn parse_positive_integer(text: &str) -> Option<i64> {
    let is_canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if is_canonical {
        text.parse().ok()
    } else {
        None
    }
}

/// A positive whole number in its canonical spelling, or 0.
#[must_use]
pub fn parse_non_negative_integer(text: &str) -> Option<i64> {
    if text == "0" {
        Some(0)
    } else {
        parse_positive_integer(text)
    }
}

/// A whole number from 1 to [`Self::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositiveInteger(i64);

impl PositiveInteger {
    /// The greatest whole number that a JavaScript number holds exactly, like
    /// `Number.MAX_SAFE_INTEGER`.
    pub const MAX: i64 = (1 << 53) - 1;

    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl Param for PositiveInteger {
    const EXPECTED: &'static str = "a whole number from 1 to 9007199254740991";

    fn parse(text: &str) -> Option<Self> {
        parse_positive_integer(text)
            .filter(|number| *number <= Self::MAX)
            .map(Self)
    }
}

impl Param for bool {
    const EXPECTED: &'static str = "true or false";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boolean_is_true_or_false() {
        assert_eq!(bool::parse("true"), Some(true));
        assert_eq!(bool::parse("false"), Some(false));
        for rejected in ["", "1", "True", "yes"] {
            assert_eq!(bool::parse(rejected), None, "{rejected}");
        }
    }

    #[test]
    fn an_integer_has_digits_only_and_no_leading_zero() {
        assert_eq!(parse_non_negative_integer("0"), Some(0));
        assert_eq!(parse_non_negative_integer("10"), Some(10));
        for rejected in ["", "-1", "+1", "01", "1.0", "9223372036854775808"] {
            assert_eq!(parse_non_negative_integer(rejected), None, "{rejected}");
        }
    }
}
