//! Idempotency keys (IETF draft `draft-ietf-httpapi-idempotency-key-header`): a POST that
//! is sent again under its key is answered as it was, and done once.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use domain::Param;

/// How long an answer is kept, in hours.
pub const RETENTION_HOURS: i64 = 24;

/// The value of `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Param for IdempotencyKey {
    const EXPECTED: &'static str = "1 to 255 visible ASCII characters, such as a UUID";

    fn parse(text: &str) -> Option<Self> {
        let fits = (1..=255).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Self(text.to_owned()))
    }
}

/// What tells one request from another: 128 bits of a hash over its parts, in hexadecimal.
/// It guards a client against its own mistakes, not against others: a key is its client's own.
#[must_use]
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    format!("{:032x}", hasher.finish128().as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii() {
        for key in [
            "a",
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
            &"x".repeat(255),
        ] {
            assert_eq!(
                IdempotencyKey::parse(key)
                    .as_ref()
                    .map(IdempotencyKey::as_str),
                Some(key)
            );
        }
        for refused in ["", " ", "a b", "ñ", "a\n", &"x".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_fingerprint_tells_the_parts_apart() {
        assert_eq!(fingerprint(&[b"a", b"bc"]), fingerprint(&[b"a", b"bc"]));
        assert_ne!(fingerprint(&[b"a", b"bc"]), fingerprint(&[b"ab", b"c"]));
        assert_eq!(fingerprint(&[]).len(), 32);
    }
}
