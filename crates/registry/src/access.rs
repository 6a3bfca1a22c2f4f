//! Who may write. A client proves itself by a bearer token (RFC 6750); the worker knows no more
//! of a token than its SHA-256, and without any setting nobody may write.

use sha2::{Digest, Sha256};

use crate::{Param, Problem};

/// A bearer token. It shows itself to nobody: not in a log, not in an answer.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The text, for the one place that gives it back to its owner: the cookie.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The token of an `Authorization` header.
    ///
    /// # Errors
    /// A header of another scheme, or a token that can be none.
    pub fn of_authorization(header: Option<&str>) -> Result<Option<Self>, Problem> {
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

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Param for Token {
    const EXPECTED: &'static str = "16 to 255 visible ASCII characters";

    fn parse(text: &str) -> Option<Self> {
        let fits = (16..=255).contains(&text.len());
        // What a cookie cannot hold (RFC 6265) is no part of a token.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
        (fits && text.bytes().all(is_plain)).then(|| Self(text.to_owned()))
    }
}

/// Who may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writers {
    /// Whoever reaches the worker: local development.
    Anybody,
    /// Who has a token with one of these hashes; two are live while one is being rotated.
    Holders(Vec<[u8; 32]>),
}

impl Writers {
    /// Reads the settings: `WRITES` is `open` or nothing, `WRITE_TOKENS` holds hashes in
    /// hexadecimal, separated by commas. What cannot be read lets nobody in.
    #[must_use]
    pub fn of(writes: Option<&str>, hashes: Option<&str>) -> Self {
        if writes == Some("open") {
            return Self::Anybody;
        }
        let hashes = hashes.unwrap_or_default().split(',');
        Self::Holders(hashes.filter_map(|hash| hash_of(hash.trim())).collect())
    }

    /// Lets a writer in.
    ///
    /// # Errors
    /// Whoever has no token that is known.
    pub fn admit(&self, token: Option<&Token>) -> Result<(), Problem> {
        let Self::Holders(known) = self else {
            return Ok(());
        };
        let token = token.ok_or_else(Problem::token_required)?;
        let given = token.hash();
        // Every hash and every byte is looked at, so that the time tells nothing.
        let differing = |hash: &[u8; 32]| {
            hash.iter()
                .zip(given)
                .fold(0, |bits, (a, b)| bits | (a ^ b))
        };
        let alike = known.iter().filter(|hash| differing(hash) == 0).count();
        if alike > 0 {
            Ok(())
        } else {
            Err(Problem::token_refused())
        }
    }
}

fn hash_of(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Kind;
    use proptest::prelude::*;

    fn token(text: &str) -> Token {
        Token::parse(text).unwrap()
    }

    fn hash(text: &str) -> String {
        let hash = token(text).hash();
        hash.map(|byte| format!("{byte:02x}")).concat()
    }

    fn refusal(writers: &Writers, given: Option<&str>) -> Option<Kind> {
        let given = given.map(token);
        writers
            .admit(given.as_ref())
            .err()
            .map(|problem| problem.kind())
    }

    #[test]
    fn a_hash_is_the_sha_256_of_the_token() {
        // FIPS 180-2, B.2
        let text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let expected = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        assert_eq!(hash(text), expected);
    }

    #[test]
    fn without_a_setting_nobody_writes() {
        for (writes, hashes) in [
            (None, None),
            (Some(""), Some("")),
            (Some("Open"), None),
            (Some("true"), Some("x,y,,")),
            (None, Some("248d6a61d20638b8e5c026930c3e6039")),
        ] {
            let writers = Writers::of(writes, hashes);
            assert_eq!(refusal(&writers, None), Some(Kind::TokenRequired));
            let given = Some("0123456789abcdef");
            assert_eq!(refusal(&writers, given), Some(Kind::TokenRefused));
        }
        assert_eq!(refusal(&Writers::of(Some("open"), None), None), None);
    }

    #[test]
    fn two_tokens_are_live_while_one_is_rotated() {
        let hashes = format!(
            "{}, {}",
            hash("the-old-one-of-them"),
            hash("the-new-one-of-them")
        );
        let writers = Writers::of(None, Some(&hashes));
        assert_eq!(refusal(&writers, Some("the-old-one-of-them")), None);
        assert_eq!(refusal(&writers, Some("the-new-one-of-them")), None);
        let other = Some("the-odd-one-of-them");
        assert_eq!(refusal(&writers, other), Some(Kind::TokenRefused));
    }

    #[test]
    fn a_token_never_shows_itself() {
        let token = token("0123456789abcdef");
        assert!(!format!("{token:?}").contains("0123"));
    }

    #[test]
    fn the_header_has_one_scheme() {
        let read = |header| Token::of_authorization(header).map(|token| token.map(|t| t.0));
        let token = "0123456789abcdef".to_owned();
        assert_eq!(read(None), Ok(None));
        assert_eq!(
            read(Some("Bearer 0123456789abcdef")),
            Ok(Some(token.clone()))
        );
        assert_eq!(read(Some("bearer  0123456789abcdef ")), Ok(Some(token)));
        for refused in [
            "",
            "Bearer",
            "Basic 0123456789abcdef",
            "Bearer short",
            "Bearer a,b;c\"0123456789",
        ] {
            assert!(read(Some(refused)).is_err(), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn no_setting_makes_it_panic(writes in "\\PC{0,10}", hashes in "[0-9a-f,é ]{0,140}") {
            let _ = Writers::of(Some(&writes), Some(&hashes));
        }
    }
}
