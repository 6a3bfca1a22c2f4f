//! Authorization: the scopes, and which of them a bearer token has. A route declares the scope that
//! it needs (`crates/edge/src/route.rs`). `authenticate` in `crates/edge/src/layers/auth.rs`
//! applies it.
//!
//! The settings contain only SHA-256 hashes of tokens, so reading the settings reveals no token.
//! Without settings, everybody may read and nobody may write.

use crate::Problem;
use crate::actor::Actor;
use crate::bearer_token::constant_time_eq;
use domain::Param;

pub use crate::bearer_token::BearerToken;

/// The permissions of a token. Each scope includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read, if reads are not open.
    Read,
    /// Write records.
    Write,
    /// Run a repair, and erase a person.
    Admin,
}

impl Scope {
    /// All scopes, the smallest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The name in settings and headers.
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

/// The permissions and the name of a known token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The greatest scope.
    pub scope: Scope,
    /// The name, which each change of its owner has.
    pub actor: Actor,
}

/// The access rules of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPolicy {
    reads_are_open: bool,
    writes_are_open: bool,
    tokens: Option<String>,
}

impl AccessPolicy {
    /// The rules of the settings.
    ///
    /// - `READS`: reads are open if it is `open` or empty. Any other value closes them, so that a
    ///   typing error does not open them.
    /// - `WRITES`: writes are open only if it is `open`.
    /// - `TOKENS`: entries `scope:name:hash`, separated by commas, with the hash in hexadecimal. A
    ///   malformed entry makes [`Self::authorize`] fail.
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

    /// Whether a scope needs no token.
    #[must_use]
    pub fn is_open(&self, scope: Scope) -> bool {
        match scope {
            Scope::Read => self.reads_are_open,
            Scope::Write | Scope::Admin => self.writes_are_open,
        }
    }

    /// Checks that a request may use a scope.
    ///
    /// # Errors
    /// No token, an unknown token, a token with a smaller scope, or an invalid setting.
    pub fn authorize(&self, scope: Scope, token: Option<&BearerToken>) -> Result<(), Problem> {
        if self.is_open(scope) {
            return Ok(());
        }
        self.check_setting()?;
        let token = token.ok_or_else(|| Problem::token_required(scope))?;
        match self.grant_of(token) {
            None => Err(Problem::token_refused()),
            Some(granted) if granted.scope < scope => Err(Problem::insufficient_scope(scope)),
            Some(_) => Ok(()),
        }
    }

    /// The greatest scope of a token and its name, or none if the token is unknown. Compares all
    /// entries, so that the time does not reveal which one matches.
    #[must_use]
    pub fn grant_of(&self, token: &BearerToken) -> Option<Grant> {
        let token_hash = token.hash();
        let mut found: Option<Grant> = None;
        for (_, entry) in self.entries() {
            let Some((scope, actor, hash)) = parse_entry(entry) else {
                continue;
            };
            let is_greater = found.as_ref().is_none_or(|found| found.scope < scope);
            if constant_time_eq(&hash, &token_hash) & is_greater {
                found = Some(Grant { scope, actor });
            }
        }
        found
    }

    /// Checks that each entry of `TOKENS` is valid. Its position identifies an entry, because the
    /// hash must not be shown.
    ///
    /// # Errors
    /// The first malformed entry.
    pub fn check_setting(&self) -> Result<(), Problem> {
        for (number, entry) in self.entries() {
            if parse_entry(entry).is_none() {
                let fault = if entry.split(':').count() == 2 {
                    "has no name"
                } else {
                    "is malformed"
                };
                let detail = format!(
                    "Entry {number} of TOKENS {fault}. Write it as scope:name:hash, for example write:anna:9f86…, where the scope is {} and the hash is the SHA-256 of the token in hexadecimal.",
                    Scope::EXPECTED
                );
                return Err(Problem::misconfigured(detail));
            }
        }
        Ok(())
    }

    /// The entries that are not empty, each with its number from 1.
    fn entries(&self) -> impl Iterator<Item = (usize, &str)> {
        let entries = self.tokens.as_deref().unwrap_or_default().split(',');
        let entries = (1..).zip(entries.map(str::trim));
        entries.filter(|(_, entry)| !entry.is_empty())
    }
}

