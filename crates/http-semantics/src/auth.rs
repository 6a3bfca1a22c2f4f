//! Who may do what. A client proves itself by a bearer token (RFC 6750); the worker knows no more
//! of a token than its SHA-256, and without any setting nobody may write.

use sha2::{Digest, Sha256};

use crate::Problem;
use domain::Param;

/// What a token is good for. Each scope holds those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reading, where that is not open to all.
    Read,
    /// Writing records.
    Write,
    /// What changes more than records: repairing.
    Admin,
}

impl Scope {
    /// All of them, the smallest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Its name in settings and headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl Param for Scope {
    const EXPECTED: &'static str = "read, write or admin";

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == text)
    }
}

/// A bearer token, or the secret that the services share. It shows itself to nobody: not in a
/// log, not in an answer.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The text, for the one place that gives it back to its owner: the cookie, or the header
    /// of a request to a service.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The token of an `Authorization` header.
    ///
    /// # Errors
    /// A header of another scheme, or a token that can be none.
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

    /// Whether a text is this token. The time that it takes tells no more than the length.
    #[must_use]
    pub fn matches(&self, given: &str) -> bool {
        self.0.len() == given.len() && is_same(self.0.as_bytes(), given.as_bytes())
    }

    /// What it is called where it must not be known: the same for the same token.
    #[must_use]
    pub fn pseudonym(&self) -> String {
        let hash = self.hash();
        let first = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
        first.collect()
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

/// Every byte is looked at, so that the time tells nothing.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let bytes = one.iter().zip(other);
    bytes.fold(0, |bits, (a, b)| bits | (a ^ b)) == 0
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPolicy {
    reads_are_open: bool,
    writes_are_open: bool,
    tokens: Option<String>,
}

impl AccessPolicy {
    /// Reads the settings. `WRITES` is `open` or nothing; `READS` is `open` or nothing, and
    /// whatever else closes reading; `TOKENS` holds `scope:hash` entries, separated by commas,
    /// each hash in hexadecimal. An entry that cannot be read lets nobody in.
    #[must_use]
    pub fn from_settings(
        reads: Option<&str>,
        writes: Option<&str>,
        tokens: Option<String>,
    ) -> Self {
        Self {
            reads_are_open: matches!(reads, None | Some("" | "open")),
            writes_are_open: writes == Some("open"),
            tokens,
        }
    }

    /// Whether anybody may, with no token at all.
    #[must_use]
    pub fn is_open(&self, scope: Scope) -> bool {
        match scope {
            Scope::Read => self.reads_are_open,
            Scope::Write | Scope::Admin => self.writes_are_open,
        }
    }

    /// Lets somebody in.
    ///
    /// # Errors
    /// Whoever has no token that is known, or one that is good for less.
    pub fn authorize(&self, scope: Scope, token: Option<&Token>) -> Result<(), Problem> {
        if self.is_open(scope) {
            return Ok(());
        }
        let token = token.ok_or_else(|| Problem::token_required(scope))?;
        match self.scope_of(token) {
            None => Err(Problem::token_refused()),
            Some(held) if held < scope => Err(Problem::insufficient_scope(scope)),
            Some(_) => Ok(()),
        }
    }

    /// The greatest scope of a token; none if it is not known. All entries are looked at.
    fn scope_of(&self, token: &Token) -> Option<Scope> {
        let given = token.hash();
        let entries = self.tokens.as_deref().unwrap_or_default().split(',');
        let known = entries.filter_map(entry_of);
        known
            .map(|(scope, hash)| is_same(&hash, &given).then_some(scope))
            .max()
            .flatten()
    }
}

/// The scope and the hash of an entry.
fn entry_of(text: &str) -> Option<(Scope, [u8; 32])> {
    let (scope, hash) = text.trim().split_once(':')?;
    Some((Scope::parse(scope)?, hash_of(hash)?))
}

fn hash_of(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
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

    const READER: &str = "the-token-of-a-reader";
    const WRITER: &str = "the-token-of-a-writer";
    const ADMIN: &str = "the-token-of-an-admin";
    const OTHER: &str = "the-token-of-nobody-0";

    fn token(text: &str) -> Token {
        Token::parse(text).unwrap()
    }

    fn hash(text: &str) -> String {
        let hash = token(text).hash();
        hash.map(|byte| format!("{byte:02x}")).concat()
    }

    fn policy(reads: Option<&str>, writes: Option<&str>, tokens: &str) -> AccessPolicy {
        AccessPolicy::from_settings(reads, writes, Some(tokens.to_owned()))
    }

    fn refusal(policy: &AccessPolicy, scope: Scope, given: Option<&str>) -> Option<Kind> {
        let given = given.map(token);
        let admitted = policy.authorize(scope, given.as_ref());
        admitted.err().map(|problem| problem.kind())
    }

    #[test]
    fn a_hash_is_the_sha_256_of_the_token() {
        // FIPS 180-2, B.2
        let text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let expected = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
        assert_eq!(hash(text), expected);
    }

    #[test]
    fn without_a_setting_all_read_and_nobody_writes() {
        let bare = hash(WRITER);
        for (writes, tokens) in [
            (None, None),
            (Some(""), Some("")),
            (Some("Open"), None),
            (Some("true"), Some("x,write:y,,:")),
            // An entry without its scope, with a scope that there is not, and one cut short.
            (None, Some(bare.as_str())),
            (None, Some(&*format!("all:{bare}"))),
            (None, Some(&format!("write:{}", &bare[..63]))),
            (None, Some(&format!("write:+{}", &bare[1..]))),
        ] {
            let policy = AccessPolicy::from_settings(None, writes, tokens.map(str::to_owned));
            assert_eq!(refusal(&policy, Scope::Read, None), None);
            for scope in [Scope::Write, Scope::Admin] {
                assert_eq!(refusal(&policy, scope, None), Some(Kind::TokenRequired));
                let given = Some(WRITER);
                assert_eq!(refusal(&policy, scope, given), Some(Kind::TokenRefused));
            }
        }
    }

    #[test]
    fn open_writes_are_for_all() {
        let open = policy(None, Some("open"), "");
        for scope in Scope::ALL {
            assert_eq!(refusal(&open, scope, None), None);
            assert_eq!(refusal(&open, scope, Some(OTHER)), None);
        }
    }

    #[test]
    fn whatever_reads_are_set_to_but_open_closes_them() {
        for reads in [None, Some(""), Some("open")] {
            assert!(policy(reads, None, "").is_open(Scope::Read), "{reads:?}");
        }
        for reads in ["token", "Open", "tokne", " "] {
            let closed = policy(Some(reads), Some("open"), "");
            let expected = Some(Kind::TokenRequired);
            assert_eq!(refusal(&closed, Scope::Read, None), expected, "{reads}");
        }
    }

    #[test]
    fn a_scope_holds_those_before_it() {
        let tokens = [
            (Scope::Read, READER),
            (Scope::Write, WRITER),
            (Scope::Admin, ADMIN),
        ];
        let entries = tokens.map(|(scope, token)| format!("{}:{}", scope.name(), hash(token)));
        let policy = policy(Some("token"), None, &entries.join(", "));
        for (held, token) in tokens {
            for scope in Scope::ALL {
                let expected = (held < scope).then_some(Kind::InsufficientScope);
                assert_eq!(refusal(&policy, scope, Some(token)), expected, "{token}");
            }
        }
        for scope in Scope::ALL {
            let expected = Some(Kind::TokenRefused);
            assert_eq!(refusal(&policy, scope, Some(OTHER)), expected);
        }
    }

    #[test]
    fn several_tokens_are_live_while_one_is_rotated() {
        let hashes = format!(
            "write:{},write:{}",
            hash(WRITER),
            hash(ADMIN).to_uppercase()
        );
        let policy = policy(None, None, &hashes);
        assert_eq!(refusal(&policy, Scope::Write, Some(WRITER)), None);
        assert_eq!(refusal(&policy, Scope::Write, Some(ADMIN)), None);
        let expected = Some(Kind::TokenRefused);
        assert_eq!(refusal(&policy, Scope::Write, Some(OTHER)), expected);
    }

    #[test]
    fn of_two_entries_with_one_token_the_greater_counts() {
        for scopes in [["admin", "read"], ["read", "admin"]] {
            let entries = scopes.map(|scope| format!("{scope}:{}", hash(ADMIN)));
            let policy = policy(None, None, &entries.join(","));
            assert_eq!(refusal(&policy, Scope::Admin, Some(ADMIN)), None);
        }
    }

    #[test]
    fn a_token_never_shows_itself() {
        let token = token("0123456789abcdef");
        assert!(!format!("{token:?}").contains("0123"));
    }

    #[test]
    fn a_token_is_the_same_text_and_no_other() {
        let secret = token("0123456789abcdef");
        assert!(secret.matches("0123456789abcdef"));
        for other in [
            "",
            "0123456789abcdeF",
            "0123456789abcdef0",
            "1123456789abcdef",
        ] {
            assert!(!secret.matches(other), "{other}");
        }
    }

    #[test]
    fn the_header_has_one_scheme() {
        let read = |header| Token::from_authorization(header).map(|token| token.map(|t| t.0));
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
        fn no_setting_lets_a_stranger_in(
            reads in "\\PC{1,6}",
            tokens in "((read|write|admin|é)?:?[0-9a-fé ]{0,66},?){0,4}",
        ) {
            let policy = policy(Some(&reads), None, &tokens);
            prop_assume!(reads != "open");
            for scope in Scope::ALL {
                prop_assert_eq!(refusal(&policy, scope, Some(OTHER)), Some(Kind::TokenRefused));
            }
        }
    }
}
