//! The documents say no more and no less than the code.

use std::collections::BTreeSet;
use std::fs;

use crate::Json;
use edge::Router;
use testbed::{Testbed, Value};

fn documents() -> [(&'static str, Json); 3] {
    crate::documents()
}

fn operations(document: &Json) -> BTreeSet<String> {
    let paths = document.get("paths").unwrap();
    let operations = paths.members().flat_map(|(path, item)| {
        let methods = item.members();
        methods.map(move |(method, _)| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

/// What a table answers to the world, as the documents write it. HEAD is where GET is, and
/// OPTIONS everywhere, and neither is said of each address.
fn answered(table: &Router) -> BTreeSet<String> {
    let is_public = |(address, _): &(&str, String)| {
        !address.starts_with("/internal/") && !address.starts_with("/ui/")
    };
    let operations = table
        .allowed_methods()
        .filter(is_public)
        .flat_map(|(address, allow)| {
            let path = format!("/v1{}", address.trim_end_matches('/'));
            let methods: Vec<String> = allow.split(", ").map(str::to_owned).collect();
            let told = methods
                .into_iter()
                .filter(|method| !["", "HEAD", "OPTIONS"].contains(&method.as_str()));
            told.map(move |method| format!("{method} {path}"))
        });
    operations.collect()
}

#[test]
fn each_document_has_the_routes_of_its_table() {
    let [(_, of_places), (_, of_people), (_, whole)] = documents();
    let (in_places, in_people) = (operations(&of_places), operations(&of_people));
    assert_eq!(in_places, answered(&::places::router()));
    assert_eq!(in_people, answered(&::people::router()));

    // The entry point serves its document as a file, and passes on what is below two addresses.
    let mut expected = answered(&::join::router());
    expected.extend(in_places);
    expected.extend(in_people);
    assert_eq!(operations(&whole), expected);
    let passed_on = |address: &str| {
        ::join::router()
            .allowed_methods()
            .any(|(known, _)| known == address)
    };
    assert!(passed_on("/places/{*rest}") && passed_on("/people/{*rest}"));
}

#[test]
fn the_files_are_as_the_code_is() {
    for (name, document) in documents() {
        let file = format!("{}/../../openapi/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let is_same = fs::read_to_string(file).unwrap() == crate::written(&document);
        assert!(is_same, "openapi/{name}.json is out of date: make openapi");
    }
}

#[test]
fn the_dataset_lists_the_routes_of_the_document() {
    let testbed = Testbed::migrated("join").unwrap();
    let rows = testbed.rows(&::join::store::dataset()).unwrap();
    let Value::Text(dataset) = &rows[0]["body"] else {
        panic!("no dataset");
    };
    let routes = Json::read(dataset);
    let routes = routes.get("routes").unwrap().items().iter();
    let routes: BTreeSet<&str> = routes.filter_map(Json::as_str).collect();
    let [.., (_, whole)] = documents();
    let paths = whole.get("paths").unwrap();
    let elsewhere = |path: &&str| *path != "/v1";
    let paths = paths.members().map(|(path, _)| path).filter(elsewhere);
    let paths: BTreeSet<&str> = paths.collect();
    assert_eq!(routes, paths);
}

#[test]
fn an_operation_has_an_id_of_its_own_and_links_lead_to_one() {
    let [.., (_, whole)] = documents();
    let mut ids = BTreeSet::new();
    let mut links = BTreeSet::new();
    let paths = whole.get("paths").unwrap().members();
    for (_, operation) in paths.flat_map(|(_, item)| item.members()) {
        let id = operation.get("operationId").and_then(Json::as_str);
        assert!(ids.insert(id.unwrap().to_owned()), "{id:?} stands twice");
        let responses = operation.get("responses").unwrap().members();
        for (_, response) in responses {
            let found = response.get("links").into_iter().flat_map(Json::members);
            let to = found.filter_map(|(_, link)| link.get("operationId")?.as_str());
            links.extend(to.map(str::to_owned));
        }
    }
    assert!(!links.is_empty() && links.is_subset(&ids), "{links:?}");
}
