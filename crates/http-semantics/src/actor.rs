//! The author of a write. It is the name of the client's token.

use domain::Param;

/// The name of a token. It is a valid header value, and contains no colon or comma, which separate
/// the entries of `TOKENS`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(String);

impl Actor {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Param for Actor {
    const EXPECTED: &'static str = "a name of 1 to 64 letters, digits or . _ @ -";

    fn parse(text: &str) -> Option<Self> {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        let has_valid_length = (1..=64).contains(&text.len());
        (has_valid_length && text.bytes().all(is_valid)).then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_a_short_name_without_separators() {
        let longest = "x".repeat(64);
        for name in ["anna", "ops-2", "a.b@example.org", "_", &longest] {
            assert_eq!(Actor::parse(name).as_ref().map(Actor::as_str), Some(name));
        }
        let too_long = "x".repeat(65);
        for rejected in ["", " anna", "a b", "a:b", "a,b", "añna", "a\n", &too_long] {
            assert_eq!(Actor::parse(rejected), None, "{rejected}");
        }
    }
}
