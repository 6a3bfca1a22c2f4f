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
mod tests;
