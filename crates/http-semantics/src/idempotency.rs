//! Idempotency keys (IETF draft `draft-ietf-httpapi-idempotency-key-header`). A client can repeat a
//! POST with the same key. The POST is executed once, and each repeated request gets the stored
//! response.

use std::hash::Hasher;

use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::bearer_token::hex;
use domain::Param;

/// How long a response is stored for retries. The scheduled handler deletes older ones.
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
        let has_valid_length = (1..=255).contains(&text.len());
        (has_valid_length && text.bytes().all(|byte| byte.is_ascii_graphic()))
            .then(|| Self(text.to_owned()))
    }
}

/// The key under which a database stores the response to a request of `kind`. Clients with different
/// tokens, and requests of different kinds, never share one. It is a hash, so its length does not
/// depend on the client's key.
#[must_use]
pub fn storage_key(kind: &str, caller: &str, key: &IdempotencyKey) -> String {
    // Neither a kind nor a caller contains a colon.
    let hash = Sha256::digest(format!("{kind}:{caller}:{}", key.0));
    format!("{kind}:{}", hex(hash.get(..16).unwrap_or_default()))
}

/// A 128-bit hash of a request, in hexadecimal: detects a key that is used for two different
/// requests.
///
/// The hash is fast, not cryptographic: it protects clients from their own mistakes, not from
/// attackers.
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
    fn a_key_is_1_to_255_visible_ascii_characters() {
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
        for rejected in ["", " ", "a b", "ñ", "a\n", &"x".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(rejected), None, "{rejected}");
        }
    }

    #[test]
    fn a_storage_key_depends_on_kind_caller_and_key_and_is_short() {
        let long = "x".repeat(255);
        let mut keys = Vec::new();
        for kind in ["request", "import"] {
            for caller in ["", "0123456789abcdef", "1123456789abcdef"] {
                for key in ["a", "0123456789abcdef:a", ":a", "import:a", &long] {
                    let key = IdempotencyKey::parse(key).unwrap();
                    keys.push(storage_key(kind, caller, &key));
                }
            }
        }
        assert!(keys.iter().all(|key| key.len() < 50), "{keys:?}");
        let number = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), number);
    }

    #[test]
    fn a_fingerprint_depends_on_where_the_parts_are_split() {
        assert_eq!(fingerprint(&[b"a", b"bc"]), fingerprint(&[b"a", b"bc"]));
        assert_ne!(fingerprint(&[b"a", b"bc"]), fingerprint(&[b"ab", b"c"]));
        assert_eq!(fingerprint(&[]).len(), 32);
    }
}
