//! Tests entity tags, and how they are compared.

use super::*;

const EPOCH: &str = "1f09ab34";

/// A version of a record that exists.
fn version(number: i64) -> Option<Validator> {
    Validator::parse(&format!("{number}.{EPOCH}"))
}

fn validator(number: i64) -> Validator {
    version(number).unwrap()
}

fn tags(text: &str) -> Vec<String> {
    Tags::parse(text)
        .iter()
        .flat_map(Tags::iter)
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_list_of_tags_is_parsed() {
    assert_eq!(Tags::parse(" * "), Some(Tags::Any));
    assert_eq!(tags(r#""3""#), [r#""3""#]);
    assert_eq!(
        tags(r#"W/"a,b" ,	"", "x""#),
        [r#"W/"a,b""#, r#""""#, r#""x""#]
    );
    assert_eq!(tags(r#""a", "b""#), [r#""a""#, r#""b""#]);
    assert_eq!(tags(r#""a\", "b""#), [r#""a\""#, r#""b""#]);
}

#[test]
fn a_malformed_list_of_tags_is_rejected() {
    for rejected in [
        "3",
        "\"3",
        "*, \"3\"",
        "\"3\" \"4\"",
        "w/\"3\"",
        "*,",
        "\"a b\"",
    ] {
        assert_eq!(Tags::parse(rejected), None, "{rejected}");
    }
}

#[test]
fn a_list_of_more_tags_than_the_maximum_is_rejected() {
    let list = |count: usize| Tags::parse(&vec!["\"1\""; count].join(","));
    assert_eq!(
        list(Tags::MAX_TAGS).iter().flat_map(Tags::iter).count(),
        100
    );
    for count in [101, 102, 300] {
        assert_eq!(list(count), None, "{count}");
    }
}

#[test]
fn a_single_tag_is_parsed() {
    let tag = |text| Tag::parse(text).map(|tag| tag.to_string());
    assert_eq!(tag(" W/\"3\" ").as_deref(), Some("W/\"3\""));
    for rejected in ["", "*", "3", "\"3\", \"4\""] {
        assert_eq!(tag(rejected), None, "{rejected}");
    }
}

#[test]
fn if_match_allows_the_versions_of_its_tags() {
    for (header, versions) in [
        ("*", None),
        ("", Some(vec![])),
        ("\"x\", \"0.1f09ab34\"", Some(vec![])),
        (
            "\"2.1f09ab34\", W/\"7.1f09ab34\"",
            Some(vec![validator(2), validator(7)]),
        ),
    ] {
        assert_eq!(if_match(header).matched_versions(), versions, "{header}");
    }
    assert_eq!(if_none_match("\"2.1f09ab34\"").matched_versions(), None);
}

/// RFC 9110, 5.6.1.2: a recipient ignores empty elements.
#[test]
fn empty_elements_of_a_list_of_tags_are_ignored() {
    for (list, expected) in [
        (r#", "a",, ,"1","#, vec![r#""a""#, r#""1""#]),
        (r#",,"1""#, vec![r#""1""#]),
        (r#""1","#, vec![r#""1""#]),
        ("", vec![]),
        (" ", vec![]),
        (", ,", vec![]),
    ] {
        assert!(Tags::parse(list).is_some(), "{list}");
        assert_eq!(tags(list), expected, "{list}");
    }
    let many = ",".repeat(2 * Tags::MAX_TAGS);
    assert_eq!(tags(&format!("{many}\"1\"")), [r#""1""#]);
}

#[test]
fn an_empty_list_of_tags_matches_nothing() {
    for empty in ["", " ", ",", ", ,"] {
        assert!(if_match(empty).check(version(1)).is_err(), "{empty}");
        assert!(if_none_match(empty).check(version(1)).is_ok(), "{empty}");
        assert!(!if_none_match(empty).not_modified(version(1)), "{empty}");
    }
}

fn if_match(text: &str) -> Preconditions {
    Preconditions {
        if_match: Tags::parse(text),
        ..Preconditions::default()
    }
}

fn if_none_match(text: &str) -> Preconditions {
    Preconditions {
        if_none_match: Tags::parse(text),
        ..Preconditions::default()
    }
}

#[test]
fn if_match_and_if_none_match_compare_the_version_and_the_epoch_weakly() {
    assert!(Preconditions::default().check(None).is_ok());
    for (header, version, is_met) in [
        ("*", version(1), true),
        ("*", None, false),
        ("\"2.1f09ab34\"", version(2), true),
        ("\"1.1f09ab34\", \"2.1f09ab34\"", version(2), true),
        ("\"2.1f09ab34\"", version(3), false),
        ("\"2.1f09ab34\"", None, false),
        ("W/\"2.1f09ab34\"", version(2), true),
        ("W/\"2.1f09ab34\"", version(3), false),
        ("\"2.00000000\"", version(2), false),
        ("W/\"2.00000000\"", version(2), false),
        ("\"02.1f09ab34\"", version(2), false),
        ("\"2\"", version(2), false),
        ("W/\"1j2.1f09ab34\"", version(2), false),
    ] {
        assert_eq!(if_match(header).check(version).is_ok(), is_met, "{header}");
    }
    for (header, version, is_met) in [
        ("*", version(1), false),
        ("*", None, true),
        ("\"2.1f09ab34\"", version(2), false),
        ("W/\"2.1f09ab34\"", version(2), false),
        ("\"2.1f09ab34\"", version(3), true),
        ("\"2.00000000\"", version(2), true),
    ] {
        let checked = if_none_match(header).check(version);
        assert_eq!(checked.is_ok(), is_met, "{header}");
    }
}

#[test]
fn a_list_tag_contains_its_change_sequences_and_media_type() {
    let change_seqs = [7, 0].map(validator);
    let tag = Tag::from_change_seqs(MediaType::Json, &change_seqs);
    assert_eq!(tag.to_string(), "W/\"1j7.1f09ab34-0.1f09ab34\"");
    assert_eq!(tag.change_seqs(MediaType::Json), Some(change_seqs));
    assert_eq!(tag.change_seqs::<2>(MediaType::NdJson), None);
    assert_eq!(tag.change_seqs::<1>(MediaType::Json), None);
    let known =
        if_none_match("W/\"1j7.1f09ab34-0.1f09ab34\", W/\"1j9.1f09ab34-1.1f09ab34\", \"x\"");
    let newest = known.known_change_seqs(MediaType::Json);
    assert_eq!(newest, Some([9, 1].map(validator)));
}

#[test]
fn if_none_match_contains_a_list_tag_whether_weak_or_strong() {
    let tag = Tag::from_change_seqs(MediaType::Json, &[7, 0].map(validator));
    for (header, has) in [
        ("*", true),
        ("W/\"1j7.1f09ab34-0.1f09ab34\"", true),
        ("\"x\", \"1j7.1f09ab34-0.1f09ab34\"", true),
        ("W/\"1j7.1f09ab34-1.1f09ab34\"", false),
        ("W/\"1j7.1f09ab34-0.00000000\"", false),
    ] {
        assert_eq!(
            if_none_match(header).if_none_match_has(&tag),
            has,
            "{header}"
        );
    }
    assert!(!Preconditions::default().if_none_match_has(&tag));
}
