//! Tests which paths are accepted: only those that every program reads in the same way.

use super::*;
use proptest::prelude::*;
use url::Url;

#[test]
fn the_version_and_a_trailing_slash_are_not_part_of_a_canonical_path() {
    for path in ["/places/3", "/places/3/", "/v1/places/3", "/v1/places/3/"] {
        assert_eq!(canonical(path), "/places/3");
    }
    for root in ["/", "/v1", "/v1/"] {
        assert_eq!(canonical(root), "/");
    }
    assert_eq!(canonical("/v10/places"), "/v10/places");
    assert_eq!(canonical("/v1/v1/places"), "/v1/places");
    assert_eq!(canonical("/places//"), "/places//");
    assert_eq!(canonical("//"), "//");
}

#[test]
fn a_url_is_split_into_path_and_query() {
    assert_eq!(
        path_and_query("http://host:1/v1/a?b=c&d"),
        ("/v1/a", "b=c&d")
    );
    assert_eq!(path_and_query("http://host/a"), ("/a", ""));
    assert_eq!(
        path_and_query("http://host/?q=http://x"),
        ("/", "q=http://x")
    );
    assert_eq!(path_and_query("http://host"), ("/", ""));
    assert_eq!(path_and_query("http://host/a#b?c"), ("/a#b", "c"));
    assert_eq!(path_and_query("http://host#/a"), ("#/a", ""));
}

#[test]
fn a_normalized_path_is_accepted() {
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/people/1",
        "/people-per-place/",
        "/a.b/..c/d../...",
        "/%2e%2e%2e/.%2ea",
        "/%31/%20/%C3%B1",
        "/a;b=c,d/@e:f!$&'()*+,;=~_",
    ] {
        assert!(is_normalized(path), "{path}");
    }
}

#[test]
fn an_encoded_unreserved_character_is_decoded() {
    for (path, decoded) in [
        ("/v1/peopl%65/%31", "/v1/people/1"),
        ("/%76%31/%7e%2D%5f.%2ea", "/v1/~-_..a"),
        ("/%20/%C3%B1/%3B%40", "/%20/%C3%B1/%3B%40"),
        ("/%3%31", "/%31"),
        ("/a", "/a"),
    ] {
        assert_eq!(decode_unreserved(path), decoded);
    }
}

#[test]
fn a_path_with_a_dot_segment_is_rejected_in_every_spelling() {
    let dots = [
        ".", "..", "%2e", "%2E", ".%2e", ".%2E", "%2e.", "%2E.", "%2e%2e", "%2E%2e", "%2e%2E",
        "%2E%2E",
    ];
    for dots in dots {
        for path in [
            format!("/{dots}"),
            format!("/{dots}/"),
            format!("/a/{dots}"),
            format!("/a/{dots}/b"),
            format!("/{dots}/a"),
        ] {
            assert!(!is_normalized(&path), "{path}");
        }
    }
}

#[test]
fn a_path_that_some_program_reads_differently_is_rejected() {
    for path in [
        "",
        "a",
        "*",
        "?",
        "//",
        "//a",
        "/a//",
        "/a//b",
        "/\\a",
        "\\a",
        "/a\\b",
        "/a%2fb",
        "/a%2F",
        "/%5c",
        "/%5C",
        "/..%2fa",
        "/%252e%252e/a",
        "/%",
        "/%2",
        "/%2/a",
        "/%zz",
        "/%+2",
        "/a%00",
        "/%0A",
        "/%7f",
        "/a b",
        "/a\tb",
        "/a\nb",
        "/a\r",
        "/\u{0}",
        "/\u{7f}",
        "/a#b",
        "/#",
        "/a?b",
        "/ñ",
        "/\u{ff0e}",
        "/\"",
        "/<",
        "/>",
        "/^",
        "/`",
        "/{",
        "/|",
        "/}",
        "/[",
    ] {
        assert!(!is_normalized(path), "{path:?}");
    }
}

#[test]
fn a_url_with_parts_that_a_parser_changes_is_rejected() {
    for (url, parts) in [
        ("http://h/v1/a?b=/../c", Some(("/v1/a", "b=/../c"))),
        ("http://h/a?%2e%2e\\'\"<>ñ", Some(("/a", "%2e%2e\\'\"<>ñ"))),
        ("http://h", Some(("/", ""))),
        ("http://h/a/../b", None),
        ("http://h/a#b", None),
        ("http://h/a?b#c", None),
        ("http://h/a?b\tc", None),
        ("http://h/a?b\u{1}", None),
        ("http://h?a", None),
        ("http://h#a", None),
    ] {
        assert_eq!(checked_path_and_query(url), parts, "{url:?}");
    }
}

/// The segments in a server that decodes a path before it splits it, and treats `\` as `/`.
fn decoded_first(path: &str) -> Vec<String> {
    let mut parts = path.split('%');
    let mut decoded = parts.next().unwrap().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        decoded.push(char::from(u8::from_str_radix(digits, 16).unwrap()));
        decoded.push_str(rest);
    }
    decoded.split(['/', '\\']).map(ToOwned::to_owned).collect()
}

fn paths() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => "[a-z0-9]",
        6 => Just("/".to_owned()),
        4 => prop::sample::select(vec![".", "..", "%2e", "%2E", "%2f", "%5C", "%25", "%00"])
            .prop_map(ToOwned::to_owned),
        1 => "%[0-9a-fA-F]{2}",
        1 => "[ -~]",
        1 => "\\PC",
        1 => prop::char::any().prop_map(String::from),
    ];
    prop::collection::vec(part, 0..10).prop_map(|parts| format!("/{}", parts.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_url_parser_changes_an_accepted_path(path in paths(), query in "[ -~\t\n]{0,6}") {
        if !is_normalized(&path) {
            return Ok(());
        }
        let absolute = Url::parse(&format!("http://host{path}")).unwrap();
        prop_assert_eq!(absolute.as_str(), format!("http://host{path}"));
        prop_assert_eq!(absolute.path(), &path);
        let relative = Url::parse("http://host/a/b").unwrap().join(&path).unwrap();
        prop_assert_eq!(relative, absolute);

        let url = format!("http://host{path}?{query}");
        if let Some(parts) = checked_path_and_query(&url) {
            prop_assert_eq!(parts, (path.as_str(), query.as_str()));
            let parsed = Url::parse(&url).unwrap();
            prop_assert_eq!(parsed.path(), path);
            prop_assert_eq!(parsed.fragment(), None);
            let pairs = |query: &str| {
                let pairs = form_urlencoded::parse(query.as_bytes());
                pairs.into_owned().collect::<Vec<_>>()
            };
            prop_assert_eq!(pairs(parsed.query().unwrap()), pairs(&query));
        }
    }

    #[test]
    fn a_decoded_path_is_normalized_and_has_the_same_meaning(path in paths()) {
        if is_normalized(&path) {
            let decoded = decode_unreserved(&path);
            prop_assert!(is_normalized(&decoded), "{decoded}");
            prop_assert_eq!(decoded_first(&decoded), decoded_first(&path));
            prop_assert_eq!(decode_unreserved(&decoded), decoded.clone());
        }
    }

    #[test]
    fn a_server_that_decodes_first_sees_the_same_segments(path in paths()) {
        if is_normalized(&path) {
            let decoded = decoded_first(&path);
            prop_assert_eq!(decoded.len(), path.split('/').count());
            prop_assert!(!decoded.iter().any(|segment| segment == "." || segment == ".."));
        }
    }
}
