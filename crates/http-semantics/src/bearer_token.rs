//! A bearer token (RFC 6750). Tokens are compared in constant time and never logged.

use sha2::{Digest, Sha256};

use crate::Problem;
use domain::Param;

/// A bearer token, or the secret that the three services share. `Debug` does not show it.
#[derive(Clone)]
pub struct BearerToken(String);

impl BearerToken {
    /// The text of the token. Only for the cookie of its owner and for the header of a request
    /// to a backend.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The token of an `Authorization` header, if there is one.
    ///
    /// # Errors
    /// A header with another scheme, or with a malformed token.
    pub fn from_authorization(header: Option<&str>) -> Result<Option<Self>, Problem> {
        let Some(header) = header else {
            return Ok(None);
        };
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        Self::parse(token.trim())
            .filter(|_| is_bearer)
            .map(Some)
            .ok_or_else(|| Problem::invalid_header("Authorization", "Bearer and a token"))
    }

    /// Whether a text is this token, in constant time. The time only depends on the lengths.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.0.len() == text.len() && constant_time_eq(self.0.as_bytes(), text.as_bytes())
    }

    /// The first 8 bytes of the SHA-256 hash, in hexadecimal: identifies the token without
    /// revealing it.
    #[must_use]
    pub fn pseudonym(&self) -> String {
        hex(self.hash().get(..8).unwrap_or_default())
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

impl Param for BearerToken {
    const EXPECTED: &'static str = "16 to 255 visible ASCII characters";

    fn parse(text: &str) -> Option<Self> {
        let has_valid_length = (16..=255).contains(&text.len());
        // The browser pages store the token in a cookie, which cannot contain these (RFC 6265).
        let is_valid = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
        (has_valid_length && text.bytes().all(is_valid)).then(|| Self(text.to_owned()))
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.fold(String::new(), |text, next| text + &next)
}

/// Compares all bytes, even after a difference, so that the time reveals nothing.
pub(crate) fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    let bytes = left.iter().zip(right);
    bytes.fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> BearerToken {
        BearerToken::parse(text).unwrap()
    }

    #[test]
    fn the_hash_of_a_token_is_its_sha_256() {
        // FIPS 180-2, B.2
        let text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let expected = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        let hash = token(text)
            .hash()
            .map(|byte| format!("{byte:02x}"))
            .concat();
        assert_eq!(hash, expected);
    }

    #[test]
    fn the_pseudonym_of_a_token_is_the_beginning_of_its_hash() {
        let text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(token(text).pseudonym(), "248d6a61d20638b8");
    }

    #[test]
    fn a_token_never_shows_itself() {
        let token = token("0123456789abcdef");
        assert_eq!(format!("{token:?}"), "BearerToken(…)");
        assert_eq!(token.reveal(), "0123456789abcdef");
    }

    #[test]
    fn a_token_matches_only_the_same_text() {
        let secret = token("0123456789abcdef");
        assert!(secret.matches("0123456789abcdef"));
        for other in [
            "",
            "0123456789abcdeF",
            "0123456789abcdef0",
            "1123456789abcdef",
            // The differences of the first two characters have the same bits.
            "1023456789abcdef",
        ] {
            assert!(!secret.matches(other), "{other}");
        }
    }

    #[test]
    fn an_authorization_header_needs_the_bearer_scheme_and_a_valid_token() {
        let parse =
            |header| BearerToken::from_authorization(header).map(|token| token.map(|t| t.0));
        let token = "0123456789abcdef".to_owned();
        assert_eq!(parse(None), Ok(None));
        assert_eq!(
            parse(Some("Bearer 0123456789abcdef")),
            Ok(Some(token.clone()))
        );
        assert_eq!(parse(Some("bearer  0123456789abcdef ")), Ok(Some(token)));
        for rejected in [
            "",
            "Bearer",
            "Basic 0123456789abcdef",
            "Bearer short",
            "Bearer a,b;c\"0123456789",
        ] {
            assert!(parse(Some(rejected)).is_err(), "{rejected}");
        }
    }
}
