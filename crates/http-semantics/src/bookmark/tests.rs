//! Tests what a session requires, what it has observed, and what others may use.

use super::*;
use proptest::prelude::*;

/// A bookmark of D1. A greater number is a later state.
fn bookmark(number: u32) -> String {
    format!("{number:08x}-00000000-00004c6d-8e61117bf38d7adb71b934ebbf891683")
}

fn observed(places: Option<u32>, people: Option<u32>) -> Observed {
    let mut observed = Observed::default();
    for (backend, number) in Backend::ALL.into_iter().zip([places, people]) {
        if let Some(number) = number {
            observed.advance(backend, &bookmark(number));
        }
    }
    observed
}

fn constraints(session: &Session) -> [&str; 2] {
    Backend::ALL.map(|backend| session.constraint(backend))
}

#[test]
fn a_backend_is_known_by_the_name_of_its_worker() {
    assert_eq!(Backend::from_worker("places"), Some(Backend::Places));
    assert_eq!(Backend::from_worker("people"), Some(Backend::People));
    assert_eq!(Backend::from_worker("join"), None);
}

#[test]
fn a_request_without_a_token_accepts_any_replica() {
    let session = Session::new(None);
    assert_eq!(constraints(&session), [FIRST_UNCONSTRAINED; 2]);
    assert_eq!(session.request_token(), None);
    assert_eq!(session.observed().token(), None);
}

#[test]
fn each_database_gets_its_part_of_the_token() {
    let (first, second) = (bookmark(1), bookmark(2));
    let session = Session::new(Some(&format!("{first}.{second}")));
    assert_eq!(constraints(&session), [first.as_str(), &second]);
    let session = Session::new(Some(&format!(".{second}")));
    assert_eq!(constraints(&session), [FIRST_UNCONSTRAINED, &second]);
    assert_eq!(session.request_token(), Some(format!(".{second}")));
    let newest = Session::newest();
    assert_eq!(constraints(&newest), [FIRST_PRIMARY; 2]);
    assert_eq!(newest.request_token().as_deref(), Some(FIRST_PRIMARY));
}

#[test]
fn only_a_session_for_the_newest_state_requires_it() {
    let requires = |token: Option<&str>| {
        let session = Session::new(token);
        Backend::ALL.map(|backend| session.requires_newest(backend))
    };
    assert_eq!(requires(None), [false; 2]);
    assert_eq!(requires(Some(FIRST_PRIMARY)), [true; 2]);
    assert_eq!(
        requires(Some(&format!("{}.{FIRST_PRIMARY}", bookmark(1)))),
        [false, true]
    );
}

#[test]
fn a_bookmark_of_an_unknown_form_requires_the_primary() {
    let known = bookmark(1);
    for unknown in [
        "a",
        "é",
        FIRST_UNCONSTRAINED,
        &known.to_uppercase(),
        &known[1..],
        &format!("{known}0"),
        &format!("{known}-0"),
        &format!(" {known}"),
        &"1".repeat(9000),
    ] {
        let session = Session::new(Some(&format!("{known}.{unknown}")));
        assert_eq!(
            constraints(&session),
            [known.as_str(), FIRST_PRIMARY],
            "{unknown}"
        );
    }
    for token in ["", "a", "first-primary", FIRST_UNCONSTRAINED, "a.b.c"] {
        let session = Session::new(Some(token));
        assert_eq!(
            session.constraint(Backend::People),
            FIRST_PRIMARY,
            "{token}"
        );
    }
    let mut unknown = observed(Some(1), None);
    unknown.advance(Backend::People, "a new form");
    assert_eq!(unknown.token(), Some(format!("{known}.{FIRST_PRIMARY}")));
    unknown.advance(Backend::People, &known);
    assert_eq!(unknown.token(), Some(format!("{known}.{FIRST_PRIMARY}")));
}

