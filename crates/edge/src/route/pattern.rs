//! Patterns of paths, such as `/people/{id}/history` or `/places/{*rest}`. `{name}` matches one
//! segment that is not empty, and `{*name}` matches the rest of the path.

use std::cmp::Ordering;

/// The variable segments of a path, if it matches the pattern.
pub fn match_path(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut variables = Vec::new();
    let mut rest = Some(path);
    for expected in pattern.split('/') {
        let remaining = rest?;
        let (segment, after) = match remaining.split_once('/') {
            Some((segment, after)) if kind(expected) != Kind::Rest => (segment, Some(after)),
            _ => (remaining, None),
        };
        match kind(expected) {
            Kind::Literal if expected != segment => return None,
            Kind::Literal => {}
            _ if segment.is_empty() => return None,
            Kind::Variable | Kind::Rest => variables.push(segment.to_owned()),
        }
        rest = after;
    }
    rest.is_none().then_some(variables)
}

/// Orders two patterns that match the same path: the more specific one is less. Two patterns that
/// match the same paths are equal.
pub fn compare(one: &str, other: &str) -> Ordering {
    let key = |segment| match kind(segment) {
        Kind::Literal => (Kind::Literal, segment),
        variable => (variable, ""),
    };
    one.split('/').map(key).cmp(other.split('/').map(key))
}

/// The kinds of segments, the most specific one first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Literal,
    Variable,
    Rest,
}

fn kind(segment: &str) -> Kind {
    if segment.starts_with("{*") {
        Kind::Rest
    } else if segment.starts_with('{') {
        Kind::Variable
    } else {
        Kind::Literal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_paths_of_its_shape_only() {
        for (pattern, path, expected) in [
            ("/", "/", Some(vec![])),
            ("/places", "/places", Some(vec![])),
            ("/places", "/places/", None),
            ("/places", "/place", None),
            ("/places", "/places/1", None),
            ("/places/{id}", "/places/1", Some(vec!["1"])),
            ("/places/{id}", "/places/", None),
            ("/places/{id}", "/places", None),
            ("/places/{id}", "/places/1/", None),
            ("/places/{id}", "/places/1/history", None),
            ("/ui/{id}/{action}", "/ui/7/edit", Some(vec!["7", "edit"])),
            ("/ui/{*rest}", "/ui/7/edit", Some(vec!["7/edit"])),
            ("/ui/{*rest}", "/ui/7/", Some(vec!["7/"])),
            ("/ui/{*rest}", "/ui/", None),
            ("/ui/{*rest}", "/ui", None),
        ] {
            let found = match_path(pattern, path);
            let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!(found, expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_literal_segment_is_more_specific_than_a_variable() {
        let order = ["/a/b", "/a/b/{*rest}", "/a/{id}", "/a/{id}/c", "/a/{*rest}"];
        for pair in order.windows(2) {
            let [less, more] = pair else { unreachable!() };
            assert_eq!(compare(less, more), Ordering::Less, "{less} {more}");
        }
        assert_eq!(compare("/a/{id}", "/a/{name}"), Ordering::Equal);
        assert_ne!(compare("/a/{id}", "/b/{id}"), Ordering::Equal);
    }
}