/// The scope, the name and the hash of an entry of `TOKENS`.
fn parse_entry(entry: &str) -> Option<(Scope, Actor, [u8; 32])> {
    let (scope, rest) = entry.split_once(':')?;
    let (name, hash) = rest.split_once(':')?;
    Some((Scope::parse(scope)?, Actor::parse(name)?, parse_hash(hash)?))
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
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

    fn token(text: &str) -> BearerToken {
        BearerToken::parse(text).unwrap()
    }

    fn hash(text: &str) -> String {
        let hash = token(text).hash();
        hash.map(|byte| format!("{byte:02x}")).concat()
    }

    fn policy(reads: Option<&str>, writes: Option<&str>, tokens: &str) -> AccessPolicy {
        AccessPolicy::from_settings(reads, writes, Some(tokens.to_owned()))
    }

    fn rejection(policy: &AccessPolicy, scope: Scope, token_text: Option<&str>) -> Option<Kind> {
        let token = token_text.map(token);
        let result = policy.authorize(scope, token.as_ref());
        result.err().map(|problem| problem.kind())
    }

    #[test]
    fn without_settings_reads_are_open_and_writes_are_closed() {
        for (writes, tokens) in [
            (None, None),
            (Some(""), Some("")),
            (Some("Open"), None),
            (Some("true"), Some(" , ,")),
        ] {
            let policy = AccessPolicy::from_settings(None, writes, tokens.map(str::to_owned));
            assert_eq!(rejection(&policy, Scope::Read, None), None);
            for scope in [Scope::Write, Scope::Admin] {
                assert_eq!(rejection(&policy, scope, None), Some(Kind::TokenRequired));
                let rejection = rejection(&policy, scope, Some(WRITER));
                assert_eq!(rejection, Some(Kind::TokenRefused));
            }
        }
    }

    #[test]
    fn a_malformed_entry_is_reported_by_its_number_and_opens_nothing() {
        let bare = hash(WRITER);
        let valid = format!("write:anna:{bare}");
        for (entry, fault) in [
            (format!("write:{bare}"), "Entry 2 of TOKENS has no name."),
            ("x".to_owned(), "Entry 2 of TOKENS is malformed."),
            (bare.clone(), "Entry 2 of TOKENS is malformed."),
            (format!("all:anna:{bare}"), "malformed"),
            (format!("write::{bare}"), "malformed"),
            (format!("write:a b:{bare}"), "malformed"),
            (format!("write:anna:{}", &bare[..63]), "malformed"),
            (format!("write:anna:+{}", &bare[1..]), "malformed"),
            (format!("write:anna:{bare}:x"), "malformed"),
        ] {
            let policy = policy(None, None, &format!("{valid},{entry}"));
            let problem = policy.check_setting().unwrap_err();
            assert!(problem.detail().contains(fault), "{}", problem.detail());
            assert!(problem.detail().contains("scope:name:hash"));
            assert!(!problem.detail().contains(&bare[1..63]), "{entry}");
            assert_eq!(rejection(&policy, Scope::Read, None), None);
            for token in [None, Some(WRITER), Some(OTHER)] {
                let rejection = rejection(&policy, Scope::Write, token);
                assert_eq!(rejection, Some(Kind::Misconfigured), "{entry}");
            }
        }
    }

    #[test]
    fn open_writes_need_no_token() {
        let open = policy(None, Some("open"), "");
        for scope in Scope::ALL {
            assert_eq!(rejection(&open, scope, None), None);
            assert_eq!(rejection(&open, scope, Some(OTHER)), None);
        }
    }

    #[test]
    fn reads_are_closed_by_any_setting_but_open() {
        for reads in [None, Some(""), Some("open")] {
            assert!(policy(reads, None, "").is_open(Scope::Read), "{reads:?}");
        }
        for reads in ["token", "Open", "tokne", " "] {
            let closed = policy(Some(reads), Some("open"), "");
            let expected = Some(Kind::TokenRequired);
            assert_eq!(rejection(&closed, Scope::Read, None), expected, "{reads}");
        }
    }

    #[test]
    fn a_scope_includes_the_smaller_ones() {
        let tokens = [
            (Scope::Read, READER),
            (Scope::Write, WRITER),
            (Scope::Admin, ADMIN),
        ];
        let entries = tokens.map(|(scope, token)| format!("{}:x:{}", scope.name(), hash(token)));
        let policy = policy(Some("token"), None, &entries.join(", "));
        for (granted, token) in tokens {
            for scope in Scope::ALL {
                let expected = (granted < scope).then_some(Kind::InsufficientScope);
                assert_eq!(rejection(&policy, scope, Some(token)), expected, "{token}");
            }
        }
        for scope in Scope::ALL {
            let expected = Some(Kind::TokenRefused);
            assert_eq!(rejection(&policy, scope, Some(OTHER)), expected);
        }
    }

    #[test]
    fn two_tokens_are_valid_during_a_rotation() {
        let hashes = format!(
            "write:anna:{},write:anna:{}",
            hash(WRITER),
            hash(ADMIN).to_uppercase()
        );
        let policy = policy(None, None, &hashes);
        assert_eq!(rejection(&policy, Scope::Write, Some(WRITER)), None);
        assert_eq!(rejection(&policy, Scope::Write, Some(ADMIN)), None);
        let expected = Some(Kind::TokenRefused);
        assert_eq!(rejection(&policy, Scope::Write, Some(OTHER)), expected);
    }

    #[test]
    fn a_token_with_two_entries_has_the_greater_scope_and_its_name() {
        for scopes in [["admin", "read"], ["read", "admin"]] {
            let entries = scopes.map(|scope| format!("{scope}:{scope}-name:{}", hash(ADMIN)));
            let policy = policy(None, None, &entries.join(","));
            assert_eq!(rejection(&policy, Scope::Admin, Some(ADMIN)), None);
            let grant = policy.grant_of(&token(ADMIN)).unwrap();
            assert_eq!(grant.actor.as_str(), "admin-name");
            assert_eq!(policy.grant_of(&token(OTHER)), None);
        }
    }

    #[test]
    fn a_token_with_two_entries_of_one_scope_has_the_first_name() {
        let entries = ["anna", "boris"].map(|name| format!("write:{name}:{}", hash(WRITER)));
        let grant = policy(None, None, &entries.join(",")).grant_of(&token(WRITER));
        assert_eq!(grant.unwrap().actor.as_str(), "anna");
    }

    proptest! {
        #[test]
        fn no_setting_lets_a_stranger_in(
            reads in "\\PC{1,6}",
            tokens in "((read|write|admin|é)?:?(anna)?:?[0-9a-fé ]{0,66},?){0,4}",
        ) {
            let policy = policy(Some(&reads), None, &tokens);
            prop_assume!(reads != "open");
            for scope in Scope::ALL {
                let rejected = rejection(&policy, scope, Some(OTHER));
                prop_assert!(matches!(rejected, Some(Kind::TokenRefused | Kind::Misconfigured)));
            }
        }
    }
}