/// The greater text of a client must not win over what D1 returns.
#[test]
fn a_required_bookmark_is_never_observed() {
    let mut session = Session::new(Some(&format!("{}.{}", bookmark(9), bookmark(9))));
    assert!(session.requires_bookmark(Backend::Places));
    session.reach(Backend::Places, &bookmark(1));
    assert_eq!(*session.observed(), observed(Some(1), None));
    assert!(!session.requires_bookmark(Backend::Places));
    assert_eq!(constraints(&session), [bookmark(1), bookmark(9)]);
    session.reach_all(&observed(None, Some(2)));
    assert_eq!(*session.observed(), observed(Some(1), Some(2)));
    assert_eq!(constraints(&session), [bookmark(1), bookmark(2)]);
}

#[test]
fn a_bookmark_that_a_client_has_sent_is_not_passed_on_to_others() {
    let token = format!("{}.", bookmark(9));
    let mut sender = Session::new(Some(&token));
    sender.reach(Backend::Places, &bookmark(9));
    sender.reach(Backend::Places, &bookmark(9));
    assert_eq!(sender.observed().token(), Some(token.clone()));
    let mut other = Session::new(None);
    assert!(other.is_satisfied_by(Backend::Places, sender.observed()));
    other.reach_all(sender.observed());
    assert_eq!(other.observed().token(), None);
    // The gateway of the sender, which parses the token of the backend.
    let mut gateway = Session::new(Some(&token));
    gateway.reach_all(&Observed::parse(&token));
    other.reach_all(gateway.observed());
    assert_eq!(other.observed().token(), None);
    // A client that has the same one gets it again.
    let mut same = Session::new(Some(&token));
    same.reach_all(gateway.observed());
    assert_eq!(same.observed().token(), Some(token.clone()));
    // D1 has returned it to a client that did not send it.
    let mut first = Session::new(None);
    first.reach(Backend::Places, &bookmark(9));
    let mut shared = sender.observed().clone();
    shared.merge(first.observed());
    other.reach_all(&shared);
    assert_eq!(other.observed().token(), Some(token));
}

#[test]
fn a_request_that_falls_back_to_the_primary_stays_there() {
    let mut session = Session::new(Some(&format!("{}.", bookmark(9))));
    session.require_newest(Backend::Places);
    assert!(!session.requires_bookmark(Backend::Places));
    session.reach(Backend::Places, &bookmark(1));
    assert_eq!(constraints(&session), [FIRST_PRIMARY, FIRST_UNCONSTRAINED]);
    assert_eq!(
        session.observed().token(),
        Some(format!("{}.", bookmark(1)))
    );
}

#[test]
fn only_a_run_that_has_reached_the_required_state_is_shared() {
    let run = observed(Some(5), None);
    for (token, is_shared) in [
        (None, true),
        (Some(format!("{}.", bookmark(5))), true),
        (Some(format!("{}.", bookmark(6))), false),
        (Some("x.".to_owned()), false),
        (Some(FIRST_PRIMARY.to_owned()), false),
        (Some(format!(".{}", bookmark(9))), true),
    ] {
        let session = Session::new(token.as_deref());
        assert_eq!(
            session.is_satisfied_by(Backend::Places, &run),
            is_shared,
            "{token:?}"
        );
    }
    let mut later = Session::new(None);
    later.reach(Backend::Places, &bookmark(6));
    assert!(!later.is_satisfied_by(Backend::Places, &run));
}

proptest! {
    #[test]
    fn a_token_parses_to_the_same_bookmarks(
        places in proptest::option::of(any::<u32>()),
        people in proptest::option::of(any::<u32>()),
    ) {
        let observed = observed(places, people);
        let parsed = observed.token().map(|token| Observed::parse(&token));
        prop_assert_eq!(parsed.unwrap_or_default(), observed);
    }

    #[test]
    fn merged_bookmarks_are_the_latest(all in prop::collection::vec(any::<u32>(), 1..6)) {
        let mut reader = Observed::default();
        for number in &all {
            reader.merge(&observed(Some(*number), None));
        }
        let latest = all.iter().copied().max();
        prop_assert_eq!(reader, observed(latest, None));
    }
}
