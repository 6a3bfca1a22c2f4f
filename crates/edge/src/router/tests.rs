use super::*;
use crate::route::get;

async fn handler(_request: Request) -> Result<Response, Error> {
    Ok(Response::no_content())
}

#[test]
#[should_panic(expected = "route /a/{name} conflicts with")]
fn two_patterns_of_the_same_paths_panic() {
    let router = Router::new("test", &[]).route("/a/{id}", get(handler));
    let _ = router.route("/a/{name}", get(handler));
}

#[test]
fn the_most_specific_route_is_found_in_any_order() {
    let router = Router::new("test", &[])
        .route("/a/{*rest}", get(handler))
        .route("/a/{id}", get(handler))
        .route("/a/import", get(handler));
    let found = |path| {
        router
            .find(path)
            .map(|(route, _, segments)| (route, segments))
    };
    assert_eq!(found("/a/import"), Some(("/a/import", vec![])));
    assert_eq!(found("/a/7"), Some(("/a/{id}", vec!["7".to_owned()])));
    assert_eq!(
        found("/a/7/b"),
        Some(("/a/{*rest}", vec!["7/b".to_owned()]))
    );
    assert_eq!(found("/b"), None);
}

#[test]
#[should_panic(expected = "are internal()")]
fn a_path_under_internal_without_internal_panics() {
    let _ = Router::new("test", &[]).route("/internal/a", get(handler));
}

#[test]
#[should_panic(expected = "are internal()")]
fn a_public_path_with_internal_panics() {
    let _ = Router::new("test", &[]).route("/a", get(handler).internal());
}

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
        assert!(
            found.is_none() || path.starts_with(prefix(pattern)),
            "{pattern} {path}"
        );
        let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect());
        assert_eq!(found, expected, "{pattern} {path}");
    }
}

#[test]
fn a_literal_segment_is_more_specific_than_a_variable() {
    let order = ["/a/b", "/a/b/{*rest}", "/a/{id}", "/a/{id}/c", "/a/{*rest}"];
    for pair in order.windows(2) {
        let [less, more] = pair else { unreachable!() };
        assert_eq!(
            compare_patterns(less, more),
            Ordering::Less,
            "{less} {more}"
        );
    }
    assert_eq!(compare_patterns("/a/{id}", "/a/{name}"), Ordering::Equal);
    assert_ne!(compare_patterns("/a/{id}", "/b/{id}"), Ordering::Equal);
}
