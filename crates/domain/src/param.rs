//! Values with one textual form, as query parameters and path segments have them.

/// A value that a query parameter (or a path segment) can hold.
pub trait Param: Sized {
    /// What a value must be, to end the sentence "it must be …".
    const EXPECTED: &'static str;

    /// The value, if the text is one.
    fn parse(text: &str) -> Option<Self>;
}

/// A positive whole number in its one spelling: digits, no sign, no leading zero.
#[must_use]
pub fn whole(text: &str) -> Option<i64> {
    let is_canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if is_canonical {
        text.parse().ok()
    } else {
        None
    }
}

/// The same, or 0.
#[must_use]
pub fn whole_or_zero(text: &str) -> Option<i64> {
    if text == "0" { Some(0) } else { whole(text) }
}

impl Param for bool {
    const EXPECTED: &'static str = "true or false";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}
