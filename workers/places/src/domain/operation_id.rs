//! The id of an operation. The path of the operation's status contains it.

use domain::Param;

/// The id of an operation. It is random.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationId(String);

impl OperationId {
    /// The number of its digits.
    pub const DIGITS: usize = 32;

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Param for OperationId {
    const EXPECTED: &'static str = "32 hexadecimal digits in lower case";

    fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_id = text.len() == Self::DIGITS && text.bytes().all(is_digit);
        is_id.then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_an_operation_is_32_hexadecimal_digits_in_lower_case() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(OperationId::parse(id).unwrap().as_str(), id);
        let invalid = [&id[1..], &[id, "0"].concat(), &id.to_uppercase(), ""];
        for text in invalid
            .into_iter()
            .chain(["g123456789abcdef0123456789abcdef"])
        {
            assert_eq!(OperationId::parse(text), None, "{text}");
        }
    }
}
