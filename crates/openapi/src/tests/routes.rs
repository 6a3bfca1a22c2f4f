//! Compares the OpenAPI documents with the route tables, the committed files and the dataset.

use std::collections::BTreeSet;
use std::fs;

use crate::Json;
use edge::Router;
use testbed::{Testbed, Value};

fn operations(document: &Json) -> BTreeSet<String> {
    let paths = document.get("paths").unwrap();
    let operations = paths.members().flat_map(|(path, item)| {
        let methods = item.members();
        methods.map(move |(method, _)| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

/// The public operations of a router, without the pages, and without HEAD and OPTIONS, which the
/// documents do not list.
fn routed(router: &Router) -> BTreeSet<String> {
    let is_public = |(path, _): &(&str, String)| {
        let unlisted = ["/internal/", "/ui/", "/docs", "/problems"];
        !unlisted.iter().any(|prefix| path.starts_with(prefix))
    };
    let operations = router
        .allowed_methods()
        .filter(is_public)
        .flat_map(|(path, allow)| {
            let path = format!("/v1{}", path.trim_end_matches('/'));
            let methods: Vec<String> = allow.split(", ").map(str::to_owned).collect();
            let listed = methods
                .into_iter()
                .filter(|method| !["", "HEAD", "OPTIONS"].contains(&method.as_str()));
            listed.map(move |method| format!("{method} {path}"))
        });
    operations.collect()
}

#[test]
fn each_document_has_the_routes_of_its_worker() {
    let [(_, places), (_, people), (_, whole)] = crate::documents();
    let (in_places, in_people) = (operations(&places), operations(&people));
    assert_eq!(in_places, routed(&::places::router()));
    assert_eq!(in_people, routed(&::people::router()));

    // The gateway forwards all paths below two prefixes.
    let mut expected = routed(&::join::router());
    expected.extend(in_places);
    expected.extend(in_people);
    assert_eq!(operations(&whole), expected);
    let forwards = |path: &str| {
        ::join::router()
            .allowed_methods()
            .any(|(known, _)| known == path)
    };
    assert!(forwards("/places/{*rest}") && forwards("/people/{*rest}"));
}

#[test]
fn committed_documents_are_up_to_date() {
    for (name, document) in crate::documents() {
        let file = format!("{}/../../openapi/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let is_current = fs::read_to_string(file).unwrap() == crate::file_text(&document);
        assert!(
            is_current,
            "openapi/{name}.json is out of date: run make openapi"
        );
    }
}

#[test]
fn the_dataset_lists_the_routes_of_the_document() {
    let testbed = Testbed::migrated("join").unwrap();
    let rows = testbed.rows(&::join::store::dataset()).unwrap();
    let Value::Text(dataset) = &rows[0]["body"] else {
        panic!("the dataset is not a text");
    };
    let routes = Json::parse(dataset);
    let routes = routes.get("routes").unwrap().items().iter();
    let routes: BTreeSet<&str> = routes.filter_map(Json::as_str).collect();
    let [.., (_, whole)] = crate::documents();
    let paths = whole.get("paths").unwrap();
    let is_listed = |path: &&str| *path != "/v1";
    let paths = paths.members().map(|(path, _)| path).filter(is_listed);
    let paths: BTreeSet<&str> = paths.collect();
    assert_eq!(routes, paths);
}

#[test]
fn operation_ids_are_unique_and_links_lead_to_operations() {
    let [.., (_, whole)] = crate::documents();
    let mut ids = BTreeSet::new();
    let mut links = BTreeSet::new();
    let paths = whole.get("paths").unwrap().members();
    for (_, operation) in paths.flat_map(|(_, item)| item.members()) {
        let id = operation.get("operationId").and_then(Json::as_str);
        assert!(ids.insert(id.unwrap().to_owned()), "{id:?} is not unique");
        let responses = operation.get("responses").unwrap().members();
        for (_, response) in responses {
            let links_of_response = response.get("links").into_iter().flat_map(Json::members);
            let targets =
                links_of_response.filter_map(|(_, link)| link.get("operationId")?.as_str());
            links.extend(targets.map(str::to_owned));
        }
    }
    assert!(!links.is_empty() && links.is_subset(&ids), "{links:?}");
}
