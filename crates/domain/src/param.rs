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

impl Param for bool {
    const EXPECTED: &'static str = "true or false";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
