//! Tests access policies and tokens: no setting lets a stranger in.

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
