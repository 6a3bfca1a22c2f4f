//! Paths: the same routes answer with and without `/v1`, and with a trailing slash.

/// The one spelling of a path that the route tables hold: without the version, and
/// without a trailing slash.
#[must_use]
pub fn canonical(path: &str) -> &str {
    let path = match path.strip_prefix("/v1") {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() && !rest.ends_with('/') => rest,
        _ => path,
    }
}

/// The path and the query of an absolute address, the query empty where there is none.
#[must_use]
pub fn of_address(address: &str) -> (&str, &str) {
    let behind_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let from_path = behind_scheme
        .find(['/', '?'])
        .map_or("/", |at| &behind_scheme[at..]);
    let before_fragment = from_path.split('#').next().unwrap_or(from_path);
    before_fragment
        .split_once('?')
        .unwrap_or((before_fragment, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_four_spellings() {
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
    fn an_address_is_cut_in_path_and_query() {
        assert_eq!(of_address("http://host:1/v1/a?b=c&d"), ("/v1/a", "b=c&d"));
        assert_eq!(of_address("http://host/a"), ("/a", ""));
        assert_eq!(of_address("http://host/?q=http://x"), ("/", "q=http://x"));
        assert_eq!(of_address("http://host"), ("/", ""));
    }
}
